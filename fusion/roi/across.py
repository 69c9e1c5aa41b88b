"""Across which axis slices were acquired; apart, as training machines have no libraries for images."""

import numpy as np

from fusion.types import Spacing

COARSER = 1.2
"""Slices lie across an axis whose spacing is more than this many times that of both others."""


def slice_axis(spacing_mm: Spacing) -> int:
    """The axis across which an upright image was acquired slice by slice.

    It is the axis with a spacing more than `COARSER` times that of both others; where none is, the patient's feet to
    head.

    Args:
        spacing_mm: voxel size along upright (z, y, x), in mm.

    >>> slice_axis((5.0, 0.7, 0.7)), slice_axis((0.5, 0.5, 3.0)), slice_axis((0.7, 0.8, 0.8))
    (0, 2, 0)
    """
    coarsest = int(np.argmax(spacing_mm))
    return coarsest if spacing_mm[coarsest] > COARSER * max(np.delete(spacing_mm, coarsest)) else 0
