"""What the worker's process does with what it is given: predictors made once, then a case or a cohort at a time."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fusion.errors import BundleError, Fault
from fusion.serve.answer import Answer
from fusion.serve.asked import Asked, Outputs

if TYPE_CHECKING:
    from fusion.serve.predict import Predictor


@dataclass(frozen=True)
class Opened:
    """A bundle as the server read it."""

    path: Path
    digest: str


@dataclass(frozen=True)
class Done:
    """An answer, and the seconds of work behind it."""

    answer: Answer
    seconds: float


Predictors = dict[str, "Predictor"]


def predictors(bundles: dict[str, Opened]) -> Predictors:
    """A warm predictor a bundle, by the bundle's name.

    Raises:
        BundleError: a bundle that changed since the server read it.
    """
    return {name: _predictor(opened) for name, opened in bundles.items()}


def answer(made: Predictors, bundle: str, asked: Asked, outputs: Outputs) -> Done:
    """One case answered, its files in the folder of ``outputs``."""
    from fusion.serve.deliver import deliver

    begun = time.perf_counter()
    told = deliver(made[bundle], asked, outputs)
    return Done(told, time.perf_counter() - begun)


def _predictor(opened: Opened) -> "Predictor":
    from fusion.serve import bundle
    from fusion.serve.predict import Predictor

    read = bundle.read(opened.path)
    if read.digest != opened.digest:
        remedy = "start the server again with the bundle that is meant"
        raise BundleError(Fault("a bundle that changed while it was served", "the same", remedy, file=read.name))
    return Predictor.of(read)
