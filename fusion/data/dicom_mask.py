"""A mask that comes as DICOM: RT structures or a segmentation, by file or as the one such file in a folder."""

from pathlib import Path

import numpy as np

from fusion.data.dicom_header import SEGMENTATIONS, STRUCTURES, Header, Unreadable, read_header
from fusion.data.dicom_seg import read_segment
from fusion.data.dicom_series import found
from fusion.data.image import Image, Labels
from fusion.data.rtstruct import read_structure
from fusion.errors import CohortError, Fault


def read_dicom_mask(path: Path, image: Image, roi: str | None, usual: str, label: int) -> Labels:
    """The structure or segment as ``label``, 0 elsewhere; on the image's grid, or a segmentation's own.

    Args:
        path: RT structure set or segmentation, or a folder with one of them, which may hold the image too.
        image: that it was drawn on.
        roi: name or pattern of the structure; None where nobody said.
        usual: pattern that decides then, where there are several.
        label: that it gets.

    Raises:
        CohortError: see ``read_structure`` and ``read_segment``; or no mask, or several.
    """
    header = _mask_in(path) if path.is_dir() else _header(path)
    if header.sop_class == STRUCTURES:
        inside = read_structure(header.path, image, roi, usual)
        return Labels(inside.astype(np.int32) * label, image.geometry)
    if header.sop_class in SEGMENTATIONS:
        segment = read_segment(header.path, image, roi, usual)
        return Labels(segment.values.astype(np.int32) * label, segment.geometry, segment.notes)
    expected = "RT structures or a segmentation"
    raise CohortError(Fault(f"a DICOM file that is no mask ({header.modality})", expected, "choose the mask's file",
                            file=str(path)))  # fmt: skip


def _mask_in(folder: Path) -> Header:
    masks = [own for one in found(folder) for own in one.headers if own.sop_class in (STRUCTURES, *SEGMENTATIONS)]
    if len(masks) != 1:
        kinds = ", ".join(sorted(own.modality for own in masks)) or "none"
        remedy = "name the file of one of them" if masks else "draw the tumour and export it as RT structures"
        raise CohortError(Fault(f"{len(masks)} DICOM masks ({kinds})", "one", remedy, file=str(folder)))
    return masks[0]


def _header(path: Path) -> Header:
    try:
        return read_header(path)
    except (Unreadable, OSError) as error:
        reason = str(error) if isinstance(error, Unreadable) else "cannot be opened"
        remedy = "export or copy it again"
        raise CohortError(Fault(f"no readable DICOM ({reason})", "a mask", remedy, file=str(path))) from error
