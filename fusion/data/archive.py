"""Unpack a zip that nobody vouches for: every file counted while it is written, every name replaced by a number."""

import errno
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fusion.errors import Fault, FusionError

RATIO = 100
"""Bytes out of one byte in: CT packs to a half, a mask to a hundredth."""
SMALL_BYTES = 256 * 2**20
"""Below this a large ratio is no bomb: an empty mask packs to a thousandth."""
DIRECTORY_BYTES = 16 * 2**20
"""Of the list of files at the archive's end, which is read whole."""
CHUNK = 2**20
AGAIN = "make the zip again, with the files alone"
NESTED = (b"PK\x03\x04", b"7z\xbc\xaf", b"Rar!", b"\xfd7zX", b"BZh", b"\x28\xb5\x2f\xfd")
HEAD_BYTES = 352
"""That tell what a file is."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


class ArchiveError(FusionError):
    """A zip that cannot be used as it is."""


class LargeArchiveError(ArchiveError):
    """A zip of more files, or more bytes, than allowed."""


@dataclass(frozen=True)
class Room:
    """How much a zip may hold."""

    files: int
    unpacked_bytes: int
    """Of all files together."""


Suffix = Callable[[Path, str, bytes], str | Fault]
"""Of a file, the name it had, and its first bytes: the suffix to store it under, or why it is not wanted."""


def unpack(archive: Path, folder: Path, room: Room, suffix: Suffix, role: str) -> dict[str, Path]:
    """The archive's files in ``folder``, as 0001.dcm, 0002.nii.gz, ... by the path each had in the archive.

    Directories and what computers add unasked (hidden files, ``__MACOSX``) are left out. The paths may name patients:
    they are compared, never told.

    Args:
        archive: a zip.
        folder: made if it is not there.
        room: how much it may hold.
        suffix: see there.
        role: what faults name in place of a file.

    Raises:
        LargeArchiveError: more files, or more bytes, than allowed.
        ArchiveError: no zip, broken, encrypted, or with names that lead elsewhere, links, duplicates, archives.
        OSError: no room to write, or no right to.
    """
    try:
        _refuse_endless_directory(archive, role)
        with zipfile.ZipFile(archive) as zipped:
            entries = list(_wanted(zipped, role, room))
            left = min(room.unpacked_bytes, max(SMALL_BYTES, RATIO * archive.stat().st_size))
            return dict(_written(zipped, entries, left, folder, suffix, role))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, struct.error, ValueError,
            RuntimeError) as error:  # fmt: skip
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise
        raise ArchiveError(Fault("a broken zip", "a whole one", AGAIN, file=role)) from error


def megabytes(size: int) -> str:
    """A size in words.

    >>> megabytes(3_400_000)
    '3.4 MB'
    """
    return f"{size / 1e6:,.1f} MB"


def _refuse_endless_directory(archive: Path, role: str) -> None:
    """The list of files at the end is read into memory as it is, before anything else can be counted."""
    with archive.open("rb") as file:
        end = file.seek(0, 2)
        file.seek(max(0, end - 65_557))
        tail = file.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) < at + 22:
            raise zipfile.BadZipFile
        (size,) = struct.unpack_from("<I", tail, at + 12)
        if tail[at - 20 : at - 16] == b"PK\x06\x07" and at >= 20:
            file.seek(struct.unpack_from("<Q", tail, at - 12)[0])
            (size,) = struct.unpack_from("<Q", file.read(56), 40)
    if size > DIRECTORY_BYTES:
        found = f"a zip whose list of files has {megabytes(size)}"
        raise LargeArchiveError(Fault(found, f"{megabytes(DIRECTORY_BYTES)} at most", AGAIN, file=role))


def _wanted(zipped: zipfile.ZipFile, role: str, room: Room) -> Iterator[zipfile.ZipInfo]:
    entries = zipped.infolist()
    if len(entries) > room.files:
        found = f"a zip of {len(entries)} files"
        raise LargeArchiveError(Fault(found, f"{room.files} at most", "zip one series alone", file=role))
    seen: set[str] = set()
    files = 0
    for entry in entries:
        if (reason := _unfit(entry, seen)) is not None:
            raise ArchiveError(Fault(f"a zip with {reason}", "plain files", AGAIN, file=role))
        seen.add(entry.filename.casefold())
        if not entry.is_dir() and not _unasked(entry.filename):
            files += 1
            yield entry
    if not files:
        raise ArchiveError(Fault("a zip without a file", "images and masks, or a DICOM series", AGAIN, file=role))


def _unfit(entry: zipfile.ZipInfo, seen: set[str]) -> str | None:
    """Why this entry makes the archive unfit; None where it does not."""
    path, mode = PurePosixPath(entry.filename), stat.S_IFMT(entry.external_attr >> 16)
    if path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in entry.filename:
        return "a path that leads out of its folder"
    if entry.orig_filename != entry.filename or not entry.filename.isprintable():
        return "a name that hides characters"
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "a link or device"
    if entry.flag_bits & 0x1:
        return "a password"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "a packing that only few programs read"
    return "two files of one name" if entry.filename.casefold() in seen else None


def _unasked(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def _written(zipped: zipfile.ZipFile, entries: list[zipfile.ZipInfo], left: int, folder: Path, suffix: Suffix,
             role: str) -> Iterator[tuple[str, Path]]:  # fmt: skip
    """Each entry's name and the numbered file with its content; what it says of its own size is not believed."""
    most = left
    folder.mkdir(mode=0o700, exist_ok=True)
    for number, entry in enumerate(entries, 1):
        part = folder / f"{number:04d}"
        with zipped.open(entry) as source, part.open("xb") as target:
            while chunk := source.read(CHUNK):
                left -= len(chunk)
                if left < 0:
                    found = "a zip that unpacks to more than it may"
                    expected = f"{megabytes(most)}, by its own size, at most"
                    raise LargeArchiveError(Fault(found, expected, "zip one series alone", file=role))
                target.write(chunk)
        yield entry.filename, part.rename(part.with_name(part.name + _kind(part, entry.filename, suffix, role)))


def _kind(part: Path, name: str, suffix: Suffix, role: str) -> str:
    with part.open("rb") as file:
        head = file.read(HEAD_BYTES)
    own = suffix(part, name, head)
    if isinstance(own, Fault):
        raise ArchiveError(Fault(f"in the zip, {own.found}", own.expected, own.remedy, file=role))
    if own == ".zip" or (head.startswith(NESTED) and own not in (".xlsx", ".dcm")):
        raise ArchiveError(Fault("an archive inside the zip", "files", "unpack it first", file=role))
    return own
