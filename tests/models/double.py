"""Training in double precision, where rounding hides nothing; `python -m tests.models.double FOLDER RANK` is a rank."""

import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytorch_lightning as pl
import torch

from fusion.models import rank, recipe, separate
from fusion.models.jobs import Training


@contextmanager
def in_double() -> Iterator[None]:
    """Networks, what they see and their steps; boxes are cut and augmented as ever."""
    batch, untrained = recipe.batch, Training.untrained

    def seen(*given):
        torch.set_default_dtype(torch.float32)  # Lightning's is double within a step
        try:
            return tuple(own.double() for own in batch(*given))
        finally:
            torch.set_default_dtype(torch.float64)

    with (
        mock.patch.object(recipe, "batch", seen),
        mock.patch.object(Training, "untrained", lambda self, job: untrained(self, job).double()),
        mock.patch.object(separate.pl, "Trainer", _with(pl.Trainer, precision="64-true")),
    ):
        yield


def _with(kind, **fixed):
    return functools.wraps(kind)(lambda **given: kind(**{**given, **fixed}))


if __name__ == "__main__":
    with in_double():
        rank.main(Path(sys.argv[1]), sys.argv[2])
