"""Pictures of an answered case: tumour, ring and where the networks look, in one axial slice or in a sequence's."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, UInt8
from numpy import ndarray
from PIL import Image
from scipy.ndimage import map_coordinates

from fusion.data.image import Geometry
from fusion.serve.answer import Answer
from fusion.serve.draw import SIDE, Outline, Panel
from fusion.serve.legend import board
from fusion.serve.told import Told
from fusion.types import Mask, Volume

TUMOUR, RING = (86, 196, 255), (255, 176, 0)
"""Blue and amber, apart for every kind of colour vision; the ring is dashed besides."""
LEAST_MM, ROOM = 40.0, 1.5
"""Side of the square that is shown at least, and in longest sides of tumour and ring."""


def regions(told: Told, window: tuple[float, float], at: int | None = None) -> Image.Image:
    """Tumour and ring on an axial slice, cropped round them; beside it the same slice with heat where there is some.

    Patient's right is at the left, anterior at the top, as far as the image's own axes allow; letters say which.

    Args:
        told: an answer of regions.
        window: grey values that become black and white, as the networks' box has them.
        at: number of the slice; None for the one of largest tumour area.
    """
    case, ring = told.case, told.external2
    assert case is not None
    assert ring is not None
    chosen = largest(case.tumour) if at is None else at
    square = _Square.round(case.tumour | ring, case.geometry)
    low, high = window
    shades = (np.clip((case.image[chosen] - low) / (high - low), 0, 1) * 255).astype(np.float32)
    outlines = (
        Outline("tumour", square.shown(case.tumour[chosen]), TUMOUR, dashed=False),
        Outline("External2", square.shown((ring | case.tumour)[chosen]), RING, dashed=True),
    )
    panel = Panel(_bytes(square.shown(shades)), outlines, square.letters, SIDE / square.side_mm)
    heat = np.max([own[chosen] for own in told.heat.values()], axis=0) if told.heat else None
    says = f"speaks for {_speaks_for(told.answer, told.answer.model)}, not at all to most (each region by itself)"
    which = ", the one of largest tumour area" if chosen == largest(case.tumour) else ""
    caption = f"Slice {chosen + 1} of {len(case.tumour)}{which}"
    return board(panel, None if heat is None else square.shown(heat), says, caption)


def slice(told: Told, model: str | None, sequence: str) -> Image.Image:
    """A sequence's picture as the networks saw it, and beside it with heat where the model has some.

    Args:
        told: an answer of slices.
        model: whose heat, with its task; None for the picture alone.
        sequence: one of the case's.
    """
    piece = told.pieces[sequence]
    drawn = (Outline("tumour", _square_of(piece.mask), TUMOUR, dashed=False),) if piece.mask.any() else ()
    panel = Panel(_bytes(_square_of(piece.grey)), drawn)
    heat = None if model is None else told.slice_heat.get((model, sequence))
    if model is None or heat is None:
        return board(panel, None, "", sequence)
    says = f"speaks for {_speaks_for(told.answer, model)}, not at all to most"
    return board(panel, _square_of(heat), says, f"{sequence}, {model}")


def largest(tumour: Mask) -> int:
    """The slice of largest tumour area, the first of equals."""
    return int(tumour.sum(axis=(1, 2)).argmax())


@dataclass(frozen=True)
class _Square:
    """What is shown of every slice."""

    rows: Float[ndarray, " y"]
    """Where the picture's pixels lie on the image's grid, along y and x."""
    columns: Float[ndarray, " x"]
    side_mm: float
    letters: tuple[str, str]

    @classmethod
    def round(cls, shown: Mask, geometry: Geometry) -> "_Square":
        spacing_mm = np.array(geometry.spacing_mm[1:])
        places = np.argwhere(shown.any(axis=0))
        low, high = places.min(axis=0), places.max(axis=0)
        side_mm = max(LEAST_MM, ROOM * float(((high - low + 1) * spacing_mm).max()))
        steps = (np.arange(SIDE) + 0.5) / SIDE - 0.5
        rows, columns = (
            middle + steps * side_mm / own for middle, own in zip((low + high) / 2, spacing_mm, strict=True)
        )
        (left, turned), (top, upside_down) = (_towards(geometry.direction, axis) for axis in (0, 1))
        return cls(rows[::-1] if upside_down else rows, columns[::-1] if turned else columns, side_mm, (left, top))

    def shown(self, values: Volume | Mask | ndarray) -> Float32[ndarray, "y x"]:
        """``values`` of a slice on the picture's pixels, linear; 0 outside the image."""
        at = np.meshgrid(self.rows, self.columns, indexing="ij")
        return map_coordinates(values.astype(np.float32), at, order=1, mode="constant")


def _towards(direction: tuple[float, ...], axis: int) -> tuple[str, bool]:
    """The letter where the picture begins along the image's axis (0 x, 1 y), and whether the axis has to be turned.

    Pictures begin at the patient's right, front or head.

    >>> _towards((1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0), 0)
    ('R', False)
    >>> _towards((-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0), 1)
    ('A', True)
    """
    along = np.reshape(direction, (3, 3))[:, axis]  # ITK's axes run to left, posterior and head
    main = int(np.abs(along).argmax())
    begins = ("R", "A", "S")[main]
    return begins, bool(along[main] < 0) if main < 2 else bool(along[main] > 0)


def _square_of(values: ndarray) -> Float32[ndarray, "y x"]:
    """A square picture, enlarged linearly; what lies beyond the centres of its outer pixels goes on."""
    at = [(np.arange(SIDE) + 0.5) * n / SIDE - 0.5 for n in values.shape]
    grid = np.meshgrid(*at, indexing="ij")
    return map_coordinates(values.astype(np.float32), grid, order=1, mode="nearest")


def _bytes(shades: Float32[ndarray, "y x"]) -> UInt8[ndarray, "y x"]:
    return np.rint(shades).clip(0, 255).astype(np.uint8)


def _speaks_for(answer: Answer, model: str) -> str:
    """The class whose heat is shown: the positive one of two, else the one that is called."""
    own = answer.of(model)
    return own.positive or own.label
