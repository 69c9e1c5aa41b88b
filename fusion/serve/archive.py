"""Unpack a zip that nobody vouches for: every file counted while it is written, every name replaced by a number."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fusion.errors import Fault
from fusion.serve.kind import DICOM, is_dicom, suffix_of
from fusion.serve.limits import Limits, TooLargeError, UploadError, megabytes

RATIO = 100
"""Bytes out of one byte in: CT packs to a half, a mask to a hundredth."""
SMALL_BYTES = 256 * 2**20
"""Below this a large ratio is no bomb: an empty mask packs to a thousandth."""
DIRECTORY_BYTES = 16 * 2**20
"""Of the list of files at the archive's end, which is read whole."""
CHUNK = 2**20
AGAIN = "make the zip again, with the files alone"
NESTED = (b"PK\x03\x04", b"7z\xbc\xaf", b"Rar!", b"\xfd7zX", b"BZh", b"\x28\xb5\x2f\xfd")


@dataclass(frozen=True)
class Unpacked:
    """Files by the path each had in the archive. These may name patients: they are compared, never told."""

    files: dict[str, Path]


def unpack(archive: Path, folder: Path, limits: Limits) -> Unpacked:
    """The archive's files in ``folder``, as 0001.dcm, 0002.nii.gz, ...

    Directories and what computers add unasked (hidden files, ``__MACOSX``) are left out.

    Raises:
        TooLargeError: more files, or more bytes, than allowed.
        UploadError: no zip, broken, encrypted, or with names that lead elsewhere, links, duplicates, archives.
    """
    role = folder.name
    try:
        _refuse_endless_directory(archive, role)
        with zipfile.ZipFile(archive) as zipped:
            entries = list(_wanted(zipped, role, limits))
            return Unpacked(dict(_written(zipped, entries, archive.stat().st_size, folder, limits)))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, struct.error, ValueError,
            RuntimeError) as error:  # fmt: skip
        raise UploadError(Fault("a broken zip", "a whole one", AGAIN, file=role)) from error


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
        raise TooLargeError(Fault(found, f"{megabytes(DIRECTORY_BYTES)} at most", AGAIN, file=role))


def _wanted(zipped: zipfile.ZipFile, role: str, limits: Limits) -> Iterator[zipfile.ZipInfo]:
    entries = zipped.infolist()
    if len(entries) > limits.entries:
        found = f"a zip of {len(entries)} files"
        raise TooLargeError(Fault(found, f"{limits.entries} at most", "zip one series alone", file=role))
    seen: set[str] = set()
    files = 0
    for entry in entries:
        if (reason := _unfit(entry, seen)) is not None:
            raise UploadError(Fault(f"a zip with {reason}", "plain files", AGAIN, file=role))
        seen.add(entry.filename.casefold())
        if not entry.is_dir() and not _unasked(entry.filename):
            files += 1
            yield entry
    if not files:
        raise UploadError(Fault("a zip without a file", "images and masks, or a DICOM series", AGAIN, file=role))


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


def _written(
    zipped: zipfile.ZipFile, entries: list[zipfile.ZipInfo], packed: int, folder: Path, limits: Limits
) -> Iterator[tuple[str, Path]]:
    """Each entry's name and the numbered file with its content; what it says of its own size is not believed."""
    left = min(limits.unpacked_bytes, max(SMALL_BYTES, RATIO * packed))
    folder.mkdir(mode=0o700, exist_ok=True)
    for number, entry in enumerate(entries, 1):
        part = folder / f"{number:04d}"
        with zipped.open(entry) as source, part.open("xb") as target:
            while chunk := source.read(CHUNK):
                left -= len(chunk)
                if left < 0:
                    found = "a zip that unpacks to more than it may"
                    expected = f"{megabytes(limits.unpacked_bytes)}, and {RATIO} times its own size, at most"
                    raise TooLargeError(Fault(found, expected, "zip one series alone", file=folder.name))
                target.write(chunk)
        yield entry.filename, part.rename(part.with_name(part.name + _suffix(part, entry.filename, folder.name)))


def _suffix(part: Path, name: str, role: str) -> str:
    with part.open("rb") as file:
        head = file.read(352)
    if is_dicom(head):
        return DICOM
    suffix = suffix_of(part, name)
    if isinstance(suffix, Fault):
        raise UploadError(Fault(f"in the zip, {suffix.found}", suffix.expected, suffix.remedy, file=role))
    if suffix == ".zip" or (head.startswith(NESTED) and suffix != ".xlsx"):
        raise UploadError(Fault("an archive inside the zip", "files", "unpack it first", file=role))
    return suffix
