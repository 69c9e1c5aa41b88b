"""Panels beside each other, and the legend below them."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from PIL import Image, ImageDraw

from fusion.serve.draw import DARK, FINE, MARGIN, SIDE, Outline, Panel, dashes, drawn, font, heated

GAP, ROW = 8, 26
"""Between panels, and of a legend's row, in pixels."""
INK, PAPER = (31, 41, 51), (255, 255, 255)
Sign = Image.Image | None
"""What stands before words of the legend."""


def board(panel: Panel, heat: Float32[ndarray, "y x"] | None, heat_says: str, caption: str) -> Image.Image:
    """The panel, with ``heat`` once more beside it with its heat, and a legend below.

    Args:
        panel: grey values 0 to 255.
        heat: 0 to 1 on the panel's pixels, or None.
        heat_says: what heat means, for the legend.
        caption: one line on what is shown.
    """
    panels = [drawn(panel)] if heat is None else [drawn(panel), drawn(panel, heat)]
    width = len(panels) * (SIDE + GAP) - GAP
    words = _legend(panel.outlines, None if heat is None else heat_says)
    rows: list[list[tuple[Sign, str]]] = [*_rows(words, width), [(None, caption)]]
    image = Image.new("RGB", (width, SIDE + 2 * MARGIN + len(rows) * ROW), PAPER)
    for number, own in enumerate(panels):
        image.paste(own, (number * (SIDE + GAP), 0))
    for number, row in enumerate(rows):
        _write_row(image, row, SIDE + MARGIN + number * ROW)
    return image


def _legend(outlines: Sequence[Outline], heat_says: str | None) -> list[tuple[Sign, str]]:
    lines: list[tuple[Sign, str]] = [(_line_sign(own), own.name) for own in outlines]
    return lines if heat_says is None else [*lines, (_heat_sign(), heat_says)]


def _line_sign(own: Outline) -> Image.Image:
    sign = Image.new("RGB", (34 * FINE, ROW * FINE), PAPER)
    ends = [(0.0, ROW * FINE / 2), (34.0 * FINE, ROW * FINE / 2)]
    parts = list(dashes(np.array(ends))) if own.dashed else [ends]
    for colour, width in ((DARK, 4.4), (own.colour, 2.8)):
        for part in parts:
            ImageDraw.Draw(sign).line(part, colour, round(width * FINE))
    return sign.resize((34, ROW), Image.Resampling.LANCZOS)


def _heat_sign() -> Image.Image:
    """All heats from none to the strongest, on the grey of soft tissue."""
    row = heated(np.full((90, 3), 110.0), np.linspace(0, 1, 90))
    sign = np.full((ROW, 90, 3), 255, np.uint8)
    sign[6:-6] = np.rint(row).astype(np.uint8)
    return Image.fromarray(sign)


def _rows(words: Sequence[tuple[Sign, str]], width: int) -> list[list[tuple[Sign, str]]]:
    """As many entries a row as fit."""
    rows: list[list[tuple[Sign, str]]] = [[]]
    for entry in words:
        if rows[-1] and sum(_width(own) for own in [*rows[-1], entry]) > width - MARGIN:
            rows.append([])
        rows[-1].append(entry)
    return [row for row in rows if row]


def _width(entry: tuple[Sign, str]) -> float:
    sign, words = entry
    return (sign.width + MARGIN if sign else 0) + font().getlength(words) + 2 * MARGIN


def _write_row(image: Image.Image, row: Sequence[tuple[Sign, str]], top: int) -> None:
    draw, left = ImageDraw.Draw(image), float(MARGIN)
    for sign, words in row:
        at = left
        if sign is not None:
            image.paste(sign, (round(left), top))
            at += sign.width + MARGIN
        draw.text((at, top + ROW / 2), words, INK, font(), "lm")
        left += _width((sign, words))
