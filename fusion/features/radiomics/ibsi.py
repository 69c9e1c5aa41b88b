"""What `radiomics.mode: ibsi` does otherwise: IBSI 1's image processing and the definitions PyRadiomics does not share.

Source: Image Biomarker Standardisation Initiative, reference manual, arXiv:1612.07003, chapters 2 and 3; Zwanenburg
2020, doi:10.1148/radiol.2020191145.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from fusion.config.radiomics import Radiomics
from fusion.data.image import Geometry
from fusion.errors import ConfigError, Fault, FeatureError
from fusion.features.radiomics.crop.centred import Moved, Order, interpolate
from fusion.features.radiomics.crop.grid import Crop
from fusion.features.radiomics.crop.normalise import z_score
from fusion.features.radiomics.crop.placement import Box, Index, bounding_box
from fusion.features.radiomics.levels import MOST_BINS
from fusion.features.radiomics.plan import Binning
from fusion.types import Mask, Spacing, Volume

ORDERS: dict[str, Order] = {"sitkLinear": 1, "sitkBSpline": 3}
KNOWN = {
    "interpolator": tuple(ORDERS), "crop": ("exact",), "resegment_mode": ("absolute",), "resegment_shape": (False,),
}  # fmt: skip
"""Settings that IBSI 1 narrows, and what is left of them."""
AXIS_LENGTH = re.compile(r"_shape_(Major|Minor|Least)AxisLength$")


@dataclass(frozen=True)
class Processing:
    """IBSI 1's image processing, in the order in which the steps are taken."""

    spacing_mm: Spacing | None = None
    """Voxel size after interpolation; 0 keeps an axis, None the grid."""
    order: Order = 1
    """Trilinear, or a cubic spline; the mask is always trilinear."""
    rounded: bool = False
    """Interpolated grey values become whole numbers: right for HU, wrong for most else."""
    keep: tuple[float, float] | None = None
    """Grey values outside this closed range leave the intensity mask."""
    outlier_sigma: float | None = None
    """So do those further than this many standard deviations from the mean of what the range left."""

    @property
    def lowest(self) -> float | None:
        """Where bins of fixed width start in the image itself; None, as for filtered images: at the smallest value."""
        return self.keep[0] if self.keep is not None and np.isfinite(self.keep[0]) else None


def crops(image: Volume, masks: dict[str, Bool[ndarray, "_ _ _"]], geometry: Geometry,
          radiomics: Radiomics) -> dict[str, Crop]:  # fmt: skip
    """What ``grid.crops`` gives, as IBSI 1 has it: grey values in float64; the region of texture and first order
    (IBSI's intensity mask) is re-segmented, that of shape (its morphological mask) is not.

    Args:
        image: grey values, axes (z, y, x).
        masks: True inside the region, on the image's grid, by the region's name.
        geometry: the grid of image and masks.
        radiomics: the settings.

    Raises:
        ConfigError: settings that IBSI 1 does not have.
        FeatureError: every region that cannot be measured.
    """
    steps, made, faults = processing(radiomics), {}, []
    if radiomics.normalise:
        image = z_score(image, radiomics.normalise_scale, radiomics.remove_outliers)(image)
    for name, mask in masks.items():
        try:
            made[name] = prepare(image, mask, geometry, steps, radiomics.pad_distance)
        except FeatureError as error:
            faults += [replace(fault, found=f"{name}: {fault.found}") for fault in error.faults]
    if faults:
        raise FeatureError(faults)
    return made


def processing(radiomics: Radiomics) -> Processing:
    """The steps that a ``radiomics`` section asks for.

    IBSI's digital phantom is ``spacing_mm: null, bin_width: 1``; the configurations of its CT phantom are

    - A: ``spacing_mm: null, resegment_range: [-500, 400], bin_width: 25, force_2d: true``
    - B: ``spacing_mm: [0, 2, 2], resegment_range: [-500, 400], bin_count: 32, force_2d: true``
    - C: ``spacing_mm: [2, 2, 2], resegment_range: [-1000, 400], bin_width: 25``
    - D: ``spacing_mm: [2, 2, 2], outlier_sigma: 3, bin_count: 32``
    - E: ``spacing_mm: [2, 2, 2], resegment_range: [-1000, 400], outlier_sigma: 3, bin_count: 32``

    and for A to D ``interpolator: sitkLinear``, for E ``sitkBSpline``, for all ``round_intensities: true``.

    Raises:
        ConfigError: settings that IBSI 1 does not have.
    """
    own = radiomics
    faults = [
        Fault(f"radiomics.{name}={getattr(own, name)}", " or ".join(map(str, known)), "change it, or set mode=exact")
        for name, known in KNOWN.items()
        if getattr(own, name) not in known
    ]
    if faults:
        raise ConfigError(faults)
    keep = (*own.resegment_range, np.inf)[:2] if own.resegment_range is not None else None
    return Processing(own.spacing_mm, ORDERS[own.interpolator], own.round_intensities, keep, own.outlier_sigma)


def prepare(image: Volume, region: Mask, geometry: Geometry, steps: Processing, pad: int = 0) -> Crop:
    """One region interpolated, rounded, re-segmented, and cropped to its bounding box and ``pad`` voxels.

    Raises:
        FeatureError: the region has no voxel, or keeps none.
    """
    spacing_mm = geometry.spacing_mm
    z, y, x = (new or old for new, old in zip(steps.spacing_mm or spacing_mm, spacing_mm, strict=True))
    box = _box(region, "the mask", "check its label")
    moved = interpolate(image, region, box, spacing_mm, (z, y, x), order=steps.order, pad=pad)
    box = _box(moved.region, "the interpolated mask", "choose a finer radiomics.spacing_mm, or leave the region out")
    first = [max(part.start - pad, 0) for part in box]
    part = tuple(slice(start, own.stop + pad) for start, own in zip(first, box, strict=True))
    values = np.round(moved.image[part]) if steps.rounded else moved.image[part]
    kept = _resegment(values, moved.region[part], steps)
    return Crop(values, kept, moved.region[part], (z, y, x), *_placed(moved, first, (z, y, x), geometry))


def edges(values: Float[ndarray, " voxel"], binning: Binning, lowest: float | None = None) -> Float[ndarray, " edge"]:
    """Lower edges of the grey levels (manual, 2.7): values from the k-th edge (from 1) to the next have level k.

    Args:
        values: of the intensity mask.
        binning: width or number of bins.
        lowest: where bins of fixed width start; None starts them at the smallest value.

    >>> edges(np.array([-940.0, 12.0]), Binning(500.0, None), lowest=-1000.0).tolist()
    [-1000.0, -500.0, 0.0]
    >>> edges(np.array([0.0, 9.0]), Binning(25.0, 3)).tolist()
    [0.0, 3.0, 6.0]
    """
    low, high = float(values.min()), float(values.max())
    if binning.bin_count is not None:
        steps = np.arange(binning.bin_count if high > low else 1)
        return low + (high - low) * steps / binning.bin_count
    low = low if lowest is None else lowest
    bins = min((high - low) // binning.bin_width + 1, MOST_BINS + 1)  # one too many is refused where levels are made
    return low + binning.bin_width * np.arange(int(bins))


def redefine(columns: Sequence[str], values: Float[ndarray, " feature"], voxels: int) -> Float[ndarray, " feature"]:
    """``values`` as PyRadiomics defines them, with IBSI's definition of kurtosis and of the axis lengths.

    IBSI's kurtosis is the excess over a normal distribution's (3), or 0 in a flat region. Its axis lengths reach the
    consensus with a covariance over N - 1 (the digital phantom's 11.4, 9.31 and 8.54 mm; over N: 11.33, 9.24, 8.48).

    Args:
        columns: names of the features, such as ``original_firstorder_Kurtosis``.
        values: one a column.
        voxels: N, of the morphological mask.
    """
    kurtosis = np.array([name.endswith("_firstorder_Kurtosis") for name in columns], dtype=bool)
    length = np.array([AXIS_LENGTH.search(name) is not None for name in columns], dtype=bool)
    excess = np.where(values > 0, values - 3, 0.0)  # PyRadiomics gives 0 for a flat region, at least 1 elsewhere
    return np.where(kurtosis, excess, np.where(length, values * np.sqrt(voxels / max(voxels - 1, 1)), values))


def _resegment(image: Volume, region: Mask, steps: Processing) -> Mask:
    """The intensity mask (manual, 2.6)."""
    kept = region
    if steps.keep is not None:
        kept = kept & (image >= steps.keep[0]) & (image <= steps.keep[1])
    if steps.outlier_sigma is not None and kept.any():
        mean, reach = image[kept].mean(), steps.outlier_sigma * image[kept].std()
        kept = kept & (image >= mean - reach) & (image <= mean + reach)
    _box(kept, "the re-segmented mask", "widen radiomics.resegment_range, or check the image's unit")
    return kept


def _box(region: Mask, what: str, remedy: str) -> Box:
    box = bounding_box(region)
    if box is None:
        raise FeatureError(Fault(f"no voxel in {what}", "at least one", remedy))
    return box


def _placed(
    moved: Moved, first: Sequence[int], spacing_mm: Spacing, geometry: Geometry
) -> tuple[Index, tuple[float, float, float], tuple[float, ...]]:
    """A crop's first voxel on its grid and in mm, and its direction."""
    z, y, x = (int(a + b) for a, b in zip(moved.first, first, strict=True))
    steps = np.divide(spacing_mm, geometry.spacing_mm)
    corner = np.add(moved.corner, np.multiply(first, steps))
    point = replace(geometry, size=(1, 1, 1)).blank().TransformContinuousIndexToPhysicalPoint(corner[::-1].tolist())
    return (z, y, x), tuple(point), geometry.direction
