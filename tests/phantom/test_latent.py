"""The latents carry the label as strongly as they were designed to, and nothing carries more."""

from functools import cache

import numpy as np
import pytest

from fusion.config.run import Phantom
from fusion.phantom import LAWS, ideal_auc, plan_cohort
from fusion.phantom.latent import clinical_log_ratio, draw_latent, full_log_ratio

SEEDS = range(8)
SOURCES = ("tumour", "external2", "tumour+external2", "clinical", "all")


@cache
def ideal(preset: str, seed: int) -> dict[str, float]:
    plans = plan_cohort(Phantom(preset=preset, seed=seed))
    return ideal_auc([plan.latent for plan in plans], [plan.event for plan in plans], LAWS[preset])


@cache
def draws(preset: str, event: int, n: int) -> list:
    rng = np.random.default_rng(7)
    return [draw_latent(event, LAWS[preset], rng) for _ in range(n)]


@pytest.mark.parametrize(("source", "expected"), [("tumour", 0.905), ("external2", 0.892), ("clinical", 0.816)])
def test_ideal_auc_is_phi_of_half_the_shift(source: str, expected: float) -> None:
    """Phi(1.85 / sqrt 2) and Phi(1.75 / sqrt 2); the flags' value follows from their six prevalences."""
    aucs = [ideal("default", seed)[source] for seed in SEEDS]
    assert np.mean(aucs) == pytest.approx(expected, abs=0.015)


def test_all_sources_together_beat_each_alone() -> None:
    mean = {source: np.mean([ideal("default", seed)[source] for seed in SEEDS]) for source in SOURCES}
    assert mean["all"] > mean["tumour+external2"] > max(mean["tumour"], mean["external2"], mean["clinical"])


def test_strong_preset_has_stronger_flags() -> None:
    assert np.mean([ideal("strong", seed)["clinical"] for seed in SEEDS]) == pytest.approx(0.90, abs=0.02)


def test_null_preset_has_no_information() -> None:
    assert set(ideal("null", 0).values()) == {0.5}


@pytest.mark.parametrize("preset", ["default", "strong"])
def test_flag_shares_are_the_papers_pooled_ones(preset: str) -> None:
    """Shen 2026, Suppl. T2: 58 symptoms, 48 unclear margins, 29 nodes in 357 patients, 89 of them malignant."""
    shares = []
    for event in (0, 1):
        cases = draws(preset, event, 20000)
        shares.append([np.mean([getattr(case, flag) for case in cases]) for flag in ("symptom", "unclear", "nodes")])
    pooled = (268 * np.array(shares[0]) + 89 * np.array(shares[1])) / 357
    assert pooled == pytest.approx(np.array([58, 48, 29]) / 357, abs=0.006)


@pytest.mark.parametrize("ratio", [clinical_log_ratio, full_log_ratio])
def test_likelihood_ratio_averages_to_one_among_the_benign(ratio) -> None:
    """E[p1 / p0] under p0 is 1 for an exact likelihood ratio (the flags alone vary little enough to see it)."""
    law = LAWS["default"]
    value = np.exp(ratio(draws("default", 0, 20000), law))
    assert np.minimum(value, 1e4).mean() == pytest.approx(1, abs=0.1)


def test_unclear_margin_goes_with_infiltration_within_a_class() -> None:
    benign = draws("default", 0, 20000)
    unclear = [case.external2 for case in benign if case.unclear]
    clear = [case.external2 for case in benign if not case.unclear]
    assert np.mean(unclear) > np.mean(clear) + 0.5
