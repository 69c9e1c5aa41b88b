"""Radiomics features of the regions of one image, usable without the rest of the package.

>>> import fusion, numpy as np
>>> from fusion.data.image import Geometry, Image
>>> values = np.random.default_rng(0).normal(40, 20, (12, 24, 24)).astype(np.float32)
>>> axes = tuple(np.eye(3).ravel().tolist())
>>> image = Image(values, Geometry(values.shape, (3.0, 1.0, 1.0), (0.0, 0.0, 0.0), axes))
>>> tumour = np.zeros(values.shape, bool)
>>> tumour[3:8, 6:18, 6:18] = True
>>> settings = fusion.radiomics.Radiomics(images=("original",), classes={"shape": ("VoxelVolume",), "glcm": None})
>>> table = fusion.radiomics.extract(image, {"tumour": tumour}, settings)
>>> table.values.shape, float(table.values.loc["tumour", "original_shape_VoxelVolume"])
((1, 25), 2160.0)
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from fusion.config.parameters import read_parameters
from fusion.config.radiomics import Radiomics
from fusion.features.radiomics.inputs import Drawn, Pictured, Tolerance, gather
from fusion.features.radiomics.mapping.feature_map import Map
from fusion.features.radiomics.preset import columns
from fusion.features.radiomics.provenance import metadata
from fusion.features.table import FeatureTable

__all__ = ["FeatureTable", "Map", "Radiomics", "columns", "extract", "maps", "read_parameters"]
PRESET = Radiomics()


def extract(
    image: Pictured,
    regions: Mapping[str, Drawn],
    settings: Radiomics = PRESET,
    *,
    label: int | None = None,
    threads: int = 1,
    tolerance_mm: float = 1e-3,
    tolerance_direction: float = 1e-4,
) -> FeatureTable:
    """The features of every region: one row a region, columns named as PyRadiomics names them.

    Grey values are taken as float32, whatever their type: PyRadiomics truncates integers toward zero when it resamples.

    Args:
        image: path of a file (NIfTI, NRRD, MHA), SimpleITK image, or ``fusion.data.image.Image``.
        regions: masks by name, each a path, a SimpleITK image, or an array on the image's grid, axes (z, y, x).
        settings: what to measure; the default is the preset of 1874 features. ``read_parameters`` reads a file of
            PyRadiomics.
        label: value of the region in masks that hold numbers, ``settings.label`` if not given; in masks of booleans the
            region is True.
        threads: images measured at the same time; changes no number.
        tolerance_mm: how far spacing and origin of image and masks may differ, in mm.
        tolerance_direction: how far an entry of their direction matrices may differ.

    Returns:
        Features, warnings a region, and how both were made.

    Raises:
        FeatureError: every fault of image and masks at once (unreadable, another grid, label absent, the whole image
            covered), or a region that cannot be measured.
    """
    from fusion.features.radiomics.engine import measure  # compiled code, not needed to read settings

    value = settings.label if label is None else label
    own, masks = gather(image, regions, value, Tolerance(tolerance_mm, tolerance_direction))
    measured = measure(own.values, masks, own.geometry, settings, threads)
    index = pd.Index(list(masks), name="region")
    values = pd.DataFrame(np.stack([measured.features[name] for name in masks]), index, list(columns(settings)))
    warnings = pd.Series(["; ".join(measured.warnings.get(name, ())) for name in masks], index, dtype="str")
    return FeatureTable(values, warnings, {**metadata(settings), "label": str(value)})


def maps(
    image: Pictured,
    region: Drawn,
    features: Sequence[str],
    settings: Radiomics = PRESET,
    *,
    label: int | None = None,
    threads: int = 1,
    tolerance_mm: float = 1e-3,
    tolerance_direction: float = 1e-4,
) -> dict[str, Map]:
    """A map of each feature: its value in the neighbourhood of every voxel of the region, as PyRadiomics' voxel-based.

    Args:
        image: as for ``extract``.
        region: mask, as for ``extract``.
        features: names of columns, such as ``original_glcm_Contrast``; no shape.
        settings: how to measure; of it ``kernel_radius``, ``masked_kernel`` and ``initial_value`` concern maps alone.
        label: as for ``extract``.
        threads: classes of features measured at the same time; changes no number.
        tolerance_mm: as for ``extract``.
        tolerance_direction: as for ``extract``.

    Returns:
        Maps by feature, each with ``write(path)``.

    Raises:
        FeatureError: every fault of image and mask, or of the names, at once; or a region that cannot be measured.
    """
    from fusion.features.radiomics.mapping import maps as mapping  # compiled code, not needed to read settings

    value = settings.label if label is None else label
    own, masks = gather(image, {"region": region}, value, Tolerance(tolerance_mm, tolerance_direction))
    return mapping.maps(own.values, masks["region"], own.geometry, settings, features, threads)
