"""The texture matrices of many images of one region at once, counted by torch on a GPU: the kernels' numbers.

Everything is counted in whole numbers, so no order of additions can change a digit.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Integer
from numpy import ndarray

from fusion.errors import Fault, FeatureError
from fusion.features.radiomics.levels import Levels
from fusion.features.radiomics.texture import Counts, Ground

Tensor: TypeAlias = Any  # torch is imported only where a device is asked for
AT_ONCE = 2**21
"""Voxels, or cells of co-occurrence matrices, counted together unless one image has more; zones take most memory, up to
13 edges of 16 bytes a voxel and a few copies of them."""


def count(
    levels: Sequence[Levels], ground: Ground, alpha: int = 0, with_lone: bool = True, device: str = "cuda"
) -> list[Counts]:
    """Matrices of each of several images of one region, equal to those of the kernels beside this file.

    Args:
        levels: grey levels of the region's voxels in C order, one for each image.
        ground: of the region.
        alpha: largest difference in level at which a neighbour is dependent.
        with_lone: count voxels without neighbours among the grey-tone differences; IBSI does not.
        device: torch's name of it.

    Raises:
        FeatureError: a CUDA device is asked for and there is none.
    """
    import torch

    if device.startswith("cuda") and not torch.cuda.is_available():
        raise FeatureError(Fault(f"no GPU for radiomics.device={device}", "one that torch sees", "set it to cpu"))
    inside = ground.layout.fill(np.ones(len(ground.neighbours), np.uint8))
    at = torch.from_numpy(np.flatnonzero(inside)).to(device)
    # Voxels a step apart have one remainder: sorted by it, the voxels of a line stand one after another.
    lines = [at[torch.argsort(at % step, stable=True)] for step in ground.near_steps[ground.runs].tolist()]
    return [own for batch in _batches(levels, ground) for own in _count(batch, ground, at, lines, alpha, with_lone)]


def _batches(levels: Sequence[Levels], ground: Ground) -> Iterator[list[Levels]]:
    """The images in order, as many together as ``AT_ONCE`` allows."""
    size = max(len(ground.neighbours), int(np.prod(ground.layout.padded)) // 8)
    batch = np.cumsum([max(size, len(ground.pairs) * (len(own.grey) + 1) ** 2) for own in levels]) // AT_ONCE
    for number in np.unique(batch):
        yield [levels[k] for k in np.flatnonzero(batch == number).tolist()]


def _count(
    batch: list[Levels], ground: Ground, at: Tensor, lines: list[Tensor], alpha: int, with_lone: bool
) -> list[Counts]:
    size, ranks = int(np.prod(ground.layout.padded)), [len(own.grey) for own in batch]
    rank = _boxes([own.rank for own in batch], at, size)
    plain = all(own.level is own.rank for own in batch)
    level = rank if plain else _boxes([own.level for own in batch], at, size)
    pairs = _pairs(rank, at, ground.pairs.tolist(), _Tables(ranks, [n + 1 for n in ranks], at.device))
    runs = _runs(rank, lines, ground.near_steps[ground.runs].tolist(), ranks, max(ground.layout.box))
    dependences, differences = _around(level, rank, at, ground, alpha, ranks)
    known = ground.neighbours > 0
    voxels = [own.counts if with_lone else np.bincount(own.rank[known], minlength=n + 1)[1:]
              for own, n in zip(batch, ranks, strict=True)]  # fmt: skip
    zones = _zones(rank, at, ground.near_steps.tolist())
    return [Counts(*own) for own in zip(pairs, runs, dependences, voxels, differences, zones, strict=True)]


def _boxes(values: list[Integer[ndarray, " voxel"]], at: Tensor, size: int) -> Tensor:
    """One flattened box an image, 0 outside the region."""
    import torch

    own = torch.from_numpy(np.stack(values).astype(np.int32)).to(at.device)
    box = own.new_zeros((len(values), size))
    box[:, at] = own
    return box


class _Tables:
    """A table of (rank, column) for each image, of its own size, all in one row of cells."""

    def __init__(self, ranks: list[int], widths: list[int], device: Tensor) -> None:
        import torch

        self.shapes = [(n + 1, width) for n, width in zip(ranks, widths, strict=True)]
        self.ends = np.cumsum([rows * width for rows, width in self.shapes])
        self.cells = int(self.ends[-1])
        self.first = torch.tensor([0, *self.ends[:-1]], dtype=torch.int32, device=device)[:, None]
        self.width = torch.tensor(widths, dtype=torch.int32, device=device)[:, None]

    def rows(self, rank: Tensor) -> Tensor:
        """First cell of the row of each rank, by image."""
        return self.first + rank * self.width

    def split(self, cells: Tensor) -> list[ndarray]:
        """Each image's tables out of every row of ``cells``, without those of rank 0."""
        own = np.split(cells.cpu().numpy(), self.ends[:-1], axis=1)
        return [part.reshape(len(part), *shape)[:, 1:] for part, shape in zip(own, self.shapes, strict=True)]


def _pairs(rank: Tensor, at: Tensor, steps: list[int], tables: _Tables) -> list[ndarray]:
    found = rank.new_zeros((len(steps), tables.cells))
    row = tables.rows(rank.index_select(1, at))
    for counts, step in zip(found, steps, strict=True):
        cell = row + rank.index_select(1, at + step)
        counts.copy_(cell.flatten().bincount(minlength=tables.cells))
    return [table[:, :, 1:] for table in tables.split(found)]


def _runs(rank: Tensor, lines: list[Tensor], steps: list[int], ranks: list[int], longest: int) -> list[ndarray]:
    """A run ends where the next voxel differs; its length is the distance from the end before it along the lines."""
    tables = _Tables(ranks, [longest + 1] * len(ranks), rank.device)
    found = rank.new_zeros((len(steps), tables.cells))
    for counts, line, step in zip(found, lines, steps, strict=True):
        own = rank.index_select(1, line)
        end = (own != rank.index_select(1, line + step)).flatten().nonzero().flatten()
        length = end.diff(prepend=end.new_full((1,), -1))
        row = tables.rows(own).flatten()[end]
        counts.copy_((row + length).bincount(minlength=tables.cells))
    return [table[:, :, 1:] for table in tables.split(found)]


def _around(
    level: Tensor, rank: Tensor, at: Tensor, ground: Ground, alpha: int, ranks: list[int]
) -> tuple[list[ndarray], list[ndarray]]:
    """Dependences, and sums of grey-tone differences: |level - total / count| is |level x count - total| / count."""
    own = level.index_select(1, at)
    alike, total = own.new_zeros(own.shape), own.new_zeros(own.shape)
    for step in ground.around.tolist():
        other = level.index_select(1, at + step)
        alike += (other != 0) & ((other - own).abs() <= alpha)
        total += other
    tables = _Tables(ranks, [len(ground.around) + 1] * len(ranks), at.device)
    row = tables.rows(rank.index_select(1, at))
    dependences = (row + alike).flatten().bincount(minlength=tables.cells)[None]
    neighbours = own.new_tensor(ground.neighbours.astype(np.int32))
    apart = (own * neighbours - total).abs().flatten().long()
    sums = apart.new_zeros(tables.cells).index_add_(0, (row + neighbours).flatten(), apart)[None]
    by_count = [table[0, :, 1:] / np.arange(1, table.shape[2]) for table in tables.split(sums)]
    return [table[0] for table in tables.split(dependences)], [table.sum(axis=1) for table in by_count]


def _zones(rank: Tensor, at: Tensor, steps: list[int]) -> list[tuple[ndarray, ndarray]]:
    """Each voxel is named after the first of its zone: names of touching equals are joined until none differ."""
    import torch

    images, voxels = len(rank), len(at)
    own, number = rank.index_select(1, at), at.new_zeros(rank.shape[1])
    number[at] = torch.arange(voxels, device=at.device)
    name = torch.arange(images * voxels, device=at.device)
    touching = [at.new_zeros((2, 0))]
    for step in steps:
        a = (own == rank.index_select(1, at + step)).flatten().nonzero().flatten()
        touching.append(torch.stack([a, a + (number[at + step] - number[at])[a % voxels]]))
    edges = torch.cat(touching, dim=1)
    while edges.shape[1]:
        name.scatter_reduce_(0, edges.amax(dim=0), edges.amin(dim=0), "amin")
        while not name.equal(further := name[name]):
            name = further
        edges = name[edges]
        edges = edges[:, edges[0] != edges[1]]
    size = name.bincount(minlength=images * voxels)
    first = size.nonzero().flatten()
    found = torch.stack([own.flatten()[first], size[first]]).cpu().numpy()
    ends = np.cumsum((first // voxels).bincount(minlength=images).cpu().numpy())
    return [(part[0], part[1]) for part in np.split(found, ends[:-1], axis=1)]
