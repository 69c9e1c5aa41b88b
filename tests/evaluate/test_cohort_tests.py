import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact, kstest

from fusion.evaluate import cohort_tests, freeman_halton, standardised
from fusion.evaluate.cohort_tests import counts_differ, counts_p, numbers_differ, summary_t_p

PRINTED = {
    "sex": ([96, 153], [48, 60], 0.297),
    "smoking": ([117, 132], [45, 63], 0.354),
    "drinking": ([88, 161], [33, 75], 0.380),
    "symptom": ([36, 213], [22, 86], 0.164),
    "shape": ([57, 192], [23, 85], 0.740),
    "margin": ([214, 35], [95, 13], 0.607),
    "number": ([229, 20], [101, 7], 0.611),
    "density": ([149, 100], [64, 44], 0.918),
    "cystic": ([69, 180], [29, 79], 0.867),
    "uniformity": ([92, 157], [46, 62], 0.314),
    "nodes": ([21, 228], [8, 100], 0.744),
}
"""Shen 2026, Suppl. Table 2: counts in 249 training and 108 test cases, P."""
CALCIFICATION = np.array([[10, 239], [2, 106]])
LOCATION = np.array([[210, 5, 34], [87, 3, 18]])
ENHANCEMENT = np.array([[11, 77, 161], [9, 36, 63]])
JOB = np.array([[1, 3, 10, 6], [2, 3, 10, 7], [1, 6, 14, 12], [0, 1, 9, 11]])
"""Agresti 2002, p. 57, job satisfaction by income."""
margins = st.lists(st.lists(st.integers(0, 6), min_size=3, max_size=3), min_size=2, max_size=3)


@pytest.mark.parametrize("name", PRINTED)
def test_printed_counts_give_the_printed_p_without_yates(name):
    train, test, p = PRINTED[name]
    assert round(counts_p(np.array([train, test]), "chi2"), 3) == p


def test_the_printed_p_of_calcification_is_that_of_yates():
    assert round(counts_p(CALCIFICATION, "yates"), 3) == 0.470
    assert round(counts_p(CALCIFICATION, "chi2"), 3) == 0.297


def test_the_printed_p_of_location_is_the_exact_one():
    assert round(counts_p(LOCATION, "exact"), 3) == 0.649
    assert [round(counts_p(LOCATION, test), 3) for test in ("chi2", "g")] == [0.671, 0.677]


def test_the_printed_p_of_enhancement_is_no_test_of_the_printed_counts():
    """Printed .259; a Monte Carlo run of the exact test (10,000 draws, standard error .004) could give it."""
    found = [round(counts_p(ENHANCEMENT, test), 3) for test in ("chi2", "g", "exact")]
    assert found == [0.262, 0.280, 0.253]


def test_the_printed_p_of_age_is_student_s():
    assert round(summary_t_p((249, 108), (53.181, 51.574), (14.351, 15.248)), 3) == 0.341


def test_the_printed_p_of_the_diameter_is_student_s_within_the_rounding_of_the_means():
    ends = [summary_t_p((249, 108), (2.287 + half, 2.281 - half), (0.800, 0.879)) for half in (0.0005, -0.0005)]
    assert ends[0] < 0.948 < ends[1]


def test_a_table_of_four_rows_equals_r():
    """R's fisher.test help prints P = 0.7827 for this table."""
    assert round(counts_p(JOB, "exact"), 4) == 0.7827


def test_random_tables_come_as_near_as_their_standard_error_says():
    drawn = freeman_halton._drawn(ENHANCEMENT, seed=0)
    assert drawn.draws == 100_000
    assert abs(drawn.p - counts_p(ENHANCEMENT, "exact")) < 3 * drawn.error


def test_too_many_tables_are_drawn_and_said_to_be(monkeypatch):
    monkeypatch.setattr(freeman_halton, "LIMIT", 10)
    found = counts_differ(LOCATION, seed=3)
    assert found.test == "Freeman-Halton exact, 100000 random tables (seed 3), standard error 0.0015"
    assert found.p == pytest.approx(0.6487, abs=0.005)


@given(st.lists(st.integers(0, 40), min_size=4, max_size=4))
@settings(max_examples=50, deadline=None)
def test_two_by_two_equals_scipy(cells):
    table = np.array(cells).reshape(2, 2)
    if table.sum(axis=0).all() and table.sum(axis=1).all():
        assert counts_p(table, "exact") == pytest.approx(fisher_exact(table).pvalue, rel=1e-9)


@given(margins)
@settings(max_examples=30, deadline=None)
def test_the_exact_p_does_not_depend_on_the_order_of_rows_and_columns(rows):
    table = np.array(rows)
    if table.sum() and min(cohort_tests._filled(table).shape) > 1:
        p = counts_p(table, "exact")
        assert 0 < p <= 1
        assert counts_p(table[::-1, ::-1].T, "exact") == pytest.approx(p, rel=1e-9)


def test_exact_p_sums_to_one_over_the_least_likely_first():
    """Every table with these margins, by brute force: P is the sum of the probabilities no larger than its own."""
    tables = [
        np.array([[a, b, 5 - a - b], [3 - a, 3 - b, a + b - 1]])
        for a in range(4) for b in range(4) if 0 <= 5 - a - b <= 4 and a + b >= 1
    ]  # fmt: skip
    weight = np.array([np.prod([1.0 / np.prod(np.arange(1, cell + 1)) for cell in t.ravel()]) for t in tables])
    weight /= weight.sum()
    for table, own in zip(tables, weight, strict=True):
        assert counts_p(table, "exact") == pytest.approx(weight[weight <= own * (1 + 1e-7)].sum())


def test_one_level_has_no_test():
    assert np.isnan(counts_differ(np.array([[5, 0], [7, 0]])).p)
    assert np.isnan(counts_p(np.array([[5, 0], [7, 0]]), "exact"))


@pytest.mark.parametrize(
    ("counts", "test"),
    [([[96, 153], [48, 60]], "Pearson chi-square"), ([[10, 239], [2, 106]], "Fisher exact"),
     ([[210, 5, 34], [87, 3, 18]], "Freeman-Halton exact"), ([[11, 77, 161], [9, 36, 63]], "Pearson chi-square")],
)  # fmt: skip
def test_small_expected_counts_ask_for_the_exact_test(counts, test):
    assert counts_differ(np.array(counts)).test == test


def numbers(kind: str, n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(4)
    one, two = generator.normal(50, 10, n), generator.normal(52, 10 if kind == "equal" else 25, n)
    return (np.exp(one / 10), np.exp(two / 10)) if kind == "skewed" else (one, two)


@pytest.mark.parametrize(
    ("kind", "test", "summary"),
    [("equal", "Student t", "mean"), ("unequal", "Welch t", "mean"), ("skewed", "Mann-Whitney U", "median")],
)
def test_the_test_suits_the_numbers(kind, test, summary):
    found = numbers_differ(*numbers(kind))
    assert (found.test, found.summary) == (test, summary)


def test_numbers_from_one_distribution_give_uniform_p():
    generator = np.random.default_rng(5)
    values = [numbers_differ(generator.normal(size=40), generator.normal(size=25)).p for _ in range(300)]
    assert kstest(values, "uniform").pvalue > 0.01


def test_two_values_cannot_pass_for_normal():
    assert numbers_differ(np.array([1.0, 2.0]), np.array([3.0, 5.0, 6.0, 8.0])).test == "Mann-Whitney U"


def test_a_very_large_group_says_how_it_was_tested():
    generator = np.random.default_rng(6)
    found = numbers_differ(generator.normal(size=5001), generator.normal(size=50))
    assert found.test.endswith("normality by D'Agostino-Pearson, n > 5000")


def test_equal_values_have_no_test():
    found = numbers_differ(np.full(5, 2.0), np.full(4, 2.0))
    assert np.isnan(found.p)
    assert found.smd == 0


def test_the_difference_of_means_is_standardised_as_austin_does():
    """(53.181 - 51.574) / sqrt((14.351^2 + 15.248^2) / 2) = 0.1085, from values with these means and SDs."""

    def values(mean: float, sd: float) -> np.ndarray:
        return mean + sd * np.sqrt(3 / 4) * np.array([-1.0, 1.0, -1.0, 1.0])

    assert standardised.of_numbers(values(53.181, 14.351), values(51.574, 15.248)) == pytest.approx(0.1085, abs=5e-5)


def test_the_distance_of_shares_does_not_depend_on_the_level_left_out():
    one = standardised.of_counts(LOCATION)
    assert standardised.of_counts(LOCATION[:, ::-1]) == pytest.approx(one, rel=1e-9)


def test_a_level_that_parts_the_groups_has_no_finite_distance():
    assert standardised.of_counts(np.array([[5, 0], [0, 7]])) == np.inf
