"""The radiomics section as it holds for one slice: shape2D for shape, texture in plane, no image that needs depth."""

import math
from collections.abc import Iterator
from typing import Any

from fusion.config.images import IMAGES, kind_of, sigma_mm
from fusion.config.names import fault
from fusion.config.radiomics import Class, Radiomics
from fusion.config.run import Run
from fusion.errors import Fault

IMAGES_2D = (
    "original", "log-sigma-1-0-mm-3D", "log-sigma-2-0-mm-3D", "log-sigma-3-0-mm-3D",
    "wavelet-LH", "wavelet-HL", "wavelet-HH", "wavelet-LL",
    "square", "squareroot", "logarithm", "exponential", "gradient", "lbp-2D",
)  # fmt: skip
"""What the default twenty images become: 9 + 14 x 93 = 1311 features."""
FLAT = {"force_2d": True, "force_2d_dimension": 0}
"""Texture and wavelets within slices across z."""
THICKNESS_MM = 1.0
"""Of a slice, so that Total Energy is a square mm's."""
SMALLEST = 4
"""Slices that a Laplacian of Gaussian needs, however narrow it is."""


def on_slices(radiomics: Radiomics) -> Radiomics:
    """``radiomics`` for one slice across z; `spacing_mm` holds along y and x, and nothing is resampled along z.

    The default twenty images become ``IMAGES_2D``; any other choice stays as it is.

    >>> flat = on_slices(Radiomics())
    >>> len(flat.images), list(flat.classes)[:2], flat.spacing_mm
    (14, ['shape2D', 'firstorder'], (0.0, 1.0, 1.0))
    """
    own = {name: getattr(radiomics, name) for name in Radiomics.model_fields if name != "parameters"}
    mm = None if radiomics.spacing_mm is None else (0.0, *radiomics.spacing_mm[1:])
    images = IMAGES_2D if radiomics.images == IMAGES else radiomics.images
    return Radiomics(**{**own, **FLAT, "images": images, "classes": _classes(radiomics), "spacing_mm": mm})


def layers(radiomics: Radiomics) -> int:
    """How many times a slice is laid on itself: once, or as often as a Laplacian of Gaussian has to see.

    Nothing changes along z then, so that the three-dimensional Laplacian is the one in plane.

    >>> layers(Radiomics(images=("original",))), layers(Radiomics(images=("log-sigma-5-0-mm-3D",)))
    (1, 6)
    """
    widths_mm = [sigma_mm(name) for name in radiomics.images if kind_of(name) == "log"]
    return max(SMALLEST, math.ceil(max(widths_mm) / THICKNESS_MM) + 1) if widths_mm else 1


def unmet(run: Run) -> list[Fault]:
    """What of `radiomics` has no meaning on a slice, a fault a field; nothing where no slice is measured."""
    own = run.radiomics
    return [*_deep_images(own), *_narrow(own), *_solid_shapes(own), *_turned(own)] if run.masked else []


def _classes(radiomics: Radiomics) -> dict[Class, tuple[str, ...] | None]:
    """shape2D where shape stands; where both are asked for, shape2D as it is."""
    both = {"shape", "shape2D"} <= radiomics.classes.keys()
    kept = {kind: chosen for kind, chosen in radiomics.classes.items() if not (both and kind == "shape")}
    return {"shape2D" if kind == "shape" else kind: chosen for kind, chosen in kept.items()}


def _deep_images(own: Radiomics) -> Iterator[Fault]:
    deep = [name for name in own.images if kind_of(name) == "lbp3d" or _letters(name) == 3]
    if deep and own.images != IMAGES:
        remedy = f"choose from {', '.join(IMAGES_2D)}; with wavelets set radiomics.force_2d=true"
        yield Fault(f"radiomics.images with {', '.join(deep)}", "images that need no depth, as a slice is one", remedy)


def _letters(name: str) -> int:
    return len(name.rpartition("-")[2]) if kind_of(name) == "wavelet" else 0


def _narrow(own: Radiomics) -> Iterator[Fault]:
    """A crop takes layers of ``pad_distance`` on both sides at most."""
    needed = layers(own) // 2
    if (own.spacing_mm is not None or own.pre_crop) and own.pad_distance < needed:
        yield Fault(f"radiomics.pad_distance {own.pad_distance}", f"{needed} or more", "as the Laplacian is this wide")


def _solid_shapes(own: Radiomics) -> Iterator[Fault]:
    if why := [found for name in own.classes.get("shape") or () if (found := fault("shape2D", name))]:
        remedy = "name those of shape2D, or set radiomics.classes.shape=null for all of them"
        yield Fault(f"radiomics.classes.shape as a slice has it: {'; '.join(why)}", "features of shape2D", remedy)


def _turned(own: Radiomics) -> Iterator[Fault]:
    given: list[tuple[str, dict[str, Any]]] = [
        (f"per_image.{kind}.", part.given) for kind, part in own.per_image.items()
    ]
    given.append(("", {"force_2d_dimension": own.force_2d_dimension}))
    fields = [f"radiomics.{where}{name}" for where, part in given for name, value in FLAT.items()
              if part.get(name, value) != value]  # fmt: skip
    if fields:
        expected = "texture in the slice's own plane"
        yield Fault(", ".join(fields), expected, "leave it out: on slices it is always in plane")
