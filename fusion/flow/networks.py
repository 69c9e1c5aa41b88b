"""The networks' stage: whatever `heads.stacking` asks for, it leaves deep features and one out-of-fold score a case."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from fusion.config.network import Network
from fusion.config.run import Run
from fusion.data.case import Files, load
from fusion.errors import Fault
from fusion.flow.attempt import Attempt
from fusion.flow.folder import told
from fusion.flow.work import Work
from fusion.heads.combine import DEEP_INNER, vectors_of
from fusion.heads.nested import HEAD, inner_folds, nested_scores
from fusion.heads.parts import FINAL, Fitted, folds, parts, word
from fusion.heads.vectors import scores
from fusion.progress import each
from fusion.roi.box import box
from fusion.roi.patch import CasePatch, Patches, stored_shape
from fusion.roi.region import regions
from fusion.store import write_csv, write_parquet

PATCHES = "checkpoints/patches.npz"
SCORES = "features/deep_scores.parquet"
"""Written last: where it is, all that networks say is there."""
NESTED = "checkpoints/nested"
"""Below it one folder an outer fold, each with the checkpoints of the networks of that fold's two thirds."""


def write_patches(work: Work) -> Work:
    """checkpoints/patches.npz: every case's box."""
    path = work.folder / PATCHES
    if work.run.network is None or path.is_file():
        return work
    failed: dict[str, tuple[Fault, ...]] = {}
    names, shape = [own.case for own in work.files], stored_shape(work.run.roi.patch)
    patches = Patches.gathered(names, _boxes(work, failed), shape)
    work = work.without(failed, "patches")
    if not work.over:
        patches.save(path)
    return work


def write_networks(work: Work) -> None:
    """checkpoints/, features/deep_<source>.parquet and features/deep_scores.parquet.

    Beside them `frozen_backbone` and `nested_vector` leave features/deep_selection.csv, as heads make their scores, and
    `paper_literal` leaves features/deep_seen_<source>.parquet, with vectors of cases that a network saw.
    """
    network = work.run.network
    if network is None or (work.folder / SCORES).is_file():
        return
    ways = {"frozen_backbone": _frozen, "nested_vector": _nested}
    with told(work.folder, "networks"):
        ways.get(work.run.heads.stacking, _out_of_fold)(work, network, _patches(work))


def train_fold(work: Work, fold: int) -> None:
    """Train what is missing of a fold's networks: all that never see it.

    For ``FINAL`` and for `frozen_backbone` there are none; with `nested_vector` every outer fold and ``FINAL`` have
    networks of their own, for which the heads leave cases out.
    """
    network = work.run.network
    if network is None or fold_there(work, fold):
        return
    if work.run.heads.stacking == "nested_vector":
        inner = inner_folds(work.cases, fold, work.run.seed)
        _train_nested(work, network, _patches(work), fold, inner)
    else:
        _train(work, network, _patches(work), only=(fold,))


def fold_there(work: Work, fold: int) -> bool:
    """Whether all networks of a fold are trained, or nobody needs them any more."""
    run, folder = work.run, work.folder
    if run.network is None or run.heads.stacking == "frozen_backbone" or (folder / SCORES).is_file():
        return True
    nested = run.heads.stacking == "nested_vector"
    if fold == FINAL and not nested:
        return True
    from fusion.models.checkpoints import SOURCES, checkpoint

    place, number = (_nested_folder(folder, fold), HEAD) if nested else (folder, fold)
    return all(checkpoint(place, name, number, n).is_file() for name in SOURCES for n in range(run.network.seeds))


def selection(folder: Path) -> list[pd.DataFrame]:
    """What the heads on deep vectors kept, if there are such heads."""
    path = folder / "features/deep_selection.csv"
    return [pd.read_csv(path, dtype={"fold": str})] if path.is_file() else []


def inner(folder: Path) -> pd.DataFrame:
    """Scores of heads on deep vectors that saw neither of two folds, if there are such heads."""
    path = folder / DEEP_INNER
    return pd.read_parquet(path) if path.is_file() else pd.DataFrame()


def seen_vectors(folder: Path) -> dict[str, pd.DataFrame]:
    """By source, the vectors that `paper_literal` left."""
    from fusion.models.checkpoints import SOURCES

    return {source: pd.read_parquet(folder / f"features/deep_seen_{source}.parquet") for source in SOURCES}


def _out_of_fold(work: Work, network: Network, patches: Patches) -> None:
    from fusion.models import embed

    cases = work.cases
    _train(work, network, patches)
    asked = (patches, cases, network, work.run.roi, work.folder, work.run.jobs)
    if work.run.heads.stacking == "paper_literal":
        _write(work, "deep_seen", embed.vectors(*asked, seen=True))
    _write(work, "deep", embed.deep_features(*asked))
    write_parquet(work.folder / SCORES, embed.scores(*asked))


def _train(work: Work, network: Network, patches: Patches, only: tuple[int, ...] | None = None) -> None:
    from fusion.models.train import train

    cases, run = work.cases, work.run
    train(patches, cases["event"].to_numpy(), cases["fold"].to_numpy(), network, run.roi, run.seed, work.folder,
          run.jobs, only=only)  # fmt: skip


def _frozen(work: Work, network: Network, patches: Patches) -> None:
    from fusion.models.frozen import frozen_features

    cases, run = work.cases, work.run
    tables = frozen_features(patches, cases, network, run.roi, run.jobs)
    _write(work, "deep", tables)
    vectors = {source: table.drop(columns=["fold", "set"]) for source, table in tables.items()}
    _write_fitted(work, scores(vectors_of(vectors, cases, run.heads, run.seed), run.jobs, "deep scores"))


def _nested(work: Work, network: Network, patches: Patches) -> None:
    cases, run = work.cases, work.run
    inner = {fold: inner_folds(cases, fold, run.seed) for fold in folds(cases)}
    vectors = {fold: _held_out(work, network, patches, fold, own) for fold, own in inner.items()}
    _write(work, "deep", _scored_vectors(vectors, cases))
    _write_fitted(work, nested_scores(vectors, inner, cases, run.heads, run.seed))


def _held_out(
    work: Work, network: Network, patches: Patches, fold: int, inner: np.ndarray
) -> dict[str, pd.DataFrame]:  # fmt: skip
    """Vectors of the cases that the networks of an outer fold never saw: the head's third, and the cases apart."""
    from fusion.models import embed

    _train_nested(work, network, patches, fold, inner)
    run, folder = work.run, _nested_folder(work.folder, fold)
    return embed.vectors(patches, work.cases.assign(fold=inner), network, run.roi, folder, run.jobs, folds=(HEAD,))


def _train_nested(work: Work, network: Network, patches: Patches, fold: int, inner: np.ndarray) -> None:
    from fusion.models.train import train

    run, event = work.run, work.cases["event"].to_numpy()
    train(patches, event, inner, network, run.roi, run.seed, _nested_folder(work.folder, fold), run.jobs, only=(HEAD,))


def _nested_folder(folder: Path, fold: int) -> Path:
    return folder / NESTED / f"fold_{word(fold)}"


def _scored_vectors(vectors: dict[int, dict[str, pd.DataFrame]], cases: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Of each outer fold the rows that it scores, from the network of seed 0; ``fold`` is the outer fold."""
    tables: dict[str, list[pd.DataFrame]] = {}
    for fold, sources in vectors.items():
        own = set(cases["case"][parts(cases, fold)[1]])
        for source, table in sources.items():
            rows = table[table.index.isin(own) & (table["seed"] == 0)].drop(columns=["seed", "seen"])
            tables.setdefault(source, []).append(rows.assign(fold=fold))
    return {source: pd.concat(found).loc[cases["case"]] for source, found in tables.items()}


def _write(work: Work, kind: str, tables: dict[str, pd.DataFrame]) -> None:
    for source, table in tables.items():
        write_parquet(work.folder / f"features/{kind}_{source}.parquet", table)


def _write_fitted(work: Work, fitted: Fitted) -> None:
    write_csv(work.folder / "features/deep_selection.csv", fitted.selection)
    if not fitted.inner.empty:
        write_parquet(work.folder / DEEP_INNER, fitted.inner)
    write_parquet(work.folder / SCORES, fitted.rows)


def _patches(work: Work) -> Patches:
    """The boxes of the cases that are left."""
    patches, names = Patches.load(work.folder / PATCHES), tuple(work.cases["case"])
    if patches.cases != names:
        patches = patches.of(names)
        patches.save(work.folder / PATCHES)
    return patches


def _boxes(work: Work, failed: dict[str, tuple[Fault, ...]]) -> Iterator[tuple[str, CasePatch]]:
    """Boxes as they are cut; faults of cases that have none are added to ``failed``."""
    for own, found in each(Attempt(partial(_cut, run=work.run)), work.files, "patches", work.run.jobs):
        if isinstance(found, CasePatch):
            yield own.case, found
        else:
            failed[own.case] = found.faults


def _cut(files: Files, run: Run) -> CasePatch:
    case = load(files, run.cohort, run.roi.resample_mask)
    return box(case, regions(case, run.roi)["external2"], run.roi)
