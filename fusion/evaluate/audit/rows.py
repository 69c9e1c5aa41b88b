"""Each printed row: is it possible, by which confusion tables, and if not why not."""

from dataclasses import dataclass

from fusion.evaluate.audit.conflict import conflicts, reason
from fusion.evaluate.audit.confusion import Counts, metrics_of, possible
from fusion.evaluate.audit.readings import readings
from fusion.evaluate.audit.smallest import LIMIT, WORK, Smallest, at_any_size, counts_of, shares_of, smallest
from fusion.evaluate.audit.table import Row

TABLES = 200
"""Tables that are listed; ``count`` tells how many there are."""


@dataclass(frozen=True)
class Judged:
    """One row and what it was found to be.

    Attributes:
        row: as printed.
        possible: whether at least one confusion table gives all its printed metrics; None where that stays open.
        tables: the tables, at most ``TABLES``; of the smallest class counts where none are known.
        count: how many there are.
        reason: why it is impossible, or what is known of it, in words; may be empty.
        conflicts: the smallest sets of printed metrics that no table gives together.
        readings: other definitions of the metrics with which an impossible row is possible, in words.
        smallest: the fewest cases that agree, where it was sought.
        accuracies: counts (right, cases) that give the accuracy, where nothing else can be used.
    """

    row: Row
    possible: bool | None
    tables: tuple[Counts, ...] = ()
    count: int = 0
    reason: str = ""
    conflicts: tuple[tuple[str, ...], ...] = ()
    readings: tuple[str, ...] = ()
    smallest: Smallest | None = None
    accuracies: tuple[tuple[int, int], ...] = ()

    @property
    def implied(self) -> dict[str, float]:
        """All metrics of the one table that agrees; none where there are more, or no class counts to count in."""
        return metrics_of(self.tables[0]) if self.count == 1 and self.row.positive is not None else {}


def judge(row: Row, limit: int = LIMIT, search: bool = False) -> Judged:
    """A row against all confusion tables of its class counts, or of the smallest class counts where none are known.

    Args:
        row: with its class counts where they are known.
        limit: the most cases to try where they are not.
        search: look for the smallest class counts even so.
    """
    if row.classes > 2:
        return _many_classes(row, limit, search)
    if row.positive is None or row.negative is None:
        return _unknown(row, limit)
    if row.n is not None and row.n != row.positive + row.negative:
        return Judged(row, False, reason=f"n is printed as {row.n}, but {row.positive} + {row.negative} = "
                                         f"{row.positive + row.negative}")  # fmt: skip
    found = possible(row.metrics, row.positive, row.negative)
    sought = smallest(row.metrics, limit) if search and row.metrics else None
    if found.count:
        words = "" if row.metrics else "no metric is printed, so every table agrees"
        return Judged(row, True, tuple(found.first(TABLES)), found.count, words, smallest=sought)
    sets = conflicts(row.metrics, row.positive, row.negative)
    others = tuple(readings(row.metrics, row.positive, row.negative))
    return Judged(row, False, (), 0, _reason(row, sets[0], row.positive, row.negative), tuple(sets), others, sought)


def _reason(row: Row, names: tuple[str, ...], positive: int, negative: int) -> str:
    """The smallest conflict; where it is of accuracy with one class, what both classes give as well."""
    words = reason(row.metrics, names, positive, negative)
    both = ("accuracy", "sensitivity", "specificity")
    if len(names) > 1 and "accuracy" in names and set(names) < set(both) <= row.metrics.keys():
        told = possible({name: row.metrics[name] for name in both[1:]}, positive, negative)
        if told.count == 1:
            return f"{words}; {reason(row.metrics, both, positive, negative).partition('; ')[2]}"
    return words


def _many_classes(row: Row, limit: int, search: bool) -> Judged:
    """Of means over classes only the accuracy is a share of the cases."""
    told = f"{row.classes} classes, so only the accuracy is a count"
    accuracy = row.metrics.get("accuracy")
    if accuracy is None:
        return Judged(row, None, reason=told)
    if row.n is None:
        found = counts_of(accuracy, limit)
        words = f"{told}; the fewest cases are {found[0][1]}" if found else f"{told}; not up to {limit} cases"
        return Judged(row, True if found else None, reason=words, accuracies=tuple(found[:TABLES]))
    shares = shares_of(accuracy, row.n)
    words = f"{told}: {' or '.join(map(str, shares))} of {row.n}" if shares else (
        f"{told}, and no count of {row.n} gives {accuracy.text}")  # fmt: skip
    if search and (alone := counts_of(accuracy, limit)):
        words += f"; {accuracy.text} alone allows {', '.join(str(n) for _, n in alone[:5])}, ... cases"
    return Judged(row, bool(shares), reason=words, accuracies=tuple((k, row.n) for k in shares))


def _unknown(row: Row, limit: int) -> Judged:
    if not row.metrics:
        return Judged(row, None, reason="no metric is printed")
    never = at_any_size(row.metrics)
    if never is not None:
        return Judged(row, False, reason=never)
    if row.n is not None and row.n > WORK:
        return Judged(row, None, reason=f"too many splits of {row.n} cases to try; give both class counts")
    found = smallest(row.metrics, limit, row.n)
    if found.solutions:
        tables = tuple(table for one in found.solutions for table in one.tables)[:TABLES]
        count = sum(one.count for one in found.solutions)
        return Judged(row, True, tables, count, _told(found, row.n), smallest=found)
    if row.n is not None:
        return Judged(row, False, reason=f"no split of {row.n} cases into two classes gives the row", smallest=found)
    return Judged(row, None, reason=f"no class counts up to {found.reached} cases give the row", smallest=found)


def _told(found: Smallest, n: int | None) -> str:
    splits = [f"{one.positive} + {one.negative}" for one in found.solutions]
    shown = ", ".join(splits[:6]) + (f" and {len(splits) - 6} more" if len(splits) > 6 else "")
    if n is not None:
        return f"{n} cases as {shown}"
    more = [str(total) for total in found.totals[1:]]
    others = f"; more cases that agree: {', '.join(more)}, ..." if more else f"; no other up to {found.reached}"
    return f"fewest cases: {found.totals[0]} as {shown}{others}"
