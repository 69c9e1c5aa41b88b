"""How well second readings agree with the first on every radiomics feature, and the features on which they do."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from fusion.config.harmonise import Icc
from fusion.data.case import Files
from fusion.errors import Fault, HeadError
from fusion.features.icc import FILE, icc
from fusion.features.radiomics import extract
from fusion.features.table import FeatureTable
from fusion.flow.folder import told
from fusion.flow.readings import ROLES, asked, counted, outlined
from fusion.flow.work import Work
from fusion.roi.region import REGIONS
from fusion.store import write_csv, write_parquet

NAMES = {"inter": "reader2", "intra": "repeat"}
"""How the table of a second reading is named."""


def write_agreement(work: Work) -> None:
    """features/radiomics_<region>_reader2.parquet and _repeat.parquet, and features/icc.csv, where heads.icc asks.

    Both readings of a case have the automatic ring round their own mask, so that a ring refined by hand is not
    compared with one that is not.
    """
    choice = work.run.heads.icc
    if choice is None or (work.folder / FILE).is_file():
        return
    with told(work.folder, "readings"):
        rows = [_compared(work, choice, kind) for kind in asked(work.run)]
        write_csv(work.folder / FILE, pd.concat(rows, ignore_index=True))


def agreed(tables: Mapping[str, pd.DataFrame], folder: Path, choice: Icc | None) -> dict[str, pd.DataFrame]:
    """The radiomics tables with the features on which all readings that were asked for agree.

    Raises:
        HeadError: regions without such a feature.
    """
    if choice is None:
        return dict(tables)
    every = pd.read_csv(folder / FILE).groupby(["region", "feature"])["passed"].all()
    passed = set(every.index[every])
    kept = {region: [str(c) for c in table if (region, c) in passed] for region, table in tables.items()}
    faults = [
        Fault(f"none of {len(tables[region].columns)} {region} features with ICC({choice.kind}) above "
              f"{choice.minimum:g}", "one at least", "lower heads.icc.minimum, or set heads.icc=null",
              file=str(folder / FILE))
        for region, names in kept.items()
        if not names
    ]  # fmt: skip
    if faults:
        raise HeadError(faults)
    return {region: table[kept[region]] for region, table in tables.items()}


def _compared(work: Work, choice: Icc, kind: str) -> pd.DataFrame:
    files = counted(work.checked.cases, work.files, work.run, kind)
    first, second = _measured(work, files, "tumour"), _measured(work, files, ROLES[kind])
    tables = []
    for region in REGIONS:
        path = work.folder / f"features/radiomics_{region}_{NAMES[kind]}.parquet"
        write_parquet(path, second[region].values, second[region].metadata)
        readings = np.stack([own[region].values.to_numpy() for own in (first, second)], axis=1)
        found = icc(readings, choice.kind, work.run.evaluate.confidence)
        bound = found.estimate if choice.bound == "estimate" else found.low
        tables.append(pd.DataFrame({
            "region": region, "feature": first[region].values.columns, "readings": kind, "cases": len(files),
            "icc": found.estimate, "low": found.low, "high": found.high, "passed": bound > choice.minimum,
        }))  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def _measured(work: Work, files: list[Files], role: str) -> dict[str, FeatureTable]:
    """Features by region of the cases as the mask ``role`` outlines them."""
    own = [outline for one in files if (outline := outlined(one, role)) is not None]
    return extract.extract(own, work.run, work.run.cache or work.folder / "features/cases")
