"""Where uploads lie: a private folder, a fresh one for each request, emptied whatever happens.

Files may be named after patients, so an upload is stored by its role (``image.nii.gz``), never by its own name.
"""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from fusion.data.private_folder import Claim, claim
from fusion.errors import Fault
from fusion.serve.archive import Unpacked, unpack
from fusion.serve.kind import suffix_of
from fusion.serve.limits import Limits, TooLargeError, UnknownKindError, megabytes

PREFIX = "fusion-desk-"


class Desk:
    """A folder of this server alone; killed servers' folders are removed when another one starts."""

    def __init__(self, own: Claim, limits: Limits) -> None:
        self.folder, self.limits, self._own = own.folder, limits, own

    @classmethod
    def open(cls, parent: Path | None = None, limits: Limits | None = None) -> "Desk":
        """A new desk in ``parent`` (the system's folder for temporary files), after sweeping those left behind."""
        return cls(claim(PREFIX, parent), limits or Limits())

    def __enter__(self) -> "Desk":
        """The desk."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Remove the folder and all in it."""
        self._own.release()

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
