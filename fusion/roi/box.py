"""From a case to the box that its networks see."""

import numpy as np

from fusion.config.roi import Roi
from fusion.data.case import Case
from fusion.roi.patch import CasePatch, cut
from fusion.roi.region import external2
from fusion.roi.upright import upright, upright_case
from fusion.types import Mask


def box(case: Case, ring: Mask | None, roi: Roi) -> CasePatch:
    """The box round the tumour, along the patient's axes; a ring that is not the automatic one goes with it as drawn.

    The image is turned upright before it is cut: however it is stored, the box holds the same tissue the same way
    round.

    Args:
        case: image and tumour.
        ring: the case's External2, as ``fusion.roi.region.regions`` gives it; None where no drawn ring is asked for.
        roi: how rings and boxes are made.

    Raises:
        CohortError: grey values too large for 16 bits.
    """
    drawn = None
    if ring is not None and case.external2 is not None and not np.array_equal(ring, external2(case, roi.external2)):
        drawn = upright(ring, case.geometry)
    own = upright_case(case)
    return cut(own.image, own.tumour, drawn, own.geometry.spacing_mm, roi.patch, roi.external2.grid, case.name)
