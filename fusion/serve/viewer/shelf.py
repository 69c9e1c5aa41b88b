"""Answers kept for who asked: a folder each under an id that cannot be guessed, the oldest dropped."""

import secrets
import shutil
import threading
from collections import OrderedDict
from pathlib import Path


class Shelf:
    """Folders by id under one root; safe to use from several threads."""

    def __init__(self, root: Path, most: int = 40) -> None:
        """An empty shelf.

        Args:
            root: private folder, which its owner empties.
            most: answers kept at once; one more drops the oldest.
        """
        self.root, self.most = root, most
        self.kept: OrderedDict[str, Path] = OrderedDict()
        self.lock = threading.Lock()

    def place(self) -> tuple[str, Path]:
        """A new id, and its empty folder."""
        own = secrets.token_urlsafe(24)
        folder = self.root / own
        folder.mkdir(mode=0o700, parents=True)
        with self.lock:
            self.kept[own] = folder
            over = [self.kept.popitem(last=False)[1] for _ in range(len(self.kept) - self.most)]
        for old in over:
            shutil.rmtree(old, ignore_errors=True)
        return own, folder

    def file(self, own: str, name: str) -> Path | None:
        """A file of the answer ``own``; None where there is no such answer or file."""
        with self.lock:
            folder = self.kept.get(own)
        if folder is None or Path(name).name != name or not (folder / name).is_file():
            return None
        return folder / name

    def drop(self, own: str) -> None:
        """Forget the answer and remove its files."""
        with self.lock:
            folder = self.kept.pop(own, None)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
