"""What the worker's process does with what it is given: predictors made once, then a case or a cohort at a time."""

import gc
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fusion.errors import BundleError, Fault
from fusion.serve import given, rows
from fusion.serve.answer import Answer
from fusion.serve.asked import Asked, Outputs

if TYPE_CHECKING:
    from fusion.serve.predict import Predictor


@dataclass(frozen=True)
class Opened:
    """A bundle as the server read it."""

    path: Path
    digest: str


Predictors = dict[str, "Predictor"]


def predictors(bundles: dict[str, Opened]) -> Predictors:
    """A warm predictor a bundle, by the bundle's name.

    Raises:
        BundleError: a bundle that changed since the server read it.
    """
    return {name: _predictor(opened) for name, opened in bundles.items()}


def load_heat_maps(made: Predictors) -> None:
    """What heat maps need, which takes longer to load than all else and which no answer waits for otherwise."""
    from fusion.serve.predict import load_networks

    for own in made.values():
        load_networks(own.bundle)
    gc.collect()
    gc.freeze()  # as the worker's process does with what it loaded first


def answer(made: Predictors, bundle: str, asked: Asked, outputs: Outputs) -> Answer:
    """One case answered, its files in the folder of ``outputs``."""
    from fusion.serve.deliver import deliver

    given.refuse_sizes(given.paths(asked))
    return deliver(made[bundle], asked, outputs)


def answer_given(made: Predictors, bundle: str, uploads: given.Given, outputs: Outputs) -> Answer:
    """One case answered from uploads by role."""
    return answer(made, bundle, given.asked(uploads, made[bundle].bundle.manifest.kind), outputs)


def read_rows(made: Predictors, bundle: str, uploads: given.Given) -> list[rows.Row]:
    """The cases of a table that came with its files."""
    return rows.rows(uploads, made[bundle].bundle.run)


def _predictor(opened: Opened) -> "Predictor":
    from fusion.serve import bundle
    from fusion.serve.predict import Predictor

    read = bundle.read(opened.path)
    if read.digest != opened.digest:
        remedy = "start the server again with the bundle that is meant"
        raise BundleError(Fault("a bundle that changed while it was served", "the same", remedy, file=read.name))
    return Predictor.of(read)
