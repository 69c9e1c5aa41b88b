"""Nothing but tumour, margin and flags may tell the label: every shortcut scores chance.

At 357 cases an AUC has a standard error of about 0.036, so chance stays within [0.40, 0.60]. The permutation P of a
family of shortcuts is kept above 0.01 for the family (Bonferroni): with dozens of true nulls some single P falls below
0.01 in every third cohort, and choosing a lucky seed instead would prove nothing.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from scipy.ndimage import distance_transform_edt
from scipy.stats import rankdata

from fusion.config.cohort import Phantom
from fusion.phantom import Plan, make, plan_cohort
from fusion.phantom.anatomy import LOCATIONS
from fusion.phantom.volume import pixel_mm

PLAN_SHORTCUTS = {
    "maximal diameter": lambda i, plan: plan.lesion.diameter_mm,
    "volume": lambda i, plan: np.prod(plan.lesion.semi_axes_mm),
    "slices": lambda i, plan: plan.lesion.semi_axes_mm[0],
    "spacing": lambda i, plan: pixel_mm(plan),
    "scanner": lambda i, plan: plan.acquisition.scanner,
    "noise": lambda i, plan: plan.acquisition.noise_hu,
    "side": lambda i, plan: plan.acquisition.left,
    "position": lambda i, plan: LOCATIONS.index(plan.anatomy.location),
    "depth": lambda i, plan: plan.anatomy.skin_gap_mm,
    "crop offset": lambda i, plan: plan.acquisition.shift_mm[2],
    "slice offset": lambda i, plan: plan.acquisition.shift_mm[0],
    "order": lambda i, plan: i,
    "case id": lambda i, plan: int(plan.case, 16),
    "patient id": lambda i, plan: int(plan.patient, 16),
    "id parity": lambda i, plan: int(plan.case, 16) % 2,
    "seed parity": lambda i, plan: plan.seed[0] % 2,
    "index parity": lambda i, plan: i % 2,
    "read twice": lambda i, plan: plan.read_twice,
    "bone distance": lambda i, plan: plan.anatomy.bone_gap_mm,
    "air cells": lambda i, plan: plan.anatomy.air_cells,
    "capsule": lambda i, plan: plan.lesion.capsule_hu,
    "age": lambda i, plan: plan.person.age,
}
SCAN_SHORTCUTS = (
    "diameter", "volume", "slices", "spacing", "padding", "crop offset", "position", "ring filter",
    "file size", "mtime", "order", "contour jitter", "mean HU",
)  # fmt: skip


def auc(value: np.ndarray, event: np.ndarray) -> float:
    rank = rankdata(value)
    n = event.sum()
    return float((rank[event == 1].sum() - n * (n + 1) / 2) / (n * (len(event) - n)))


def permutation_p(value: np.ndarray, event: np.ndarray, times: int = 20000) -> float:
    """Share of label shuffles whose AUC is at least as far from 0.5."""
    rank, rng = rankdata(value), np.random.default_rng(0)
    shuffled = np.argsort(rng.random((times, len(event))), axis=1)[:, : event.sum()]
    centre = (len(event) + 1) / 2
    far = np.abs(rank[shuffled].mean(axis=1) - centre)
    return float((1 + (far >= abs(rank[event == 1].mean() - centre) - 1e-9).sum()) / (1 + times))


@pytest.fixture(scope="module")
def plans() -> list[Plan]:
    return plan_cohort(Phantom(seed=0))


@pytest.mark.parametrize("name", PLAN_SHORTCUTS)
def test_planned_shortcut_scores_chance(plans: list[Plan], name: str) -> None:
    value = np.array([float(PLAN_SHORTCUTS[name](i, plan)) for i, plan in enumerate(plans)])
    event = np.array([plan.event for plan in plans])
    assert 0.40 <= auc(value, event) <= 0.60
    assert permutation_p(value, event) > 0.01 / len(PLAN_SHORTCUTS)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return measured(tmp_path_factory.mktemp("small"), Phantom(cases=24, seed=1), jobs=1)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return measured(tmp_path_factory.mktemp("large"), Phantom(seed=0), jobs=0)


@pytest.mark.parametrize("name", SCAN_SHORTCUTS)
def test_scanned_shortcut_scores_chance_in_a_small_cohort(small: pd.DataFrame, name: str) -> None:
    assert permutation_p(small[name].to_numpy(), small["event"].to_numpy()) > 0.01 / len(SCAN_SHORTCUTS)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCAN_SHORTCUTS)
def test_scanned_shortcut_scores_chance(large: pd.DataFrame, name: str) -> None:
    value, event = large[name].to_numpy(), large["event"].to_numpy()
    assert 0.40 <= auc(value, event) <= 0.60
    assert permutation_p(value, event) > 0.01 / len(SCAN_SHORTCUTS)


@pytest.mark.slow
def test_ring_filter_acts_in_every_sixth_case(large: pd.DataFrame) -> None:
    assert 0.12 <= (large["ring filter"] > 0).mean() <= 0.24
    assert 0.003 <= large["ring filter"].mean() <= 0.012


@pytest.mark.slow
def test_readings_have_the_papers_shares(large: pd.DataFrame) -> None:
    """Shen 2026, Suppl. T2."""
    shares = [(large[name] == level).mean() for name, level in (("density", "heterogeneous"), ("uniformity", "yes"))]
    assert shares == pytest.approx([0.406, 0.387], abs=0.08)
    assert (large["cystic"] == "yes").mean() == pytest.approx(0.275, abs=0.08)
    assert (large["enhancement"] == "obvious").mean() == pytest.approx(0.627, abs=0.10)


def measured(folder: Path, spec: Phantom, jobs: int) -> pd.DataFrame:
    table = pd.read_csv(make(folder / "cohort.csv", spec, jobs))
    plans = plan_cohort(spec)
    rows = [shortcuts(folder, row, plan) for row, plan in zip(table.to_dict("records"), plans, strict=True)]
    return pd.concat([table, pd.DataFrame(rows)], axis=1).assign(order=range(len(table)), event=table["malignant"])


def shortcuts(folder: Path, row: dict, plan: Plan) -> dict[str, float]:
    image = sitk.ReadImage(folder / row["ct"])
    hu, spacing = sitk.GetArrayFromImage(image), image.GetSpacing()[0]
    tumour = sitk.GetArrayFromImage(sitk.ReadImage(folder / row["tumour"])) > 0
    ring = in_plane_ring(tumour, spacing)
    where = np.argwhere(tumour)
    ideal = 4 / 3 * np.pi * np.prod(plan.lesion.semi_axes_mm)
    volume = tumour.sum() * np.prod(image.GetSpacing())
    return {
        "diameter": row["diameter_mm"],
        "volume": volume,
        "slices": tumour.any(axis=(1, 2)).sum(),
        "spacing": spacing,
        "padding": (hu < -900).mean(),
        "crop offset": where[:, 2].mean(),
        "position": where[:, 1].mean(),
        "ring filter": ((hu < -200) | (hu > 400))[ring].mean(),
        "file size": (folder / row["ct"]).stat().st_size,
        "mtime": (folder / row["ct"]).stat().st_mtime_ns,
        "contour jitter": volume / ideal,
        "mean HU": hu[tumour].mean(),
    }


def in_plane_ring(tumour: np.ndarray, spacing: float) -> np.ndarray:
    """Voxels within 2 mm of the tumour, slice by slice."""
    ring = np.zeros_like(tumour)
    for z in np.flatnonzero(tumour.any(axis=(1, 2))):
        ring[z] = (distance_transform_edt(~tumour[z]) * spacing <= 2) & ~tumour[z]
    return ring
