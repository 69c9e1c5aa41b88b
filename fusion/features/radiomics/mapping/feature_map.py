"""A feature map: its voxels, where they lie, and its file."""

from dataclasses import dataclass
from pathlib import Path

from fusion.data.image import Geometry, to_sitk
from fusion.types import Volume
from fusion.volume_file import write_volume


@dataclass(frozen=True)
class Map:
    """A feature of the neighbourhood of every voxel of a region."""

    values: Volume
    """float64; ``initial_value`` outside the region."""
    geometry: Geometry
    """The region's bounding box and ``kernel_radius`` voxels on each side, on the grid that was measured."""

    def write(self, path: Path) -> None:
        """Write the map as float64; the suffix of ``path`` chooses the format, as .nii.gz."""
        write_volume(path, to_sitk(self.values, self.geometry))
