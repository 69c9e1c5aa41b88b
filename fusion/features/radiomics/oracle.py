"""Features of one region through PyRadiomics 3.0.1."""

import contextlib
import logging
import sys
import types
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.ndimage
import scipy.special

from fusion.config.images import TYPES, Kind, kind_of, sigma_mm
from fusion.config.pyradiomics import PER_IMAGE, VOXEL, WHOLE
from fusion.config.radiomics import Radiomics
from fusion.data.image import Geometry, to_sitk
from fusion.errors import Fault, FeatureError
from fusion.features.radiomics.preset import columns
from fusion.types import Mask, Vector, Volume


def extract(image: Volume, region: Mask, geometry: Geometry, radiomics: Radiomics) -> Vector:
    """Every feature of ``columns(radiomics)``, in that order.

    Args:
        image: grey values as float32, axes (z, y, x).
        region: True inside the region, same shape.
        geometry: the grid of both.
        radiomics: preset.

    Raises:
        FeatureError: PyRadiomics refuses the region, leaves a feature out, or computes one that is not finite.
    """
    wanted = columns(radiomics)
    own = extractor(radiomics)
    try:
        with scipy_names(), _floats_in_patterns(), np.errstate(all="ignore"):
            found = own.execute(to_sitk(image, geometry), to_sitk(region.astype(np.uint8), geometry))
    except (ValueError, IndexError, ZeroDivisionError, RuntimeError, np.linalg.LinAlgError) as error:
        reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        remedy = "use a larger region, more slices, or fewer radiomics.images"
        raise FeatureError(Fault(f"no features ({reason[0]})", f"{len(wanted)}", remedy)) from error
    values = np.array([float(found.get(name, np.nan)) for name in wanted])
    bad = [name for name, value in zip(wanted, values, strict=True) if not np.isfinite(value)]
    if bad:
        shown = ", ".join(bad[:3]) + (", ..." if len(bad) > 3 else "")
        remedy = "use a larger region, more slices, or fewer radiomics.images"
        raise FeatureError(Fault(f"{len(bad)} features missing or not finite ({shown})", f"{len(wanted)}", remedy))
    return values


def extractor(radiomics: Radiomics) -> Any:
    """PyRadiomics' extractor with these settings; it takes masks with label 1."""
    import radiomics as pyradiomics
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    pyradiomics.logger.setLevel(logging.CRITICAL)  # a missing feature is an error here, not a log line
    own = RadiomicsFeatureExtractor(**{**_settings(radiomics), "label": 1}, additionalInfo=False)
    own.disableAllImageTypes()
    for kind in dict.fromkeys(kind_of(name) for name in radiomics.images):
        own.enableImageTypeByName(TYPES[kind], customArgs=_custom(radiomics, kind))
    own.disableAllFeatures()
    own.enableFeaturesByName(**{kind: list(names or ()) for kind, names in radiomics.classes.items()})
    return own


def _settings(radiomics: Radiomics) -> dict[str, Any]:
    """The settings under PyRadiomics' names; spacing as (x, y, z)."""
    own = {theirs: getattr(radiomics, ours) for theirs, ours in {**WHOLE, **PER_IMAGE, **VOXEL}.items()}
    spacing = radiomics.spacing_mm
    return {**own, "resampledPixelSpacing": list(spacing[::-1]) if spacing else None}


def _custom(radiomics: Radiomics, kind: Kind) -> dict[str, Any]:
    """Settings of one image type; sigmas written as their images are named, so that 1 and 1.0 stay two names."""
    given = radiomics.per_image[kind].given if kind in radiomics.per_image else {}
    own = {theirs: given[ours] for theirs, ours in PER_IMAGE.items() if ours in given}
    if kind == "log":
        own["sigma"] = [sigma_mm(name) for name in radiomics.images if kind_of(name) == "log"]
    return own


@contextlib.contextmanager
def scipy_names() -> Iterator[None]:
    """Lend PyRadiomics two names that newer SciPy dropped; without them its LBP3D images vanish with a log line.

    ``sph_harm(m, n, azimuth, polar)`` became ``sph_harm_y(n, m, polar, azimuth)`` in SciPy 1.15.
    """
    lent_function = not hasattr(scipy.special, "sph_harm")
    module = "scipy.ndimage.interpolation"
    lent_module = types.ModuleType(module)
    lent_module.map_coordinates = scipy.ndimage.map_coordinates  # type: ignore[attr-defined]
    before = sys.modules.get(module)
    if lent_function:
        scipy.special.sph_harm = lambda m, n, azimuth, polar: scipy.special.sph_harm_y(n, m, polar, azimuth)
    sys.modules[module] = lent_module
    try:
        yield
    finally:
        if lent_function:
            del scipy.special.sph_harm
        sys.modules.pop(module, None)
        if before is not None:
            sys.modules[module] = before


@contextlib.contextmanager
def _floats_in_patterns() -> Iterator[None]:
    """No warning that LBP2D sees floats: PyRadiomics gives it nothing else."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Applying `local_binary_pattern` to floating-point")
        yield
