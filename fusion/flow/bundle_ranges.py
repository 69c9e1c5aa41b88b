"""What a finished run's training cases were like: features, clinical numbers, grey values, spacings."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import SimpleITK as sitk

from fusion.config.cohort import Number
from fusion.data.image import geometry_of
from fusion.flow.slices import FILE
from fusion.heads.plain import Question
from fusion.report.results import Results
from fusion.report.tasks.results import TaskResults
from fusion.roi.region import REGIONS
from fusion.roi.ring_files import rings_in
from fusion.roi.slice import Slices
from fusion.roi.upright import upright_geometry
from fusion.serve import ranges as made
from fusion.serve.parts import Range, Ranges
from fusion.types import Spacing

Spacings = dict[str, tuple[Range, Range, Range]]
IMAGE = "ct"
"""Key of a region run's spacings."""


def ranges(results: Results | TaskResults, questions: Sequence[Question]) -> Ranges:
    """Ranges of the training cases, of everything that a head reads and of the images themselves."""
    run, cases = results.run, results.cohort[results.cohort["set"] == "train"]
    tables = _tables(results, list(cases["case"]))
    numbers = [name for name in run.predictors if isinstance(run.cohort.clinical[name], Number)]
    wanted = made.read_features(questions)
    every = {f"{part}:{name}": table[name] for part, table in tables.items() for name in table.columns}
    return Ranges(
        features=made.of_columns(pd.DataFrame({name: every[name] for name in wanted}), wanted),
        clinical=made.of_columns(cases, numbers),
        hu={} if run.cohort.tasks else {p: own for p, t in tables.items() if (own := made.of_grey(t)) is not None},
        spacing_mm=_of_pictures(results, cases) if run.cohort.tasks else _of_images(results.folder, cases),
    )


def _tables(results: Results | TaskResults, cases: list[str]) -> dict[str, pd.DataFrame]:
    """The radiomics of ``cases`` by region or sequence."""
    run = results.run
    parts = REGIONS if not run.cohort.tasks else run.used_sequences if run.masked else ()
    folder = results.folder / "features"
    return {name: pd.read_parquet(folder / f"radiomics_{name}.parquet").reindex(cases) for name in parts}


def _of_images(folder: Path, cases: pd.DataFrame) -> Spacings:
    """From the rings' headers: a ring lies on its image's grid."""
    rings = rings_in(folder / "regions")
    return {IMAGE: made.of_axes([_spacing_mm(rings[case]) for case in cases["case"]])}


def _spacing_mm(path: Path) -> Spacing:
    """Along the patient's (z, y, x), however the file orders its axes."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    return upright_geometry(geometry_of(reader)).spacing_mm


def _of_pictures(results: Results | TaskResults, cases: pd.DataFrame) -> Spacings:
    slices = Slices.load(results.folder / FILE).of(tuple(cases["case"]))
    found = {}
    for number, name in enumerate(slices.sequences):
        if (known := slices.there[:, number]).any():
            pixels = slices.pixel_mm[known, number]
            found[name] = made.of_axes(np.column_stack([np.ones(len(pixels)), pixels]).tolist())
    return found
