"""Trained networks asked: out-of-fold scores and deep features, never from a network that saw the case's outcome."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from fusion.config.run import Network, Roi
from fusion.errors import Fault, ModelError
from fusion.models.inputs import Boxes, centred
from fusion.models.network import SOURCES, RegionNetwork, checkpoint, device, load, steady
from fusion.progress import each
from fusion.roi.patch import Patches

BATCH = 16
"""Always this many cases at once, so that a case's numbers do not depend on how many are asked."""


@dataclass(frozen=True)
class Answers:
    """What one network says about the cases it never saw."""

    cases: Int[ndarray, " case"]
    """Indices into the patches."""
    logits: Float[ndarray, " case"]
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
    asked = [(source, fold, 0) for source in SOURCES for fold in _folds(cases)]
    tables: dict[str, list[pd.DataFrame]] = {source: [] for source in SOURCES}
    for (source, fold, _), answers in _ask(asked, patches, cases, network, roi, folder, jobs).items():
        known = cases.iloc[answers.cases]
        names = [f"d{n:03d}" for n in range(answers.deep.shape[1])]
        table = pd.DataFrame(answers.deep, columns=names, index=pd.Index(known["case"], name="case"))
        tables[source].append(table.assign(fold=fold, set=known["set"].to_numpy()))
    place = {case: n for n, case in enumerate(cases["case"])}
    return {
        source: pd.concat(parts)
        .sort_values("fold", kind="stable")
        .sort_index(key=lambda i: i.map(place), kind="stable")
        for source, parts in tables.items()
    }


def _folds(cases: pd.DataFrame) -> range:
    return range(int(cases["fold"].max()) + 1)


def _ask(
    asked: list[tuple[str, int, int]], patches: Patches, cases: pd.DataFrame, network: Network, roi: Roi,
    folder: Path, jobs: int,
) -> dict[tuple[str, int, int], Answers]:  # fmt: skip
    """Every network's answers, in the order asked."""
    if tuple(cases["case"]) != patches.cases:
        raise ModelError(Fault("patches of other cases", "the cohort's, in its order", "delete the patches"))
    verb = partial(_answer, patches=patches, fold=cases["fold"].to_numpy(), network=network, roi=roi, folder=folder)
    answered = dict(each(verb, asked, "deep features", 1 if device().type == "cuda" else jobs))
    return {own: answered[own] for own in asked}


def _answer(
    asked: tuple[str, int, int], patches: Patches, fold: Int[ndarray, " case"], network: Network, roi: Roi, folder: Path
) -> Answers:
    source, own, seed = asked
    path = checkpoint(folder, source, own, seed)
    net = load(path, network, roi.patch.shape[0], len(SOURCES[source]))
    unseen = np.flatnonzero((fold == own) | (fold < 0))
    logits, deep = answer(net, SOURCES[source], Boxes.of(patches, device()), unseen, roi)
    if not np.isfinite(logits).all():
        remedy = "delete the checkpoint and train again with lower learning rates"
        raise ModelError(Fault("scores that are not numbers", "finite log-odds", remedy, file=str(path)))
    return Answers(unseen, logits, deep)


@torch.no_grad()
def answer(
    net: RegionNetwork, regions: tuple[int, ...], boxes: Boxes, cases: Int[ndarray, " case"], roi: Roi
) -> tuple[Float[ndarray, " case"], Float[ndarray, "case feature"]]:
    """Log-odds and deep features of ``cases`` from one network, without augmentation."""
    net = net.to(device())
    deep, logits = [], []
    with steady():
        for start in range(0, len(cases), BATCH):
            part = cases[start : start + BATCH]
            full = torch.from_numpy(np.resize(part, BATCH)).to(device())
            seen = net.deep(centred(boxes, full, roi)[:, list(regions)])
            deep.append(seen[: len(part)].cpu().numpy())
            logits.append(net.classify(seen)[: len(part)].cpu().numpy())
    return np.concatenate(logits).astype(np.float64), np.concatenate(deep)
