"""What several runs of the same cases have in common: measured in one folder, linked into the others."""

import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from fusion.config.run import Run
from fusion.flow import networks, slices
from fusion.store import whole

MEASURED = ("regions/*", "features/radiomics_*.parquet", "features/radiomics_warnings.csv", slices.FILE)
NO_LINKS = {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
"""How a disk says that it has no hard links, or no more of them."""


def measured(run: Run) -> tuple[str, ...]:
    """Patterns of the files that no label and no split decides: rings, boxes or slices, and radiomics."""
    return MEASURED if run.network is None else (*MEASURED, networks.PATCHES)


def link(source: Path, target: Path, patterns: Sequence[str]) -> None:
    """The files below ``source`` that ``patterns`` name, below ``target`` too, as hard links where the disk has them.

    A run replaces its files and never changes one in place, so a link is as good as a copy; a ring that is edited in
    place by hand is noticed in every run, as one that does not belong to the features.
    """
    for pattern in patterns:
        for path in sorted(source.glob(pattern)):
            there = target / path.relative_to(source)
            if path.is_file() and not path.name.startswith(".") and not (there.exists() and there.samefile(path)):
                _link(path, there)


def _link(path: Path, there: Path) -> None:
    with whole(there, lasting=False) as half:
        try:
            os.link(path, half)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            shutil.copyfile(path, half)
