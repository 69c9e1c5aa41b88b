"""Radiomics tables of a cohort: cases in parallel, each result kept by its content as soon as it is there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from fusion.config.run import Run
from fusion.data.case import Files, load
from fusion.errors import Fault, FeatureError
from fusion.features.radiomics import engine, memory, provenance
from fusion.features.radiomics.memory import Kept
from fusion.features.radiomics.preset import columns
from fusion.features.table import FeatureTable, remarks
from fusion.progress import cores, each
from fusion.roi.region import REGIONS, regions


@dataclass(frozen=True)
class Outcome:
    """A case's features by region, or the faults that left it without."""

    regions: dict[str, Kept]
    faults: tuple[Fault, ...]


def extract(files: Sequence[Files], run: Run, cache: Path) -> dict[str, FeatureTable]:
    """One table a region: index ``case`` in the order of ``files``, the preset's columns.

    A case measured before with the same voxels, settings and engine is read from ``cache``, so an interrupted
    extraction goes on where it stopped.

    Raises:
        FeatureError: every case that could not be measured, after all others were.
    """
    if len(files) > 1 and cores(run.jobs) > 1:
        engine.compile_once(run.radiomics)  # here, so that workers find compiled code instead of each making it
    outcomes = dict(each(partial(_measure, run=run, cache=cache), files, "radiomics", run.jobs))
    faults = [fault for outcome in outcomes.values() for fault in outcome.faults]
    if faults:
        raise FeatureError(sorted(faults, key=str))
    return {region: _table(region, [outcomes[own].regions[region] for own in files], files, run) for region in REGIONS}


def metadata(run: Run) -> dict[str, str]:
    """What a reader of a radiomics table has to know about how it was made."""
    return {**provenance.metadata(run.radiomics), "ring": run.roi.external2.model_dump_json()}


def _table(region: str, kept: list[Kept], files: Sequence[Files], run: Run) -> FeatureTable:
    index = pd.Index([own.case for own in files], name="case")
    values = pd.DataFrame(np.stack([own.features for own in kept]), index, list(columns(run.radiomics)))
    warnings = pd.Series(["; ".join(own.warnings) for own in kept], index, dtype="str")
    return FeatureTable(values, warnings, {**metadata(run), "region": region, **remarks(values)})


def _measure(files: Files, run: Run, cache: Path) -> Outcome:
    case = load(files, run.cohort, run.roi.resample_mask)
    masks = regions(case, run.roi)
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
    return Outcome(found, ())
