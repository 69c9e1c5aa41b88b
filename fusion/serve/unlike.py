"""What of a case is unlike the training cases, in words."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from fusion.serve.parts import Range, Ranges
from fusion.types import Mask, Volume

SHOWN = 5
"""Features told with their numbers; the others by name."""
ROUNDING = 1e-6
"""A spacing that is outside a range by this share of it is inside."""
LOWEST_HU = -4096.0
"""Below it no scanner writes, not even as padding."""
AXES = "zyx"
ENDS = {"lowest": "Minimum", "highest": "Maximum"}


def unlike_features(row: Mapping[str, float], ranges: Ranges) -> list[str]:
    """Features outside their training ranges, the farthest first: five with their numbers, the rest by name.

    Args:
        row: features by name, as ``ranges`` names them.
        ranges: of the training cases.
    """
    found = {name: value for name, value in row.items() if name in ranges.features}
    outside = {name: far for name, value in found.items() if (far := _beyond(value, ranges.features[name])) > 0}
    worst = sorted(outside, key=lambda name: -outside[name])
    told = [f"feature {_told(name, found[name], ranges.features[name])}" for name in worst[:SHOWN]]
    if rest := worst[SHOWN:]:
        told.append(f"{len(rest)} more features outside their training ranges: {', '.join(rest)}")
    return told


def unlike_numbers(numbers: Mapping[str, float], ranges: Ranges) -> list[str]:
    """Clinical numbers outside their training ranges."""
    return [
        _told(name, value, ranges.clinical[name])
        for name, value in numbers.items()
        if name in ranges.clinical and _beyond(value, ranges.clinical[name]) > 0
    ]


def unlike_spacing(spacing_mm: Sequence[float], image: str, ranges: Ranges) -> list[str]:
    """Spacing, along (z, y, x), outside its training range.

    Args:
        spacing_mm: of the case's image.
        image: key of ``ranges.spacing_mm``.
        ranges: of the training cases.
    """
    known = zip(AXES, spacing_mm, ranges.spacing_mm.get(image, ()), strict=False)
    return [
        f"spacing along {_told(axis, value, own, ' mm')}"
        for axis, value, own in known
        if _beyond(value, own) > ROUNDING * own.high
    ]


def unlike_grey(
    image: Volume, masks: Mapping[str, Mask], features: Mapping[str, float], ranges: Ranges, hu: bool
) -> list[str]:  # fmt: skip
    """Regions with grey values beyond any of the training cases, and an image that does not hold HU.

    Args:
        image: of the case.
        masks: its regions.
        features: ``region:original_firstorder_Minimum`` and ``Maximum``, where features were measured.
        ranges: of the training cases.
        hu: whether the bundle's images hold Hounsfield units.
    """
    return [*(_no_hu(image) if hu else ()), *_grey(image, masks, features, ranges, " HU" if hu else "")]


def cut_off(masks: Mapping[str, Mask]) -> list[str]:
    """Regions that reach the image's border, beyond which a part of them may lie."""
    found = []
    for region, mask in masks.items():
        edges = [axis for number, axis in enumerate(AXES) if _touches(mask, number)]
        if edges:
            found.append(f"{region} touches the image's border along {', '.join(edges)}: a part of it may be missing")
    return found


def _no_hu(image: Volume) -> Iterator[str]:
    low, high = float(image.min()), float(image.max())
    if low >= 0:
        yield f"grey values from {low:.6g} to {high:.6g} do not look like HU, where fat and air lie below 0"
    elif low < LOWEST_HU:
        yield f"grey values from {low:.6g} to {high:.6g} do not look like HU, which end at -1024"
    elif high - low <= 4:
        yield f"grey values from {low:.6g} to {high:.6g} do not look like HU, but like scaled ones"


def _grey(
    image: Volume, masks: Mapping[str, Mask], features: Mapping[str, float], ranges: Ranges, unit: str
) -> Iterator[str]:  # fmt: skip
    for region, known in ranges.hu.items():
        inside = image[masks[region]]
        raw = float(inside.min()), float(inside.max())
        for (what, feature), value, own in zip(ENDS.items(), raw, known, strict=True):
            value = features.get(f"{region}:original_firstorder_{feature}", value)
            if _beyond(value, own) > 0:
                yield _told(f"{what} grey value of {region}", value, own, unit)


def _beyond(value: float, own: Range) -> float:
    """How far outside the range, in widths of it."""
    width = max(own.high - own.low, 1e-12 * max(abs(own.high), abs(own.low), 1.0))
    return max(own.low - value, value - own.high, 0.0) / width


def _told(name: str, value: float, own: Range, unit: str = "") -> str:
    return f"{name} = {value:.5g}{unit}, training {own.low:.5g} to {own.high:.5g}{unit} (n={own.n})"


def _touches(mask: Mask, axis: int) -> bool:
    ends = np.take(mask, [0, -1], axis=axis)
    return bool(ends.any())
