"""Radiomics tables of a cohort: cases in parallel, each result kept by its content as soon as it is there."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from fusion.config.run import Run
from fusion.data.case import Case, Files, load
from fusion.errors import Fault, FeatureError
from fusion.features.radiomics import oracle
from fusion.features.radiomics.preset import columns
from fusion.progress import each
from fusion.roi.region import REGIONS, regions
from fusion.store import whole
from fusion.types import Mask, Vector


@dataclass(frozen=True)
class Measured:
    """A case's features by region, or the faults that left it without."""

    features: dict[str, Vector]
    faults: tuple[Fault, ...]


def extract(files: Sequence[Files], run: Run, cache: Path) -> dict[str, pd.DataFrame]:
    """One table a region: index ``case`` in the order of ``files``, the preset's columns.

    A case measured before with the same voxels and settings is read from ``cache``, so an interrupted extraction goes
    on where it stopped.

    Raises:
        FeatureError: every case that could not be measured, after all others were.
    """
    measured = dict(each(partial(_measure, run=run, cache=cache), files, "radiomics", run.jobs))
    faults = [fault for result in measured.values() for fault in result.faults]
    if faults:
        raise FeatureError(sorted(faults, key=str))
    index = pd.Index([own.case for own in files], name="case")
    names = list(columns(run.radiomics))
    return {
        region: pd.DataFrame(np.stack([measured[own].features[region] for own in files]), index, names)
        for region in REGIONS
    }


def metadata(run: Run) -> dict[str, str]:
    """What a reader of a radiomics table has to know about how it was made."""
    return {
        "engine": f"pyradiomics {version('pyradiomics')}",
        "input_type": "float32",
        "crop": "each region's bounding box + 5 voxels after resampling",
        "settings": run.radiomics.model_dump_json(),
        "ring": run.roi.external2.model_dump_json(),
    }


def _measure(files: Files, run: Run, cache: Path) -> Measured:
    case = load(files, run.cohort, run.roi.resample_mask)
    features, faults = {}, []
    for name, mask in regions(case, run.roi).items():
        try:
            features[name] = _remembered(case, mask, run, cache)
        except FeatureError as error:
            faults += [replace(fault, case=case.name, found=f"{name}: {fault.found}") for fault in error.faults]
    return Measured(features, tuple(faults))


def _remembered(case: Case, mask: Mask, run: Run, cache: Path) -> Vector:
    """The features from the cache, or measured now and put there."""
    path = cache / f"{_key(case, mask, run)}.npy"
    if path.is_file():
        return np.load(path, allow_pickle=False)
    values = oracle.extract(case.image, mask, case.geometry, run.radiomics)
    with whole(path) as part, part.open("wb") as file:
        np.save(file, values, allow_pickle=False)
    return values


def _key(case: Case, mask: Mask, run: Run) -> str:
    """Digest of everything the features depend on: voxels, grid, settings, versions. Nothing that names a patient."""
    settings = {
        "radiomics": run.radiomics.model_dump(mode="json"),
        "versions": {name: version(name) for name in ("pyradiomics", "scipy", "numpy", "SimpleITK", "PyWavelets")},
        "geometry": [case.geometry.size, case.geometry.spacing_mm, case.geometry.origin_mm, case.geometry.direction],
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    digest.update(case.image.tobytes())
    digest.update(np.packbits(mask).tobytes())
    return digest.hexdigest()
