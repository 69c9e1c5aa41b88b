"""Radiomics tables of a cohort: cases in parallel, each result kept by its content as soon as it is there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from fusion.config.run import Run
from fusion.data.case import Files, load
from fusion.errors import CohortError, Fault, FeatureError, RegionError
from fusion.features.radiomics import engine, memory, provenance
from fusion.features.radiomics.memory import Kept
from fusion.features.radiomics.preset import columns
from fusion.features.table import FeatureTable, remarks
from fusion.machine_faults import of_file
from fusion.progress import cores, each
from fusion.roi.region import REGIONS, regions


@dataclass(frozen=True)
class Outcome:
    """A case's features by region, or the faults that left it without."""

    regions: dict[str, Kept]
    faults: tuple[Fault, ...] = ()


def extract(files: Sequence[Files], run: Run, cache: Path) -> dict[str, FeatureTable]:
    """One table a region: index ``case`` in the order of ``files``, the preset's columns.

    A case measured before with the same voxels, settings and engine is read from ``cache``, so an interrupted
    extraction goes on where it stopped.

    Raises:
        FeatureError: every case that could not be measured, after all others were.
    """
    tables, faults = measured(files, run, cache)
    if faults:
        raise FeatureError(sorted((fault for own in faults.values() for fault in own), key=str))
    return tables


def measured(
    files: Sequence[Files], run: Run, cache: Path
) -> tuple[dict[str, FeatureTable], dict[str, tuple[Fault, ...]]]:
    """Tables as ``extract`` gives them, of the cases that could be measured; and by case why the others could not.

    Raises:
        OSError: the machine fails in a way that is no case's own, such as a full disk.
    """
    memory.tidy(cache)
    if len(files) > 1 and cores(run.jobs) > 1:
        engine.compile_once(run.radiomics)  # here, so that workers find compiled code instead of each making it
    numbers = {region: np.full((len(files), len(columns(run.radiomics))), np.nan) for region in REGIONS}
    warnings = {region: [""] * len(files) for region in REGIONS}
    place = {own.case: row for row, own in enumerate(files)}
    faults: dict[str, tuple[Fault, ...]] = {}
    for own, outcome in each(partial(_measure, run=run, cache=cache), files, "radiomics", run.jobs):
        if outcome.faults:
            faults[own.case] = outcome.faults
        for region, kept in outcome.regions.items():  # row by row into one array, so that no case is held twice
            numbers[region][place[own.case]] = kept.features
            warnings[region][place[own.case]] = "; ".join(kept.warnings)
    good = [row for row, own in enumerate(files) if own.case not in faults]
    index = pd.Index([files[row].case for row in good], name="case", dtype="str")
    tables = {}
    for region in REGIONS:
        rows = numbers[region][good] if faults else numbers[region]
        tables[region] = _table(region, rows, [warnings[region][row] for row in good], index, run)
    return tables, {own.case: faults[own.case] for own in files if own.case in faults}


def metadata(run: Run) -> dict[str, str]:
    """What a reader of a radiomics table has to know about how it was made."""
    return {**provenance.metadata(run.radiomics), "ring": run.roi.external2.model_dump_json()}


def _table(region: str, numbers: np.ndarray, warnings: list[str], index: pd.Index, run: Run) -> FeatureTable:
    values = pd.DataFrame(numbers, index, list(columns(run.radiomics)))
    told = pd.Series(warnings, index, dtype="str")
    return FeatureTable(values, told, {**metadata(run), "region": region, **remarks(values)})


def _measure(files: Files, run: Run, cache: Path) -> Outcome:
    """A case's features; what is wrong with it or with its files is its own, so that all others are measured."""
    try:
        case = load(files, run.cohort, run.roi.resample_mask)
        masks = regions(case, run.roi)
    except (CohortError, RegionError) as error:
        return Outcome({}, tuple(replace(fault, case=files.case) for fault in error.faults))
    except MemoryError:
        return Outcome({}, (Fault("too little memory to read it", "more", "set fewer jobs, or crop it", files.case),))
    except OSError as error:
        return Outcome({}, (replace(of_file(error), case=files.case),))
    keys = memory.keys(case.image, masks, case.geometry, run.radiomics)
    found = {region: kept for region, key in keys.items() if (kept := memory.recall(cache, key)) is not None}
    missing = {region: mask for region, mask in masks.items() if region not in found}
    if run.radiomics.crop == "shared" and missing:
        missing = masks
    try:
        measured = engine.measure(case.image, missing, case.geometry, run.radiomics)
    except FeatureError as error:
        return Outcome({}, tuple(replace(fault, case=case.name) for fault in error.faults))
    for region in missing:
        found[region] = Kept(measured.features[region], measured.warnings[region])
        memory.remember(cache, keys[region], found[region])
    return Outcome(found)
