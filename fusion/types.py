"""Array aliases: axes in order, units in the name. Checked by beartype while tests run."""

from jaxtyping import Bool, Float, Int, Num
from numpy import ndarray

Volume = Num[ndarray, "z y x"]
"""Grey values (HU for CT), axes (z, y, x)."""
Mask = Bool[ndarray, "z y x"]
"""True inside the region, axes (z, y, x)."""
Spacing = tuple[float, float, float]
"""Voxel size in mm along (z, y, x)."""
Vector = Float[ndarray, " case"]
"""One number a case, float64."""
Events = Int[ndarray, " case"]
"""1 where the positive class was observed, 0 elsewhere."""
Indices = Int[ndarray, " case"]
"""Positions of cases in the cohort."""
