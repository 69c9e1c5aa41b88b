"""Cells of a sweep made of numbers: each case has an outcome, each cell scores of its own."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from fusion.config import parse
from fusion.evaluate.metrics import metrics
from fusion.evaluate.round_parts import Asked
from fusion.evaluate.rounds import pooled_metrics
from fusion.evaluate.sweep.cell import Cell

RUN = "{name: made, cohort: {table: t.csv}, evaluate: {bootstrap: 200}}"


def cohort(cases: int, events: float = 0.4) -> pd.DataFrame:
    event = (np.arange(cases) * events % 1 + events > 1 - 1e-9).astype(int)
    names = [f"secret{i:04d}" for i in range(cases)]
    return pd.DataFrame({"case": names, "patient": [f"private{i:04d}" for i in range(cases)], "event": event})


def round_(
    whole: pd.DataFrame, test: Iterable[int], signal: float, generator: np.random.Generator, folds: int = 3,
    models: Iterable[str] = ("Clinical", "Combined"), external: Iterable[int] = (),
) -> pd.DataFrame:  # fmt: skip
    """Predictions of one round: ``test`` and ``external`` cases apart, the others out-of-fold."""
    place = np.arange(len(whole))
    set_ = np.where(np.isin(place, list(test)), "test", "train_oof")
    set_ = np.where(np.isin(place, list(external)), "external", set_)
    rows = whole[["case", "event"]].assign(set=set_, fold=np.where(set_ == "train_oof", place % folds, -1))
    tables = []
    for model in models:
        odds = signal * rows["event"] + generator.normal(size=len(rows))
        tables.append(rows.assign(model=model, probability=1 / (1 + np.exp(-odds))))
    return pd.concat(tables, ignore_index=True)[["model", "set", "case", "fold", "probability", "event"]]


def cell(
    name: str, rounds: Mapping[str, pd.DataFrame], whole: pd.DataFrame, data: str = "ab", **values: str
) -> Cell:  # fmt: skip
    """A cell that judged itself as a run does, with several rounds as their run does."""
    run = parse(RUN)
    if list(rounds) == [""]:
        judged = metrics(rounds[""], run.evaluate, run.seed)
    else:
        repeated = not any((table["set"] == "test").any() for table in rounds.values())
        judged = pooled_metrics(rounds, whole, Asked({}, repeated, run.evaluate, run.seed))
    return Cell(name, values or {"x": name}, run, judged, rounds, whole, data)


def nested(
    name: str, whole: pd.DataFrame, signal: float, generator: np.random.Generator, outer: int = 3, judged: bool = True
) -> Cell:
    """Each case is tested in one of ``outer`` rounds; without metrics unless ``judged``."""
    places = np.arange(len(whole))
    rounds = {
        f"r{number}": round_(whole, places[places % outer == number], signal, generator, models=("Combined",))
        for number in range(outer)
    }
    return cell(name, rounds, whole) if judged else Cell(name, {}, parse(RUN), pd.DataFrame(), rounds, whole)
