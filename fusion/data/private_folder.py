"""A temporary folder of this process alone, gone when it is done with; a killed process's is removed by a later one."""

import fcntl
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Claim:
    """A folder that others leave alone as long as its lock is held."""

    folder: Path
    _lock: int

    def release(self) -> None:
        """Remove the folder and all in it; once is enough."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def claim(prefix: str, parent: Path | None = None) -> Claim:
    """A new, private folder in ``parent`` (the system's folder for temporary files), after sweeping those left behind.

    Args:
        prefix: of its name; folders with another one are not looked at.
        parent: where it lies.
    """
    parent = parent or Path(tempfile.gettempdir())
    for left in parent.glob(f"{prefix}*"):
        _sweep(left)
    # Renamed once its lock is held, so that a process that starts at the same time cannot take it for left behind.
    new = Path(tempfile.mkdtemp(prefix="fusion-new-", dir=parent))
    lock = os.open(new / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return Claim(new.rename(parent / f"{prefix}{secrets.token_hex(8)}"), lock)


@contextmanager
def private_folder(prefix: str) -> Iterator[Path]:
    """A private folder, removed with all in it when the block ends, however it ends."""
    own = claim(prefix)
    try:
        yield own.folder
    finally:
        own.release()


def _sweep(folder: Path) -> None:
    """Remove a folder whose process is gone: its lock is free."""
    try:
        about = folder.lstat()
    except FileNotFoundError:  # another process has swept it
        return
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
        return
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:  # its process is closing it at this moment, or was killed while it did
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
