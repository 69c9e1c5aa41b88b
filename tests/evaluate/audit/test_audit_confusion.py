"""Integer tables behind a printed row: every true table is found, and few false rows are let through."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from itertools import product

import numpy as np
import pytest

from fusion.evaluate.audit.conflict import conflicts, reason
from fusion.evaluate.audit.confusion import FORMS, metrics_of, possible, value
from fusion.evaluate.audit.printed import number
from fusion.evaluate.audit.rows import judge
from fusion.evaluate.audit.table import Row


def printed_row(generator, decimals=None, rounding=None, metrics=None, percent=False):
    """Random counts and a random subset of their metrics, rounded as a paper would."""
    positive, negative = generator.integers(5, 401, 2).tolist()
    tp, fp = int(generator.integers(positive + 1)), int(generator.integers(negative + 1))
    exact = {name: value(name, tp, fp, positive, negative) for name in FORMS}
    defined = [name for name, share in exact.items() if share is not None]
    names = metrics or generator.choice(defined, generator.integers(1, len(defined) + 1), replace=False)
    unit = Decimal(10) ** -(decimals or int(generator.integers(2, 5)))
    how = rounding or [ROUND_HALF_EVEN, ROUND_HALF_UP][generator.integers(2)]
    scale = 100 if percent else 1
    words = {}
    for name in names:
        share = exact[name]
        words[name] = f"{(Decimal(scale * share.numerator) / share.denominator).quantize(unit, how)}"
    return (tp, positive - tp, fp, negative - fp), words


def read(words, **how):
    return {name: number(word, **how) for name, word in words.items()}


def test_none_of_1000_true_tables_is_called_impossible():
    generator = np.random.default_rng(0)
    for _ in range(1000):
        (tp, fn, fp, tn), words = printed_row(generator)
        found = possible(read(words), tp + fn, fp + tn)
        assert dict(found.runs)[tp][0] <= fp <= dict(found.runs)[tp][1]


def test_nor_is_one_in_percentages_or_to_all_the_digits_of_a_float():
    generator = np.random.default_rng(1)
    for _ in range(200):
        counts, words = printed_row(generator, percent=True)
        assert counts in possible(read(words, percent=True), sum(counts[:2]), sum(counts[2:]))
        shares = {name: number(repr(share)) for name, share in metrics_of(counts).items()}
        assert counts in possible(shares, sum(counts[:2]), sum(counts[2:]))


def test_cut_off_digits_are_possible_where_any_rounding_is():
    generator = np.random.default_rng(2)
    refused = 0
    for _ in range(200):
        counts, words = printed_row(generator, rounding=ROUND_DOWN)
        sizes = sum(counts[:2]), sum(counts[2:])
        assert counts in possible(read(words, rounding="any"), *sizes)
        refused += not possible(read(words), *sizes).count
    assert refused > 50


def test_the_tables_are_those_of_a_search_through_all():
    generator = np.random.default_rng(3)
    for _ in range(40):
        positive, negative = generator.integers(1, 12, 2).tolist()
        names = generator.choice(list(FORMS), generator.integers(1, 4), replace=False)
        metrics = {name: number(f"{generator.random():.{generator.integers(0, 3)}f}") for name in names}

        def agrees(tp, fp, metrics=metrics, positive=positive, negative=negative):
            shares = {name: value(name, tp, fp, positive, negative) for name in metrics}
            return all(share in metrics[name] if share is not None else (0 in metrics[name] or 1 in metrics[name])
                       for name, share in shares.items())  # fmt: skip

        every = product(range(positive + 1), range(negative + 1))
        wanted = [(tp, positive - tp, fp, negative - fp) for tp, fp in every if agrees(tp, fp)]
        assert list(possible(metrics, positive, negative)) == wanted


@pytest.mark.parametrize(
    ("metrics", "share"),
    [
        (("accuracy", "sensitivity", "specificity"), 0.98),
        (tuple(FORMS), 0.98),
        (("accuracy", "f1"), 0.88),
        (("accuracy", "sensitivity"), 0.78),
    ],
)
def test_most_rows_with_one_wrong_cell_are_found_impossible(metrics, share):
    """Three decimals, 5 to 400 cases a class; one cell exchanged for another number at least .01 away.

    Measured over 2,000 rows: 1.000, 1.000, .934, .845 in the order above; with two decimals .982, .996, .693, .492.
    """
    generator = np.random.default_rng(4)
    found = 0
    for _ in range(300):
        counts, words = _defined(generator)
        words = {name: words[name] for name in metrics}
        name = str(generator.choice(metrics))
        while abs(float(wrong := f"{generator.random():.3f}") - float(words[name])) < 0.01:
            pass
        found += not possible(read(words | {name: wrong}), sum(counts[:2]), sum(counts[2:])).count
    assert found / 300 > share


def _defined(generator):
    """A row with all six metrics."""
    while True:
        counts, _ = printed_row(generator)
        shares = metrics_of(counts)
        if len(shares) == len(FORMS):
            return counts, {name: f"{share:.3f}" for name, share in shares.items()}


def test_a_predictive_value_of_no_case_may_be_printed_as_0_or_1_and_as_nothing_between():
    assert (0, 5, 0, 5) in possible(read({"ppv": "0.00"}), 5, 5)
    assert (0, 5, 0, 5) in possible(read({"ppv": "1.00"}), 5, 5)
    assert (0, 5, 0, 5) not in possible(read({"ppv": "0.50"}), 5, 5)
    assert (5, 0, 5, 0) in possible(read({"npv": "0"}), 5, 5)


def test_the_reason_is_the_smallest_conflict():
    words = {"accuracy": ".80", "sensitivity": ".90", "specificity": ".75", "npv": ".5"}
    sets = conflicts(read(words), 20, 20)
    assert sets == [("accuracy", "npv")]
    assert reason(read(words), sets[0], 20, 20) == (
        "accuracy .80 needs 32 correct of 40; npv .5 gives at most 23 (0.57)"
    )


def test_a_share_of_no_count_is_told_with_its_neighbours():
    judged = judge(Row("A", read({"sensitivity": ".750", "specificity": ".852"}), {}, positive=27, negative=81))
    assert judged.reason == "no count of 27 gives sensitivity .750; nearest: 0.741 and 0.778"


def test_an_accuracy_that_one_class_forbids_is_told_with_both():
    row = Row(
        "T", read({"accuracy": ".574", "sensitivity": ".333", "specificity": ".963"}), {}, positive=27, negative=81
    )
    assert judge(row).reason == (
        "accuracy .574 needs 62 correct of 108; specificity .963 (78 of 81) gives at least 78 (0.722); "
        "sensitivity .333 (9 of 27) and specificity .963 (78 of 81) give 87 (0.806)"
    )


def test_a_printed_n_has_to_be_the_sum_of_the_classes():
    judged = judge(Row("A", read({"accuracy": ".5"}), {}, n=110, positive=27, negative=81))
    assert judged.possible is False
    assert judged.reason == "n is printed as 110, but 27 + 81 = 108"


def test_many_tables_are_counted_and_200_listed():
    judged = judge(Row("A", read({"accuracy": ".8"}), {}, positive=300, negative=300))
    assert judged.count == possible(read({"accuracy": ".8"}), 300, 300).count > 200
    assert len(judged.tables) == 200
