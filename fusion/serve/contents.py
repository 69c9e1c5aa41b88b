"""Where the bytes of a bundle come from: its folder, or its .zip, which is read where it lies and never unpacked."""

import hashlib
import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Protocol, runtime_checkable

from fusion.errors import BundleError, Fault
from fusion.serve.manifest import shown

LARGEST_GB = 16
"""All files of a bundle together; fifteen networks of the largest backbone take a third of it."""
_SMALL = 2**12
"""More bytes than a header in a .zip takes, and fewer than a network's weights."""
_BROKEN = (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError,
           struct.error)  # fmt: skip
"""What zipfile raises for an archive that is cut off, damaged, encrypted or of a kind that it does not know."""
_STRANGER = "do not use this bundle; take one that `fusion bundle` wrote"
_REPACK = "unpack it and name the folder, or pack it with `fusion bundle DIR --zip FILE`"


@runtime_checkable
class Contents(Protocol):
    """Files by path inside the bundle."""

    where: Path
    """The folder or the .zip."""

    def paths(self) -> list[str]:
        """Every file. Raises BundleError where there is something that no bundle has."""
        ...

    def open(self, path: str) -> io.BufferedIOBase:
        """A file's bytes. Raises BundleError where they cannot be read."""
        ...


def sha256(contents: Contents, path: str) -> str:
    """Hex digest of a file's bytes."""
    with contents.open(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Folder:
    """A bundle's folder. Links, and whatever else is no plain file, are refused."""

    def __init__(self, where: Path) -> None:
        self.where = where

    def paths(self) -> list[str]:
        """As ``Contents``."""
        found = {path: entry.stat(follow_symlinks=False) for path, entry in _walk(self.where)}
        odd = {path: own.st_mode for path, own in found.items() if not stat.S_ISREG(own.st_mode)}
        faults = [
            Fault("a symbolic link" if stat.S_ISLNK(mode) else "no plain file", "plain files", _STRANGER,
                  file=f"{self.where}/{shown(path)}")
            for path, mode in odd.items()
        ]  # fmt: skip
        if faults := faults + _too_large(sum(own.st_size for own in found.values()), self.where):
            raise BundleError(faults)
        return list(found)

    def open(self, path: str) -> io.BufferedIOBase:
        """As ``Contents``; a link that took the file's place meanwhile is not followed."""
        try:
            return open(os.open(self.where / path, os.O_RDONLY | os.O_NOFOLLOW), "rb")
        except OSError as error:
            raise _unreadable(f"{self.where}/{shown(path)}", error) from error


class Zip:
    """A .zip as ``pack`` writes it, to the byte: nothing in it is compressed, hidden, twice there or elsewhere."""

    def __init__(self, where: Path) -> None:
        self.where = where

    def paths(self) -> list[str]:
        """As ``Contents``."""
        size = sum(own.file_size for own in self._listed)
        faults = [*_strange(self._listed, self.where), *_too_large(size, self.where)]
        if not faults and not self._as_packed():
            what = "a .zip that differs from what `fusion bundle` packs: damaged, or packed by something else"
            faults = [Fault(what, "its own .zip", _REPACK, file=str(self.where))]
        if faults:
            raise BundleError(faults)
        return [own.filename for own in self._listed]

    def open(self, path: str) -> io.BufferedIOBase:
        """As ``Contents``."""
        try:
            with zipfile.ZipFile(self.where) as archive:
                return io.BytesIO(archive.read(path))
        except _BROKEN as error:
            raise _unreadable(f"{self.where}/{shown(path)}", error) from error
        except KeyError as error:
            raise BundleError(Fault("no such file", "it", _REPACK, file=f"{self.where}/{shown(path)}")) from error

    @cached_property
    def _listed(self) -> list[zipfile.ZipInfo]:
        try:
            with zipfile.ZipFile(self.where) as archive:
                return archive.infolist()
        except _BROKEN as error:
            raise _unreadable(str(self.where), error) from error

    def _as_packed(self) -> bool:
        with self.where.open("rb") as file:
            same = _Compared(file)
            pack(self, [own.filename for own in self._listed], same)
            return same.so()


def pack(contents: Contents, paths: Sequence[str], target: IO[bytes] | io.RawIOBase) -> None:
    """Write a .zip: stored as it is, sorted, without dates and rights, so that equal files give equal bytes."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(paths):
            own = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            own.create_system, own.external_attr = 3, 0o644 << 16  # as on Linux, anywhere
            with contents.open(path) as file:
                archive.writestr(own, file.read())


class _Compared(io.RawIOBase):
    """A file that is not written but compared with ``file``; zipfile writes a header again once it knows its sum."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._at, self._same = file, 0, True
        self._headers: dict[int, bytes] = {}

    def write(self, content: object) -> int:
        data = memoryview(content).tobytes()  # type: ignore[arg-type]  # bytes, as zipfile writes them
        if len(data) < _SMALL:
            self._headers[self._at] = data
        else:
            self._same &= self._there(self._at, len(data)) == data
        self._at += len(data)
        return len(data)

    def so(self) -> bool:
        """Whether everything written is what is there, to the file's end."""
        small = all(self._there(at, len(data)) == data for at, data in self._headers.items())
        return small and self._same and self._file.seek(0, os.SEEK_END) == self._at

    def _there(self, at: int, size: int) -> bytes:
        self._file.seek(at)
        return self._file.read(size)

    def seekable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, at: int, whence: int = os.SEEK_SET) -> int:
        self._at = at
        return at


def _walk(folder: Path, prefix: str = "") -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise _unreadable(str(folder), error) from error
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry


def _strange(listed: Sequence[zipfile.ZipInfo], where: Path) -> Iterator[Fault]:
    """Entries that no packed bundle has, each by its name."""
    seen: set[str] = set()
    for own in listed:
        if why := _why_strange(own, seen):
            yield Fault(why, "plain files, stored as they are", _REPACK, file=f"{where}/{shown(own.orig_filename)}")
        seen.add(own.filename)


def _why_strange(own: zipfile.ZipInfo, seen: set[str]) -> str:
    name = own.orig_filename
    if own.filename in seen:
        return "a file that is there twice"
    if name.startswith(("/", "\\")) or ":" in name or "\\" in name:
        return "an absolute path, or one of another system"
    if ".." in name.split("/"):
        return "a path that leads out of the bundle"
    if stat.S_ISLNK(own.external_attr >> 16):
        return "a symbolic link"
    if own.flag_bits & 1:
        return "an encrypted file"
    if own.compress_type != zipfile.ZIP_STORED or own.compress_size != own.file_size:
        return f"{own.compress_size} bytes that say they unpack to {own.file_size}"
    return ""


def _too_large(size: int, where: Path) -> list[Fault]:
    if size <= LARGEST_GB * 2**30:
        return []
    return [Fault(f"{size / 2**30:.1f} GB", f"{LARGEST_GB} GB at most", _STRANGER, file=str(where))]


def _unreadable(file: str, error: BaseException) -> BundleError:
    why = (error.strerror or "unreadable") if isinstance(error, OSError) else shown(str(error)) or "cut off"
    return BundleError(Fault(f"a file that cannot be read: {why}", "a whole one", "copy it again", file=file))
