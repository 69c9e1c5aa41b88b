"""Features of one region through PyRadiomics 3.0.1."""

import contextlib
import logging
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.ndimage
import scipy.special

from fusion.config.run import Radiomics
from fusion.data.image import Geometry, to_sitk
from fusion.errors import Fault, FeatureError
from fusion.features.radiomics.preset import columns
from fusion.types import Mask, Vector, Volume

IMAGE_TYPES = {
    "original": "Original", "log": "LoG", "wavelet": "Wavelet", "square": "Square", "squareroot": "SquareRoot",
    "logarithm": "Logarithm", "exponential": "Exponential", "gradient": "Gradient", "lbp": "LBP3D",
}  # fmt: skip


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
    extractor = _extractor(radiomics)
    try:
        with _scipy_names(), np.errstate(all="ignore"):
            found = extractor.execute(to_sitk(image, geometry), to_sitk(region.astype(np.uint8), geometry))
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


def _extractor(radiomics: Radiomics) -> Any:
    import radiomics as pyradiomics
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    pyradiomics.logger.setLevel(logging.CRITICAL)  # a missing feature is an error here, not a log line
    spacing = list(radiomics.spacing_mm[::-1]) if radiomics.spacing_mm else None
    extractor = RadiomicsFeatureExtractor(
        binWidth=radiomics.bin_width, resampledPixelSpacing=spacing, normalize=radiomics.normalise,
        interpolator="sitkBSpline", additionalInfo=False,
    )  # fmt: skip
    extractor.disableAllImageTypes()
    sigmas = [
        float(name.split("-")[2] + "." + name.split("-")[3]) for name in radiomics.images if name.startswith("log-")
    ]
    for prefix in dict.fromkeys(name.split("-")[0] for name in radiomics.images):
        extractor.enableImageTypeByName(IMAGE_TYPES[prefix], customArgs={"sigma": sigmas} if prefix == "log" else None)
    return extractor


@contextlib.contextmanager
def _scipy_names() -> Iterator[None]:
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
