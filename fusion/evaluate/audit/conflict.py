"""Why no confusion table agrees with a row: the fewest printed values that cannot stand together."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import combinations

from fusion.evaluate.audit.confusion import FORMS, Possible, possible, value
from fusion.evaluate.audit.printed import Printed

LAST = ("accuracy", "f1", "npv", "ppv", "specificity", "sensitivity")
"""Which value of a conflict is told as what the others would give: the first of these that takes part."""


def conflicts(metrics: Mapping[str, Printed], positive: int, negative: int) -> list[tuple[str, ...]]:
    """All smallest sets of printed values that no table gives together; none where a table gives them all."""
    for size in range(1, len(metrics) + 1):
        found = [
            names
            for names in combinations(metrics, size)
            if not possible({name: metrics[name] for name in names}, positive, negative).count
        ]
        if found:
            return found
    return []


def reason(metrics: Mapping[str, Printed], names: tuple[str, ...], positive: int, negative: int) -> str:
    """One smallest conflict in words and counts.

    >>> from fusion.evaluate.audit.printed import number
    >>> row = {"accuracy": number(".787"), "sensitivity": number(".741"), "specificity": number(".852")}
    >>> reason(row, tuple(row), 27, 81)
    'accuracy .787 needs 85 correct of 108; sensitivity .741 (20 of 27) and specificity .852 (69 of 81) give 89 (0.824)'
    """
    last = next(name for name in LAST if name in names)
    others = {name: metrics[name] for name in names if name != last}
    printed, whole = metrics[last], _whole(last, positive, negative)
    tables = possible(others, positive, negative)
    near = _nearest(last, tables, printed.value)
    if not others:
        of = f"no count of {whole} gives" if whole else f"no table of {positive} and {negative} cases gives"
        return f"{of} {last} {printed.text}; nearest: {listed(printed.show(exact) for exact in near)}"
    told = listed(_told(name, other, positive, negative) for name, other in others.items())
    give = "gives" if len(others) == 1 else "give"
    if not near:
        return f"{last} is printed as {printed.text}; with {told} it is 0/0"
    if last != "accuracy" or whole is None:
        span = _span(last, tables, near, [printed.show(exact) for exact in near], printed)
        return f"{last} is printed as {printed.text}; {told} {give} {span}"
    counts = [f"{int(exact * whole)} ({printed.show(exact)})" for exact in near]
    needs = f"accuracy {printed.text} needs {_correct(printed, whole)} correct of {whole}"
    return f"{needs}; {told} {give} {_span(last, tables, near, counts, printed)}"


def listed(words: Iterable[str]) -> str:
    """Words as a list in a sentence.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    found = list(words)
    return " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)


def _whole(name: str, positive: int, negative: int) -> int | None:
    """Of how many cases a metric is a share; None where that is not fixed."""
    return {"accuracy": positive + negative, "sensitivity": positive, "specificity": negative}.get(name)


def _told(name: str, printed: Printed, positive: int, negative: int) -> str:
    whole = _whole(name, positive, negative)
    return f"{name} {printed.text}" + (f" ({_correct(printed, whole)} of {whole})" if whole else "")


def _correct(printed: Printed, whole: int) -> str:
    """The counts of ``whole`` that may have been printed so, in words."""
    first, last = max(int(printed.low * whole) - 1, 0), min(int(printed.high * whole) + 1, whole)
    counts = [count for count in range(first, last + 1) if Fraction(count, whole) in printed]
    return f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{counts[0]}"


def _span(name: str, tables: Possible, near: list[Fraction], words: list[str], printed: Printed) -> str:
    """What the tables give: one value, values on one side of the printed one, or values around it."""
    if len(near) == 2:
        return f"nothing between {words[0]} and {words[1]}"
    ends = {value(name, tp, fp, tables.positive, tables.negative) for tp, span in tables.runs for fp in span} - {None}
    if len(ends) == 1:
        return words[0]
    return f"at {'most' if near[0] < printed.value else 'least'} {words[0]}"


def _nearest(name: str, tables: Possible, target: Fraction) -> list[Fraction]:
    """The metric's largest value below ``target`` and its smallest above, over the tables, where there are such."""
    found = {exact for run in tables.runs for exact in _around(name, *run, tables, target)}
    below, above = [exact for exact in found if exact < target], [exact for exact in found if exact > target]
    return ([max(below)] if below else []) + ([min(above)] if above else [])


def _around(name: str, tp: int, span: tuple[int, int], tables: Possible, target: Fraction) -> list[Fraction]:
    """The metric on both sides of where it would cross ``target``, along a run of fp."""
    a, b, c, d = FORMS[name](tp, tables.positive, tables.negative)
    slope = target * d - b
    crossing = int((a - target * c) // slope) if slope else span[0]
    ends = (span[0], span[0] + 1, span[1] - 1, span[1])  # at one of them the metric may be 0/0
    neighbours = {min(max(fp, span[0]), span[1]) for fp in (crossing, crossing + 1, *ends)}
    found = [value(name, tp, fp, tables.positive, tables.negative) for fp in neighbours]
    return [exact for exact in found if exact is not None]
