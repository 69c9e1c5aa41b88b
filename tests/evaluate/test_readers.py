import numpy as np
import pytest
from sklearn.metrics import roc_curve

from fusion.evaluate.readers import at_specificity, compare, counts
from fusion.evaluate.threshold import Confusion, confusion


def cases(seed: int, n: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities, a reader's calls, events."""
    generator = np.random.default_rng(seed)
    events = (np.arange(n) % 4 == 0).astype(int)
    reader = np.where(generator.random(n) < 0.2, 1 - events, events)
    return np.round(np.clip(generator.normal(0.35 + 0.3 * events, 0.2), 0, 1), 2), reader, events


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def test_counts_of_a_reader():
    assert counts(np.array([1, 0, 1, 0, 0]), np.array([1, 1, 0, 0, 0])) == Confusion(tp=1, fn=1, fp=1, tn=2)


def test_differences_and_discordant_cases_are_those_of_the_counts():
    probability, reader, events = cases(1)
    model = (probability >= 0.5).astype(int)
    own, other = counts(model, events), counts(reader, events)
    found = compare(model, reader, events, generator())
    assert found.accuracy.value == pytest.approx(own.accuracy - other.accuracy)
    balanced = [(one.sensitivity + one.specificity) / 2 for one in (own, other)]
    assert found.balanced_accuracy.value == pytest.approx(balanced[0] - balanced[1])
    assert found.of_events.first - found.of_events.second == own.tp - other.tp
    assert found.of_others.first - found.of_others.second == own.tn - other.tn
    assert found.of_all.first == found.of_events.first + found.of_others.first


def test_a_reader_against_himself():
    _, reader, events = cases(2)
    found = compare(reader, reader, events, generator())
    assert (found.accuracy.value, found.accuracy.low, found.accuracy.high) == (0, 0, 0)
    assert found.of_all.mid == 1


def test_the_interval_is_that_of_the_paired_difference():
    """Stratified: variance of the mean of +1, 0, -1 in each class; half the interval over 1.96 is its root."""
    probability, reader, events = cases(3, n=400)
    model = (probability >= 0.5).astype(int)
    gain = (model == events).astype(int) - (reader == events).astype(int)
    variance = sum(gain[events == kind].var() * (events == kind).sum() for kind in (0, 1)) / len(events) ** 2
    found = compare(model, reader, events, generator(), samples=4000)
    assert (found.accuracy.high - found.accuracy.low) / 2 / 1.96 == pytest.approx(variance**0.5, rel=0.07)


@pytest.mark.parametrize("seed", range(5))
def test_the_sensitivity_is_the_best_on_the_roc_curve_at_that_specificity(seed):
    probability, reader, events = cases(seed)
    other = counts(reader, events)
    fpr, tpr, _ = roc_curve(events, probability, drop_intermediate=False)
    found = at_specificity(probability, reader, events, generator())
    assert found.sensitivity == pytest.approx(tpr[1 - fpr >= other.specificity - 1e-9].max())
    assert found.specificity >= other.specificity
    assert found.gain.value == pytest.approx(found.sensitivity - other.sensitivity)
    assert found.gain.low <= found.gain.value <= found.gain.high


def test_a_reader_without_false_alarms_is_met_above_every_other_case():
    probability, _, events = cases(4)
    found = at_specificity(probability, events, events, generator())
    best = confusion(probability, events, np.nextafter(probability[events == 0].max(), 1))
    assert (found.specificity, found.sensitivity) == (1, pytest.approx(best.sensitivity))
    assert found.gain.value == pytest.approx(best.sensitivity - 1)
