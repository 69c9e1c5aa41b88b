"""Heat maps and shares from a bundle are those that the run's own networks give of a case that none of them saw."""

import numpy as np
import pandas as pd
import pytest

from fusion.config import load
from fusion.data import cohort
from fusion.data.case import load as load_case
from fusion.models.checkpoints import SOURCES
from fusion.models.explain import ablation, heat_maps
from fusion.models.export import networks
from fusion.roi.back import to_image
from fusion.roi.box import box
from fusion.roi.patch import Patches
from fusion.roi.region import REGIONS, regions
from fusion.serve import bundle as bundles
from fusion.serve import explain
from fusion.serve.bundle import Bundle

BOTH = "tumour+external2_DL"


@pytest.fixture(scope="module")
def bundle(ct_bundle) -> Bundle:
    return bundles.read(ct_bundle)


@pytest.fixture(scope="module")
def known(ct_run):
    """A test case, the two regions of its image, and the boxes of all cases."""
    run = load(ct_run / "run.yaml")
    rows = pd.read_csv(ct_run / "cohort.csv", dtype={"case": str})
    files = {own.case: own for own in cohort.read(run.cohort, run.seed).files}
    cases = [load_case(files[name], run.cohort, run.roi.resample_mask) for name in rows["case"]]
    masks = [regions(case, run.roi) for case in cases]
    boxes = [box(case, own["external2"], run.roi) for case, own in zip(cases, masks, strict=True)]
    at = int(np.flatnonzero(rows["set"] == "test")[0])
    return run, rows, Patches.stack(list(rows["case"]), boxes), cases[at], masks[at], at


@pytest.fixture(scope="module")
def nets(ct_run, known):
    run, rows, patches, *_ = known
    return networks(patches, rows, run.network, run.roi, run.seed, ct_run, list(SOURCES))


def explained(bundle, known, source: str):
    *_, patches, case, masks, at = known
    alone = Patches.stack([case.name], [box(case, masks["external2"], bundle.run.roi)])
    assert np.array_equal(alone.grey[0], patches.grey[at])
    return explain.regions(bundle, alone, case, masks["external2"], source)


@pytest.mark.parametrize("source", SOURCES)
def test_heat_is_the_runs_own_on_the_cases_image(source, bundle, known, nets):
    run, _, patches, case, masks, at = known
    heat, shares = explained(bundle, known, source)
    own = [net for net in nets if net.job.source == source]
    wanted = heat_maps(own, patches, np.array([at]), run.network, run.roi)[at].all_scales
    assert set(heat) == {REGIONS[number] for number in SOURCES[source]}
    assert len(shares) == (2 if source == BOTH else 0)
    for number, values in zip(SOURCES[source], wanted, strict=True):
        region = REGIONS[number]
        image = to_image(values, case.tumour, case.geometry, run.roi.patch) * masks[region]
        assert heat[region].dtype == np.float32
        assert heat[region].shape == case.image.shape
        assert heat[region].max() == pytest.approx(1.0 if image.max() > 0 else 0.0)
        assert np.allclose(heat[region] * image.max(), image, rtol=1e-3, atol=1e-5)


def test_shares_are_the_runs_own_ablation(bundle, known, nets):
    run, _, patches, *_, at = known
    _, shares = explained(bundle, known, BOTH)
    own = [net for net in nets if net.job.source == BOTH]
    both, tumour, ring = ablation(own, patches, run.network, run.roi)[at]
    assert [share.region for share in shares] == ["tumour", "external2"]
    assert [share.log_odds for share in shares] == pytest.approx([both - ring, both - tumour], abs=1e-6)
    assert f"({round(ring, 2) + 0.0:.2f})" in shares[0].how


def test_networks_are_read_once_and_no_more_are_kept_than_fit(bundle, monkeypatch):
    monkeypatch.setattr(explain, "_kept", type(explain._kept)())
    first = explain.networks(bundle, "", BOTH)
    assert explain.networks(bundle, "", BOTH) is first
    monkeypatch.setattr(explain, "MEMORY_MB", 1e-6)
    explain.networks(bundle, "", "tumour_DL")
    assert list(explain._kept) == [(bundle.digest, "", "tumour_DL")]
    assert explain.networks(bundle, "", BOTH) is not first
