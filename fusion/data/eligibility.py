"""Who belongs to the cohort: rules applied in their order, each case leaving at the first that it does not meet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fusion.config.cohort import Cohort
from fusion.config.eligibility import Diameter, InRange, Missing, OneOf, Rule
from fusion.data.words import word
from fusion.errors import CohortError, Fault


@dataclass(frozen=True)
class Left:
    """A case that does not belong to the cohort: the rule it left at, and what was found there."""

    case: str
    rule: str
    why: str


def missing_columns(words: pd.DataFrame, cohort: Cohort) -> list[Fault]:
    """A fault for every column that a rule asks for and the table lacks."""
    return [
        Fault(f"no column {name!r} (columns: {', '.join(words.columns)})", f"the column of rule {rule.name!r}",
              "add it or mend cohort.eligibility", file=str(cohort.table))
        for rule in cohort.eligibility
        for name in _columns(rule)
        if name not in words
    ]  # fmt: skip


def by_table(words: pd.DataFrame, cohort: Cohort) -> tuple[pd.DataFrame, tuple[Left, ...]]:
    """The rows that stay, and the cases that left by rules on the table.

    Args:
        words: the table as words, with every column that a rule asks for.
        cohort: its rules; those on masks are left for ``by_mask``.

    Raises:
        CohortError: every cell that a rule cannot judge (empty, or no number); or no row stays.
    """
    stays, left, faults = np.ones(len(words), dtype=bool), list[Left](), list[Fault]()
    for rule in cohort.eligibility:
        if rule.measured:
            continue
        for place in np.flatnonzero(stays):
            row = words.iloc[place]
            found = _judged(row, rule, cohort)
            if isinstance(found, Fault):
                faults.append(found)
            elif found is not None:
                stays[place] = False
                left.append(Left(row[cohort.case], rule.name, found))
    if not faults and not stays.any():
        faults = [_nobody(cohort, left)]
    if faults:
        raise CohortError(faults)
    return words[stays].reset_index(drop=True), tuple(left)


def by_mask(case: str, diameter_mm: float, rules: Iterable[Rule]) -> Left | None:
    """The rule on the tumour's diameter at which a case leaves, if it does.

    >>> small = Rule(name="small", exclude=Diameter(below_mm=10))
    >>> by_mask("a", 9.24, [small]), by_mask("b", 10.0, [small])
    (Left(case='a', rule='small', why='largest axial diameter 9.2 mm'), None)
    """
    for rule in rules:
        own = rule.condition
        if isinstance(own, Diameter) and _outside(diameter_mm, own.below_mm, own.above_mm) == (
            rule.exclude is not None
        ):
            return Left(case, rule.name, f"largest axial diameter {diameter_mm:.1f} mm")
    return None


def counted(total: int, rules: Sequence[Rule], left: Sequence[Left]) -> pd.DataFrame:
    """The flow: rule, left, remaining; the first row is the whole table.

    >>> counted(3, [Rule(name="small", exclude=Diameter(below_mm=10))], [Left("a", "small", "")])
        rule  left  remaining
    0  table     0          3
    1  small     1          2
    """
    gone = [0, *(sum(own.rule == rule.name for own in left) for rule in rules)]
    names = ["table", *(rule.name for rule in rules)]
    return pd.DataFrame({"rule": names, "left": gone, "remaining": total - np.cumsum(gone)})


def _columns(rule: Rule) -> tuple[str, ...]:
    own = rule.condition
    if isinstance(own, Missing):
        return own.columns
    return () if isinstance(own, Diameter) else (own.column,)


def _judged(row: "pd.Series[str]", rule: Rule, cohort: Cohort) -> str | Fault | None:
    """Why the case leaves; None where it stays; a fault where that cannot be told."""
    own = rule.condition
    if isinstance(own, Missing):
        true, told = any(row[name] == "" for name in own.columns), _empty(row, own)
    else:
        assert isinstance(own, OneOf | InRange)
        cell = row[own.column]
        told = f"{own.column} = {cell}"
        if cell == "":
            return _unknown(row, rule, cohort, "no value", "a value, as a rule asks for it")
        if isinstance(own, OneOf):
            true = cell in map(word, own.values)
        else:
            number = pd.to_numeric(cell, errors="coerce")
            if not np.isfinite(number):
                return _unknown(row, rule, cohort, repr(cell), "a number, as a rule asks for it")
            true = _outside(float(number), own.below, own.above)
    return told if true == (rule.exclude is not None) else None


def _empty(row: "pd.Series[str]", own: Missing) -> str:
    empty = [name for name in own.columns if row[name] == ""]
    return f"no {', '.join(empty)}" if empty else f"{', '.join(own.columns)} all there"


def _outside(number: float, below: float | None, above: float | None) -> bool:
    """Whether a number lies below the one limit or above the other."""
    return (below is not None and number < below) or (above is not None and number > above)


def _unknown(row: "pd.Series[str]", rule: Rule, cohort: Cohort, found: str, expected: str) -> Fault:
    column = _columns(rule)[0]
    remedy = f"fill the cell, or put a rule of kind missing before {rule.name!r}"
    return Fault(f"{column}: {found}", expected, remedy, row[cohort.case], str(cohort.table))


def _nobody(cohort: Cohort, left: Sequence[Left]) -> Fault:
    gone = pd.Series([own.rule for own in left]).value_counts()
    told = ", ".join(f"{rule!r} {count}" for rule, count in gone.items())
    return Fault(f"no case left by the rules ({told})", "a cohort", "mend cohort.eligibility", file=str(cohort.table))
