"""Trained networks asked: out-of-fold scores and deep features; what a network saw in training only where asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from fusion.config.network import Network
from fusion.config.roi import Roi
from fusion.errors import Fault, ModelError
from fusion.models.checkpoints import SOURCES, checkpoint, load
from fusion.models.held import Held, plain
from fusion.models.inputs import Boxes
from fusion.models.machine import device, steady
from fusion.models.network import RegionNetwork
from fusion.progress import each
from fusion.roi.patch import Patches

BATCH = 16
"""Always this many cases at once, so that a case's numbers do not depend on how many are asked."""


@dataclass(frozen=True)
class Answers:
    """What one network says."""

    cases: Int[ndarray, " case"]
    """Indices into the patches."""
    logits: Float[ndarray, "case *class"]
    deep: Float[ndarray, "case feature"]


def scores(
    patches: Patches, cases: pd.DataFrame, network: Network, roi: Roi, folder: Path, jobs: int = 1
) -> pd.DataFrame:
    """Log-odds by case, source, set and fold.

    A training case gets the mean over the seeds of its own fold, whose networks never saw it; a case of another set
    gets the mean over all folds and seeds, fold -1.

    Args:
        patches: the cohort's boxes.
        cases: columns case, set, fold; fold is -1 outside the training set.
        network: as trained.
        roi: as trained.
        folder: the run folder, with its checkpoints.
        jobs: processes; does not change a number.

    Raises:
        ModelError: a network is missing, or answers with something else than numbers.
    """
    asked = [(source, fold, seed) for source in SOURCES for fold in _folds(cases) for seed in range(network.seeds)]
    answered = _ask(asked, patches, cases, network, roi, folder, jobs)
    tables = []
    for source in SOURCES:
        total, networks = np.zeros(len(cases)), np.zeros(len(cases))
        for own, answers in answered.items():
            if own[0] == source:
                total[answers.cases] += answers.logits
                networks[answers.cases] += 1
        tables.append(cases[["case", "set", "fold"]].assign(source=source, score=total / networks))
    return pd.concat(tables, ignore_index=True)[["case", "source", "set", "fold", "score"]]


def deep_features(
    patches: Patches, cases: pd.DataFrame, network: Network, roi: Roi, folder: Path, jobs: int = 1
) -> dict[str, pd.DataFrame]:
    """Each source's deep features, columns d000..., fold and set, index case.

    A training case has one row, from its fold's network; a case of another set one row a fold. Each fold's network has
    axes of its own, so rows of different folds are not to be averaged, nor pooled without care; seed 0 alone is asked.

    Args:
        patches: the cohort's boxes.
        cases: columns case, set, fold.
        network: as trained.
        roi: as trained.
        folder: the run folder, with its checkpoints.
        jobs: processes; does not change a number.
    """
    found = vectors(patches, cases, network.model_copy(update={"seeds": 1}), roi, folder, jobs)
    return {source: table.drop(columns=["seed", "seen"]) for source, table in found.items()}


def vectors(
    patches: Patches, cases: pd.DataFrame, network: Network, roi: Roi, folder: Path, jobs: int = 1,
    folds: Sequence[int] | None = None, seen: bool = False,
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """Deep features by source: columns d000..., fold and seed of the network that was asked, set, seen; index case.

    Args:
        patches: the cohort's boxes.
        cases: columns case, set, fold.
        network: as trained.
        roi: as trained.
        folder: the run folder, with its checkpoints.
        jobs: processes; does not change a number.
        folds: whose networks to ask; all by default.
        seen: ask a network about its own training cases too; their rows have ``seen`` true, and nothing that is fitted
            on them is honest.

    Raises:
        ModelError: as ``scores``.
    """
    numbers = range(network.seeds)
    asked = [(source, f, s) for source in SOURCES for f in (_folds(cases) if folds is None else folds) for s in numbers]
    tables: dict[str, list[pd.DataFrame]] = {source: [] for source in SOURCES}
    for (source, fold, number), own in _ask(asked, patches, cases, network, roi, folder, jobs, seen).items():
        tables[source].append(_table(own, cases, fold).assign(seed=number))
    place = {case: n for n, case in enumerate(cases["case"])}
    order = ["fold", "seed"]
    return {
        source: pd.concat(found).sort_values(order, kind="stable").sort_index(key=lambda i: i.map(place), kind="stable")
        for source, found in tables.items()
    }


def _table(own: Answers, cases: pd.DataFrame, fold: int) -> pd.DataFrame:
    known = cases.iloc[own.cases]
    table = deep_table(own.deep, known["case"])
    seen = ((known["fold"] >= 0) & (known["fold"] != fold)).to_numpy()
    return table.assign(fold=fold, set=known["set"].to_numpy(), seen=seen)


def deep_table(deep: Float[ndarray, "case feature"], cases: pd.Series) -> pd.DataFrame:
    """Vectors with columns d000... and index case."""
    names = [f"d{n:03d}" for n in range(deep.shape[1])]
    return pd.DataFrame(deep, columns=names, index=pd.Index(cases, name="case"))


def _folds(cases: pd.DataFrame) -> range:
    return range(int(cases["fold"].max()) + 1)


def same_cases(patches: Patches, cases: pd.DataFrame) -> None:
    """Refuse patches of other cases than ``cases``, or in another order."""
    if tuple(cases["case"]) != patches.cases:
        raise ModelError(Fault("patches of other cases", "the cohort's, in its order", "delete the patches"))


def _ask(
    asked: list[tuple[str, int, int]], patches: Patches, cases: pd.DataFrame, network: Network, roi: Roi,
    folder: Path, jobs: int, seen: bool = False,
) -> dict[tuple[str, int, int], Answers]:  # fmt: skip
    """Every network's answers, in the order asked."""
    same_cases(patches, cases)
    fold = cases["fold"].to_numpy()
    verb = partial(_answer, patches=patches, fold=fold, network=network, roi=roi, folder=folder, seen=seen)
    answered = dict(each(verb, asked, "deep features", 1 if device().type == "cuda" else jobs))
    return {own: answered[own] for own in asked}


def _answer(
    asked: tuple[str, int, int], patches: Patches, fold: Int[ndarray, " case"], network: Network, roi: Roi,
    folder: Path, seen: bool,
) -> Answers:  # fmt: skip
    source, own, seed = asked
    path = checkpoint(folder, source, own, seed)
    net = load(path, network, roi.patch.shape[0], len(SOURCES[source]))
    wanted = np.arange(len(fold)) if seen else np.flatnonzero((fold == own) | (fold < 0))
    logits, deep = answer(net, SOURCES[source], Boxes.of(patches, device()), wanted, network, roi)
    if not np.isfinite(logits).all():
        remedy = "delete the checkpoint and train again with lower learning rates"
        raise ModelError(Fault("scores that are not numbers", "finite log-odds", remedy, file=str(path)))
    return Answers(wanted, logits, deep)


@torch.no_grad()
def answer(
    net: RegionNetwork,
    regions: tuple[int, ...],
    boxes: Held,
    cases: Int[ndarray, " case"],
    network: Network,
    roi: Roi,
) -> tuple[Float[ndarray, "case *class"], Float[ndarray, "case feature"]]:
    """Log-odds (or logits) and deep features of ``cases`` from one network, without augmentation."""
    net = net.to(device())
    deep, logits = [], []
    with steady():
        for start in range(0, len(cases), BATCH):
            part = cases[start : start + BATCH]
            full = torch.from_numpy(np.resize(part, BATCH)).to(device())
            seen = net.deep(plain(boxes, full, network, roi)[:, list(regions)])
            deep.append(seen[: len(part)].cpu().numpy())
            logits.append(net.classify(seen)[: len(part)].cpu().numpy())
    return np.concatenate(logits).astype(np.float64), np.concatenate(deep)
