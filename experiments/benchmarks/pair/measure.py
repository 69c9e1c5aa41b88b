"""One case, one engine, in this process alone: CPU seconds, wall seconds, resident memory.

python experiments/benchmarks/pair/measure.py CASE fusion|pyradiomics [--threads 1] [--repeats 1] [--features FILE.npz]

A call on a small volume comes first and is not counted: it loads what is loaded once (kernels from numba's cache,
modules that are imported where they are used). Ends with one line of JSON.
"""

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import typer
from threadpoolctl import threadpool_limits

from fusion.config.radiomics import Radiomics
from fusion.data.image import Geometry, read_image, read_labels
from fusion.features.radiomics.preset import columns
from fusion.types import Mask, Vector, Volume

REGIONS = ("tumour", "external2")
Work = Callable[[], dict[str, Vector]]


def work(
    engine: str, image: Volume, masks: dict[str, Mask], geometry: Geometry, radiomics: Radiomics, threads: int
) -> Work:
    """What is timed; the other engine is not even imported, so that it takes no memory."""
    if engine == "fusion":
        from fusion.features.radiomics.engine import measure

        return lambda: measure(image, masks, geometry, radiomics, threads).features
    from fusion.features.radiomics.oracle import extract

    return lambda: {region: extract(image, mask, geometry, radiomics) for region, mask in masks.items()}


def small() -> tuple[Volume, dict[str, Mask], Geometry]:
    """A ball in noise, and the rest of a larger ball."""
    shape = (20, 20, 20)
    radius = np.sqrt(sum((axis - 9.5) ** 2 for axis in np.ogrid[:20, :20, :20]))
    noise = np.random.default_rng(0).normal(50, 40, shape).astype(np.float32)
    masks = {"tumour": radius < 5, "external2": (radius >= 5) & (radius < 7)}
    return noise, masks, Geometry(shape, (0.9, 0.9, 0.9), (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))


def read(folder: Path) -> tuple[Volume, dict[str, Mask], Geometry]:
    """The case that cases.py wrote to ``folder``."""
    image = read_image(folder / "image.nii")
    masks = {region: read_labels(folder / f"{region}.nii").values > 0 for region in REGIONS}
    return image.values, masks, image.geometry


def resident_mb(field: str) -> float:
    """Resident memory of this process, in 10^6 bytes: VmRSS is now, VmHWM the largest so far.

    Linux's ``ru_maxrss`` would not do: it begins with the memory of the process that started this one.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(f"{field}:"))


def timed(repeats: int, job: Work) -> tuple[list[float], list[float], dict[str, Vector]]:
    """CPU seconds and wall seconds of each call, and what the last one gave."""
    cpu, wall = [], []
    for _ in range(repeats):
        cpu_start, wall_start = time.process_time(), time.perf_counter()
        found = job()
        cpu.append(time.process_time() - cpu_start)
        wall.append(time.perf_counter() - wall_start)
    return cpu, wall, found


def main(case: Path, engine: str, threads: int = 1, repeats: int = 1, features: Path | None = None) -> None:
    """Measure CASE and print one line of JSON."""
    radiomics = Radiomics(**json.loads((case / "case.json").read_text(encoding="utf-8"))["radiomics"])
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    begin = partial(work, engine, radiomics=radiomics, threads=threads)
    with threadpool_limits(1):
        begin(*small())()
        own = read(case)
        loaded_mb = resident_mb("VmRSS")
        cpu, wall, found = timed(repeats, begin(*own))
    if features:
        np.savez(features, allow_pickle=False, names=np.array(columns(radiomics)), **found)
    figures = {"cpu_s": cpu, "wall_s": wall, "loaded_mb": loaded_mb, "peak_mb": resident_mb("VmHWM")}
    print(json.dumps(figures))


if __name__ == "__main__":
    typer.run(main)
