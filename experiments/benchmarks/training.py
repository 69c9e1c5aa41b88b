"""Networks trained together as one against the same networks one after another, in one run on the same thread.

Ends with one line of JSON: seconds of a training step of all networks in both ways, and plain over stacked. The steps
alternate, so that whatever else the machine does falls on both. Both ways run the same plain loop; Lightning's own cost
is not counted. On a CPU seconds are those that the process computed.
"""

import sys
from pathlib import Path

sys.path = [own for own in sys.path if Path(own).resolve() != Path(__file__).resolve().parent]

import argparse  # noqa: E402
import json  # noqa: E402
import tempfile  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402

from fusion.config.network import Network  # noqa: E402
from fusion.config.roi import Patch, Roi  # noqa: E402
from fusion.models.backbone import RANDOM  # noqa: E402
from fusion.models.checkpoints import SOURCES  # noqa: E402
from fusion.models.jobs import Job, Training  # noqa: E402
from fusion.models.machine import device  # noqa: E402
from fusion.models.recipe import Order  # noqa: E402
from fusion.models.trial import measure  # noqa: E402
from fusion.roi.patch import CasePatch, Patches, stored_shape  # noqa: E402

CASES = 16


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="mobilenetv3_small_100")
    parser.add_argument("--folds", type=int, default=2, help="three networks a fold")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--box", type=int, nargs=3, default=(16, 96, 96), metavar=("Z", "Y", "X"))
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args(words)
    network = Network(backbone=asked.backbone, weights="none", batch=asked.batch, warmup_epochs=0)
    with tempfile.TemporaryDirectory() as folder:
        training = cohort(network, Roi(patch=Patch(shape=tuple(asked.box))), asked.folds, Path(folder))
        jobs = [Job(source, fold, 0) for source in SOURCES for fold in range(asked.folds)]
        taken = measure(training, jobs, asked.rounds, voxels=sys.maxsize)
    batch = Order(training.cases(0), training.largest, asked.batch, 0, 0).table().shape[1]
    plain, stacked = taken["separate_seconds"], taken["stacked_seconds"]
    print(f"{len(jobs)} networks: {plain:.2f} s a step one after another, {stacked:.2f} s as one")
    gpu = device().type == "cuda"
    print(json.dumps({
        "stacked_over_plain": plain / stacked, "plain_seconds": plain, "stacked_seconds": stacked,
        "networks": len(jobs), "backbone": asked.backbone, "batch": batch, "box": list(asked.box),
        "rounds": asked.rounds, "device": torch.cuda.get_device_name() if gpu else "cpu", "gpu": gpu,
        "threads": 1, "torch": torch.__version__,
    }))  # fmt: skip


def cohort(network: Network, roi: Roi, folds: int, folder: Path, seen: int = CASES) -> Training:
    """Enough for training parts of ``seen`` cases. Noise with a ball in the middle; every second case has the event."""
    shape, rng, cases = stored_shape(roi.patch), np.random.default_rng(0), seen * folds // (folds - 1)
    z, y, x = np.ogrid[tuple(slice(-(n // 2), n - n // 2) for n in shape)]
    distance = np.rint(np.clip(4 * (np.sqrt(z**2 + y**2 + x**2) - min(shape) / 3), -127, 127)).astype(np.int8)
    boxes = [CasePatch(rng.normal(40, 60, shape).astype(np.int16), distance, None, False) for _ in range(cases)]
    patches = Patches.stack([f"case {n}" for n in range(cases)], boxes)
    number = np.arange(cases)
    return Training(patches, number // folds % 2, number % folds, network, roi, 0, folder, RANDOM)


if __name__ == "__main__":
    main()
