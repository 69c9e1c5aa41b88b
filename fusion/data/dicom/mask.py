"""A mask that comes as DICOM: RT structures or a segmentation, by file or as the one such file in a folder."""

from pathlib import Path

import numpy as np

from fusion.config.dicom import Dicom
from fusion.data.dicom.found import found, header_of
from fusion.data.dicom.header import SEGMENTATIONS, STRUCTURES, Header, Unreadable, opened
from fusion.data.dicom.referenced import series_of
from fusion.data.dicom.rtstruct import read_structure
from fusion.data.dicom.seg import read_segment
from fusion.data.image import Image, Labels
from fusion.errors import CohortError, Fault


def read_dicom_mask(path: Path, image: Image, roi: str | None, usual: str, label: int, dicom: Dicom) -> Labels:
    """The structure or segment as ``label``, 0 elsewhere; on the image's grid, or a segmentation's own.

    Args:
        path: RT structure set or segmentation, or a folder with one of them, which may hold the image too.
        image: that it was drawn on; of several masks in a folder, those that name its series count.
        roi: name or pattern of the structure; None where nobody said.
        usual: pattern that decides then, where there are several.
        label: that it gets.
        dicom: how structures off the slices and fractions are read.

    Raises:
        CohortError: see ``read_structure`` and ``read_segment``; or no mask, or several.
    """
    header = _mask_in(path, image) if path.is_dir() else header_of(path)
    if header.sop_class == STRUCTURES:
        own = read_structure(header.path, image, roi, usual, dicom.contours == "interpolate")
    elif header.sop_class in SEGMENTATIONS:
        own = read_segment(header.path, image, roi, usual, dicom)
    else:
        found, expected = f"a DICOM file that is no mask ({header.modality})", "RT structures or a segmentation"
        raise CohortError(Fault(found, expected, "choose the mask's file", file=str(path)))
    return Labels(own.values.astype(np.int32) * label, own.geometry, own.notes)


def _mask_in(folder: Path, image: Image) -> Header:
    masks = [own for one in found(folder) for own in one.headers if own.sop_class in (STRUCTURES, *SEGMENTATIONS)]
    if len(masks) > 1 and image.reference is not None:
        series = image.reference.series
        masks = [own for own in masks if series in _segmented(own.path)] or masks
    if len(masks) != 1:
        kinds = ", ".join(sorted(own.modality for own in masks)) or "none"
        remedy = "name the file of one of them" if masks else "draw the tumour and export it as RT structures"
        raise CohortError(Fault(f"{len(masks)} DICOM masks ({kinds})", "one", remedy, file=str(folder)))
    return masks[0]


def _segmented(path: Path) -> frozenset[str]:
    """The series that a mask names; none where it cannot be read, which its reader tells."""
    try:
        with opened(path) as own:
            return series_of(own)
    except Unreadable:
        return frozenset()
