"""The section between two sections, by signed distance (Raya and Udupa 1990, doi:10.1109/42.52980)."""

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy.ndimage import distance_transform_edt

Section = Bool[ndarray, "y x"]
ROUNDING = 1e-6
"""Of a step or a mm: what counts as nothing."""


def between(one: Section, other: Section, share: float, pixel_mm: tuple[float, float]) -> Section:
    """The section at ``share`` of the way from ``one`` to ``other``: where their weighed signed distance is inward.

    It lies within the box of both; a pixel on the border counts as inside; sections far apart leave nothing.

    >>> one, other = np.zeros((2, 1, 9), bool)
    >>> one[0, 3:6] = other[0, 1:8] = True
    >>> between(one, other, 0.5, (1.0, 1.0)).astype(int)
    array([[0, 0, 1, 1, 1, 1, 1, 0, 0]])
    """
    section = np.zeros_like(one)
    index = np.argwhere(one | other)
    if not len(index):
        return section
    (top, left), (bottom, right) = index.min(axis=0), index.max(axis=0) + 1
    box = slice(top, bottom), slice(left, right)
    near, far = (_inward(own[box], pixel_mm) for own in (one, other))
    section[box] = (1 - share) * near + share * far >= -ROUNDING
    return section


def _inward(section: Section, pixel_mm: tuple[float, float]) -> Float[ndarray, "y x"]:
    """Distance in mm from the border, which runs half a pixel outside the last pixels; negative outside."""
    if not section.any():
        return np.full(section.shape, -np.inf)
    roomy, half = np.pad(section, 1), min(pixel_mm) / 2
    inside = distance_transform_edt(roomy, sampling=pixel_mm)
    outside = distance_transform_edt(~roomy, sampling=pixel_mm)
    return np.where(roomy, inside - half, half - outside)[1:-1, 1:-1]
