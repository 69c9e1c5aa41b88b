"""`fusion canary`: on labels that mean nothing every model must score chance, and planted leaks must be heard."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fusion.config.run import Run
from fusion.errors import Fault, RunError
from fusion.evaluate import predictions
from fusion.evaluate.discrimination import auc
from fusion.evaluate.sample_size import hanley_error
from fusion.flow.planted import PLANTS, plant
from fusion.flow.run import EVERYTHING, EXTRACT, part
from fusion.roi.region import REGIONS
from fusion.store import whole, write_json

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
JUDGED = "Tumor+External2_RAD"
"""The model in which a planted leak must be heard."""
SHARED = (*(f"{region}.parquet" for region in REGIONS), "warnings.csv")
"""What a shuffle takes from the measured features; second readings it compares anew, in its own training set."""


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


def canary(run: Run, seeds: int = 5, networks: bool = False) -> Verdict:
    """Run the flow on shuffled outcomes and on planted leaks, in a folder beside the run's, NAME-canary.

    Images are measured once, through the run's cache, and shared. A killed canary started again does what is missing.

    Args:
        run: the flow to listen to; its own outcome is read only to be shuffled.
        seeds: shuffles, each with a split of its own; the more, the smaller the leak that is heard.
        networks: train the networks too, on every shuffle.

    Raises:
        FusionError: whatever a run raises, as on a cohort too small to be shuffled.
    """
    run = run if networks else run.model_copy(update={"network": None})
    if run.heads.stacking != "oof_score" and run.network is None:
        run = run.model_copy(update={"heads": run.heads.model_copy(update={"stacking": "oof_score"})})
    folder = run.folder.with_name(f"{run.folder.name}-canary")
    source = _measured(run, folder)
    drawn = range(run.seed, run.seed + seeds)
    found = [_scored(_shuffled(run, folder / f"shuffled_{seed}", seed), source) for seed in drawn]
    shuffled = [
        _heard(found, model, set_)
        for model in predictions.models(found[0])
        for set_ in predictions.SETS
        if all((table["set"] == set_).any() for table in found)
    ]
    verdict = Verdict(tuple(shuffled), {kind: _planted(run, folder, source, kind, drawn) for kind in PLANTS})
    write_json(folder / "canary.json", verdict.document())
    return verdict


def told(verdict: Verdict, as_json: bool) -> None:
    """Print the verdict.

    Raises:
        RunError: which canary died; with ``as_json`` the document says it, and nothing is raised.
    """
    if as_json:
        print(json.dumps(verdict.document(), indent=2))
    elif verdict.clean:
        print(verdict.words())
    else:
        raise RunError(verdict.faults)


def _measured(run: Run, folder: Path) -> Path:
    """A folder with every image measured, through the run's own cache and with its rings."""
    own = run.model_copy(update={"output": folder / "measured", "cache": run.cache or run.folder / "features/cases"})
    _share(run.folder, own.folder, ("regions/*",))
    return part(_quiet(own), EXTRACT)


def _quiet(run: Run) -> Run:
    """Without internal validation, which would judge labels that mean nothing."""
    return run.model_copy(update={"evaluate": run.evaluate.model_copy(update={"validation": None})})


def _shuffled(run: Run, folder: Path, seed: int) -> Run:
    """The run with another outcome, and with a split of that outcome."""
    cohort = run.cohort.model_copy(update={"shuffle_outcome": True})
    split = run.split.model_copy(update={"file": None})
    cache = run.cache or run.folder / "features/cases"
    made = {"output": folder, "cache": cache, "seed": seed, "cohort": cohort, "split": split}
    return _quiet(run.model_copy(update=made))


def _scored(run: Run, source: Path) -> pd.DataFrame:
    """Predictions of a shuffled run that shares regions and features with ``source``; they know no outcome."""
    _share(source, run.folder, ("regions/*", *(f"features/radiomics_{name}" for name in SHARED)))
    part(run, EVERYTHING)
    return predictions.read(run.folder / "predictions.csv")


def _share(source: Path, folder: Path, patterns: Sequence[str]) -> None:
    """Copy what ``folder`` has not yet; a half-written file is nobody's."""
    for path in (path for pattern in patterns for path in source.glob(pattern) if not path.name.startswith(".")):
        target = folder / path.relative_to(source)
        if not target.exists():
            with whole(target) as unfinished:
                shutil.copyfile(path, unfinished)


def _planted(run: Run, folder: Path, source: Path, kind: str, seeds: Sequence[int]) -> Heard:
    """The judged model in copies of the shuffles whose features leak; without networks, which read no features."""
    heads = run.heads.model_copy(update={"icc": None, "stacking": "oof_score"})
    alone = run.model_copy(update={"network": None, "heads": heads})
    found = []
    for seed in seeds:
        own = _shuffled(alone, folder / f"planted_{kind}_{seed}", seed)
        if not (own.folder / "predictions.csv").is_file():
            cases = pd.read_csv(folder / f"shuffled_{seed}/cohort.csv", dtype={"case": str}, keep_default_na=False)
            plant(kind, source, own.folder, cases)
        found.append(_scored(own, source))
    return _heard(found, JUDGED, "train_oof")


def _heard(found: list[pd.DataFrame], model: str, set_: str) -> Heard:
    tables = [predictions.of(table, model, set_) for table in found]
    areas, errors = zip(*(_inside_folds(table) for table in tables), strict=True)
    spread = float(np.std(areas, ddof=1)) if len(areas) > 1 else 0.0
    error = max(float(np.sqrt(np.mean(np.square(errors)))), spread) / np.sqrt(len(areas))
    mean = float(np.mean(areas))
    low, high = max(mean - 1.96 * error, 0.0), min(mean + 1.96 * error, 1.0)
    n, events = len(tables[0]), int(tables[0]["event"].sum())
    return Heard(model, set_, n, events, areas, mean, float(low), float(high), float(ERRORS * error))


def _inside_folds(table: pd.DataFrame) -> tuple[float, float]:
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
