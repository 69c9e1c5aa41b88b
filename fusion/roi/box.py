"""From a case to the box that its networks see."""

import numpy as np

from fusion.config.roi import Roi
from fusion.data.case import Case
from fusion.roi.patch import CasePatch, cut
from fusion.roi.region import external2
from fusion.types import Mask


def box(case: Case, ring: Mask, roi: Roi) -> CasePatch:
    """The box round the tumour; a ring that is not the automatic one goes with it as drawn.

    Args:
        case: image and tumour.
        ring: the case's External2, as ``fusion.roi.region.regions`` gives it.
        roi: how rings and boxes are made.

    Raises:
        CohortError: grey values too large for 16 bits.
    """
    drawn = case.external2 is not None and not np.array_equal(ring, external2(case, roi.external2))
    return cut(case.image, case.tumour, ring if drawn else None, case.geometry.spacing_mm, roi.patch,
               roi.external2.grid, case.name)  # fmt: skip
