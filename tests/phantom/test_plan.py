"""What is drawn before any voxel: sizes, traits, and independence from everything but the seed."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fusion.config.cohort import Phantom
from fusion.phantom import Plan, plan_cohort
from fusion.phantom.anatomy import draw_anatomy
from fusion.phantom.clinical import draw_person, person_columns
from fusion.phantom.latent import LAWS, draw_latent
from fusion.phantom.lesion import draw_lesion


@pytest.fixture(scope="module")
def pooled() -> list[Plan]:
    return [plan for seed in range(8) for plan in plan_cohort(Phantom(seed=seed))]


@pytest.fixture(scope="module")
def null() -> list[Plan]:
    return [plan for seed in range(6) for plan in plan_cohort(Phantom(preset="null", seed=seed))]


def test_default_cohort_has_89_of_357() -> None:
    plans = plan_cohort(Phantom())
    assert (len(plans), sum(plan.event for plan in plans)) == (357, 89)


@pytest.mark.parametrize("prevalence", [0.001, 0.999])
def test_both_classes_are_always_there(prevalence: float) -> None:
    events = [plan.event for plan in plan_cohort(Phantom(cases=8, prevalence=prevalence))]
    assert 0 < sum(events) < 8


def test_names_are_distinct_hexadecimal_and_never_a_number() -> None:
    names = [name for plan in plan_cohort(Phantom()) for name in (plan.case, plan.patient)]
    assert len(set(names)) == 714
    assert all(name[0] in "abcdef" and int(name, 16) for name in names)


def test_another_spec_gives_other_names() -> None:
    names = [{plan.case for plan in plan_cohort(Phantom(preset=preset))} for preset in ("default", "null")]
    assert not names[0] & names[1]


def test_a_third_at_most_is_read_twice() -> None:
    assert [sum(plan.read_twice for plan in plan_cohort(Phantom(cases=n))) for n in (24, 357)] == [8, 20]


@pytest.mark.parametrize("preset", ["default", "null"])
def test_both_classes_draw_the_same_number_of_random_values(preset: str) -> None:
    after = []
    for event in (0, 1):
        rng = np.random.default_rng(3)
        latent = draw_latent(event, LAWS[preset], rng)
        draw_lesion(event, latent, LAWS[preset], 0.25, rng)
        after.append(rng.bit_generator.state)
    assert after[0] == after[1]


def test_anatomy_and_person_never_see_the_label() -> None:
    draws = [(draw_anatomy(np.random.default_rng(5)), draw_person(np.random.default_rng(5))) for _ in range(2)]
    assert draws[0] == draws[1]


def test_diameter_follows_the_papers_law(pooled: list[Plan]) -> None:
    """Lognormal with mean 22.87 and SD 8.0 mm (Shen 2026, Suppl. T2), cut to 10-44 mm."""
    diameter = np.array([plan.lesion.diameter_mm for plan in pooled])
    assert (diameter.min() >= 10, diameter.max() <= 44) == (True, True)
    assert (diameter.mean(), diameter.std()) == (pytest.approx(22.7, abs=0.6), pytest.approx(7.2, abs=0.6))


@pytest.mark.parametrize(
    ("trait", "share"), [("female", 0.403), ("smoking", 0.454), ("drinking", 0.339), ("multiple", 0.076)]
)
def test_traits_have_the_papers_shares(pooled: list[Plan], trait: str, share: float) -> None:
    assert np.mean([getattr(plan.person, trait) for plan in pooled]) == pytest.approx(share, abs=0.03)


def test_drinking_goes_with_smoking_and_with_men(pooled: list[Plan]) -> None:
    """A correlation of 0.5 between normal liabilities is a phi of about 0.33 between their halves."""
    traits = np.array([[p.person.drinking, p.person.smoking, not p.person.female] for p in pooled], float)
    assert np.corrcoef(traits.T)[0, 1:] == pytest.approx([0.33, 0.33], abs=0.06)


def test_shape_is_round_in_the_papers_share_and_less_often_where_rough(pooled: list[Plan]) -> None:
    is_round = np.array([person_columns(p.person, p.lesion)["shape"] == "round" for p in pooled])
    rough = np.array([p.lesion.roughness for p in pooled])
    assert is_round.mean() == pytest.approx(0.224, abs=0.03)
    assert rough[is_round].mean() < rough[~is_round].mean()


def test_radiologist_is_85_percent_specific_and_better_than_chance() -> None:
    plans = plan_cohort(Phantom())
    called = [[plan.radiologist for plan in plans if plan.event == event] for event in (0, 1)]
    assert np.mean(called[0]) == pytest.approx(0.15, abs=0.01)
    assert np.mean(called[1]) > 0.5


def test_null_radiologist_is_uninformative(null: list[Plan]) -> None:
    assert np.mean([plan.radiologist for plan in null if plan.event]) == pytest.approx(0.15, abs=0.04)


@pytest.mark.parametrize("trait", ["texture_sd_hu", "infiltration", "edge_mm", "roughness", "enhancement_hu", "cyst"])
def test_null_lesion_knows_nothing_of_the_label(null: list[Plan], trait: str) -> None:
    value = [getattr(plan.lesion, trait) for plan in null]
    assert 0.45 <= roc_auc_score([plan.event for plan in null], value) <= 0.55


@pytest.mark.parametrize("trait", ["texture_sd_hu", "infiltration"])
def test_lesion_carries_the_label(pooled: list[Plan], trait: str) -> None:
    value = [getattr(plan.lesion, trait) for plan in pooled]
    assert roc_auc_score([plan.event for plan in pooled], value) > 0.85


def test_mean_tumour_hu_is_uninformative(pooled: list[Plan]) -> None:
    hu = [plan.lesion.plain_hu + plan.lesion.enhancement_hu for plan in pooled]
    assert 0.40 <= roc_auc_score([plan.event for plan in pooled], hu) <= 0.60
