"""A picture with outlines, heat, letters and a scale bar; nothing here knows what they mean."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from contourpy import contour_generator  # matplotlib's own contouring
from jaxtyping import Float, Float32, UInt8
from numpy import ndarray
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
SIDE = 480
"""Pixels of a panel along both axes."""
MARGIN, FONT = 10, 15
"""Of letters from the edge, and their size; in pixels."""
FINE = 2
"""Lines are drawn this many times larger and then made smaller, so that they are smooth."""
DARK, LIGHT = (0, 0, 0), (255, 255, 255)
HEAT = ((0.0, (40, 0, 80)), (0.4, (190, 30, 110)), (0.7, (245, 110, 40)), (1.0, (255, 235, 90)))
"""From dark purple over red to yellow: brighter all the way, so that it can be read without colour too."""
OPAQUE = 0.7
"""Of the strongest heat; none is transparent."""


@dataclass(frozen=True)
class Outline:
    """A region's edge."""

    name: str
    share: Float32[ndarray, "y x"]
    """How much of a pixel lies inside, 0 to 1."""
    colour: Colour
    dashed: bool


@dataclass(frozen=True)
class Panel:
    """A square picture of ``SIDE`` pixels and what is drawn on it."""

    grey: UInt8[ndarray, "y x"]
    outlines: tuple[Outline, ...]
    letters: tuple[str, str] = ("", "")
    """At the left edge and at the upper one."""
    pixels_a_mm: float | None = None
    """For the scale bar; None draws none."""


def drawn(panel: Panel, heat: Float32[ndarray, "y x"] | None = None) -> Image.Image:
    """The panel alone."""
    grey = np.repeat(panel.grey[..., None].astype(float), 3, axis=2)
    if heat is not None:
        grey = heated(grey, heat)
    image = Image.fromarray(np.rint(grey).astype(np.uint8)).resize((SIDE * FINE, SIDE * FINE), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for own in panel.outlines:
        lines = list(_edges(own))
        for colour, width in ((DARK, 3.4), (own.colour, 1.8)):  # a dark rim keeps lines visible on any grey
            for line in lines:
                draw.line(line, colour, round(width * FINE), joint="curve")
    image = image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    _letters(ImageDraw.Draw(image), panel)
    return image


def heated(colours: Float[ndarray, "*axes 3"], heat: Float[ndarray, "*axes"]) -> Float[ndarray, "*axes 3"]:
    """Red, green and blue 0 to 255 with heat 0 to 1 over them."""
    at, steps = [place for place, _ in HEAT], np.array([colour for _, colour in HEAT])
    shades = np.stack([np.interp(heat, at, steps[:, n]) for n in range(3)], axis=-1)
    alpha = OPAQUE * heat[..., None]
    return (1 - alpha) * colours + alpha * shades


def _edges(own: Outline) -> Iterator[list[tuple[float, float]]]:
    """Lines of points (x, y) in fine pixels; of a dashed outline one a dash."""
    padded = np.pad(own.share, 1)  # so that an outline closes at the picture's edge
    for line in contour_generator(z=padded).lines(0.5):
        points = (np.asarray(line) - 0.5) * FINE
        yield from dashes(points) if own.dashed else [[(x, y) for x, y in points]]


def dashes(points: Float[ndarray, "point 2"], on: float = 9.0, off: float = 5.0) -> Iterator[list[tuple[float, float]]]:
    """Parts of the line, in pixels of the finished picture."""
    ends = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))]) / FINE
    for start in np.arange(0, ends[-1], on + off):
        stop = min(start + on, ends[-1])
        at = [start, *ends[(ends > start) & (ends < stop)], stop]
        yield [(float(np.interp(a, ends, points[:, 0])), float(np.interp(a, ends, points[:, 1]))) for a in at]


def _letters(draw: ImageDraw.ImageDraw, panel: Panel) -> None:
    """Directions at the edges, and the scale bar at the lower left."""
    _outlined(draw, (1.0 * MARGIN, SIDE / 2), panel.letters[0], "lm")
    _outlined(draw, (SIDE / 2, 1.0 * MARGIN), panel.letters[1], "mt")
    if panel.pixels_a_mm is not None:
        length_mm = max((own for own in (1, 2, 5, 10, 20, 50) if own * panel.pixels_a_mm <= SIDE / 3), default=1)
        x, y, length = 2.0 * MARGIN, SIDE - 2.0 * MARGIN, length_mm * panel.pixels_a_mm
        draw.rectangle((x - 1, y - 2, x + length + 1, y + 3), DARK)
        draw.rectangle((x, y - 1, x + length, y + 2), LIGHT)
        _outlined(draw, (x + length / 2, y - 6), f"{length_mm} mm", "mb")


def _outlined(draw: ImageDraw.ImageDraw, at: tuple[float, float], words: str, anchor: str) -> None:
    draw.text(at, words, LIGHT, font(), anchor, stroke_width=2, stroke_fill=DARK)


def font() -> ImageFont.FreeTypeFont:
    """Of all words in pictures."""
    own = ImageFont.load_default(FONT)  # comes with Pillow, so that every machine draws the same
    assert isinstance(own, ImageFont.FreeTypeFont)
    return own
