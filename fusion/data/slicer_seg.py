"""A segment of a segmentation saved by 3D Slicer (.seg.nrrd): found by name, whole where segments overlap.

The header names each segment, the label that it has, and the layer; segments that overlap lie in several layers, which
are several values a voxel. The stored extent is that of the segments, so it is often smaller than the image's.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from jaxtyping import Shaped
from numpy import ndarray

from fusion.data.image import Labels, geometry_of, read_raw
from fusion.data.roi_name import pick, told
from fusion.errors import CohortError, Fault

SUFFIXES = (".nrrd", ".nhdr")
HEADER_BYTES = 2**20
"""Where a header must end; terminology of many segments takes a few thousand each."""
KEY = re.compile(r"Segment(\d+)_(Name|LabelValue|Layer):=(.*)")
REPRESENTATION = re.compile(r"Segmentation_(?:Master|Source)Representation:=(.*)")
BINARY = "Binary labelmap"


@dataclass(frozen=True)
class _Segment:
    """Where a segment is in the file, counted from 0."""

    name: str
    label: int
    layer: int


def is_slicer_segmentation(path: Path) -> bool:
    """Whether ``path`` is an NRRD file whose header names segments, whatever its own name."""
    return path.name.lower().endswith(SUFFIXES) and path.is_file() and any(map(KEY.fullmatch, _header(path)))


def read_slicer_segment(path: Path, roi: str | None, usual: str, label: int) -> Labels:
    """The segment as ``label``, 0 elsewhere, on the grid of the file.

    Args:
        path: that ``is_slicer_segmentation``.
        roi: name or pattern of the segment, or ``#`` and its number from 1; None where nobody said.
        usual: pattern that decides then, where there are several.
        label: that it gets.

    Raises:
        CohortError: unreadable; no such segment; not binary; a layer that is not there; two segments of one label.
    """
    header = _header(path)
    segments = _segments(header, path)
    number = pick({number: one.name for number, one in segments.items()}, roi, usual, str(path))
    _refuse_unclear(header, segments, number, path)
    raw = read_raw(path)
    layers = _layers(raw, path)
    own = segments[number]
    if not 0 <= own.layer < len(layers):
        found = f"a segment in layer {own.layer} of {len(layers)}"
        raise CohortError(Fault(found, "a layer that is there", "save the segmentation again", file=str(path)))
    values = np.where(layers[own.layer] == own.label, label, 0).astype(np.int32)
    notes = (f"the segment {told(own.name)!r} of {len(segments)}",) if len(segments) > 1 else ()
    return Labels(values, geometry_of(raw), notes)


def _header(path: Path) -> list[str]:
    """Lines of the header, which an empty line ends."""
    try:
        with path.open("rb") as file:
            content = file.read(HEADER_BYTES)
    except OSError:
        return []  # reading the voxels tells why
    lines = content.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0].split(b"\n")
    return [line.decode("utf-8", errors="replace") for line in lines]


def _segments(header: list[str], path: Path) -> dict[int, _Segment]:
    """By number, from 1."""
    given: dict[int, dict[str, str]] = {}
    for line in header:
        if match := KEY.fullmatch(line):
            number, key, value = match.groups()
            given.setdefault(int(number) + 1, {})[key] = value.strip()
    return {number: _segment(number, own, path) for number, own in sorted(given.items())}


def _segment(number: int, own: Mapping[str, str], path: Path) -> _Segment:
    """Before layers were shared, Slicer gave each segment its own, with label 1, and named neither."""
    try:
        label, layer = int(own.get("LabelValue", 1)), int(own.get("Layer", number - 1))
    except ValueError as error:
        found = f"a header without the label or layer of segment {number}"
        raise CohortError(Fault(found, "whole numbers", "save the segmentation again", file=str(path))) from error
    return _Segment(own.get("Name", ""), label, layer)


def _refuse_unclear(header: list[str], segments: Mapping[int, _Segment], number: int, path: Path) -> None:
    kinds = {match.group(1).strip() for line in header if (match := REPRESENTATION.fullmatch(line))}
    if kinds - {BINARY}:
        remedy = "convert it to a binary labelmap and save it again"
        raise CohortError(Fault("a segmentation that is not binary", BINARY, remedy, file=str(path)))
    own = segments[number]
    alike = [one for one in segments.values() if (one.label, one.layer) == (own.label, own.layer)]
    if len(alike) > 1 or own.label == 0:
        found = f"{len(alike)} segments with label {own.label} in one layer"
        raise CohortError(Fault(found, "a label of its own", "save the segmentation again", file=str(path)))


def _layers(raw: Any, path: Path) -> Shaped[ndarray, "layer z y x"]:
    if raw.GetDimension() != 3:
        found = f"{raw.GetDimension()} dimensions"
        raise CohortError(Fault(found, "layers of 3-D volumes", "save the segmentation again", file=str(path)))
    values = sitk.GetArrayFromImage(raw)
    return np.moveaxis(values, -1, 0) if raw.GetNumberOfComponentsPerPixel() > 1 else values[None]
