"""`fusion extract` of cohorts of growing size: memory must be that of the workers, and a case must cost the same.

    python experiments/benchmarks/scale.py [--cases 200 2000] [--jobs 2]

The cases are small noise volumes with a brighter blob, all different, measured on the original image alone; the command
is the user's own, in a process of its own. Ends with one line of JSON: by number of cases seconds, CPU seconds a case,
peak memory of the parent and of the largest worker, and what a case more costs in seconds and in the parent's memory.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import SimpleITK as sitk

CASES = (200, 2000)
SHAPE, SPACING_MM = (8, 32, 32), (3.0, 1.0, 1.0)
COMMAND = [sys.executable, "-c", "from fusion.cli import main; main()", "extract"]
CONFIG = """
name: scale
output: {folder}/run
cohort: {{table: {folder}/table.csv}}
radiomics: {{images: [original]}}
split: {{folds: 2}}
heads: {{lasso_folds: 2, top: 3}}
network: null
bundle: false
jobs: {jobs}
"""
SECONDS_BETWEEN_LOOKS = 0.2


@dataclass(frozen=True)
class Cost:
    """What `fusion extract` of a cohort took."""

    cases: int
    seconds: float
    cpu_seconds: float
    """Of the parent and all workers."""
    parent_mb: float
    """Peak resident memory."""
    worker_mb: float
    """That of the largest worker; 0 where the parent works alone."""


def main(sizes: list[int], jobs: int) -> None:
    """Measure ``fusion extract`` of so many cases, one cohort after another."""
    found = []
    for cases in sizes:
        with tempfile.TemporaryDirectory() as name:
            write(Path(name), cases, jobs)
            found.append(measured([*COMMAND, f"{name}/scale.yaml"], cases))
    print(json.dumps(figures(found, jobs)))


def figures(found: list[Cost], jobs: int) -> dict[str, object]:
    """The costs by number of cases, and of one case more between the smallest and the largest cohort."""
    few, many = found[0], found[-1]
    more = max(many.cases - few.cases, 1)
    return {
        "jobs": jobs,
        "cases": [own.cases for own in found],
        "seconds": [round(own.seconds, 1) for own in found],
        "cpu_seconds_a_case": [round(own.cpu_seconds / own.cases, 4) for own in found],
        "parent_peak_mb": [round(own.parent_mb) for own in found],
        "worker_peak_mb": [round(own.worker_mb) for own in found],
        "seconds_of_a_case_more": (many.seconds - few.seconds) / more,
        "cpu_seconds_of_a_case_more": (many.cpu_seconds - few.cpu_seconds) / more,
        "parent_kb_of_a_case_more": (many.parent_mb - few.parent_mb) * 1024 / more,
    }


def write(folder: Path, cases: int, jobs: int) -> None:
    """Images, masks, table.csv and scale.yaml."""
    rng, rows = np.random.default_rng(0), []
    z, y, x = np.ogrid[tuple(slice(n) for n in SHAPE)]
    for number in range(cases):
        centre, radius_mm = rng.uniform(14, 18, 2), rng.uniform(5, 7)
        distance_mm = np.sqrt(((z - 3.5) * 3) ** 2 + (y - centre[0]) ** 2 + (x - centre[1]) ** 2)
        blob = distance_mm <= radius_mm
        grey = rng.normal(20, 15, SHAPE) + 40 * blob
        files = {name: f"c{number}_{name}.nii" for name in ("ct", "tumour")}
        for file, voxels in zip(files.values(), (grey.astype(np.int16), blob.astype(np.uint8)), strict=True):
            image = sitk.GetImageFromArray(voxels)
            image.SetSpacing(SPACING_MM[::-1])
            sitk.WriteImage(image, str(folder / file))
        rows.append({"case": f"c{number}", "patient": f"p{number}", "malignant": number % 2, **files})
    pd.DataFrame(rows).to_csv(folder / "table.csv", index=False)
    (folder / "scale.yaml").write_text(CONFIG.format(folder=folder, jobs=jobs), encoding="utf-8")


def measured(command: list[str], cases: int) -> Cost:
    """The cost of ``command``, whose workers are its children."""
    before, start, peaks = _cpu_seconds(), time.perf_counter(), dict[int, float]()
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while started.poll() is None:
        for number in (started.pid, *_children(started.pid)):
            peaks[number] = max(_peak_mb(number), peaks.get(number, 0.0))
        time.sleep(SECONDS_BETWEEN_LOOKS)
    assert started.stderr is not None
    if started.returncode:
        raise SystemExit(started.stderr.read())
    started.stderr.close()
    parent_mb = peaks.pop(started.pid)
    seconds = time.perf_counter() - start
    return Cost(cases, seconds, _cpu_seconds() - before, parent_mb, max(peaks.values(), default=0.0))


def _children(parent: int) -> list[int]:
    try:
        return [int(n) for path in Path(f"/proc/{parent}/task").glob("*/children") for n in path.read_text().split()]
    except FileNotFoundError:  # it has just ended
        return []


def _peak_mb(number: int) -> float:
    try:
        lines = Path(f"/proc/{number}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def _cpu_seconds() -> float:
    """Of all processes that were started from here and have ended, with theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.path[:] = [place for place in sys.path if Path(place) != Path(__file__).resolve().parent]
    # where radiomics.py would be imported instead of PyRadiomics
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, nargs="+", default=list(CASES))
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    main(given.cases, given.jobs)
