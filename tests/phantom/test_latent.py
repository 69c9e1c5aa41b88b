"""The latents carry the label as strongly as they were designed to, and nothing carries more."""

from functools import cache

import numpy as np
import pytest

from fusion.config.cohort import Phantom
from fusion.phantom import LAWS, ideal_auc, plan_cohort
from fusion.phantom.latent import clinical_log_ratio, draw_latent, full_log_ratio

SEEDS = range(6)
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
    assert np.mean(aucs) == pytest.approx(expected, abs=0.02)


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
        cases = draws(preset, event, 8000)
        shares.append([np.mean([getattr(case, flag) for case in cases]) for flag in ("symptom", "unclear", "nodes")])
    pooled = (268 * np.array(shares[0]) + 89 * np.array(shares[1])) / 357
    assert pooled == pytest.approx(np.array([58, 48, 29]) / 357, abs=0.012)


@pytest.mark.parametrize("ratio", [clinical_log_ratio, full_log_ratio])
def test_likelihood_ratio_is_exact(ratio) -> None:
    """The mean of sqrt(p1 / p0) among the benign equals that of sqrt(p0 / p1) among the malignant: both are the
    integral of sqrt(p0 p1)."""
    law = LAWS["default"]
    up = np.exp(ratio(draws("default", 0, 8000), law) / 2).mean()
    down = np.exp(-ratio(draws("default", 1, 8000), law) / 2).mean()
    assert up == pytest.approx(down, rel=0.1)


def test_unclear_margin_goes_with_infiltration_within_a_class() -> None:
    benign = draws("default", 0, 8000)
    unclear = [case.external2 for case in benign if case.unclear]
    clear = [case.external2 for case in benign if not case.unclear]
    assert np.mean(unclear) > np.mean(clear) + 0.5
