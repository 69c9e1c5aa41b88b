"""Clinical columns as numbers: one column a number, one a level that is not the reference."""

import pandas as pd

from fusion.config.cohort import Category, Number
from fusion.data.cohort import level_word


def encode(rows: pd.DataFrame, clinical: dict[str, Number | Category], predictors: tuple[str, ...]) -> pd.DataFrame:
    """A table of floats with the index of ``rows``.

    A category becomes one 0/1 column a level, named ``column=level``, without its first level, the reference.

    >>> rows = pd.DataFrame({"margin": ["clear", "unclear"], "age": [40.0, 61.0]})
    >>> kinds = {"margin": Category(kind="category", values=("clear", "unclear")), "age": Number()}
    >>> encode(rows, kinds, ("margin", "age"))
       margin=unclear   age
    0             0.0  40.0
    1             1.0  61.0
    """
    columns: dict[str, pd.Series] = {}
    for name in predictors:
        kind = clinical[name]
        if isinstance(kind, Number):
            columns[name] = rows[name].astype(float)
        else:
            for level in (level_word(value) for value in kind.values[1:]):
                columns[f"{name}={level}"] = (rows[name] == level).astype(float)
    return pd.DataFrame(columns, index=rows.index)
