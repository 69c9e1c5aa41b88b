"""Leaks planted on purpose, so that the alarm is known to work."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from sklearn.feature_selection import SelectKBest, f_classif

from fusion.roi.region import REGIONS
from fusion.store import write_parquet

PLANTS = ("column", "selection")
NOISE, KEPT = 5000, 20
"""Columns of noise, and how many of them the outcome chooses (the bias of Ambroise & McLachlan 2002,
doi:10.1073/pnas.102102699)."""


def plant(kind: str, source: Path, folder: Path, cases: pd.DataFrame) -> None:
    """Radiomics tables in ``folder`` that leak.

    Args:
        kind: `column` adds the outcome, with a little noise, to what was measured; `selection` has noise alone, chosen
            by the outcome of every case before anyone splits them.
        source: a folder with honest tables.
        folder: where the others go.
        cases: columns case and event, the shuffled outcome.
    """
    for number, region in enumerate(REGIONS):
        path = source / f"features/radiomics_{region}.parquet"
        honest = pd.read_parquet(path)
        events = cases.set_index("case")["event"].loc[honest.index]
        generator = np.random.default_rng([0, number])
        made = _column(honest, events, generator) if kind == "column" else _selection(honest, events, generator)
        metadata = {key.decode(): value.decode() for key, value in pq.read_schema(path).metadata.items()}
        metadata.pop("pandas", None)
        write_parquet(folder / f"features/radiomics_{region}.parquet", made, metadata)


def _column(honest: pd.DataFrame, events: "pd.Series[int]", generator: np.random.Generator) -> pd.DataFrame:
    return honest.assign(planted_outcome=events + generator.normal(0, 0.1, len(events)))


def _selection(honest: pd.DataFrame, events: "pd.Series[int]", generator: np.random.Generator) -> pd.DataFrame:
    noise = generator.normal(size=(len(honest), NOISE))
    chosen = SelectKBest(f_classif, k=KEPT).fit_transform(noise, events)
    return pd.DataFrame(chosen, honest.index, [f"planted_noise_{number}" for number in range(KEPT)])
