"""An image turned upright: axes reordered and flipped until they run as the patient's, without interpolation."""

from dataclasses import dataclass, replace
from itertools import permutations, product

import numpy as np
from jaxtyping import Float, Shaped
from numpy import ndarray

from fusion.data.case import Case
from fusion.data.image import Geometry
from fusion.roi.across import slice_axis

TIE = 1e-4
"""Turns whose sums of cosines differ by less are equally near; a NIfTI header rounds its cosines to seven digits."""
ENDS = ("IS", "AP", "RL")
"""Where the axes (z, y, x) of an upright image begin and end: feet to head, front to back, right to left."""


@dataclass(frozen=True)
class Turn:
    """How the axes of an array as stored become the patient's."""

    order: tuple[int, int, int]
    """Of each upright axis (z to the head, y to the back, x to the left), its number in the array as stored."""
    flipped: tuple[bool, bool, bool]
    """Upright axes that run the other way in the array as stored."""


def turn(geometry: Geometry) -> Turn:
    """Of the 48 ways to reorder and flip the image's axes, the one that brings them nearest the patient's.

    Of equally near ones, as at 45 degrees, the one whose axes have the greatest components, read in order: so the turn
    depends on where the axes of the image lie in the patient, not on how they are stored.

    >>> turn(Geometry((2, 3, 4), (3.0, 1.0, 1.0), (0.0, 0.0, 0.0), (-1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0)))
    Turn(order=(1, 0, 2), flipped=(True, False, True))
    """
    stored = np.reshape(geometry.direction, (3, 3)).T[::-1]
    turns = [
        Turn((a, b, c), (f, g, h)) for a, b, c in permutations(range(3)) for f, g, h in product(*[(False, True)] * 3)
    ]
    frames = [_turned(stored, own) for own in turns]
    near = [float(np.trace(frame[:, ::-1])) for frame in frames]
    nearest = [n for n, own in enumerate(near) if own > max(near) - TIE]
    return turns[max(nearest, key=lambda n: np.round(frames[n], 3).ravel().tolist())]


def upright(values: Shaped[ndarray, "slice row column"], geometry: Geometry) -> Shaped[ndarray, "z y x"]:
    """A view of ``values``, stored as ``geometry`` says, with z towards the head, y the back and x the left."""
    own = turn(geometry)
    return np.transpose(values, own.order)[_flips(own)]


def as_stored(values: Shaped[ndarray, "z y x"], geometry: Geometry) -> Shaped[ndarray, "slice row column"]:
    """``upright`` reversed: upright ``values`` in the order of an image that is stored as ``geometry`` says."""
    own = turn(geometry)
    return np.ascontiguousarray(np.transpose(values[_flips(own)], np.argsort(own.order)))


def upright_geometry(geometry: Geometry) -> Geometry:
    """Where the voxels of an upright image lie: each at the place of its voxel as stored."""
    own = turn(geometry)
    if own == Turn((0, 1, 2), (False, False, False)):
        return geometry
    size, spacing_mm = (tuple(many[axis] for axis in own.order) for many in (geometry.size, geometry.spacing_mm))
    axes = _turned(np.reshape(geometry.direction, (3, 3)).T[::-1], own)
    origin_mm = np.array(geometry.origin_mm) - (np.array(own.flipped) * (np.array(size) - 1) * spacing_mm) @ axes
    direction = (axes[::-1].T + 0.0).ravel()  # no -0.0
    return Geometry(size, spacing_mm, tuple(origin_mm.tolist()), tuple(direction.tolist()))  # type: ignore[arg-type]


def upright_case(case: Case) -> Case:
    """``case`` with image and masks upright."""
    ring = None if case.external2 is None else upright(case.external2, case.geometry)
    image, tumour = upright(case.image, case.geometry), upright(case.tumour, case.geometry)
    return replace(case, image=image, tumour=tumour, external2=ring, geometry=upright_geometry(case.geometry))


def stored_slice_axis(geometry: Geometry) -> int:
    """The number of the ``slice_axis`` in an array that is stored as ``geometry`` says."""
    return turn(geometry).order[slice_axis(upright_geometry(geometry).spacing_mm)]


def stored_order(geometry: Geometry) -> str:
    """Where the image's first, second and third index run to, nearest; the first is the one that runs fastest.

    >>> eye = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    >>> stored_order(Geometry((2, 3, 4), (3.0, 1.0, 1.0), (0.0, 0.0, 0.0), eye))
    'LPS'
    """
    own = turn(geometry)
    ends = [ENDS[axis][0 if flipped else 1] for axis, flipped in enumerate(own.flipped)]
    return "".join(ends[own.order.index(axis)] for axis in (2, 1, 0))


def _flips(own: Turn) -> tuple[slice, ...]:
    return tuple(slice(None, None, -1) if flipped else slice(None) for flipped in own.flipped)


def _turned(axes: Float[ndarray, "axis patient"], own: Turn) -> Float[ndarray, "axis patient"]:
    """Where the axes of the upright array run in the patient, from those of the array as stored."""
    return np.where(np.array(own.flipped)[:, None], -1.0, 1.0) * axes[list(own.order)]
