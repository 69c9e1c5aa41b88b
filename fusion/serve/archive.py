"""Unpack an upload that is a zip: as ``data.archive`` does, within what one request may bring."""

from dataclasses import dataclass
from pathlib import Path

from fusion.data import archive as data
from fusion.errors import Fault
from fusion.serve.kind import DICOM, is_dicom, suffix_of
from fusion.serve.limits import Limits, TooLargeError, UploadError


@dataclass(frozen=True)
class Unpacked:
    """Files by the path each had in the archive. These may name patients: they are compared, never told."""

    files: dict[str, Path]


def unpack(archive: Path, folder: Path, limits: Limits) -> Unpacked:
    """The archive's files in ``folder``, as 0001.dcm, 0002.nii.gz, ...

    Directories and what computers add unasked (hidden files, ``__MACOSX``) are left out.

    Raises:
        TooLargeError: more files, or more bytes, than allowed.
        UploadError: no zip, broken, encrypted, or with names that lead elsewhere, links, duplicates, archives; or no
            room for it.
    """
    room = data.Room(limits.entries, limits.unpacked_bytes)
    try:
        return Unpacked(data.unpack(archive, folder, room, _suffix, role=folder.name))
    except data.LargeArchiveError as error:
        raise TooLargeError(error.faults) from error
    except data.ArchiveError as error:
        raise UploadError(error.faults) from error
    except OSError as error:
        fault = Fault("no room to unpack the zip", "room for its files", "try again later", file=folder.name)
        raise UploadError(fault) from error


def _suffix(part: Path, name: str, head: bytes) -> str | Fault:
    return DICOM if is_dicom(head) else suffix_of(part, name)
