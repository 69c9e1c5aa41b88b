"""What a canary found: is a mean AUC on a meaningless outcome compatible with chance, and was a planted leak heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fusion.errors import Fault, RunError
from fusion.evaluate import predictions
from fusion.evaluate.discrimination import auc
from fusion.evaluate.sample_size import hanley_error

ERRORS = 3.0
"""Standard errors that a mean AUC may lie away from one half."""
RULE = (
    "The mean AUC of a model over the shuffles lies within {errors:g} standard errors of 0.5. Out-of-fold AUCs are "
    "those inside the folds, averaged, as scores of several folds in one ranking lean below 0.5 where there is nothing "
    "to find. The standard error is Hanley & McNeil's at 0.5 for each fold, combined over folds and shuffles, or that "
    "of the shuffles' own spread, whichever is larger: folds share what they learn, so they err together."
)
ALARM = {
    "column": "a column that carries the outcome",
    "selection": "features chosen by the outcome of all cases, test cases too",
}


@dataclass(frozen=True)
class Heard:
    """A model's AUCs in a set, and whether their mean is compatible with chance.

    ``reach`` is how far from one half the mean may lie; ``low`` and ``high`` are the 95 % interval of the mean.
    """

    model: str
    set: str
    n: int
    events: int
    aucs: tuple[float, ...]
    mean: float
    low: float
    high: float
    reach: float

    @property
    def clean(self) -> bool:
        """Chance explains the mean."""
        return abs(self.mean - 0.5) <= self.reach


@dataclass(frozen=True)
class Verdict:
    """What the canary found: every model on shuffled labels, and the models that hold a planted leak."""

    shuffled: tuple[Heard, ...]
    planted: dict[str, Heard]

    @property
    def faults(self) -> list[Fault]:
        """A fault a model that scores what it should not, and one a planted leak that nobody heard."""
        dead = [_dead(own) for own in self.shuffled if not own.clean]
        return dead + [_deaf(kind, own) for kind, own in self.planted.items() if own.clean or own.mean < 0.5]

    @property
    def clean(self) -> bool:
        """No model scored, and every alarm rang."""
        return not self.faults

    def words(self) -> str:
        """One sentence a finding."""
        count = len(self.shuffled[0].aucs)
        worst = max(self.shuffled, key=lambda own: abs(own.mean - 0.5) / own.reach)
        alarms = "; ".join(f"{ALARM[kind]}: AUC {own.mean:.3f}" for kind, own in self.planted.items())
        return (
            f"the flow is clean: with the outcome shuffled {count} times every model scores chance (furthest off "
            f"{worst.model}, {worst.set}: mean AUC {worst.mean:.3f}, allowed {0.5 - worst.reach:.3f} to "
            f"{0.5 + worst.reach:.3f}), and the alarm works ({alarms})"
        )

    def document(self) -> dict[str, Any]:
        """The verdict as JSON: out-of-fold numbers a model, those of other sets below them by set."""
        shuffled: dict[str, dict[str, Any]] = {}
        for own in self.shuffled:
            place = shuffled.setdefault(own.model, {})
            if own.set == "train_oof":
                place.update(_numbers(own))
            else:
                place[own.set] = _numbers(own)
        planted = {kind: {**_numbers(own), "model": own.model, "rang": not own.clean and own.mean > 0.5}
                   for kind, own in self.planted.items()}  # fmt: skip
        return {"clean": self.clean, "shuffled": shuffled, "planted": planted, "rule": RULE.format(errors=ERRORS)}


def heard(found: Sequence[pd.DataFrame], model: str, set_: str) -> Heard:
    """A model's AUCs in one set of several prediction tables, each of another outcome without meaning.

    Raises:
        RunError: no fold has cases of both classes.
    """
    tables = [predictions.of(table, model, set_) for table in found]
    areas, errors = zip(*(inside_folds(table) for table in tables), strict=True)
    spread = float(np.std(areas, ddof=1)) if len(areas) > 1 else 0.0
    error = max(float(np.sqrt(np.mean(np.square(errors)))), spread) / np.sqrt(len(areas))
    mean = float(np.mean(areas))
    low, high = max(mean - 1.96 * error, 0.0), min(mean + 1.96 * error, 1.0)
    n, events = len(tables[0]), int(tables[0]["event"].sum())
    return Heard(model, set_, n, events, areas, mean, float(low), float(high), float(ERRORS * error))


def inside_folds(table: pd.DataFrame) -> tuple[float, float]:
    """Mean AUC over the folds that have both classes, and its standard error where there is nothing to find."""
    parts = [own for _, own in table.groupby("fold") if own["event"].nunique() == 2]
    if not parts:
        found = f"no fold with both classes among {len(table)} cases"
        raise RunError(Fault(found, "one at least, to judge a shuffle by", "lower split.folds, or add cases"))
    areas = [auc(own["probability"].to_numpy(), own["event"].to_numpy()) for own in parts]
    errors = [hanley_error(0.5, int(own["event"].sum()), int((own["event"] == 0).sum())) for own in parts]
    return float(np.mean(areas)), float(np.sqrt(np.sum(np.square(errors)))) / len(parts)


def _numbers(own: Heard) -> dict[str, Any]:
    return {"mean": own.mean, "low": own.low, "high": own.high, "allowed": [0.5 - own.reach, 0.5 + own.reach],
            "clean": own.clean, "aucs": list(own.aucs), "n": own.n, "events": own.events}  # fmt: skip


def _dead(own: Heard) -> Fault:
    aucs = ", ".join(f"{value:.3f}" for value in own.aucs)
    found = f"{own.model} ({own.set}) with a mean AUC of {own.mean:.3f} on shuffled outcomes ({aucs})"
    expected = f"{0.5 - own.reach:.3f} to {0.5 + own.reach:.3f}, as chance has it"
    return Fault(found, expected, "look for a step that learns outside the fold; run more --seeds to be surer")


def _deaf(kind: str, own: Heard) -> Fault:
    found = f"AUC {own.mean:.3f} with a planted leak ({ALARM[kind]})"
    expected = f"more than {0.5 + own.reach:.3f}"
    return Fault(found, expected, "the cohort is too small for this canary to be heard, or the heads do not read it")
