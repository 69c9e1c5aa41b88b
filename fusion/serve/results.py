"""Files of finished answers, under an id that cannot be guessed, for a few minutes."""

import threading
import time
from pathlib import Path

from fusion.serve.viewer.shelf import Shelf

SECONDS = 900.0


class Results(Shelf):
    """A shelf whose answers are removed when their time is over.

    >>> import tempfile
    >>> results = Results(Path(tempfile.mkdtemp()))
    >>> own, folder = results.place()
    >>> _ = (folder / "a.txt").write_text("b")
    >>> results.file(own, "a.txt") == folder / "a.txt", results.file("guess", "a.txt")
    (True, None)
    >>> results.close()
    >>> folder.exists()
    False
    """

    def __init__(self, root: Path, most: int = 100, seconds: float = SECONDS) -> None:
        super().__init__(root, most)
        self.seconds = seconds
        self._made: dict[str, float] = {}
        self._closed = threading.Event()
        threading.Thread(target=self._sweeping, name="results", daemon=True).start()

    def place(self) -> tuple[str, Path]:
        """A new id, and its empty folder."""
        own, folder = super().place()
        self._made[own] = time.monotonic()
        return own, folder

    def file(self, own: str, name: str) -> Path | None:
        """A file of the answer ``own``; None where there is no such answer or file, or no longer."""
        if time.monotonic() - self._made.get(own, -self.seconds) > self.seconds:
            return None
        return super().file(own, name)

    def sweep(self) -> None:
        """Remove what is over time."""
        now = time.monotonic()
        for own in [own for own, made in list(self._made.items()) if now - made > self.seconds]:
            self.drop(own)
            self._made.pop(own, None)

    def close(self) -> None:
        """Remove everything."""
        self._closed.set()
        for own in list(self._made):
            self.drop(own)

    def _sweeping(self) -> None:
        while not self._closed.wait(min(self.seconds, 30.0)):
            self.sweep()
