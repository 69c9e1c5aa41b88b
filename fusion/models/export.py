"""Every trained network of a run, which cases it saw, and what it says, one row a case and network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int
from numpy import ndarray

from fusion import store
from fusion.config.network import Network
from fusion.config.roi import Roi
from fusion.errors import Fault, ModelError
from fusion.models.backbone import Start
from fusion.models.checkpoints import checkpoint, load, notes
from fusion.models.embed import Answers, answer, deep_table, same_cases
from fusion.models.inputs import Boxes
from fusion.models.jobs import Job, Training
from fusion.models.machine import device
from fusion.models.network import RegionNetwork
from fusion.progress import each
from fusion.roi.patch import Patches


@dataclass(frozen=True)
class Trained:
    """One network: its weights and what it learned from."""

    job: Job
    path: Path
    sha256: str
    """Of the file with its weights."""
    saw: tuple[int, ...]
    """Training cases, as its file notes them: indices into the patches."""

    def never_saw(self, among: Int[ndarray, " case"]) -> Int[ndarray, " unseen"]:
        """Those of ``among`` that it did not learn from."""
        return among[~np.isin(among, self.saw)]

    def network(self, network: Network, roi: Roi) -> RegionNetwork:
        """The network itself, ready to score."""
        return load(self.path, network, roi.patch.shape[0], len(self.job.regions))


def networks(
    patches: Patches, cases: pd.DataFrame, network: Network, roi: Roi, seed: int, folder: Path, sources: Sequence[str]
) -> list[Trained]:
    """The networks of ``sources``, by source, fold and seed.

    Args:
        patches: the cohort's boxes.
        cases: columns case, fold and event, in the patches' order; fold is -1 outside the training set.
        network: as trained.
        roi: as trained.
        seed: of the run.
        folder: the run folder, with its checkpoints.
        sources: keys of ``SOURCES``.

    Raises:
        ModelError: every network that is missing, or that another training wrote.
    """
    same_cases(patches, cases)
    events, folds = cases["event"].to_numpy(), cases["fold"].to_numpy()
    asked = [Job(s, f, n) for s in sources for f in range(int(folds.max()) + 1) for n in range(network.seeds)]
    paths = {job: checkpoint(folder, job.source, job.fold, job.seed) for job in asked}
    remedy = "run `fusion train` first"
    faults = [Fault("no such network", "the run's", remedy, file=str(p)) for p in paths.values() if not p.is_file()]
    if faults:
        raise ModelError(faults)
    noted = {job: notes(path) for job, path in paths.items()}
    starts = {str(own["start_sha256"]) for own in noted.values()}  # noted, so that no hub is asked for the weights
    training = partial(Training, patches, events, folds, network, roi, seed, folder)
    ours = {start: training(Start({}, start)).fingerprint for start in starts}
    remedy = "delete the checkpoints and train again, or use the config they were trained with"
    faults = [
        Fault("a network of another training", "this config, seed and cohort", remedy, file=str(paths[job]))
        for job, own in noted.items()
        if own["fingerprint"] != ours[str(own["start_sha256"])]
    ]
    if faults:
        raise ModelError(faults)
    return [Trained(job, path, store.sha256(path), tuple(noted[job]["cases"])) for job, path in paths.items()]  # type: ignore[arg-type]


def answers(
    asked: Sequence[Trained], patches: Patches, network: Network, roi: Roi, *, seen: bool = False, jobs: int = 1
) -> dict[Trained, Answers]:
    """What each network says about the cases it never saw; with ``seen`` about its training cases too.

    Raises:
        ModelError: weights of another architecture, or scores that are not numbers.
    """
    verb = partial(_answers, patches=patches, network=network, roi=roi, seen=seen)
    answered = dict(each(verb, asked, "export", 1 if device().type == "cuda" else jobs))
    return {own: answered[own] for own in asked}


def _answers(own: Trained, patches: Patches, network: Network, roi: Roi, seen: bool) -> Answers:
    every = np.arange(len(patches.cases))
    cases = every if seen else own.never_saw(every)
    net = own.network(network, roi)
    logits, deep = answer(net, own.job.regions, Boxes.of(patches, device()), cases, network, roi)
    if not np.isfinite(logits).all():
        remedy = "delete the checkpoint and train again with lower learning rates"
        raise ModelError(Fault("scores that are not numbers", "finite log-odds", remedy, file=str(own.path)))
    return Answers(cases, logits, deep)


def deep_rows(answered: Mapping[Trained, Answers], cases: pd.DataFrame, *, seen: bool = False) -> pd.DataFrame:
    """Columns case, set, fold, seed, d000...: one row a case and network, in the cohort's order, then fold and seed.

    ``fold`` and ``seed`` name the network that made the row. Rows of different networks have unrelated axes.

    Args:
        answered: one source's networks, by fold and seed, and what they said.
        cases: columns case and set, in the patches' order.
        seen: the cases that a network learned from, instead of those that it never saw.
    """
    parts, places = [], []
    for own, said in answered.items():
        rows = _rows(own, said, seen)
        known = cases.iloc[said.cases[rows]]
        vectors = deep_table(said.deep[rows], known["case"]).reset_index()
        made_by = {
            "case": known["case"].to_numpy(),
            "set": known["set"].to_numpy(),
            "fold": own.job.fold,
            "seed": own.job.seed,
        }
        parts.append(pd.concat([pd.DataFrame(made_by), vectors.drop(columns="case")], axis=1))
        places.append(said.cases[rows])
    order = np.argsort(np.concatenate(places), kind="stable")
    return pd.concat(parts, ignore_index=True).iloc[order].reset_index(drop=True)


def _rows(own: Trained, said: Answers, seen: bool) -> Bool[ndarray, " case"]:
    return np.isin(said.cases, own.saw) == seen


def score_table(answered: Mapping[Trained, Answers], cases: pd.DataFrame) -> pd.DataFrame:
    """Columns case, source, set, fold, score: each case's mean log-odds over the networks that never saw it.

    Args:
        answered: networks, all of a source's, and what they said.
        cases: columns case, set and fold, in the patches' order.
    """
    tables = []
    for source in dict.fromkeys(own.job.source for own in answered):
        total, count = np.zeros(len(cases)), np.zeros(len(cases))
        for own, said in answered.items():
            if own.job.source == source:
                rows = _rows(own, said, seen=False)
                total[said.cases[rows]] += said.logits[rows]
                count[said.cases[rows]] += 1
        tables.append(cases[["case", "set", "fold"]].assign(source=source, score=total / count))
    return pd.concat(tables, ignore_index=True)[["case", "source", "set", "fold", "score"]]


def scales(net: RegionNetwork) -> list[slice]:
    """The deep features of each scale, finest first.

    >>> network = Network(backbone="resnet18", weights="none", width=8)
    >>> [part.start for part in scales(RegionNetwork(network, 4, 1))]
    [0, 8, 16, 24, 32]
    """
    ends = np.cumsum(np.asarray(net.head.widths)).tolist()
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
