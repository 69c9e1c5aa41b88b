"""A model in a set as arrays: probabilities, true and called classes, and whose the cases are."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from fusion.config.evaluate import Evaluate, FixedThreshold
from fusion.config.tasks import Task
from fusion.errors import Fault, RunError
from fusion.evaluate import classes, predictions, task_predictions, threshold
from fusion.types import Indices

LARGEST = "largest probability"
TRAINING = "train_oof"


@dataclass(frozen=True, eq=False)
class Judged:
    """One model in one set, a place a row of the predictions: a case, or an image where ``images``."""

    model: str
    set: str
    task: str
    view: str
    names: tuple[str, ...]
    probability: Float[ndarray, "case class"]
    label: Indices
    call: Indices
    case: ndarray
    patient: ndarray
    threshold: float
    rule: str
    images: bool

    @property
    def binary(self) -> bool:
        """Whether there are two classes, so that the second is the event."""
        return len(self.names) == 2

    def counts(self, weights: classes.Weights | None = None) -> classes.Counts:
        """The confusion matrix in each sample."""
        return classes.confusion(self.label, self.call, len(self.names), weights)


def judge(table: pd.DataFrame, cohort: pd.DataFrame, tasks: task_predictions.Tasks, evaluate: Evaluate) -> list[Judged]:
    """Every model in every set, by task, then as in the table, then by set.

    Two classes are called by the threshold that ``evaluate.threshold`` finds in the model's train_oof rows, more by
    their largest probability. Images have no train_oof rows: unless the threshold is fixed they are called by their
    larger probability, and ``rule`` says so.

    Args:
        table: predictions, as ``task_predictions.check`` wants them.
        cohort: columns case and patient.
        tasks: tasks by name.
        evaluate: the threshold's rule.

    Raises:
        RunError: faulty predictions; a case without a patient; no threshold can be found.
    """
    table = task_predictions.check(table, tasks)
    patient = _patients(table, cohort)
    models = [model for name in tasks for model in table["model"].unique() if model.partition("/")[0] == name]
    cuts = _thresholds(table, models, tasks, evaluate)
    return [
        _one(own, model, set_, tasks[model.partition("/")[0]], patient, cuts[model], evaluate)
        for model in models
        for set_ in (*predictions.SETS, task_predictions.IMAGES)
        if not (own := task_predictions.of(table, model, set_)).empty
    ]


def _one(
    own: pd.DataFrame, model: str, set_: str, task: Task, patient: pd.Series, cut: float | None, evaluate: Evaluate
) -> Judged:
    probability, label = task_predictions.matrix(own, task)
    name, _, view = model.partition("/")
    return Judged(
        model, set_, name, view, task.names, probability, label, classes.calls(probability, cut),
        own.index.to_numpy(str), patient.loc[own.index].to_numpy(str), np.nan if cut is None else cut,
        LARGEST if cut is None else _rule(set_, evaluate), "image" in own,
    )  # fmt: skip


def _rule(set_: str, evaluate: Evaluate) -> str:
    rule = evaluate.threshold
    if isinstance(rule, FixedThreshold):
        return rule.kind
    if set_ == task_predictions.IMAGES:
        return f"{LARGEST}, as images have no {TRAINING} to find {rule.kind} in"
    return f"{rule.kind}, chosen on {'these cases' if set_ == TRAINING else TRAINING}"


def _patients(table: pd.DataFrame, cohort: pd.DataFrame) -> pd.Series:
    patient = pd.Series(cohort["patient"].astype(str).to_numpy(), index=cohort["case"].astype(str), name="patient")
    if absent := sorted(set(table["case"]) - set(patient.index)):
        found = f"{len(absent)} cases that the cohort lacks, {absent[0]} among them"
        raise RunError(Fault(found, "predictions of the cohort's cases", "use the cohort that they were made from"))
    return patient[~patient.index.duplicated()]


def _thresholds(
    table: pd.DataFrame, models: list[str], tasks: task_predictions.Tasks, evaluate: Evaluate
) -> dict[str, float | None]:
    """The threshold of each model of two classes, None for the others."""
    found: dict[str, float | None] = dict.fromkeys(models)
    binary = [model for model in models if tasks[model.partition("/")[0]].positive is not None]
    if isinstance(evaluate.threshold, FixedThreshold):
        return found | dict.fromkeys(binary, evaluate.threshold.probability)
    if "image" in table:
        return found | dict.fromkeys(binary, 0.5)
    training = {model: task_predictions.of(table, model, TRAINING) for model in binary}
    if faults := list(_unfit(training)):
        raise RunError(faults)
    return found | {
        model: threshold.choose(evaluate.threshold, own["probability"].to_numpy(), own["event"].to_numpy(int))
        for model, own in training.items()
    }


def _unfit(training: dict[str, pd.DataFrame]) -> Iterator[Fault]:
    remedy = "predict the folds, or set evaluate.threshold.kind=fixed"
    for model, own in training.items():
        if own["event"].nunique() < 2:
            found = f"{'one class only' if len(own) else 'nothing'} in set {TRAINING} of {model}"
            yield Fault(found, "both classes, as its threshold is found there", remedy)
