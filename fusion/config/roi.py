"""From image and mask to regions and patches."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fusion.config.part import Count, Part, Positive


class Ring(Part):
    """External2, the peritumoural ring."""

    thickness_mm: Annotated[float, Field(gt=0, le=20)] = 2.0
    """Distance from the tumour's surface, in mm."""
    grid: Literal["in_plane", "volume"] = "in_plane"
    """Distance within each acquired slice of the native grid, or in three dimensions.

    Slices lie across the axis whose spacing is more than 1.2 times that of both others; where none is, across the axis
    nearest the patient's feet to head. How the file orders or flips its axes does not matter.
    """
    shape: Literal["shell", "filled"] = "shell"
    """`filled` includes the tumour."""
    hu_range: tuple[float, float] | None = (-200.0, 400.0)
    """Ring voxels outside this range (air, bone) are dropped; null where grey values are not HU."""
    minimum_voxels: Count = 50
    """A smaller ring is a fault of its case."""

    @model_validator(mode="after")
    def _ordered(self) -> "Ring":
        if self.hu_range and self.hu_range[0] >= self.hu_range[1]:
            raise ValueError("hu_range must be [low, high] with low < high")
        return self


class Patch(Part):
    """The networks' input: a box centred on the tumour, resampled."""

    shape: tuple[Count, Count, Count] = (16, 96, 96)
    """Voxels along (z, y, x)."""
    spacing_mm: tuple[Positive, Positive, Positive] = (3.0, 0.5, 0.5)
    """Voxel size along (z, y, x); 16 x 3 mm and 96 x 0.5 mm make a 48-mm cube."""
    window: tuple[float, float] = (-160.0, 240.0)
    """Grey values are clipped to this range (HU for CT; width 400, level 40), then scaled to [-2, 2]."""

    @model_validator(mode="after")
    def _ordered(self) -> "Patch":
        if self.window[0] >= self.window[1]:
            raise ValueError("window must be [low, high] with low < high")
        if self.window[1] - self.window[0] < 32:
            raise ValueError("window must span 32 grey values or more, because patches keep whole numbers; rescale")
        return self


class Slice(Part):
    """The networks' input from a 2-D slice: a square, resized."""

    shape: tuple[Count, Count] = (224, 224)
    """Pixels along (y, x)."""
    crop: Annotated[float, Field(ge=1)] | None = 2.0
    """Side of the square round a masked tumour, in the tumour's longest sides, so that the gland round it stays; null
    takes the whole slice, as does a slice without a mask."""


class Roi(Part):
    """From image and mask to regions and patches."""

    resample_mask: bool = False
    """Bring a mask with another grid onto the image's grid (nearest neighbour) instead of refusing it."""
    minimum_voxels: Count = 20
    """A smaller tumour is a fault of its case."""
    external2: Ring = Ring()
    patch: Patch = Patch()
    slice: Slice = Slice()
