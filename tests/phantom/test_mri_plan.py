"""What is drawn before any pixel: counts, patients, laws."""

from collections import Counter

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fusion.config.cohort import MriPhantom
from fusion.phantom.mri.anatomy import draw_anatomy
from fusion.phantom.mri.ideal import ideal
from fusion.phantom.mri.law import HISTOLOGIES, LAWS
from fusion.phantom.mri.lesion import draw_lesion
from fusion.phantom.mri.plan import Plan, counts, plan_cohort


@pytest.fixture(scope="module")
def pooled() -> list[Plan]:
    return [plan for seed in range(12) for plan in plan_cohort(MriPhantom(seed=seed))]


@pytest.fixture(scope="module")
def null() -> list[Plan]:
    return [plan for seed in range(12) for plan in plan_cohort(MriPhantom(seed=seed, preset="null"))]


def test_default_cohort_is_the_papers() -> None:
    """Kaba 2025: 117 tumours of 113 patients; 43 PA, 45 Warthin, 10 other benign, 9 MEC, 10 other malignant."""
    plans = plan_cohort(MriPhantom())
    found = Counter(plan.histology for plan in plans)
    assert [found[name] for name in HISTOLOGIES] == [43, 45, 10, 9, 10]
    assert sorted(Counter(plan.patient for plan in plans).values()) == [1] * 109 + [2] * 4


@pytest.mark.parametrize("cases", [10, 11, 24, 40, 116, 118, 500])
def test_counts_add_up_and_no_histology_has_one_tumour(cases: int) -> None:
    found = counts(cases)
    assert sum(found.values()) == cases
    assert min(found.values()) >= 2


def test_a_patients_tumours_share_histology_and_background(pooled: list[Plan]) -> None:
    by_patient: dict[str, list[Plan]] = {}
    for plan in pooled:
        by_patient.setdefault(plan.patient, []).append(plan)
    twice = [own for own in by_patient.values() if len(own) == 2]
    assert len(twice) == 48
    assert all(a.histology == b.histology and a.person == b.person and a.anatomy == b.anatomy for a, b in twice)
    assert all(a.background == b.background and a.lesion != b.lesion and a.seed != b.seed for a, b in twice)


def test_missing_sequences_have_exact_shares() -> None:
    missing = Counter(name for plan in plan_cohort(MriPhantom()) for name in plan.missing)
    assert missing == {"dwi_b2000": 14, "adc": 2}


def test_names_are_distinct_hexadecimal_and_never_a_number(pooled: list[Plan]) -> None:
    assert len({plan.case for plan in pooled}) == len(pooled)
    assert all(plan.case[0] in "abcdef" and int(plan.case, 16) for plan in pooled)


def test_another_spec_gives_other_names() -> None:
    names = [{p.case for p in plan_cohort(MriPhantom(preset=preset))} for preset in ("default", "null", "noise")]
    assert not names[0] & names[1]
    assert not names[1] & names[2]


@pytest.mark.parametrize("name", HISTOLOGIES)
def test_contrasts_follow_the_laws(pooled: list[Plan], name: str) -> None:
    """PHANTOM.md 8; the tolerance is four standard errors."""
    own = [plan.lesion for plan in pooled if plan.histology == name]
    law, error = LAWS[name], 4 / np.sqrt(len(own))
    for n, sequence in enumerate(("t2w", "t1w", "t1c")):
        assert np.mean([lesion.z[sequence] for lesion in own]) == pytest.approx(law.z[n], abs=0.5 * error)
        assert np.std([lesion.z[sequence] for lesion in own]) == pytest.approx(0.5, abs=0.4 * error)
    assert np.mean([lesion.adc for lesion in own]) == pytest.approx(law.adc, abs=law.adc_sd * error)


@pytest.mark.parametrize("name", HISTOLOGIES)
def test_every_histology_draws_the_same_numbers_and_sizes(name: str) -> None:
    own, reference = np.random.default_rng(3), np.random.default_rng(3)
    lesion, other = draw_lesion(LAWS[name], own), draw_lesion(LAWS["PA"], reference)
    assert own.bit_generator.state == reference.bit_generator.state
    assert (lesion.semi_axes_mm, lesion.offset_mm, lesion.angle_rad) == (
        other.semi_axes_mm, other.offset_mm, other.angle_rad)  # fmt: skip


def test_the_structures_of_a_marrow_and_its_cortex_move_together() -> None:
    anatomy = draw_anatomy(np.random.default_rng(0))
    assert anatomy.move_mm[2] == anatomy.move_mm[3]
    assert anatomy.move_mm[0] != anatomy.move_mm[1]


def test_warthin_patients_are_older_men_who_smoke_more(pooled: list[Plan]) -> None:
    warthin, pa = ([p.person for p in pooled if p.histology == name] for name in ("Warthin", "PA"))
    assert np.mean([p.age for p in warthin]) > np.mean([p.age for p in pa]) + 4
    assert np.mean([p.female for p in warthin]) < np.mean([p.female for p in pa]) - 0.1
    assert np.mean([p.smoking for p in warthin]) > np.mean([p.smoking for p in pa]) + 0.1


@pytest.mark.parametrize("trait", ["t2w", "t1w", "t1c", "adc", "malignancy", "cyst", "age", "female", "smoking"])
@pytest.mark.parametrize("of", [("PA", "Warthin"), ("Warthin", "MEC")])
def test_null_knows_nothing_of_the_label(null: list[Plan], trait: str, of: tuple[str, str]) -> None:
    """Over twelve cohorts; 540 against 516, or against 108, have a standard error under 0.031."""
    own = [plan for plan in null if plan.histology in of]
    value = [{**plan.lesion.z, **vars(plan.lesion), **vars(plan.person)}[trait] for plan in own]
    assert 0.40 <= roc_auc_score([plan.histology == of[1] for plan in own], value) <= 0.60


def test_the_ideal_observer_sees_the_designed_signal() -> None:
    """T2 of PA and Warthin: Phi(1.4 / (.5 sqrt 2)) = .976; ADC: .95 apart with SD .30 and .15, so few are confused."""
    found = [ideal(plan_cohort(MriPhantom(seed=seed)), True)["PA-Warthin"] for seed in range(4)]
    assert np.mean([own["t2w"]["auc"] for own in found]) == pytest.approx(0.976, abs=0.02)
    assert np.mean([own["adc"]["auc"] for own in found]) > 0.98


def test_without_a_signal_the_ideal_observer_calls_the_majority() -> None:
    found = ideal(plan_cohort(MriPhantom(preset="null")), False)["benign-malignant"]["six"]
    assert (found["auc"], found["balanced_accuracy"]) == (0.5, 0.5)
    assert found["accuracy"] == pytest.approx(98 / 117)
