"""What the training cases were like: smallest and largest values, which name no case."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from fusion.heads.plain import Question
from fusion.serve.parts import Range

ENDS = ("original_firstorder_Minimum", "original_firstorder_Maximum")
"""Features that are a region's smallest and largest grey value."""


def of(values: Float[ndarray, " value"]) -> Range | None:
    """The range of the values that are there; None where there is none.

    >>> of(np.array([3.0, np.nan, 1.0]))
    Range(low=1.0, high=3.0, n=2)
    """
    known = values[~np.isnan(values)]
    return Range(low=float(known.min()), high=float(known.max()), n=len(known)) if len(known) else None


def of_columns(table: pd.DataFrame, names: Iterable[str]) -> dict[str, Range]:
    """By name, of the columns ``names`` that have a value."""
    found = {name: of(table[name].to_numpy(float)) for name in names}
    return {name: own for name, own in found.items() if own is not None}


def of_grey(table: pd.DataFrame) -> tuple[Range, Range] | None:
    """Of a region's smallest and largest grey value; None where its features do not hold them."""
    if not set(ENDS) <= set(table.columns):
        return None
    low, high = (of(table[name].to_numpy(float)) for name in ENDS)
    return None if low is None or high is None else (low, high)


def of_axes(spacings_mm: Sequence[Sequence[float]]) -> tuple[Range, Range, Range]:
    """Of one case's or more spacings along (z, y, x)."""
    z, y, x = (Range(low=float(own.min()), high=float(own.max()), n=len(own)) for own in np.array(spacings_mm).T)
    return z, y, x


def read_features(questions: Iterable[Question]) -> list[str]:
    """Features that a head reads, as ``REGION:feature``, whatever the head calls them."""
    names: dict[str, None] = {}
    for question in questions:
        for source, heads in question.radiomics.items():
            region = source.removesuffix("_RAD")
            for column in (column for head in heads for column in head.columns):
                names[column.name if ":" in column.name else f"{region}:{column.name}"] = None
    return list(names)
