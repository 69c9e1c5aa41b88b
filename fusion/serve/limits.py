"""How much one request may bring, and what is said of one that brings too much or nothing of use."""

from dataclasses import dataclass

from fusion.errors import FusionError

GIB = 2**30


class UploadError(FusionError):
    """An upload that cannot be used as it is."""


class UnknownKindError(UploadError):
    """An upload of no kind that can be read."""


class TooLargeError(UploadError):
    """An upload beyond what this server takes."""


@dataclass(frozen=True)
class Limits:
    """What one request may bring."""

    file_bytes: int = GIB
    request_bytes: int = GIB
    files: int = 64
    unpacked_bytes: int = 2 * GIB
    """Of all files of an archive together."""
    entries: int = 5000
    """Files in an archive."""


def megabytes(size: int) -> str:
    """A size in words.

    >>> megabytes(3_400_000)
    '3.4 MB'
    """
    return f"{size / 1e6:,.1f} MB"
