"""Class counts that are not told, and values that stand in the wrong rows."""

import numpy as np
import pytest

from fusion.evaluate.audit.confusion import metrics_of
from fusion.evaluate.audit.permute import repair
from fusion.evaluate.audit.printed import number
from fusion.evaluate.audit.rows import judge
from fusion.evaluate.audit.smallest import at_any_size, counts_of, smallest
from fusion.evaluate.audit.table import Row


def read(**words):
    return {name: number(word) for name, word in words.items()}


def test_five_metrics_tell_the_class_counts():
    """62 + 50 is what Kaba's 93.75 % needs, with every benign and 43 of 50 malignant images right."""
    shares = metrics_of((62, 0, 7, 43))
    names = ("accuracy", "sensitivity", "specificity", "ppv", "f1")
    found = smallest({name: number(f"{100 * shares[name]:.2f}%") for name in names})
    assert found.unique
    assert (found.solutions[0].positive, found.solutions[0].negative) == (62, 50)
    assert found.solutions[0].tables == ((62, 0, 7, 43),)


@pytest.mark.parametrize(("word", "fewest"), [("93.75%", 16), ("95.37%", 108), ("90.36%", 83), ("86.67%", 15)])
def test_an_accuracy_alone_allows_these_fewest_cases(word, fewest):
    assert counts_of(number(word))[0][1] == fewest


def test_kabas_best_model_needs_108_images_and_45_true_positives():
    found = smallest(read(accuracy="95.37%", f1="94.74%"))
    assert found.totals[0] == 108
    assert {table[0] for one in found.solutions for table in one.tables} == {45}
    assert max(one.positive for one in found.solutions) == 50


def test_the_smallest_is_never_larger_than_the_truth():
    generator = np.random.default_rng(0)
    for _ in range(5):
        positive, negative = generator.integers(2, 30, 2).tolist()
        tp, fp = int(generator.integers(1, positive + 1)), int(generator.integers(negative))
        shares = metrics_of((tp, positive - tp, fp, negative - fp))
        metrics = {name: number(f"{shares[name]:.3f}") for name in ("accuracy", "sensitivity", "specificity")}
        assert smallest(metrics).totals[0] <= positive + negative


def test_a_search_that_ends_early_says_how_far_it_came():
    found = smallest(read(ppv=".7123", npv=".8211"), limit=30)
    assert (found.solutions, found.reached) == ((), 30)
    assert judge(Row("A", read(ppv=".7123", npv=".8211"), {}), limit=30).possible is None


def test_what_no_number_of_cases_gives():
    assert at_any_size(read(accuracy=".9", sensitivity=".5", specificity=".6"))
    assert at_any_size(read(f1=".93", ppv=".71"))
    assert at_any_size(read(accuracy=".55", sensitivity=".5", specificity=".6", f1=".6", ppv=".75")) is None
    assert judge(Row("A", read(accuracy=".9", sensitivity=".5", specificity=".6"), {})).possible is False


def test_of_many_classes_only_the_accuracy_is_counted():
    assert judge(Row("A", read(accuracy="86.67%", f1=".1"), {}, n=165, classes=5)).accuracies == ((143, 165),)
    assert judge(Row("A", read(accuracy="86.67%"), {}, n=164, classes=5)).possible is False


def table(generator, n=6):
    """Rows of true tables of 60 and 90 cases."""
    rows = []
    for place in range(n):
        tp, fp = int(generator.integers(20, 61)), int(generator.integers(0, 60))
        shares = metrics_of((tp, 60 - tp, fp, 90 - fp))
        names = ("accuracy", "sensitivity", "specificity")
        metrics = {name: number(f"{shares[name]:.3f}") for name in names}
        rows.append(Row(f"m{place}", metrics, {}, positive=60, negative=90))
    return rows


def moved(rows, order, names=("sensitivity", "specificity")):
    """The rows with those columns taken from the rows in ``order``."""
    given = [{name: rows[giver].metrics[name] for name in names} for giver in order]
    return [Row(row.model, {**row.metrics, **own}, {}, positive=60, negative=90)
            for row, own in zip(rows, given, strict=True)]  # fmt: skip


def test_values_in_the_wrong_rows_are_led_back():
    """Two rows may be alike, or a row possible by chance: then a smaller order does it too."""
    generator = np.random.default_rng(5)
    order = [5, 0, 1, 2, 3, 4]
    found = [repair(moved(table(generator), order)) for _ in range(8)]
    assert all(one is not None for one in found)
    wanted = {f"m{giver}": f"m{row}" for row, giver in enumerate(order)}
    assert sum(one.count == 1 and one.mapping == wanted for one in found) >= 5


def test_a_single_column_in_the_wrong_rows_is_led_back():
    rows = table(np.random.default_rng(6))
    found = repair(moved(rows, [1, 0, 2, 3, 4, 5], ("specificity",)))
    assert (found.moved, found.mapping) == (("specificity",), {"m0": "m1", "m1": "m0"})


def test_a_row_that_stays_possible_by_chance_may_be_part_of_the_order():
    def row(name, *words):
        return Row(name, dict(zip(("accuracy", "sensitivity", "specificity"), map(number, words), strict=True)), {},
                   positive=10, negative=10)  # fmt: skip

    rows = [row("a", ".80", ".80", ".80"), row("b", ".8", ".70", ".70")]  # b is printed to one decimal: .75 is .8
    found = repair([rows[0], row("b", ".8", ".70", ".80")])
    assert found is None
    found = repair([row("a", ".70", ".80", ".80"), row("b", ".8", ".70", ".70")])
    assert found.mapping == {"a": "b", "b": "a"}


def test_a_possible_table_needs_no_repair_and_a_hopeless_one_has_none():
    rows = table(np.random.default_rng(7))
    assert repair(rows) is None
    broken = Row("m0", rows[0].metrics | {"accuracy": number("0.001")}, {}, positive=60, negative=90)
    assert repair([broken, *rows[1:]]) is None


def test_a_long_table_is_judged_and_its_order_sought_among_impossible_rows_alone():
    rows = [row for seed in range(12) for row in table(np.random.default_rng(100 + seed))]
    rows = [Row(f"m{place}", row.metrics, {}, positive=60, negative=90) for place, row in enumerate(rows)]
    swapped = moved(rows, [1, 0, *range(2, len(rows))])
    assert repair(swapped).mapping == {"m0": "m1", "m1": "m0"}
