"""Texture matrices of 20 images of one large region: torch on a GPU against the numba kernels on one thread.

Ends with one line of JSON: seconds of both (transfers to and from the device counted), their ratio, and the largest
difference of a count. Without a GPU torch runs on one thread of the CPU, which the line says: it tells that the numbers
are equal, not whether a GPU wins.
"""

import json
import time
from collections.abc import Callable

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from fusion.features.radiomics.levels import Levels, discretise
from fusion.features.radiomics.matrices.cooccurrence import count_pairs
from fusion.features.radiomics.matrices.likeness import find_likeness
from fusion.features.radiomics.matrices.neighbourhood import count_dependences, count_near_dependences, sum_differences
from fusion.features.radiomics.matrices.on_device import count
from fusion.features.radiomics.matrices.runs import count_runs
from fusion.features.radiomics.matrices.zones import find_zones
from fusion.features.radiomics.plan import Binning, Texture
from fusion.features.radiomics.texture import Counts, Ground, ground

TEXTURE = Texture(Binning(25.0, None), (1,), True, None, 0, False, 0, 0)
RADII = (40, 43, 51)
"""Of the ellipsoid along (z, y, x): 366,000 voxels, as the tumour of STS_001 at 1 mm."""
IMAGES = 20


def main() -> None:
    torch.set_num_threads(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    figures = measure(RADII, IMAGES, device)
    if device == "cpu":
        print("no GPU on this machine: torch ran on one thread of the CPU")
    print(json.dumps(figures))


def measure(radii: tuple[int, int, int], images: int, device: str) -> dict[str, object]:
    mask = ellipsoid(radii)
    own = ground(mask, (1.0, 1.0, 1.0), TEXTURE)
    levels = [image(mask, number) for number in range(images)]
    expected, numba_seconds = timed(lambda few: [by_kernels(grey, own, 0, True) for grey in few], levels)
    found, torch_seconds = timed(lambda few: count(few, own, device=device), levels)
    return {
        "voxels": len(own.neighbours), "images": images, "most_levels": max(len(grey.grey) for grey in levels),
        "device": torch.cuda.get_device_name() if device == "cuda" else device, "gpu": device == "cuda",
        "numba_seconds": numba_seconds, "torch_seconds": torch_seconds, "ratio": numba_seconds / torch_seconds,
        "max_difference": max(map(difference, found, expected)),
    }  # fmt: skip


def ellipsoid(radii: tuple[int, int, int]) -> np.ndarray:
    z, y, x = np.ogrid[tuple(slice(-r, r + 1) for r in radii)]
    return (z / radii[0]) ** 2 + (y / radii[1]) ** 2 + (x / radii[2]) ** 2 <= 1


def image(mask: np.ndarray, number: int) -> Levels:
    """Noise of one of four grains, at one of five contrasts from one level to about a hundred."""
    noise = gaussian_filter(np.random.default_rng(number).standard_normal(mask.shape), (0.0, 0.7, 1.5, 3.0)[number % 4])
    values = noise / noise.std() * (1, 25, 75, 150, 300)[number % 5]
    return discretise(values[mask], TEXTURE.binning)


def timed(work: Callable[[list[Levels]], list[Counts]], levels: list[Levels]) -> tuple[list[Counts], float]:
    """What ``work`` gives, and its seconds once kernels are compiled and the device is awake."""
    work(levels[:1])
    start = time.perf_counter()
    return work(levels), time.perf_counter() - start


def by_kernels(levels: Levels, own: Ground, alpha: int, with_lone: bool) -> Counts:
    """What ``count`` gives, by the kernels that the engine runs on a CPU."""
    ranks, start, length = len(levels.grey), own.layout.start, own.layout.length
    rank, level = own.layout.fill(levels.rank), own.layout.fill(levels.level)
    likeness = find_likeness(rank, start, length, own.near_steps)
    pairs = np.zeros((len(own.pairs), (ranks + 1) ** 2), np.int32)
    for table, step in zip(pairs, own.pairs, strict=True):
        count_pairs(rank, start, length, step, table)
    longest, room = max(own.layout.box), np.empty(rank.size, np.uint16)
    runs = np.zeros((len(own.runs), ranks, longest), np.int32)
    for table, bit in zip(runs, own.runs, strict=True):
        step = own.near_steps[bit]
        table[:] = count_runs(rank, likeness, start, length, step, bit, longest, ranks, room)
    if alpha == 0 and np.array_equal(own.pairs, own.near_steps):
        dependences = count_dependences(rank, likeness, start, length, ranks)[:, : len(own.around) + 1]
    else:
        dependences = count_near_dependences(level, rank, start, length, own.around, alpha, ranks)
    voxels, sums = sum_differences(level, rank, start, length, own.around, own.neighbours, ranks, with_lone)
    zones = find_zones(rank, likeness, start, length, own.near, own.near_steps)
    return Counts(pairs.reshape(-1, ranks + 1, ranks + 1)[:, 1:, 1:], runs, dependences, voxels, sums, zones)


def difference(found: Counts, expected: Counts) -> float:
    """Of counts the largest absolute difference, of sums of grey-tone differences the largest relative one."""
    counts = [(found.pairs, expected.pairs), (found.runs, expected.runs), (found.dependences, expected.dependences),
              (found.voxels, expected.voxels), *zip(found.zones, expected.zones, strict=True)]  # fmt: skip
    sums = np.abs(found.differences - expected.differences) / np.abs(expected.differences).clip(1e-12)
    return float(max([sums.max()] + [np.abs(a.astype(float) - b).max() for a, b in counts if a.size]))


if __name__ == "__main__":
    main()
