"""One network to train, and what the networks of a run share."""

import functools
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray

from fusion.config.network import Network
from fusion.config.roi import Roi
from fusion.models.backbone import Start
from fusion.models.checkpoints import SOURCES, Sources, checkpoint, save
from fusion.models.held import Material, box
from fusion.models.machine import device
from fusion.models.network import RegionNetwork
from fusion.models.recipe import Shares
from fusion.roi.patch import Patches
from fusion.types import Events, Indices


@dataclass(frozen=True)
class Job:
    """One network: what it sees, the fold it never sees, and its number in the fold."""

    source: str
    fold: int
    seed: int
    sources: Sources = field(default_factory=lambda: SOURCES, compare=False, repr=False)
    """What the networks of the run see, by source."""

    @property
    def name(self) -> str:
        """As in the checkpoint's file name."""
        return f"{self.source}_fold{self.fold}_seed{self.seed}"

    @property
    def regions(self) -> tuple[int, ...]:
        """What its network sees: of a box 0 tumour, 1 ring; of slices numbers of sequences."""
        return self.sources[self.source]

    def weights_seed(self, seed: int) -> int:
        """Of this network's random weights and dropout, in a run of ``seed``."""
        return _seed(seed, list(self.sources).index(self.source), self.fold, self.seed)

    def order_seed(self, seed: int) -> int:
        """Of batches and augmentation: the same for the sources of a fold, so that they see the same."""
        return _seed(seed, self.fold, self.seed)


@dataclass(frozen=True)
class Training:
    """What the jobs of a run share."""

    patches: Material
    events: Events
    """1 for the positive class; with more than two ``classes`` the class's number."""
    folds: Events
    network: Network
    roi: Roi
    seed: int
    folder: Path
    start: Start
    sources: Sources = field(default_factory=lambda: SOURCES)
    classes: int = 2

    def job(self, source: str, fold: int, seed: int) -> Job:
        """One of this training's networks."""
        return Job(source, fold, seed, self.sources)

    @property
    def outputs(self) -> int:
        """Numbers that a network gives a case: log-odds, or a logit a class."""
        return 1 if self.classes == 2 else self.classes

    @property
    def targets(self) -> Float[ndarray, "case *class"]:
        """What the networks should say: 1 for an event, or 1 in the column of the case's class."""
        if self.classes == 2:
            return self.events.astype(np.float32)
        return np.eye(self.classes, dtype=np.float32)[self.events]

    def shares(self, job: Job) -> float | Shares:
        """The share of the positive class among what ``job`` learns from, or the share of every class."""
        own = self.targets[self.seen(job)].mean(0)
        return float(own) if self.classes == 2 else own.astype(float)

    def cases(self, fold: int) -> Indices:
        """The training cases outside ``fold``."""
        return np.flatnonzero((self.folds >= 0) & (self.folds != fold))

    def has(self, regions: tuple[int, ...]) -> Bool[ndarray, " case"]:
        """Cases with something for a network of these branches to see; of boxes all."""
        if isinstance(self.patches, Patches):
            return np.ones(len(self.patches.cases), dtype=bool)
        return self.patches.has(regions)

    def seen(self, job: Job) -> Indices:
        """The cases that ``job`` learns from: outside its fold, with something to see."""
        own = self.cases(job.fold)
        return own[self.has(job.regions)[own]]

    @property
    def box(self) -> tuple[int, int, int]:
        """Voxels that a branch sees, along (z, y, x)."""
        return box(self.network, self.roi)

    @functools.cached_property
    def largest(self) -> int:
        """Cases of the largest training part."""
        return max(len(self.cases(fold)) for fold in range(int(self.folds.max()) + 1))

    def path(self, job: Job) -> Path:
        """The job's checkpoint."""
        return checkpoint(self.folder, job.source, job.fold, job.seed)

    def untrained(self, job: Job) -> RegionNetwork:
        """The job's network as it starts; torch's own generators stay as they were."""
        gpus = [torch.cuda.current_device()] if device().type == "cuda" else []
        with torch.random.fork_rng(devices=gpus):  # random starts know only the global generator
            torch.manual_seed(job.weights_seed(self.seed))
            return RegionNetwork(self.network, self.box[0], len(job.regions), self.start, self.outputs)

    def write(self, job: Job, state: dict[str, torch.Tensor]) -> None:
        """The job's checkpoint, with notes on what it saw."""
        noted = {
            "fingerprint": self.fingerprint,
            "start_sha256": self.start.sha256,
            "start_missing": list(self.start.missing),
            "epochs": self.network.epochs,
            "torch": torch.__version__,
            "cases": self.seen(job).tolist(),
        }
        save({key: value.cpu() for key, value in state.items()}, noted, self.path(job))

    @functools.cached_property
    def fingerprint(self) -> str:
        """Of everything that decides the weights."""
        asked = (
            self.network.model_dump_json(exclude={"logger", "weights", "seeds", "training", "devices", "nodes"})
            + self.roi.model_dump_json()
        )
        digest = hashlib.sha256(f"{asked}{self.seed}{self.start.sha256}".encode())
        for array in (*_arrays(self.patches), self.events, self.folds):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def _arrays(material: Material) -> tuple[ndarray, ...]:
    """All that a network can see of the cohort."""
    if isinstance(material, Patches):
        return material.grey, material.distance, material.drawn, material.has_drawn
    return material.grey, material.there


def _seed(*words: int) -> int:
    """A 32-bit seed of its own for every list of numbers."""
    return int(np.random.SeedSequence(words).generate_state(1)[0])
