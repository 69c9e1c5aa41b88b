"""How well second readings agree with the first on every radiomics feature, and the features on which they do."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from fusion.config.harmonise import Icc
from fusion.data.case import Files
from fusion.errors import Fault, FeatureError, HeadError
from fusion.features.icc import FILE, KINDS, icc
from fusion.features.radiomics import extract
from fusion.flow.folder import told
from fusion.flow.perturbed import mask_path, write_masks
from fusion.flow.readings import PERTURBED, ROLES, asked, counted, outlined, redrawn
from fusion.flow.work import Work
from fusion.roi.region import REGIONS
from fusion.store import write_csv, write_parquet

NAMES = {"inter": "reader2", "intra": "repeat"}
"""How the table of a second reading is named; perturbed ones are numbered."""


def write_agreement(work: Work) -> None:
    """features/radiomics_<region>_reader2.parquet, _repeat.parquet and _perturbed<reading>.parquet, and
    features/icc.csv, where heads.icc asks; perturbed masks are drawn first.

    All readings of a case have the automatic ring round their own mask, so that a ring refined by hand is not compared
    with one that is not.

    Raises:
        FeatureError: every reading that could not be measured, after all others were.
    """
    choice = work.run.heads.icc
    if choice is None or (work.folder / FILE).is_file():
        return
    with told(work.folder, "readings"):
        found = [_compared(work, choice, kind) for kind in asked(work.run)]
        if faults := [fault for own in found if isinstance(own, list) for fault in own]:
            raise FeatureError(sorted(set(faults), key=str))
        write_csv(work.folder / FILE, pd.concat([own for own in found if not isinstance(own, list)], ignore_index=True))


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


def _compared(work: Work, choice: Icc, kind: str) -> pd.DataFrame | list[Fault]:
    """Agreement on every feature between the first readings and others; or why some could not be measured."""
    files = counted(work.cases, work.files, work.run, kind)
    faults = write_masks(work, files, choice.perturb) if kind == PERTURBED and choice.perturb is not None else []
    readings = {"": [redrawn(one, one.tumour) for one in files]}
    if not faults:
        readings |= _others(work, choice, kind, files)
    tables = {}
    for name, again in readings.items():
        tables[name], failed = extract.measured(again, work.run, work.run.cache or work.folder / "features/cases")
        masks = {one.case: str(one.tumour) for one in again}
        faults += [replace(fault, file=fault.file or masks[case]) for case in failed for fault in failed[case]]
    if faults:
        return faults
    for name, table in tables.items():
        for region in REGIONS if name else ():
            path = work.folder / f"features/radiomics_{region}_{name}.parquet"
            write_parquet(path, table[region].values, table[region].metadata)
    regions = [_rows(work, choice, kind, region, [own[region].values for own in tables.values()]) for region in REGIONS]
    return pd.concat(regions, ignore_index=True)


def _others(work: Work, choice: Icc, kind: str, files: list[Files]) -> dict[str, list[Files]]:
    """The readings that ``kind`` compares with the first, by the name of their table."""
    if kind != PERTURBED or choice.perturb is None:
        return {NAMES[kind]: [own for one in files if (own := outlined(one, ROLES[kind])) is not None]}
    numbers = range(1, choice.perturb.readings + 1)
    return {f"perturbed{n}": [redrawn(one, mask_path(work.folder, one.case, n)) for one in files] for n in numbers}


def _rows(work: Work, choice: Icc, kind: str, region: str, readings: list[pd.DataFrame]) -> pd.DataFrame:
    """A row a feature: the ICC that decides, whether it passed, and all three ICCs with their intervals."""
    stacked = np.stack([own.to_numpy() for own in readings], axis=1)
    every = {own: icc(stacked, own, work.run.evaluate.confidence) for own in KINDS}
    found = every[choice.kind]
    bound = found.estimate if choice.bound == "estimate" else found.low
    more = {
        f"{name}_{own.replace(',', '_')}": value
        for own in KINDS
        for name, value in (("icc", every[own].estimate), ("low", every[own].low), ("high", every[own].high))
    }
    return pd.DataFrame({
        "region": region, "feature": readings[0].columns, "readings": kind, "cases": len(readings[0]),
        "icc": found.estimate, "low": found.low, "high": found.high, "passed": bound > choice.minimum,
        "masks": len(readings), **more,
    })  # fmt: skip
