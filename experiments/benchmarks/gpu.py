"""Training of all folds and regions on a GPU, in five ways: what each costs, and how far it is from the memory's speed.

    python -m experiments.benchmarks.gpu [--patches runs/NAME/checkpoints/patches.npz]

`loader` is what most people write: Lightning, one network after another, cases augmented on the CPU by a DataLoader.
`resident` is fusion's plain path, the same with the cohort and the augmentation on the device. `stacked` trains all
networks as one, step by step; `graph` records these steps as CUDA graphs. Each in float32 and in bf16. Every way trains
a few epochs, the first is not counted, and the rest is scaled to the whole training; of the first two ways one fold is
trained. The floor is what the networks' maps weigh, moved `PASSES` times at the speed of a copy on this device. Needs
neither SimpleITK nor pyradiomics nor monai. Without a GPU `graph` is left out and everything runs on one thread of the
CPU. Ends with one line of JSON.
"""

import argparse
import functools
import json
import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from experiments.benchmarks.training import cohort
from fusion.config.network import Network
from fusion.config.roi import Patch, Roi
from fusion.models import chance, recipe
from fusion.models.checkpoints import SOURCES
from fusion.models.inputs import Boxes
from fusion.models.jobs import Job, Training
from fusion.models.machine import device, steady
from fusion.models.module import Module
from fusion.models.separate import trainer
from fusion.models.together import Together
from fusion.roi.patch import Patches

PASSES = 6
"""Forward a map is written and read; backward it is read again, and its gradient written and read twice."""
TWINS = 2
"""Tumour and ring alone weigh about as much as the network of both."""
HALF = 2
"""Bytes of a bf16 number."""


def main(words: list[str] | None = None) -> None:
    asked = arguments(words)
    with tempfile.TemporaryDirectory() as folder:
        training = prepared(asked, Path(folder))
        figures = {
            f"{way}_{precision}": measured(way, precision, training, asked.epochs, asked.workers)
            for precision in asked.precisions
            for way in ("loader", "resident", "stacked", "graph")
            if way != "graph" or device().type == "cuda"
        }
        floor = floor_seconds(training)
    for name, own in figures.items():
        print(f"{name:18} {own['seconds']:9.1f} s in all, {own['gb']:6.2f} GB")
    best = min(figures, key=lambda name: figures[name]["seconds"])
    plain = f"resident_{asked.precisions[0]}"
    print(json.dumps({
        "gpu": device().type == "cuda", "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "cases": len(training.patches.cases), "networks": len(jobs(training)), "epochs": training.network.epochs,
        "backbone": training.network.backbone, "seconds": {name: own["seconds"] for name, own in figures.items()},
        "peak_gb": {name: own["gb"] for name, own in figures.items()}, "best": best,
        "best_over_plain": figures[plain]["seconds"] / figures[best]["seconds"],
        "floor_seconds_bf16": floor, "floor_share_of_best": floor / figures[best]["seconds"],
        "torch": torch.__version__,
    }))  # fmt: skip


def arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patches", type=Path, help="a run's patches.npz; else noise of 357 cases")
    parser.add_argument("--cases", type=int, default=357)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--backbone", default="mobilenetv3_large_100")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--box", type=int, nargs=3, default=(16, 96, 96), metavar=("Z", "Y", "X"))
    parser.add_argument("--epochs", type=int, default=3, help="counted epochs of every way")
    parser.add_argument("--of", type=int, default=60, help="epochs of the whole training")
    parser.add_argument("--workers", type=int, default=4, help="processes of the DataLoader")
    parser.add_argument("--precisions", nargs="+", default=["float32", "bf16"], choices=["float32", "bf16"])
    return parser.parse_args(words)


def prepared(asked: argparse.Namespace, folder: Path) -> Training:
    """The training, from a run's boxes with made-up outcomes, or of noise; no warm-up, so that every step costs all."""
    network = Network(backbone=asked.backbone, weights="none", batch=asked.batch, warmup_epochs=0, epochs=asked.of)
    training = cohort(
        network,
        Roi(patch=Patch(shape=tuple(asked.box))),
        asked.folds,
        folder,
        asked.cases * (asked.folds - 1) // asked.folds,
    )
    if not asked.patches:
        return training
    patches = Patches.load(asked.patches)
    number = np.arange(len(patches.cases))
    return replace(training, patches=patches, events=number // asked.folds % 2, folds=number % asked.folds)


def jobs(training: Training) -> list[Job]:
    """Every source and fold, those of one region first."""
    return [Job(source, fold, 0) for source in SOURCES for fold in range(int(training.folds.max()) + 1)]


def measured(way: str, precision: str, training: Training, epochs: int, workers: int) -> dict[str, float]:
    """Seconds of the whole training, all networks and epochs, and the device's peak memory in 10^9 bytes."""
    network = training.network.model_copy(update={"precision": precision, "epochs": epochs + 1})
    own, whole = replace(training, network=network), training.network.epochs
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    with steady():
        if way in ("stacked", "graph"):
            seconds = _together(own, way == "graph") / epochs * whole
        else:
            folds = int(training.folds.max()) + 1
            seconds = sum(_alone(own, Job(source, 0, 0), way, workers) for source in SOURCES) / epochs * whole * folds
    return {"seconds": seconds, "gb": torch.cuda.max_memory_allocated() / 1e9 if torch.cuda.is_available() else 0.0}


def _together(training: Training, graph: bool) -> float:
    together = Together(training, jobs(training), cuda_graph=graph)
    together.epoch(0)
    start = _now()
    for epoch in range(1, training.network.epochs):
        together.epoch(epoch)
    return _now() - start


def _alone(training: Training, job: Job, way: str, workers: int) -> float:
    assert isinstance(training.patches, Patches)
    boxes = Boxes.of(training.patches, torch.device("cpu") if way == "loader" else device())
    events = torch.from_numpy(training.events.astype(np.float32)).to(boxes.grey.device)
    kind = functools.partial(Loaded, workers) if way == "loader" else Timed
    module = kind(training.untrained(job), job.regions, boxes, events, training.cases(job.fold), training.largest,
                  training.network, training.roi, job.order_seed(0), job.weights_seed(0), job.name)  # fmt: skip
    with warnings.catch_warnings():  # Lightning's advice on loaders
        warnings.simplefilter("ignore")
        trainer(training, job).fit(module)
    return module.ended[-1] - module.ended[0]


class Timed(Module):
    """Notes when its epochs end."""

    def on_train_epoch_end(self) -> None:
        """The first epoch only starts the clock."""
        self.ended = [*getattr(self, "ended", []), _now()]


class Loaded(Timed):
    """Fed by a DataLoader that augments case by case on the CPU."""

    def __init__(self, workers: int, *rest: object) -> None:
        super().__init__(*rest)  # type: ignore[arg-type]
        self.workers = workers

    def train_dataloader(self) -> DataLoader:  # type: ignore[override]
        """Batches of (regions, outcome, case)."""
        data = Cases(self)
        return DataLoader(data, batch_size=self.network.batch, shuffle=True, drop_last=True, num_workers=self.workers)

    def training_step(self, batch: list[torch.Tensor], step: int) -> torch.Tensor:  # type: ignore[override]
        """Cross-entropy of one batch."""
        regions, outcome, case = batch
        self.net.tell(chance.key(chance.key(self.seed, self.current_epoch, step).to(case.device), case))
        logits = self.net(regions[:, self.regions])
        return recipe.losses(logits[:, None], outcome[:, None], self.weight.to(case.device))[0]


class Cases(Dataset):
    """One augmented case at a time."""

    def __init__(self, module: Module) -> None:
        self.asked = (module.boxes, module.events, module.network, module.roi)
        self.cases, self.epoch = torch.from_numpy(module.cases), module.current_epoch

    def __len__(self) -> int:  # noqa: D105
        return len(self.cases)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # noqa: D105
        boxes, events, network, roi = self.asked
        case = self.cases[number : number + 1]
        regions, outcome = recipe.batch(boxes, events, case[None], chance.key(self.epoch, case)[None], network, roi)
        return regions[0, 0], outcome[0, 0], case[0]


@torch.no_grad()
def floor_seconds(training: Training) -> float:
    """Seconds that moving all maps of the whole training takes at a copy's speed, in bf16, were nothing else to do."""
    sizes: list[int] = []
    net = training.untrained(Job("tumour+external2_DL", 0, 0)).eval()
    for module in net.modules():
        if not list(module.children()):
            module.register_forward_hook(lambda _, __, out: sizes.append(out.numel()))
    net(torch.zeros((1, 2, 1, *training.roi.patch.shape)))
    folds, steps = int(training.folds.max()) + 1, int(np.ceil(training.largest / training.network.batch))
    steps_in_all = steps * training.network.epochs * folds
    return TWINS * sum(sizes) * HALF * PASSES * training.network.batch * steps_in_all / copy_bytes_per_second()


def copy_bytes_per_second() -> float:
    """Bytes read and written by a copy on the device, a second."""
    source = torch.empty(2**28 if device().type == "cuda" else 2**26, dtype=torch.uint8, device=device())
    target = torch.empty_like(source)
    target.copy_(source)
    start = _now()
    for _ in range(10):
        target.copy_(source)
    return 10 * 2 * source.numel() / (_now() - start)


def _now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


if __name__ == "__main__":
    main()
