"""One round of a split, judged: its models, at thresholds that the judged cases did not choose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from fusion.config.evaluate import Evaluate, FixedThreshold
from fusion.config.tasks import Task
from fusion.evaluate import classes, predictions, task_predictions, threshold
from fusion.evaluate.judged import Judged, judge
from fusion.types import Indices

EVENT, OTHER = "event", "other"
"""The one task of a cohort without tasks, whose models bear no task's name, and its other class."""
ROWS = ("probability", "label", "call", "case", "patient")
"""What a model says of each case."""


@dataclass(frozen=True)
class Asked:
    """What pooling needs to know of a run."""

    tasks: Mapping[str, Task]
    """Tasks by name; empty for one binary outcome."""
    repeated: bool
    """Whether rounds draw the same patients anew, so that each judges everyone; else each tests its own."""
    evaluate: Evaluate
    seed: int

    @property
    def set(self) -> str:
        """The set that judges."""
        return "train_oof" if self.repeated else "test"


def judged(table: pd.DataFrame, cohort: pd.DataFrame, asked: Asked) -> list[Judged]:
    """Every model in the judging set of one round; of repeated rounds the cases by name.

    Args:
        table: the round's checked predictions.
        cohort: columns case and patient.
        asked: tasks, kind of rounds, rules.

    Raises:
        RunError: as ``judged.judge``.
    """
    known = asked.tasks or {EVENT: Task(classes={OTHER: (0,), EVENT: (1,)}, positive=EVENT)}
    table = table if asked.tasks else _of_event(table)
    found = [own for own in judge(table, cohort, known, asked.evaluate) if own.set == asked.set]
    if asked.repeated:
        return [_crossed(own, table, asked.evaluate) for own in found]
    return [replace(own, rule=own.rule.replace("train_oof", "each round's train_oof")) for own in found]


def joined(parts: Sequence[Judged]) -> Judged:
    """The cases of several rounds as one, each with the call of its own round."""
    whole = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ROWS}
    return _with(parts[0], whole, float(np.mean([part.threshold for part in parts])))


def placed(own: Judged, order: Indices) -> Judged:
    """The cases at the places ``order``."""
    return _with(own, {name: getattr(own, name)[order] for name in ROWS}, own.threshold)


def _of_event(table: pd.DataFrame) -> pd.DataFrame:
    """Predictions of one binary outcome as those of a task, models in Table 1's order."""
    ordered = pd.concat([table[table["model"] == model] for model in predictions.models(table)])
    probability = ordered["probability"].to_numpy(float)
    own = {f"probability_{OTHER}": 1 - probability, f"probability_{EVENT}": probability}
    label = np.where(ordered["event"] == 1, EVENT, OTHER)
    return ordered.assign(model=f"{EVENT}/" + ordered["model"], label=label, **own)


def _crossed(own: Judged, table: pd.DataFrame, evaluate: Evaluate) -> Judged:
    """Each fold called at the threshold of the other folds; cases by name."""
    order = np.argsort(own.case, kind="stable")
    if not own.binary or isinstance(evaluate.threshold, FixedThreshold):
        return placed(own, order)
    fold = task_predictions.of(table, own.model, own.set)["fold"].to_numpy(int)
    call, cuts, score = own.call.copy(), [], own.probability[:, 1]
    for place in np.unique(fold):
        here = fold == place
        cut = threshold.choose(evaluate.threshold, score[~here], own.label[~here])
        call[here] = classes.calls(own.probability[here], cut)
        cuts.append(cut)
    rule = f"{evaluate.threshold.kind}, chosen on the other folds of each repeat"
    return placed(replace(own, call=call, threshold=float(np.mean(cuts)), rule=rule), order)


def _with(own: Judged, rows: Mapping[str, np.ndarray], threshold: float) -> Judged:
    return replace(
        own, probability=rows["probability"], label=rows["label"], call=rows["call"], case=rows["case"],
        patient=rows["patient"], threshold=threshold,
    )  # fmt: skip
