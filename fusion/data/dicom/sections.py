"""Closed contours as a mask: a section a slice, with holes; and, where asked, sections between contoured planes.

The rule of sections in between: a slice that has contours (within ``OFF_SLICE`` of a step) has their section. Any other
slice between two contoured planes has the section ``between`` theirs, by how near each plane is. The first and the last
slice are those nearest to the first and the last plane, halves upward; one beyond its plane has that plane's section.
Nothing is added beyond them. Sections that do not meet leave a slice empty, which is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import ceil, floor

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from fusion.data.dicom.between import ROUNDING, Section, between
from fusion.data.image import Geometry
from fusion.types import Mask

OFF_SLICE = 0.1
"""Of the step between slices, how far a contour may lie from a slice; headers round positions."""
BETWEEN = "set cohort.dicom.contours=interpolate"
APART, ONCE = "contours apart or one inside the other", "draw each part once; a contour inside another is a hole"

Corners = Float[ndarray, "_ 3"]
"""Of a contour, as continuous indices (x, y, z) of voxels."""
Reason = tuple[str, str, str]
"""What was found, expected and helps."""


@dataclass(frozen=True)
class Filled:
    """The voxels whose centres lie inside the contours, or every reason why that is not certain."""

    mask: Mask
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Seen:
    """What was met while areas were drawn."""

    crossing: int = 0
    empty: int = 0
    planes: dict[float, Section] = field(default_factory=dict)


def filled(contours: Sequence[Corners], geometry: Geometry) -> Filled:
    """Contours that lie on slices, every slice having its own section.

    Args:
        contours: flat, closed, parallel to the slices, and inside the image.
        geometry: the image's grid.
    """
    seen = _planes(contours, geometry)
    mask = np.zeros(geometry.size, bool)
    for position, section in seen.planes.items():
        mask[int(position)] = section
    return Filled(mask, _doubtful(seen, mask), _notes(seen, len(contours)))


def filled_between(contours: Sequence[Corners], geometry: Geometry) -> Filled:
    """As ``filled``, with sections for slices between contoured planes, by the rule above."""
    seen = _planes(contours, geometry)
    mask = np.zeros(geometry.size, bool)
    places = _trimmed(seen.planes)
    slices = _slices(places, len(mask))
    for position in slices:
        mask[position] = _section(position, places, seen.planes, geometry)
    reasons, notes = _doubtful(seen, mask), _notes(seen, len(contours))
    made = [position for position in slices if position not in seen.planes]
    if apart := sum(not mask[position].any() for position in made):
        found = f"sections that do not meet, with {apart} slices between them"
        reasons += ((found, "sections above each other", "draw the structure on every slice"),)
    if made:
        notes += (f"{len(made)} of {len(slices)} slices filled between contours, by signed distance",)
    if unused := sum(not place.is_integer() and not _used(place, places) for place in places):
        notes += (f"{unused} contoured planes between slices that have contours of their own: not used",)
    return Filled(mask, reasons, notes)


def filled_gaps(mask: Mask, slices: Sequence[int], geometry: Geometry) -> None:
    """Draw into ``mask`` the sections of ``slices``, which lie between sections that it has."""
    planes = {float(at): mask[at] for at in range(len(mask)) if at not in slices}
    places = _trimmed(planes)
    for position in slices:
        mask[position] = _section(position, places, planes, geometry)


def _trimmed(planes: Mapping[float, Section]) -> list[float]:
    """Places in order, from the first to the last whose section holds a voxel: a tip without one ends nothing."""
    places = sorted(planes)
    held = [index for index, place in enumerate(places) if planes[place].any()]
    return places[held[0] : held[-1] + 1] if held else []


def _slices(places: Sequence[float], count: int) -> range:
    if not places:
        return range(0)
    first, last = (floor(place + 0.5 + ROUNDING) for place in (places[0], places[-1]))
    return range(first, min(last + 1, count))


def _planes(contours: Sequence[Corners], geometry: Geometry) -> _Seen:
    """Sections by place; contours near a slice, or near each other, share a plane."""
    groups: list[tuple[float, list[Corners]]] = []
    for contour in sorted(contours, key=lambda one: float(one[:, 2].mean())):
        place = float(contour[:, 2].mean())
        near = float(np.round(place))
        place = near if abs(place - near) <= OFF_SLICE else place
        if groups and (place == groups[-1][0] or (not place.is_integer() and place - groups[-1][0] <= OFF_SLICE)):
            groups[-1][1].append(contour)
        else:
            groups.append((place, [contour]))
    seen = _Seen()
    for place, own in groups:
        areas = [_area(contour, geometry.size[1:]) for contour in own]
        seen.crossing += any(_cross(one, other) for one, other in combinations(areas, 2))
        seen.empty += sum(not area.any() for area in areas)
        seen.planes[place] = np.logical_xor.reduce(areas)
    return seen


def _section(position: int, places: Sequence[float], planes: Mapping[float, Section], geometry: Geometry) -> Section:
    if position in planes:
        return planes[position]
    below = [place for place in places if place < position]
    above = [place for place in places if place > position]
    if not below or not above:
        return planes[above[0] if above else below[-1]]
    share = (position - below[-1]) / (above[0] - below[-1])
    return between(planes[below[-1]], planes[above[0]], share, geometry.spacing_mm[1:])


def _used(place: float, places: Sequence[float]) -> bool:
    """Whether a slice without contours of its own lies next to the plane."""
    index = places.index(place)
    before = places[index - 1] if index else place - 0.5
    after = places[index + 1] if index + 1 < len(places) else place + 0.5 + ROUNDING  # halves go upward
    return floor(place) > before or ceil(place) < after


def _doubtful(seen: _Seen, mask: Mask) -> tuple[Reason, ...]:
    if seen.crossing:
        found = f"contours that cross or are drawn twice on {seen.crossing} of {len(seen.planes)} slices"
        return ((found, APART, ONCE),)
    if not mask.any():
        return (("a structure that holds no voxel's centre", "at least one", "draw it again, or on a finer image"),)
    return ()


def _notes(seen: _Seen, total: int) -> tuple[str, ...]:
    return (f"{seen.empty} of {total} contours hold no voxel's centre",) if seen.empty else ()


def _area(contour: Corners, size: tuple[int, int]) -> Section:
    from skimage.draw import polygon2mask

    return np.asarray(polygon2mask(size, contour[:, 1::-1]), dtype=bool)


def _cross(one: Section, other: Section) -> bool:
    """Whether two areas share voxels and neither is a true part of the other."""
    shared = int((one & other).sum())
    if shared == 0:
        return False
    sizes = int(one.sum()), int(other.sum())
    return sizes[0] == sizes[1] or shared < min(sizes)
