"""One network to train, and what the networks of a run share."""

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from fusion.config.network import Network
from fusion.config.roi import Roi
from fusion.models.backbone import Start
from fusion.models.checkpoints import SOURCES, checkpoint, save
from fusion.models.machine import device
from fusion.models.network import RegionNetwork
from fusion.roi.patch import Patches
from fusion.types import Events, Indices


@dataclass(frozen=True)
class Job:
    """One network: what it sees, the fold it never sees, and its number in the fold."""

    source: str
    fold: int
    seed: int

    @property
    def name(self) -> str:
        """As in the checkpoint's file name."""
        return f"{self.source}_fold{self.fold}_seed{self.seed}"

    @property
    def regions(self) -> tuple[int, ...]:
        """What its network sees: 0 tumour, 1 ring."""
        return SOURCES[self.source]

    def weights_seed(self, seed: int) -> int:
        """Of this network's random weights and dropout, in a run of ``seed``."""
        return _seed(seed, list(SOURCES).index(self.source), self.fold, self.seed)

    def order_seed(self, seed: int) -> int:
        """Of batches and augmentation: the same for the sources of a fold, so that they see the same."""
        return _seed(seed, self.fold, self.seed)


@dataclass(frozen=True)
class Training:
    """What the jobs of a run share."""

    patches: Patches
    events: Events
    folds: Events
    network: Network
    roi: Roi
    seed: int
    folder: Path
    start: Start

    def cases(self, fold: int) -> Indices:
        """The training cases outside ``fold``."""
        return np.flatnonzero((self.folds >= 0) & (self.folds != fold))

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
            return RegionNetwork(self.network, self.roi.patch.shape[0], len(job.regions), self.start)

    def write(self, job: Job, state: dict[str, torch.Tensor]) -> None:
        """The job's checkpoint, with notes on what it saw."""
        noted = {
            "fingerprint": self.fingerprint,
            "start_sha256": self.start.sha256,
            "start_missing": list(self.start.missing),
            "epochs": self.network.epochs,
            "torch": torch.__version__,
            "cases": self.cases(job.fold).tolist(),
        }
        save({key: value.cpu() for key, value in state.items()}, noted, self.path(job))

    @functools.cached_property
    def fingerprint(self) -> str:
        """Of everything that decides the weights."""
        asked = (
            self.network.model_dump_json(exclude={"logger", "weights", "seeds", "training"})
            + self.roi.model_dump_json()
        )
        digest = hashlib.sha256(f"{asked}{self.seed}{self.start.sha256}".encode())
        patches = self.patches
        for array in (patches.grey, patches.distance, patches.drawn, patches.has_drawn, self.events, self.folds):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def _seed(*words: int) -> int:
    """A 32-bit seed of its own for every list of numbers."""
    return int(np.random.SeedSequence(words).generate_state(1)[0])
