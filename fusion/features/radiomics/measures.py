"""The features of one region: of its shape once, of its grey values in every image."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from fusion.config.radiomics import Class, Radiomics
from fusion.features.radiomics import ibsi, levels
from fusion.features.radiomics.classes import firstorder, shape, shape2d
from fusion.features.radiomics.crop.grid import Crop
from fusion.features.radiomics.levels import Levels
from fusion.features.radiomics.plan import Texture
from fusion.features.radiomics.preset import FEATURES
from fusion.features.radiomics.texture import CLASSES, Ground, features, ground, texture
from fusion.types import Vector

Values = Float[ndarray, " voxel"]


def shapes(crop: Crop, radiomics: Radiomics) -> Vector:
    """Shape features in the order of ``columns``."""
    found = [np.zeros(0)]
    if "shape" in radiomics.classes:
        numbers = shape.shape(crop.shape_mask, crop.spacing_mm)
        volume_mm3, area_mm2 = (float(numbers[shape.NAMES.index(name)]) for name in ("MeshVolume", "SurfaceArea"))
        found.append(_chosen(numbers, "shape", radiomics, lambda: shape.deprecated(volume_mm3, area_mm2)))
    if "shape2D" in radiomics.classes:
        flat = shape2d.one_slice(crop.shape_mask, crop.spacing_mm, radiomics.force_2d_dimension)
        numbers = shape2d.shape2d(*flat)
        sphericity = float(numbers[shape2d.NAMES.index("Sphericity")])
        found.append(_chosen(numbers, "shape2D", radiomics, lambda: shape2d.deprecated(sphericity)))
    return np.concatenate(found)


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

    def features(self, values: Values, image: str, settings: Texture) -> Vector:
        """First-order and texture features of the region's voxels, listed in C order, in the order of ``columns``."""
        grey = self._levels(values, image, settings)
        measured = {}
        if settings in self.grounds:
            measured = texture(grey, self.grounds[settings], settings, with_lone=self.radiomics.mode == "exact")
        return self._in_order(values, grey, settings, measured)

    def features_on_device(self, values: dict[str, Values], settings: Texture) -> dict[str, Vector]:
        """``features`` of several images with the same settings, their matrices counted together."""
        from fusion.features.radiomics.matrices import on_device

        grey = {image: self._levels(own, image, settings) for image, own in values.items()}
        measured: dict[str, dict[str, Float[ndarray, "..."]]] = {image: {} for image in values}
        if settings in self.grounds:
            ground, exact = self.grounds[settings], self.radiomics.mode == "exact"
            counted = on_device.count([*grey.values()], ground, settings.gldm_alpha, exact, self.radiomics.device)
            for counts, (image, own) in zip(counted, grey.items(), strict=True):
                measured[image] = features(counts, own, ground, settings)
        return {image: self._in_order(own, grey[image], settings, measured[image]) for image, own in values.items()}

    def _levels(self, values: Values, image: str, settings: Texture) -> Levels:
        if self.radiomics.mode == "exact":
            return levels.discretise(values, settings.binning)
        lowest = ibsi.processing(self.radiomics).lowest if image == "original" else None
        return levels.ranked(values, ibsi.edges(values, settings.binning, lowest))

    def _in_order(
        self, values: Values, grey: Levels, settings: Texture, measured: dict[str, Float[ndarray, "..."]]
    ) -> Vector:
        found = [np.zeros(0)]
        for kind in self.radiomics.classes:
            if kind == "firstorder":
                volume_mm3 = float(np.prod(self.crop.spacing_mm))
                numbers = firstorder.firstorder(values, grey.counts, volume_mm3, float(settings.voxel_shift))
                found.append(_chosen(numbers, kind, self.radiomics,
                                     lambda: {"StandardDeviation": firstorder.standard_deviation(values)}))  # fmt: skip
            elif kind in measured:
                found.append(_chosen(measured[kind], kind, self.radiomics))
        return np.concatenate(found)


def _chosen(
    numbers: Float[ndarray, "..."], kind: Class, radiomics: Radiomics, deprecated: Callable[[], dict[str, float]] = dict
) -> Float[ndarray, "..."]:
    """``numbers``, one for each name of the class, or those of them and of the deprecated ones that are asked for."""
    names = radiomics.classes[kind]
    if names is None:
        return numbers
    found = {**dict(zip(FEATURES[kind], numbers.tolist(), strict=True)), **deprecated()}
    return np.array([found[name] for name in names])
