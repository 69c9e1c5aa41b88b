"""Files of finished answers, found by a name that cannot be guessed, for a few minutes."""

import secrets
import shutil
import threading
import time
from pathlib import Path

SECONDS = 600.0
MOST = 200
"""Answers kept at once; the oldest go first."""


class Results:
    """Folders named by secrets, removed when their time is over.

    >>> import tempfile
    >>> results = Results(Path(tempfile.mkdtemp()))
    >>> folder = results.new()
    >>> _ = (folder / "a.txt").write_text("b")
    >>> results.file(folder.name, "a.txt") == folder / "a.txt", results.file("guess", "a.txt")
    (True, None)
    >>> results.close()
    """

    def __init__(self, folder: Path, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._folder = folder
        self._made: dict[str, float] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        threading.Thread(target=self._sweeping, name="results", daemon=True).start()

    def new(self) -> Path:
        """An empty folder; its name is the secret."""
        self.sweep()
        secret = secrets.token_urlsafe(24)
        folder = self._folder / secret
        folder.mkdir(mode=0o700)
        with self._lock:
            self._made[secret] = time.monotonic()
        return folder

    def file(self, secret: str, name: str) -> Path | None:
        """A file of an answer; None where there is none of that name, or no longer."""
        with self._lock:
            made = self._made.get(secret)
        if made is None or time.monotonic() - made > self.seconds:
            return None
        # Compared with what is there, so that no name can lead out of the folder.
        return next((own for own in (self._folder / secret).iterdir() if own.name == name and own.is_file()), None)

    def drop(self, secret: str) -> None:
        """Remove an answer's files now."""
        with self._lock:
            self._made.pop(secret, None)
        shutil.rmtree(self._folder / secret, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what is over time, and the oldest beyond ``MOST``."""
        now = time.monotonic()
        with self._lock:
            oldest = sorted(self._made, key=self._made.__getitem__)
            beyond = set(oldest[: max(0, len(oldest) - MOST)])
            over = [own for own in oldest if own in beyond or now - self._made[own] > self.seconds]
        for secret in over:
            self.drop(secret)

    def close(self) -> None:
        """Remove everything."""
        self._closed.set()
        for secret in list(self._made):
            self.drop(secret)

    def _sweeping(self) -> None:
        while not self._closed.wait(min(self.seconds, 30.0)):
            self.sweep()
