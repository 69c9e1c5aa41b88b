"""Smooth Gaussian random fields with unit variance everywhere, evaluated on any grid."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from fusion.types import Spacing, Volume


@dataclass(frozen=True)
class Grid:
    """Voxel centres in mm from the tumour's centre: z up, y to the back, x away from the midline."""

    z: np.ndarray
    y: np.ndarray
    x: np.ndarray

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (z, y, x)."""
        return len(self.z), len(self.y), len(self.x)

    def part(self, window: tuple[slice, slice, slice]) -> "Grid":
        """The grid of ``array[window]``."""
        return Grid(self.z[window[0]], self.y[window[1]], self.x[window[2]])

    def slabs(self, n: int) -> "Grid":
        """The same grid with every slice cut into ``n`` thinner ones."""
        thickness = self.z[1] - self.z[0]
        inner = ((np.arange(n) + 0.5) / n - 0.5) * thickness
        return Grid((self.z[:, None] + inner).ravel(), self.y, self.x)


@dataclass(frozen=True)
class Field:
    """White noise on a lattice; a point's value is the noise weighted by a Gaussian around the point.

    The lattice step equals sigma, which keeps the ripple of the correlation below 1e-4, and costs a few
    matrix products where a filter on the voxels would cost hundreds of taps a voxel.
    """

    lattice: np.ndarray
    sigma_mm: Spacing

    @classmethod
    def draw(cls, rng: Generator, sigma_mm: Spacing, half_mm: float) -> "Field":
        """A field with smoothing ``sigma_mm`` along (z, y, x), good up to ``half_mm`` from the origin."""
        size = [2 * _reach(half_mm, sigma) + 1 for sigma in sigma_mm]
        return cls(rng.standard_normal(size, dtype=np.float32), sigma_mm)

    def on(self, grid: Grid) -> Volume:
        """The field's values, float32, mean 0, variance 1; 0 far outside the lattice."""
        axes = zip((grid.z, grid.y, grid.x), self.sigma_mm, self.lattice.shape, strict=True)
        z, y, x = (_weights(at, sigma, nodes) for at, sigma, nodes in axes)
        planes = y @ (self.lattice @ x.T)
        return (z @ planes.reshape(len(planes), -1)).reshape(grid.shape)


def _reach(half_mm: float, sigma_mm: float) -> int:
    return int(np.ceil(half_mm / sigma_mm)) + 3


def _weights(at_mm: np.ndarray, sigma_mm: float, nodes: int) -> np.ndarray:
    node_mm = (np.arange(nodes) - nodes // 2) * sigma_mm
    weight = np.exp(-0.5 * ((at_mm[:, None] - node_mm) / sigma_mm) ** 2)
    weight[weight < 1e-7] = 0  # smaller ones change nothing, but denormal numbers make the products ten times slower
    norm = np.sqrt((weight**2).sum(axis=1, keepdims=True))
    return (weight / np.maximum(norm, 1e-6)).astype(np.float32)
