"""Nothing but contrasts, malignancy and person may tell the histology: every shortcut scores chance.

Five cohorts of 117 are pooled by rank within the cohort, so that an AUC of 95 malignant against 490 benign has a
standard error of 0.033, and the permutation is within the cohort too. As in the CT phantom the P of a family is kept
above 0.01 for the family.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.ndimage import distance_transform_edt
from scipy.stats import rankdata

from fusion.config.cohort import MriPhantom
from fusion.phantom import make
from fusion.phantom.mri.anatomy import FIELD_MM
from fusion.phantom.mri.ideal import TASKS
from fusion.phantom.mri.plan import Plan, plan_cohort

SEEDS = range(5)
QUESTIONS = ("benign-malignant", "PA-Warthin", "Warthin-malignant")
PLANNED = {
    "area": lambda i, plan: np.prod(plan.lesion.semi_axes_mm),
    "diameter": lambda i, plan: plan.lesion.semi_axes_mm[0],
    "angle": lambda i, plan: plan.lesion.angle_rad,
    "lateral position": lambda i, plan: plan.lesion.offset_mm[0],
    "back position": lambda i, plan: plan.lesion.offset_mm[1],
    "side": lambda i, plan: plan.left,
    "picture's centre": lambda i, plan: plan.anatomy.centre_mm[0],
    "coil": lambda i, plan: plan.anatomy.coil,
    "fat": lambda i, plan: plan.anatomy.fat_mm,
    "order": lambda i, plan: i,
    "order parity": lambda i, plan: i % 2,
    "case id": lambda i, plan: int(plan.case, 16),
    "patient id": lambda i, plan: int(plan.patient, 16),
    "id parity": lambda i, plan: int(plan.case, 16) % 2,
    "seed parity": lambda i, plan: plan.seed[0] % 2,
    "background parity": lambda i, plan: plan.background[0] % 2,
    "no b2000": lambda i, plan: "dwi_b2000" in plan.missing,
    "no ADC": lambda i, plan: "adc" in plan.missing,
    "sequences": lambda i, plan: len(plan.missing),
}
ON_DISK = (
    "mask area",
    "mask row",
    "mask column",
    "jitter",
    "file size",
    "mtime",
    "file order",
    "fellow tumour",
    "far grey",
)


@pytest.fixture(scope="module")
def cohorts() -> dict[int, list[Plan]]:
    return {seed: plan_cohort(MriPhantom(seed=seed)) for seed in SEEDS}


@pytest.fixture(scope="module")
def disk(cohorts: dict[int, list[Plan]], tmp_path_factory: pytest.TempPathFactory) -> list[pd.DataFrame]:
    root = tmp_path_factory.mktemp("five")
    return [measured(root / str(seed), MriPhantom(seed=seed, pixels=64), plans) for seed, plans in cohorts.items()]


def measured(folder: Path, spec: MriPhantom, plans: list[Plan]) -> pd.DataFrame:
    """Shortcuts of a cohort as whoever opens the folder would find them."""
    table = pd.read_csv(make(folder / "clinical.csv", spec, jobs=0))
    listed = sorted(file.name for file in (folder / "images").glob("*_t2w.png"))
    rows = []
    for row, plan in zip(table.to_dict("records"), plans, strict=True):
        mask = np.asarray(Image.open(folder / row["tumour"])) > 0
        y, x = np.argwhere(mask).mean(axis=0)
        state = (folder / row["t2w"]).stat()
        place = listed.index(Path(row["t2w"]).name)
        fellow = (table["patient"] == row["patient"]).sum()
        jitter = mask.sum() / np.prod(plan.lesion.semi_axes_mm)
        far = np.asarray(Image.open(folder / row["t2w"]))[distance_transform_edt(~mask) * FIELD_MM / 64 > 12].mean()
        rows.append([mask.sum(), y, x, jitter, state.st_size, state.st_mtime_ns, place, fellow, far])
    return pd.DataFrame(rows, columns=ON_DISK).assign(histology=table["histology"])


def judged(values: list[np.ndarray], histologies: list[np.ndarray], question: str) -> tuple[float, float]:
    """AUC pooled over cohorts, and its two-sided permutation P."""
    negative, positive = TASKS[question]
    ranks, events = [], []
    for value, histology in zip(values, histologies, strict=True):
        own = np.isin(histology, negative + positive)
        ranks.append(rankdata(value[own]) / own.sum())
        events.append(np.isin(histology[own], positive))
    rng, observed = np.random.default_rng(0), pooled_auc(ranks, events)
    far = [abs(pooled_auc(ranks, [rng.permutation(own) for own in events]) - 0.5) for _ in range(2000)]
    return observed, float((1 + sum(np.array(far) >= abs(observed - 0.5) - 1e-9)) / 2001)


def pooled_auc(ranks: list[np.ndarray], events: list[np.ndarray]) -> float:
    """Mean of the cohorts' AUCs; ranks are shares of the cohort's size, ties at their mean."""
    found = []
    for rank, event in zip(ranks, events, strict=True):
        n = event.sum()
        found.append((rank[event].sum() * len(rank) - n * (n + 1) / 2) / (n * (len(rank) - n)))
    return float(np.mean(found))


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("name", PLANNED)
def test_planned_shortcut_scores_chance(cohorts: dict[int, list[Plan]], name: str, question: str) -> None:
    values = [np.array([float(PLANNED[name](i, p)) for i, p in enumerate(own)]) for own in cohorts.values()]
    auc, p = judged(values, [np.array([plan.histology for plan in own]) for own in cohorts.values()], question)
    assert 0.40 <= auc <= 0.60
    assert p > 0.01 / len(PLANNED)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("name", ON_DISK)
def test_shortcut_on_disk_scores_chance(disk: list[pd.DataFrame], name: str, question: str) -> None:
    auc, p = judged([own[name].to_numpy() for own in disk], [own["histology"].to_numpy() for own in disk], question)
    assert 0.40 <= auc <= 0.60
    assert p > 0.01 / len(ON_DISK)


def test_a_leak_would_be_seen(cohorts: dict[int, list[Plan]]) -> None:
    """T2 contrast is no shortcut, and this test's measure finds it."""
    values = [np.array([plan.lesion.z["t2w"] for plan in own]) for own in cohorts.values()]
    auc, p = judged(values, [np.array([plan.histology for plan in own]) for own in cohorts.values()], "PA-Warthin")
    assert auc < 0.1
    assert p < 0.01 / len(PLANNED)
