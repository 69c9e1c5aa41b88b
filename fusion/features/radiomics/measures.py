"""Named features of one region: of its shape once, of its grey values in every image."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from fusion.config.radiomics import Radiomics
from fusion.features.radiomics import ibsi, levels
from fusion.features.radiomics.classes import firstorder, shape, shape2d
from fusion.features.radiomics.crop.grid import Crop
from fusion.features.radiomics.levels import Levels
from fusion.features.radiomics.plan import Texture
from fusion.features.radiomics.preset import FEATURES
from fusion.features.radiomics.texture import CLASSES, Ground, features, ground, texture

Values = Float[ndarray, " voxel"]


def shapes(crop: Crop, radiomics: Radiomics) -> dict[str, float]:
    """Shape features by column name."""
    found: dict[str, float] = {}
    if "shape" in radiomics.classes:
        own = dict(zip(shape.NAMES, shape.shape(crop.shape_mask, crop.spacing_mm), strict=True))
        found |= _named("original_shape", own | shape.deprecated(own["MeshVolume"], own["SurfaceArea"]))
    if "shape2D" in radiomics.classes:
        flat = shape2d.one_slice(crop.shape_mask, crop.spacing_mm, radiomics.force_2d_dimension)
        own = dict(zip(shape2d.NAMES, shape2d.shape2d(*flat), strict=True))
        found |= _named("original_shape2D", own | shape2d.deprecated(own["Sphericity"]))
    return found


@dataclass(frozen=True)
class Grey:
    """Measures the grey values of one region; what depends on the region alone is made once and kept."""

    crop: Crop
    radiomics: Radiomics
    grounds: dict[Texture, Ground] = field(default_factory=dict)

    def prepare(self, settings: Texture) -> None:
        """Make what ``features`` needs for ``settings``; to be called before threads share this object."""
        if settings not in self.grounds and self.radiomics.classes.keys() & CLASSES:
            self.grounds[settings] = ground(self.crop.mask, self.crop.spacing_mm, settings)

    def features(self, values: Values, image: str, settings: Texture) -> dict[str, float]:
        """First-order and texture features of ``values``, the region's voxels in C order, by column name."""
        grey = self._levels(values, image, settings)
        if settings not in self.grounds:
            return self._firstorder(values, grey, image, settings)
        measured = texture(grey, self.grounds[settings], settings, with_lone=self.radiomics.mode == "exact")
        return self._firstorder(values, grey, image, settings) | _by_class(measured, image)

    def features_on_device(self, values: dict[str, Values], settings: Texture) -> dict[str, float]:
        """``features`` of several images with the same settings, their matrices counted together."""
        from fusion.features.radiomics.matrices import on_device

        grey = {image: self._levels(own, image, settings) for image, own in values.items()}
        found: dict[str, float] = {}
        for image, own in grey.items():
            found |= self._firstorder(values[image], own, image, settings)
        if settings in self.grounds:
            ground, exact = self.grounds[settings], self.radiomics.mode == "exact"
            counted = on_device.count([*grey.values()], ground, settings.gldm_alpha, exact, self.radiomics.device)
            for counts, (image, own) in zip(counted, grey.items(), strict=True):
                found |= _by_class(features(counts, own, ground, settings), image)
        return found

    def _levels(self, values: Values, image: str, settings: Texture) -> Levels:
        if self.radiomics.mode == "exact":
            return levels.discretise(values, settings.binning)
        lowest = ibsi.processing(self.radiomics).lowest if image == "original" else None
        return levels.ranked(values, ibsi.edges(values, settings.binning, lowest))

    def _firstorder(self, values: Values, grey: Levels, image: str, settings: Texture) -> dict[str, float]:
        if "firstorder" not in self.radiomics.classes:
            return {}
        volume_mm3 = float(np.prod(self.crop.spacing_mm))
        numbers = firstorder.firstorder(values, grey.counts, volume_mm3, float(settings.voxel_shift))
        own = dict(zip(firstorder.NAMES, numbers, strict=True))
        if "StandardDeviation" in (self.radiomics.classes["firstorder"] or ()):
            own["StandardDeviation"] = firstorder.standard_deviation(values)
        return _named(f"{image}_firstorder", own)


def _by_class(measured: dict[str, Float[ndarray, "..."]], image: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for kind, numbers in measured.items():
        found |= _named(f"{image}_{kind}", dict(zip(FEATURES[kind], numbers, strict=True)))
    return found


def _named(prefix: str, values: dict[str, float]) -> dict[str, float]:
    return {f"{prefix}_{name}": float(value) for name, value in values.items()}
