import numpy as np
import pandas as pd
import pytest
import torch

from fusion.config.network import Network
from fusion.config.roi import Patch, Roi
from fusion.models import train
from fusion.models.inputs import Boxes
from fusion.roi.patch import STEP_MM, CasePatch, Patches, stored_shape

ROI = Roi(patch=Patch(shape=(4, 32, 32)))
SMALL = Network(backbone="mobilenetv3_small_100", weights="none", epochs=2, warmup_epochs=1, batch=4)
CASES = 16
TRAIN = 12


def patches(roi: Roi = ROI, cases: int = CASES, drawn: tuple[int, ...] = ()) -> Patches:
    """Balls of 5 mm, bright in every second case; a drawn ring is the half plane below the centre."""
    shape, rng = stored_shape(roi.patch), np.random.default_rng(0)
    lines = [(np.arange(n) - (n - 1) / 2) * s for n, s in zip(shape, roi.patch.spacing_mm, strict=True)]
    z, y, x = np.meshgrid(*lines, indexing="ij")
    distance = np.clip(np.sqrt((z / 2) ** 2 + y**2 + x**2) - 5, -31, 31)
    boxes = []
    for case in range(cases):
        grey = rng.normal(0, 20, shape) + np.where(distance < 0, 120 * (case % 2), 0)
        ring = (y > 0).astype(np.uint8) if case in drawn else None
        steps = np.rint(distance / STEP_MM).astype(np.int8)
        boxes.append(CasePatch(np.rint(grey).astype(np.int16), steps, ring, False))
    return Patches.stack([f"patient-{case}" for case in range(cases)], boxes)


EVENTS = np.arange(CASES) % 2
FOLDS = np.array([0, 0, 1, 1] * 3 + [-1] * 4)
TABLE = pd.DataFrame(
    {"case": patches().cases, "set": ["train"] * TRAIN + ["test"] * (CASES - TRAIN), "fold": FOLDS, "event": EVENTS}
)


@pytest.fixture(scope="session")
def boxes() -> Boxes:
    return Boxes.of(patches(drawn=(3,)), torch.device("cpu"))


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A run folder with six networks: three sources, two folds."""
    folder = tmp_path_factory.mktemp("run")
    train.train(patches(), EVENTS, FOLDS, SMALL, ROI, 0, folder, jobs=1)
    return folder
