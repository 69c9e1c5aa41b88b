"""Against scikit-learn, which is an implementation of its own, and against printed values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from fusion.evaluate import calibration, classes, discrimination
from fusion.evaluate.class_ranks import hand_till, one_vs_rest, weighted_auc
from fusion.evaluate.threshold import confusion as four_counts


def made(seed: int, n: int = 80, count: int = 4, ties: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities, labels (every class occurs) and whole weights with a column a sample."""
    generator = np.random.default_rng(seed)
    label = np.concatenate([np.arange(count), generator.integers(0, count, n - count)])
    score = generator.normal(size=(n, count)) + 1.0 * np.eye(count)[label]
    score = np.round(score) if ties else score
    probability = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    return probability, label, generator.integers(0, 4, (n, 3)).astype(float) + (np.arange(n) < count)[:, None]


@pytest.fixture(params=range(5))
def case(request) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return made(request.param, ties=request.param % 2 == 1)


def test_confusion_is_scikit_learns(case):
    probability, label, weights = case
    call = classes.calls(probability)
    ours = classes.confusion(label, call, 4, weights)
    for sample in range(3):
        theirs = sk.confusion_matrix(label, call, labels=range(4), sample_weight=weights[:, sample])
        np.testing.assert_allclose(ours[sample], theirs)


def test_rates_are_scikit_learns(case):
    probability, label, _ = case
    call = classes.calls(probability)
    found = classes.rates(classes.confusion(label, call, 4))
    precision, recall, f1, _ = sk.precision_recall_fscore_support(label, call, labels=range(4))
    for ours, theirs in ((found.ppv, precision), (found.sensitivity, recall), (found.f1, f1)):
        np.testing.assert_allclose(ours[0], theirs)
    assert found.accuracy[0] == pytest.approx(sk.accuracy_score(label, call))
    for place in range(4):  # specificity is the recall of "another class"
        others = sk.recall_score(label != place, call != place), sk.precision_score(label != place, call != place)
        np.testing.assert_allclose((found.specificity[0, place], found.npv[0, place]), others)


def test_macro_means_are_scikit_learns(case):
    probability, label, _ = case
    call = classes.calls(probability)
    found = classes.rates(classes.confusion(label, call, 4))
    macro = sk.precision_recall_fscore_support(label, call, average="macro", zero_division=0)[:3]
    np.testing.assert_allclose([found.macro(name)[0] for name in ("ppv", "sensitivity", "f1")], macro)
    assert found.macro("sensitivity")[0] == pytest.approx(sk.balanced_accuracy_score(label, call))


def test_two_classes_are_the_four_counts():
    probability, label, _ = made(3, count=2)
    known = four_counts(probability[:, 1], label, 0.4)
    found = classes.rates(classes.confusion(label, classes.calls(probability, 0.4), 2))
    for name in ("sensitivity", "specificity", "ppv", "npv", "f1"):
        assert getattr(found, name)[0, 1] == pytest.approx(getattr(known, name))


def test_a_row_of_kaba_2025():
    """Warthin-malignant/T1-w: 50 malignant of 108, printed accuracy 95.37 % and F1 94.74 %: 45 hits, no false alarm."""
    label, call = np.repeat([0, 1, 1], [58, 45, 5]), np.repeat([0, 1, 0], [58, 45, 5])
    found = classes.rates(classes.confusion(label, call, 2))
    assert [round(100 * float(x), 2) for x in (found.accuracy[0], found.f1[0, 1])] == [95.37, 94.74]


def test_macro_f1_is_no_harmonic_mean_of_macro_means():
    """Kaba 2025's multi-class F1 is the mean of per-class F1; the other reading misses by up to 1.3 points."""
    found = classes.rates(np.array([[[9.0, 1.0, 0.0], [4.0, 4.0, 2.0], [0.0, 0.0, 3.0]]]))
    precision, recall = (found.macro(name)[0] for name in ("ppv", "sensitivity"))
    per_class = [18 / 23, 8 / 15, 6 / 8]
    assert found.macro("f1")[0] == pytest.approx(np.mean(per_class))
    assert abs(2 * precision * recall / (precision + recall) - np.mean(per_class)) > 0.005


def test_a_class_without_a_call_counts_as_nothing_found():
    counts = np.array([[[5.0, 1.0, 0.0], [1.0, 6.0, 0.0], [2.0, 1.0, 0.0]]])
    found = classes.rates(counts)
    assert np.isnan(found.ppv[0, 2])
    assert found.f1[0, 2] == 0
    assert found.macro("ppv")[0] == pytest.approx((5 / 8 + 6 / 8 + 0) / 3)
    assert found.macro("f1")[0] == pytest.approx((10 / 14 + 12 / 15 + 0) / 3)
    assert classes.never_called(counts)[0] == 1


def test_always_one_class_has_an_npv_of_nothing():
    found = classes.rates(np.array([[[5.0, 0.0, 0.0], [3.0, 0.0, 0.0], [2.0, 0.0, 0.0]]]))
    assert np.isnan(found.npv[0, 0])
    assert found.macro("npv")[0] == pytest.approx((0 + 7 / 10 + 8 / 10) / 3)


def test_a_class_without_cases_leaves_its_means_unknown():
    found = classes.rates(np.array([[[5.0, 1.0, 0.0], [1.0, 6.0, 0.0], [0.0, 0.0, 0.0]]]))
    assert [bool(np.isnan(found.macro(name)[0])) for name in ("sensitivity", "ppv", "f1", "npv")] == [1, 1, 1, 0]


def test_the_first_of_equals_is_called():
    assert classes.calls(np.array([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4]])).tolist() == [0, 1]


def test_a_threshold_calls_the_second_at_its_value():
    assert classes.calls(np.array([[0.7, 0.3], [0.71, 0.29]]), 0.3).tolist() == [1, 0]


def test_areas_are_scikit_learns(case):
    probability, label, weights = case
    ours = one_vs_rest(probability, label, weights)
    for sample, place in np.ndindex(3, 4):
        theirs = sk.roc_auc_score(label == place, probability[:, place], sample_weight=weights[:, sample])
        assert ours[sample, place] == pytest.approx(theirs)
    mean = sk.roc_auc_score(label, probability, multi_class="ovr", average="macro")
    assert one_vs_rest(probability, label).mean() == pytest.approx(mean)


def test_hand_till_is_scikit_learns(case):
    probability, label, _ = case
    theirs = sk.roc_auc_score(label, probability, multi_class="ovo", average="macro")
    assert hand_till(probability, label) == pytest.approx(theirs)


def test_hand_till_of_two_classes_is_the_auc():
    probability, label, _ = made(1, count=2)
    assert hand_till(probability, label) == pytest.approx(discrimination.auc(probability[:, 1], label))


def test_hand_till_does_not_depend_on_frequencies():
    probability, label, _ = made(2)
    again = np.concatenate([np.arange(len(label)), *5 * [np.flatnonzero(label == 3)]])
    assert hand_till(probability[again], label[again]) == pytest.approx(hand_till(probability, label))
    assert one_vs_rest(probability[again], label[again]).mean() != pytest.approx(one_vs_rest(probability, label).mean())


def test_hand_till_needs_every_class():
    probability, label, _ = made(2)
    assert np.isnan(hand_till(probability[label < 3], label[label < 3]))


def test_weights_are_copies():
    probability, label, weights = made(7, ties=True)
    again = np.repeat(np.arange(len(label)), weights[:, 1].astype(int))
    ours = weighted_auc(probability[:, 2], label == 2, weights)[1]
    copied = discrimination.auc(probability[again, 2], (label[again] == 2).astype(int))
    assert ours == pytest.approx(copied)


def test_an_area_without_events_is_unknown():
    weights = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    found = weighted_auc(np.array([0.9, 0.2, 0.3]), np.array([True, False, False]), weights)
    assert found[0] == 1
    assert np.isnan(found[1])


def test_brier_is_scikit_learns(case):
    probability, label, _ = case
    theirs = sk.brier_score_loss(label, probability, labels=range(4), scale_by_half=True)
    assert classes.brier(probability, label) == pytest.approx(theirs)


def test_brier_of_two_classes_is_the_events():
    probability, label, _ = made(5, count=2)
    assert classes.brier(probability, label) == pytest.approx(calibration.brier(probability[:, 1], label))


def test_log_loss_is_scikit_learns(case):
    probability, label, _ = case
    assert classes.log_loss(probability, label) == pytest.approx(sk.log_loss(label, probability))


def test_an_impossible_truth_is_an_infinite_loss():
    assert classes.log_loss(np.array([[1.0, 0.0]]), np.array([1])) == np.inf


@given(st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=3, max_size=3))
def test_what_is_known_lies_between_nothing_and_all(cells):
    found = classes.rates(np.array([cells], dtype=float))
    for name in ("sensitivity", "specificity", "ppv", "npv", "f1", "accuracy"):
        values = getattr(found, name)
        assert np.all(np.isnan(values) | ((values >= 0) & (values <= 1)))
