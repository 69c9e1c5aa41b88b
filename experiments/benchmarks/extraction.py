"""Radiomics of a cohort: fusion's parallel, resumable extraction against a plain PyRadiomics loop, in one run.

Ends with one line of JSON: seconds of both, their ratio, the largest relative difference of a feature, and the seconds
of a second extraction that finds everything in the cache.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from fusion import phantom
from fusion.config import parse
from fusion.config.cohort import Phantom
from fusion.config.run import Run
from fusion.data.case import Files, load
from fusion.data.cohort import read
from fusion.features.radiomics import extract, oracle
from fusion.features.radiomics.preset import columns
from fusion.roi.region import REGIONS, regions

Result = TypeVar("Result")
CASES = 24


def main(cases: int = CASES, words: Sequence[str] = ()) -> None:
    """Measure ``cases`` phantom cases; ``words`` change the run as on the command line."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = parse(f"{{name: bench, cohort: {{table: {folder / 'clinical.csv'}}}}}", words)
        phantom.make(run.cohort.table, Phantom(cases=cases), run.jobs)
        files = read(run.cohort, run.seed).files
        seconds, found = timed(lambda: extract.extract(files, run, folder / "cache"))
        again, _ = timed(lambda: extract.extract(files, run, folder / "cache"))
        plain, expected = timed(lambda: one_after_another(files, run))
    difference = max(relative(found[name].values.to_numpy(), expected[name].to_numpy()) for name in REGIONS)
    figures = {"cases": cases, "seconds": seconds, "plain_seconds": plain, "ratio": plain / seconds}
    print(json.dumps({**figures, "resumed_seconds": again, "max_relative_difference": difference}))


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    return float((np.abs(found - expected) / np.abs(expected).clip(1e-12)).max())


def timed(work: Callable[[], Result]) -> tuple[float, Result]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def one_after_another(files: Sequence[Files], run: Run) -> dict[str, pd.DataFrame]:
    rows: dict[str, list] = {region: [] for region in REGIONS}
    for own in files:
        case = load(own, run.cohort, run.roi.resample_mask)
        for region, mask in regions(case, run.roi).items():
            rows[region].append(oracle.extract(case.image, mask, case.geometry, run.radiomics))
    index = [own.case for own in files]
    return {region: pd.DataFrame(values, index, columns(run.radiomics)) for region, values in rows.items()}


if __name__ == "__main__":
    sys.path[:] = [place for place in sys.path if Path(place) != Path(__file__).resolve().parent]
    # where radiomics.py would be imported instead of PyRadiomics
    main()
