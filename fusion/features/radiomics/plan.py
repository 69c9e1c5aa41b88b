"""From the radiomics section to what is done for each image: a filter, then texture with settings of its own."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from fusion.config.images import Kind, kind_of, sigma_mm
from fusion.config.radiomics import Radiomics


@dataclass(frozen=True)
class Binning:
    """Grey levels: bins of ``bin_width``, or ``bin_count`` bins where it is given."""

    bin_width: float
    bin_count: int | None


@dataclass(frozen=True)
class Texture:
    """How the features of one image are computed; fields as in the radiomics section."""

    binning: Binning
    distances: tuple[int, ...]
    symmetrical: bool
    weighting: str | None
    gldm_alpha: int
    force_2d: bool
    force_2d_dimension: int
    voxel_shift: int


@dataclass(frozen=True)
class Plain:
    """A filter without settings: original, square, squareroot, logarithm, exponential."""


@dataclass(frozen=True)
class Laplacian:
    """Laplacian of Gaussian: one image a width."""

    sigmas_mm: tuple[float, ...]


@dataclass(frozen=True)
class Wavelet:
    """Undecimated wavelet decomposition along every axis of (z, y, x), or every one but ``across``."""

    wavelet: str
    start_level: int
    levels: int
    across: int | None


@dataclass(frozen=True)
class Gradient:
    """Gradient magnitude, per mm or per voxel."""

    use_spacing: bool


@dataclass(frozen=True)
class Pattern2D:
    """Local binary pattern within slices across the axis ``dimension`` of (z, y, x)."""

    radius: float
    samples: int
    method: str
    dimension: int


@dataclass(frozen=True)
class Pattern3D:
    """Local binary pattern on a sphere."""

    levels: int
    radius: float
    subdivision: int


Filter = Plain | Laplacian | Wavelet | Gradient | Pattern2D | Pattern3D


@dataclass(frozen=True)
class Filtered:
    """Images that one filter gives, by name and in output order, and the settings of their features."""

    kind: Kind
    names: tuple[str, ...]
    texture: Texture
    filter: Filter


def plan(radiomics: Radiomics) -> tuple[Filtered, ...]:
    """What to do, in the order of ``radiomics.images``: put one after the other, the names are those images.

    Images of one kind that stand together are made together.

    >>> [(step.kind, len(step.names)) for step in plan(Radiomics())][:3]
    [('original', 1), ('log', 3), ('wavelet', 8)]
    """
    return tuple(_filtered(radiomics, kind, tuple(names)) for kind, names in groupby(radiomics.images, kind_of))


def _filtered(radiomics: Radiomics, kind: Kind, names: tuple[str, ...]) -> Filtered:
    own = radiomics.for_kind(kind)
    return Filtered(kind, names, _texture(own), _filter(kind, names, own))


def _texture(own: dict[str, Any]) -> Texture:
    return Texture(
        binning=Binning(own["bin_width"], own["bin_count"]),
        distances=own["distances"],
        symmetrical=own["symmetrical_glcm"],
        weighting=own["weighting"],
        gldm_alpha=own["gldm_alpha"],
        force_2d=own["force_2d"],
        force_2d_dimension=own["force_2d_dimension"],
        voxel_shift=own["voxel_shift"],
    )


def _filter(kind: Kind, names: tuple[str, ...], own: dict[str, Any]) -> Filter:
    across = own["force_2d_dimension"]
    match kind:
        case "log":
            return Laplacian(tuple(float(sigma_mm(name)) for name in names))
        case "wavelet":
            spared = across if own["force_2d"] else None
            return Wavelet(own["wavelet"], own["wavelet_start_level"], own["wavelet_levels"], spared)
        case "gradient":
            return Gradient(own["gradient_use_spacing"])
        case "lbp2d":
            return Pattern2D(own["lbp2d_radius"], own["lbp2d_samples"], own["lbp2d_method"], across)
        case "lbp3d":
            return Pattern3D(own["lbp3d_levels"], own["lbp3d_radius"], own["lbp3d_subdivision"])
        case _:
            return Plain()
