"""Segmentations as 3D Slicer writes them: NRRD with a header that names segments and, of overlapping ones, layers."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fusion.data.image import Geometry


def segmentation(path: Path, layers: Sequence[np.ndarray], segments: Sequence[tuple[str, int, int]],
                 geometry: Geometry, more: Sequence[str] = ("Segmentation_MasterRepresentation:=Binary labelmap",),
                 old: bool = False) -> Path:  # fmt: skip
    """Write ``layers`` of labels (z, y, x), and name the segments (name, label, layer).

    ``old`` leaves out labels and layers, as Slicer did before it shared layers.
    """
    stacked = np.stack(layers, axis=-1).astype(np.uint8) if len(layers) > 1 else layers[0].astype(np.uint8)
    axes = np.reshape(geometry.direction, (3, 3)) * geometry.spacing_mm[::-1]
    several = len(layers) > 1
    lines = [
        "NRRD0004", "# Complete NRRD file format specification at:", "type: unsigned char",
        f"dimension: {stacked.ndim}", "space: left-posterior-superior",
        f"sizes: {' '.join(map(str, stacked.shape[::-1]))}",
        "space directions: " + ("none " if several else "") + " ".join(_vector(axis) for axis in axes.T),
        "kinds: " + ("list " if several else "") + "domain domain domain", "encoding: gzip",
        f"space origin: {_vector(geometry.origin_mm)}",
    ]  # fmt: skip
    for number, (name, label, layer) in enumerate(segments):
        lines += [f"Segment{number}_ID:=S{number}", f"Segment{number}_Name:={name}",
                  f"Segment{number}_Extent:=0 1 0 1 0 1"]  # fmt: skip
        if not old:
            lines += [f"Segment{number}_LabelValue:={label}", f"Segment{number}_Layer:={layer}"]
    path.write_bytes("\n".join([*lines, *more, "", ""]).encode() + gzip.compress(stacked.tobytes()))
    return path


def _vector(numbers: Sequence[float]) -> str:
    return "(" + ",".join(f"{number:.17g}" for number in numbers) + ")"
