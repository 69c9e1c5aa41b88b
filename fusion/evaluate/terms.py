"""Clinical variables as the columns of a logistic regression: levels keep their names, numbers their units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fusion.config.cohort import Category, Number
from fusion.data.cohort import level_word
from fusion.types import Vector

Kinds = Mapping[str, Number | Category]
UNITS = {"mm": "mm", "cm": "cm", "mm2": "mm²", "cm2": "cm²", "mm3": "mm³", "cm3": "cm³", "ml": "mL", "hu": "HU",
         "years": "year", "months": "month", "days": "day", "kg": "kg", "pct": "%"}  # fmt: skip
"""Unit by the last word of a column's name."""


@dataclass(frozen=True, eq=False)
class Term:
    """One column of the design: a number in SDs, or a level against the reference."""

    variable: str
    level: str
    reference: str
    values: Vector
    sd: float
    n: int
    n_reference: int | None
    events: int
    events_reference: int | None

    @property
    def name(self) -> str:
        """As it is called in a note."""
        return f"{self.variable} ({self.level})" if self.reference else self.variable


def terms(rows: pd.DataFrame, name: str, kind: Number | Category) -> list[Term]:
    """The columns that a variable has in a design: one for a number, one for each level but the reference."""
    events = rows["event"].to_numpy(int)
    if isinstance(kind, Number):
        values = rows[name].to_numpy(float)
        sd = float(values.std(ddof=1))
        scaled = (values - values.mean()) / sd if sd > 0 else np.zeros(len(values))
        return [Term(name, f"per 1 {unit(name)}", "", scaled, sd, len(rows), None, int(events.sum()), None)]
    reference, *others = (level_word(value) for value in kind.values)
    words = rows[name].astype(str).to_numpy()
    base = words == reference
    return [
        Term(name, level, reference, (words == level).astype(float), float("nan"), int((words == level).sum()),
             int(base.sum()), int(events[words == level].sum()), int(events[base].sum()))
        for level in others
    ]  # fmt: skip


def unit(name: str) -> str:
    """The unit in a column's name, or "unit".

    >>> unit("diameter_mm"), unit("age")
    ('mm', 'unit')
    """
    return UNITS.get(name.rsplit("_", 1)[-1], "unit") if "_" in name else "unit"


def usable(own: Sequence[Term]) -> list[Term]:
    """Terms that these cases can say something about: both the level and its reference occur, the number varies."""
    return [term for term in own if (term.n and term.n_reference if term.reference else term.sd > 0)]
