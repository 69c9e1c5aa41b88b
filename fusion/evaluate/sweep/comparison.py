"""comparison.csv: every model of every finished cell in every set, and each cell against the first."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fusion.evaluate import predictions
from fusion.evaluate.discrimination import holm
from fusion.evaluate.sweep.cell import Cell, common_models
from fusion.evaluate.sweep.paired import paired

JUDGED = ("n", "events", "auc", "auc_low", "auc_high", "brier", "calibration_slope")
TESTED = ("against", "difference", "difference_low", "difference_high", "p", "p_holm", "test")


def comparison(cells: Sequence[Cell]) -> pd.DataFrame:
    """A row a cell, model and set, by model, set and cell: columns cell, the swept fields, ``JUDGED``, ``TESTED``.

    What a cell scored is as its own metrics have it. ``against`` is the first of ``cells``, whose own rows have no
    test; ``test`` names the test, or says why there is none. Holm's correction runs over the cells that are compared
    with the first in the same model and set, and over nothing else: whoever looks at several models or sets looks at
    as many families of tests.
    """
    fields = list(dict.fromkeys(name for own in cells for name in own.values))
    rows = [
        row
        for model in common_models(list(cells))
        for set_ in predictions.SETS
        for own in cells
        if (row := _row(own, cells[0], model, set_))
    ]
    table = pd.DataFrame(rows, columns=["cell", *fields, "model", "set", *JUDGED, *TESTED])
    table["p_holm"] = table.groupby(["model", "set"])["p"].transform(lambda p: holm(p.to_numpy(float)))
    return table.astype({"n": "Int64", "events": "Int64"})


def _row(own: Cell, first: Cell, model: str, set_: str) -> dict[str, object]:
    """The row of one cell; empty where it has no such model there."""
    judged = own.metrics[(own.metrics["model"] == model) & (own.metrics["set"] == set_)]
    if judged.empty:
        return {}
    row: dict[str, object] = {"cell": own.name, **own.values, "model": model, "set": set_}
    row |= {name: judged[name].iloc[0] if name in judged else np.nan for name in JUDGED}
    if own is first:
        return row | {"against": "", "test": ""}
    test = paired(own, first, model, set_)
    return row | {
        "against": first.name, "difference": test.difference, "difference_low": test.low,
        "difference_high": test.high, "p": test.p, "test": test.test,
    }  # fmt: skip
