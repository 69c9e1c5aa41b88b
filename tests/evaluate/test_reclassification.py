import numpy as np
import pytest
from scipy.stats import norm

from fusion.evaluate.reclassification import Bootstrap, categories, idi, nri, table
from fusion.evaluate.threshold import confusion

CUTS = (0.06, 0.20)
PENCINA = {
    1: [[39, 15, 0], [4, 87, 14], [0, 3, 21]],
    0: [[1959, 142, 0], [148, 703, 31], [1, 25, 72]],
}
"""Pencina 2008, doi:10.1002/sim.2929: Framingham, HDL added; rows old, columns new category."""
SCORE = {1: [[90, 24], [16, 208]], 0: [[10671, 591], [654, 2344]]}
"""Eur Heart J 2020, doi:10.1093/eurheartj/ehaa571, table 2, recalibrated SCORE to HAPIEE SCORE, one cut at 5%."""


def draws(seed: int = 0, samples: int = 400) -> Bootstrap:
    return Bootstrap(np.random.default_rng(seed), samples)


def cases(counts: dict[int, list[list[int]]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A case a count, in the middle of its category."""
    middle = [0.02, 0.10, 0.50] if len(counts[1]) == 3 else [0.02, 0.50]
    rows = [
        (middle[old], middle[new], kind)
        for kind, square in counts.items()
        for old, line in enumerate(square)
        for new, count in enumerate(line)
        for _ in range(count)
    ]
    old, new, event = np.array(rows).T
    return old, new, event.astype(int)


def made_up(seed: int, n: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    event = (np.arange(n) % 3 == 0).astype(int)
    return generator.random(n), np.clip(generator.random(n) + 0.1 * event, 0, 1), event


def test_pencinas_example():
    found = nri(*cases(PENCINA), draws(), CUTS)
    assert (found.events.right - found.events.wrong, found.others.right - found.others.wrong) == (22, 1)
    assert round(found.total, 3) == 0.121
    assert round(found.z, 3) == 3.616
    assert found.p < 0.001


def test_a_published_two_category_table():
    """Printed: events 2.4%, non-events 0.4%, NRI 0.03 (-0.01 to 0.07), P 0.14."""
    found = nri(*cases(SCORE), draws(samples=20_000), (0.05,))
    assert (round(found.events.value, 3), round(found.others.value, 3)) == (0.024, 0.004)
    assert round(found.total, 2) == 0.03
    assert (found.low, found.high) == pytest.approx(
        (-0.01, 0.07), abs=0.0065
    )  # half a digit, and the bootstrap's noise
    assert round(found.p, 2) == 0.14


def test_the_table_gives_the_counts_back():
    old, new, event = cases(PENCINA)
    assert table(old[event == 1], new[event == 1], CUTS).tolist() == PENCINA[1]


def test_a_case_at_a_cutoff_is_above_it():
    assert categories(np.array([0.0599, 0.06, 0.2]), CUTS).tolist() == [0, 1, 2]


@pytest.mark.parametrize("seed", range(4))
def test_with_one_cutoff_the_parts_are_the_changes_of_sensitivity_and_specificity(seed):
    """Kerr 2014, doi:10.1097/EDE.0000000000000018."""
    old, new, event = made_up(seed)
    found = nri(old, new, event, draws(), (0.4,))
    before, after = (confusion(one, event, 0.4) for one in (old, new))
    assert found.events.value == pytest.approx(after.sensitivity - before.sensitivity)
    assert found.others.value == pytest.approx(after.specificity - before.specificity)


@pytest.mark.parametrize("seed", range(4))
def test_idi_is_the_gain_in_the_difference_of_mean_probabilities(seed):
    old, new, event = made_up(seed)
    slopes = [one[event == 1].mean() - one[event == 0].mean() for one in (old, new)]
    found = idi(old, new, event, draws())
    assert found.total == pytest.approx(slopes[1] - slopes[0])
    assert found.low < found.total < found.high


def test_idi_by_hand():
    """Rises in events .1 .3, falls in others .2 0 .1: IDI .2 + .1; z with the variances .02 and .01 over n."""
    old = np.array([0.5, 0.4, 0.5, 0.3, 0.2])
    new = np.array([0.6, 0.7, 0.3, 0.3, 0.1])
    found = idi(old, new, np.array([1, 1, 0, 0, 0]), draws())
    z = 0.3 / (0.02 / 2 + 0.01 / 3) ** 0.5
    assert (found.total, found.z, found.p) == pytest.approx((0.3, z, 2 * norm.sf(z)))
    assert (found.events.right, found.others.right, found.others.wrong) == (2, 2, 0)


def test_category_free_counts_every_move():
    """Events: two up, one down, one still; others: one up, three down: (2 - 1)/4 + (3 - 1)/4."""
    old = np.array([0.5, 0.5, 0.5, 0.5, 0.2, 0.2, 0.2, 0.2])
    new = np.array([0.6, 0.9, 0.4, 0.5, 0.3, 0.1, 0.1, 0.1])
    found = nri(old, new, np.repeat([1, 0], 4), draws())
    assert (found.events.value, found.others.value, found.total) == (0.25, 0.5, 0.75)


def test_a_model_does_not_improve_on_itself():
    old, _, event = made_up(1)
    for found in (nri(old, old, event, draws()), idi(old, old, event, draws())):
        assert (found.total, found.low, found.high, found.z, found.p) == (0, 0, 0, 0, 1)


def test_the_bootstrap_agrees_with_the_asymptotic_error():
    """Half the width of the interval over 1.96 is the standard error of the paired means (Pencina 2011)."""
    old, new, event = made_up(2, n=600)
    found = idi(old, new, event, draws(samples=2000))
    gain = (new - old) * np.where(event == 1, 1, -1)
    error = sum(gain[event == kind].var(ddof=1) / (event == kind).sum() for kind in (1, 0)) ** 0.5
    assert (found.high - found.low) / 2 / norm.ppf(0.975) == pytest.approx(error, rel=0.06)
