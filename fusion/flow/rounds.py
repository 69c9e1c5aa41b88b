"""A run whose split has several rounds is as many runs, each with its own test set and folds."""

from fusion.config.run import Run
from fusion.flow.checked import Checked


def rounds_of(run: Run, checked: Checked) -> dict[str, Run]:
    """The runs of one round each, by the round's name; the run itself by the empty name where there is one round."""
    return {"": run}


def pooled(run: Run, rounds: dict[str, Run]) -> None:
    """predictions.csv, rounds.csv and metrics.csv of ``run`` from those of its finished rounds."""
