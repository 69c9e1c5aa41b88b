"""Trained networks of a task asked: out-of-fold scores of every class, and deep features."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from numpy import ndarray

from fusion.config.network import Network
from fusion.config.roi import Roi
from fusion.errors import Fault, ModelError
from fusion.models.checkpoints import Sources, checkpoint, load
from fusion.models.embed import Answers, answer, deep_table
from fusion.models.held import hold
from fusion.models.machine import device
from fusion.progress import each
from fusion.roi.slice import Slices
from fusion.types import Vector


class Asked(NamedTuple):
    """One network of a task."""

    view: str
    fold: int
    seed: int


def ask(
    slices: Slices, rows: pd.DataFrame, classes: int, network: Network, roi: Roi, folder: Path, views: Sources,
    jobs: int = 1, only: Sequence[int] | None = None,
) -> dict[Asked, Answers]:  # fmt: skip
    """What every network says of the cases that it never saw and that have its sequences.

    Args:
        slices: of the cases of ``rows``, in their order.
        rows: the task's cases: case, set, fold.
        classes: how many the task has.
        network: as trained.
        roi: as trained.
        folder: with the task's checkpoints.
        views: sequence numbers by view.
        jobs: processes; does not change a number.
        only: folds whose networks are asked; all by default.

    Raises:
        ModelError: a network is missing, or answers with something else than numbers.
    """
    folds = range(int(rows["fold"].max()) + 1) if only is None else only
    asked = [Asked(view, fold, seed) for view in views for fold in folds for seed in range(network.seeds)]
    verb = partial(_answer, slices=slices, fold=rows["fold"].to_numpy(), outputs=1 if classes == 2 else classes,
                   network=network, roi=roi, folder=folder, views=views)  # fmt: skip
    answered = dict(each(verb, asked, "scores", 1 if device().type == "cuda" else jobs))
    return {own: answered[own] for own in asked}


def scores(answers: Mapping[Asked, Answers], rows: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """Rows source, case, set, fold, class, score: log-odds of the second of two classes; of more a row a class, logits
    less their mean over the classes.

    A training case gets the mean over the seeds of its own fold, a case of another set that over all networks.
    """
    tables = []
    for view in dict.fromkeys(own.view for own in answers):
        total, networks = _sum({own: found for own, found in answers.items() if own.view == view}, len(rows))
        known = networks > 0
        logits = total[known] / networks[known, None]
        own = rows.loc[known, ["case", "set", "fold"]].assign(source=view)
        tables.append(_long(own, logits, names))
    columns = ["source", "case", "set", "fold", "class", "score"]
    return pd.concat(tables, ignore_index=True)[columns]


def deep(answers: Mapping[Asked, Answers], rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Deep features by view, columns d000..., fold and set, index case, of the networks of seed 0.

    A training case has one row, a case of another set one row a fold: each fold's network has axes of its own.
    """
    tables: dict[str, list[pd.DataFrame]] = {}
    for asked, found in answers.items():
        if asked.seed == 0:
            known = rows.iloc[found.cases]
            table = deep_table(found.deep, known["case"]).assign(fold=asked.fold, set=known["set"].to_numpy())
            tables.setdefault(asked.view, []).append(table)
    return {view: pd.concat(found) for view, found in tables.items()}


def _sum(answers: Mapping[Asked, Answers], cases: int) -> tuple[Float[ndarray, "case output"], Int[ndarray, " case"]]:
    """Sums of the logits a case, and of how many networks."""
    outputs = max(own.logits.shape[1] if own.logits.ndim == 2 else 1 for own in answers.values())
    total, networks = np.zeros((cases, outputs)), np.zeros(cases, dtype=int)
    for own in answers.values():
        total[own.cases] += own.logits.reshape(len(own.cases), outputs)
        networks[own.cases] += 1
    return total, networks


def _long(own: pd.DataFrame, logits: Float[ndarray, "case output"], names: tuple[str, ...]) -> pd.DataFrame:
    if len(names) == 2:
        return _of_class(own, names[1], logits[:, 0])
    centred = logits - logits.mean(1, keepdims=True)
    return pd.concat([_of_class(own, name, centred[:, n]) for n, name in enumerate(names)])


def _of_class(own: pd.DataFrame, name: str, score: Vector) -> pd.DataFrame:
    made = own.assign(score=score)
    made["class"] = name
    return made


def _answer(
    asked: Asked, slices: Slices, fold: Int[ndarray, " case"], outputs: int, network: Network, roi: Roi, folder: Path,
    views: Sources,
) -> Answers:  # fmt: skip
    path, branches = checkpoint(folder, *asked), views[asked.view]
    net = load(path, network, 1, len(branches), outputs)
    wanted = np.flatnonzero(((fold == asked.fold) | (fold < 0)) & slices.has(branches))
    if not len(wanted):
        return Answers(wanted, np.zeros((0, outputs)), np.zeros((0, sum(net.head.widths))))  # type: ignore[arg-type]
    logits, vectors = answer(net, tuple(range(len(branches))), hold(slices, device(), branches), wanted, network, roi)
    if not np.isfinite(logits).all():
        remedy = "delete the checkpoint and train again with lower learning rates"
        raise ModelError(Fault("scores that are not numbers", "finite logits", remedy, file=str(path)))
    return Answers(wanted, logits, vectors)
