"""An answer with the arrays that pictures, maps and DICOM objects are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jaxtyping import Float32
from numpy import ndarray

from fusion.data.case import Case
from fusion.roi.cut_slice import Piece
from fusion.serve.answer import Answer
from fusion.types import Mask

Heat = Float32[ndarray, "z y x"]
"""Grad-CAM on the image's grid, 0 or more; its largest value is 1, or 0 where nothing speaks for the class."""


@dataclass(frozen=True)
class Told:
    """One case, answered. Of regions ``case``, ``external2`` and ``heat``; of slices ``pieces`` and ``slice_heat``."""

    answer: Answer
    case: Case | None = None
    external2: Mask | None = None
    heat: Mapping[str, Heat] = field(default_factory=dict)
    """By region."""
    pieces: Mapping[str, Piece] = field(default_factory=dict)
    """By sequence, as the networks saw it."""
    slice_heat: Mapping[tuple[str, str], Float32[ndarray, "y x"]] = field(default_factory=dict)
    """By model (with its task) and sequence, on the piece's pixels, scaled as ``Heat``."""
