"""Where uploads lie: a private folder, a fresh one for each request, emptied whatever happens.

Files may be named after patients, so an upload is stored by its role (``image.nii.gz``), never by its own name.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fusion.errors import Fault
from fusion.serve.archive import Unpacked, unpack
from fusion.serve.kind import suffix_of
from fusion.serve.limits import Limits, TooLargeError, UnknownKindError, megabytes

PREFIX = "fusion-desk-"


class Desk:
    """A folder of this server alone; killed servers' folders are removed when another one starts."""

    def __init__(self, folder: Path, lock: int, limits: Limits) -> None:
        self.folder, self.limits, self._lock = folder, limits, lock

    @classmethod
    def open(cls, parent: Path | None = None, limits: Limits | None = None) -> "Desk":
        """A new desk in ``parent`` (the system's folder for temporary files), after sweeping those left behind."""
        parent = parent or Path(tempfile.gettempdir())
        for left in parent.glob(f"{PREFIX}*"):
            _sweep(left)
        # Renamed once its lock is held, so that a server that starts at the same time cannot take it for left behind.
        new = Path(tempfile.mkdtemp(prefix="fusion-new-", dir=parent))
        lock = os.open(new / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder = new.rename(parent / f"{PREFIX}{secrets.token_hex(8)}")
        return cls(folder, lock, limits or Limits())

    def __enter__(self) -> "Desk":
        """The desk."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Remove the folder and all in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @contextlib.contextmanager
    def request(self) -> Iterator[Path]:
        """A fresh folder, removed with all in it when the block ends, however it ends."""
        folder = self.room(secrets.token_hex(16))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def room(self, name: str) -> Path:
        """A private folder inside the desk that lives as long as the desk or until its owner removes it."""
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        return folder

    def take(self, upload: Path, role: str, folder: Path, name: str | None = None) -> Path:
        """``upload`` stored in ``folder`` as ``role`` with the suffix that its kind has.

        Args:
            upload: a file; it stays where it is, its bytes are shared where the file system can.
            role: ``image``, ``mask``, ``image_T2-w``, ``table``...; the stored file's stem.
            folder: of the request.
            name: what the upload calls itself, for its suffix; None for the name of ``upload``.

        Raises:
            TooLargeError: larger than a file may be.
            UnknownKindError: empty, or of no kind that can be read.
        """
        size = upload.stat().st_size
        if size > self.limits.file_bytes:
            raise TooLargeError(
                Fault(
                    f"a file of {megabytes(size)}",
                    f"{megabytes(self.limits.file_bytes)} at most",
                    "crop it round the tumour, or start the server with a larger --limit-mb",
                    file=role,
                )
            )
        suffix = suffix_of(upload, name or upload.name)
        if isinstance(suffix, Fault):
            raise UnknownKindError(Fault(suffix.found, suffix.expected, suffix.remedy, file=role))
        stored = folder / f"{role}{suffix}"
        try:
            os.link(upload.resolve(), stored)
        except OSError:  # another file system, or one without links
            shutil.copyfile(upload, stored)
        return stored

    def unpack(self, archive: Path, folder: Path) -> Unpacked:
        """The files of a zip in ``folder``, which it makes; see ``archive.unpack``."""
        return unpack(archive, folder, self.limits)


def _sweep(folder: Path) -> None:
    """Remove a desk whose server is gone: its lock is free."""
    try:
        about = folder.lstat()
    except FileNotFoundError:  # another server that starts has swept it
        return
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
        return
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:  # its server is closing it at this moment, or was killed while it did
        shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
