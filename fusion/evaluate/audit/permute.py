"""Do impossible rows hold each other's values: the least re-arrangement that makes every row possible."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import factorial

import numpy as np
from scipy.optimize import linear_sum_assignment

from fusion.evaluate.audit.confusion import Counts, Possible, possible
from fusion.evaluate.audit.table import METRICS, Row

NEVER = 10_000
"""Cost of giving a row values with which it stays impossible."""
MOST = 1000
"""Re-arrangements beyond which they are no longer counted."""
STEPS = 100_000
ROWS = 60
"""Rows beyond which only impossible ones take part; beyond which of those no order is sought."""
TABLES = 20


@dataclass(frozen=True)
class Repair:
    """The least re-arrangement of some columns among the rows with which every row is possible.

    Attributes:
        moved: the columns whose values change rows together.
        mapping: for a row that changes, the row in which its values are printed.
        count: how many re-arrangements of so few rows do it; None beyond ``MOST``.
        arrangements: all orders of that many rows.
        tables: the confusion tables of the changed rows, at most ``TABLES`` a row.
    """

    moved: tuple[str, ...]
    mapping: Mapping[str, str]
    count: int | None
    arrangements: int
    tables: Mapping[str, tuple[Counts, ...]]


def repair(rows: Sequence[Row]) -> Repair | None:
    """The re-arrangement that repairs the table; None where no row is impossible or none repairs it.

    AUC, P and names stay. First accuracy stays too and all else moves as one (which is the same as moving accuracy
    alone); then each column alone, then sensitivity and specificity together. Of those that repair the table the one
    with the fewest ways is told, of equals the first.

    Args:
        rows: with their class counts; rows without them, and rows with one metric only, stay as they are.
    """
    own = [row for row in rows if row.positive is not None and row.negative is not None and len(row.metrics) > 1]
    impossible = [row for row in own if not _tables(row, row, ()).runs]
    own = own if len(own) <= ROWS else impossible
    if not impossible or len(own) > ROWS:
        return None
    printed = [name for name in METRICS if any(name in row.metrics for row in own)]
    blocks = [tuple(name for name in printed if name != "accuracy"), *((name,) for name in printed)]
    blocks += [("sensitivity", "specificity")]
    found = [one for block in dict.fromkeys(blocks) if block and len(block) < len(printed)
             if (one := _repair(own, block)) is not None]  # fmt: skip
    return min(found, key=lambda one: one.count or MOST, default=None)


def _repair(rows: Sequence[Row], moved: tuple[str, ...]) -> Repair | None:
    taking = [row for row in rows if any(name in row.metrics for name in moved)]
    fits = np.array([[bool(_tables(row, giver, moved).runs) for giver in taking] for row in taking])
    alike = np.array([[_words(row, moved) == _words(giver, moved) for giver in taking] for row in taking])
    if len(taking) < 2 or not all(_tables(row, row, ()).runs for row in rows if row not in taking):
        return None
    cost = np.where(fits, np.where(alike, 0, 1), NEVER)
    places, givers = linear_sum_assignment(cost)
    moves = int(cost[places, givers].sum())
    if moves >= NEVER:
        return None
    mapping = {taking[i].model: taking[j].model for i, j in zip(places, givers, strict=True) if not alike[i, j]}
    tables = {
        taking[i].model: tuple(_tables(taking[i], taking[j], moved).first(TABLES))
        for i, j in zip(places, givers, strict=True) if not alike[i, j]
    }  # fmt: skip
    return Repair(moved, mapping, _count(cost, [_words(row, moved) for row in taking], moves), factorial(moves), tables)


def _tables(row: Row, giver: Row, moved: tuple[str, ...]) -> Possible:
    """The tables of a row with some of its values taken from another."""
    metrics = {name: printed for name, printed in row.metrics.items() if name not in moved}
    metrics |= {name: printed for name, printed in giver.metrics.items() if name in moved}
    assert row.positive is not None
    assert row.negative is not None
    return possible(metrics, row.positive, row.negative)


def _words(row: Row, moved: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(row.metrics[name].text if name in row.metrics else "" for name in moved)


def _count(cost: "np.ndarray", words: list[tuple[str, ...]], moves: int) -> int | None:
    """How many different arrangements cost no more than ``moves``; None where they are too many to count."""
    kinds = list(dict.fromkeys(words))
    left = [words.count(kind) for kind in kinds]
    by_kind = cost[:, [words.index(kind) for kind in kinds]]
    order = sorted(range(len(words)), key=lambda i: int((by_kind[i] < NEVER).sum()))
    steps = iter(range(STEPS))
    found = 0
    for _ in _arrangements(by_kind[order], left, moves, steps):
        found += 1
        if found > MOST:
            return None
    return found if next(steps, None) is not None else None


def _arrangements(cost: "np.ndarray", left: list[int], moves: int, steps: Iterator[int]) -> Iterator[None]:
    if not len(cost):
        yield None
        return
    for kind, price in enumerate(cost[0]):
        if left[kind] and price <= moves and next(steps, None) is not None:
            left[kind] -= 1
            yield from _arrangements(cost[1:], left, moves - int(price), steps)
            left[kind] += 1
