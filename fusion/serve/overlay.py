"""Pictures of an answered case: tumour, ring and where the networks look, in one acquired slice or in a sequence's."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, UInt8
from numpy import ndarray
from PIL import Image
from scipy.ndimage import map_coordinates

from fusion.data.image import Geometry
from fusion.roi.across import slice_axis
from fusion.roi.upright import turn, upright, upright_geometry
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
    """Tumour and ring on a slice as acquired, cropped round them; beside it the same slice with heat, if there is some.

    Of axial slices the patient's right is at the left and anterior at the top, of coronal and sagittal ones the head
    is at the top; letters say which. It is the same picture in whatever order the file holds its voxels.

    Args:
        told: an answer of regions.
        window: grey values that become black and white, as the networks' box has them.
        at: number of the slice in the file, from 0; None for the one of largest tumour area.
    """
    case, ring = told.case, told.external2
    assert case is not None
    assert ring is not None
    stack = _Stack.of(case.geometry)
    tumour, around = stack.slices(case.tumour), stack.slices(ring | case.tumour)
    chosen = largest(tumour) if at is None else stack.number(at, len(tumour))
    square = _Square.round(around, stack)
    low, high = window
    shades = (np.clip((stack.slices(case.image)[chosen] - low) / (high - low), 0, 1) * 255).astype(np.float32)
    outlines = (
        Outline("tumour", square.shown(tumour[chosen]), TUMOUR, dashed=False),
        Outline("External2", square.shown(around[chosen]), RING, dashed=True),
    )
    panel = Panel(_bytes(square.shown(shades)), outlines, stack.letters, SIDE / square.side_mm)
    heat = np.max([stack.slices(own)[chosen] for own in told.heat.values()], axis=0) if told.heat else None
    says = f"speaks for {_speaks_for(told.answer, told.answer.model)}, not at all to most (each region by itself)"
    which = ", the one of largest tumour area" if chosen == largest(tumour) else ""
    caption = f"Slice {stack.number(chosen, len(tumour)) + 1} of {len(tumour)}{which}"
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
class _Stack:
    """An image as the slices that were acquired, each the way round that it is looked at."""

    geometry: Geometry
    across: int
    """Upright axis across which the slices lie."""

    @classmethod
    def of(cls, geometry: Geometry) -> "_Stack":
        return cls(geometry, slice_axis(upright_geometry(geometry).spacing_mm))

    @property
    def letters(self) -> tuple[str, str]:
        """Of the patient, at the picture's left and top."""
        return (("R", "A"), ("R", "S"), ("A", "S"))[self.across]

    @property
    def pixel_mm(self) -> tuple[float, ...]:
        return tuple(np.delete(upright_geometry(self.geometry).spacing_mm, self.across).tolist())

    def slices(self, values: Volume | Mask) -> ndarray:
        """Every slice of ``values``, which lie as stored; the head, or in axial slices the front, comes first."""
        slices = np.moveaxis(upright(values, self.geometry), self.across, 0)
        return slices if self.across == 0 else slices[:, ::-1]

    def number(self, slice: int, of: int) -> int:
        """A slice's number in ``slices`` from its number in the file, or the other way round; both from 0."""
        return of - 1 - slice if turn(self.geometry).flipped[self.across] else slice


@dataclass(frozen=True)
class _Square:
    """What is shown of every slice."""

    rows: Float[ndarray, " y"]
    """Where the picture's pixels lie on the image's grid, along y and x."""
    columns: Float[ndarray, " x"]
    side_mm: float

    @classmethod
    def round(cls, shown: Mask, stack: _Stack) -> "_Square":
        spacing_mm = np.array(stack.pixel_mm)
        places = np.argwhere(shown.any(axis=0))
        low, high = places.min(axis=0), places.max(axis=0)
        side_mm = max(LEAST_MM, ROOM * float(((high - low + 1) * spacing_mm).max()))
        steps = (np.arange(SIDE) + 0.5) / SIDE - 0.5
        rows, columns = (
            middle + steps * side_mm / own for middle, own in zip((low + high) / 2, spacing_mm, strict=True)
        )
        return cls(rows, columns, side_mm)

    def shown(self, values: Volume | Mask | ndarray) -> Float32[ndarray, "y x"]:
        """``values`` of a slice on the picture's pixels, linear; 0 outside the image."""
        at = np.meshgrid(self.rows, self.columns, indexing="ij")
        return map_coordinates(values.astype(np.float32), at, order=1, mode="constant")


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
