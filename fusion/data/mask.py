"""A mask of a case, whatever its format: labels in a volume, a named segment or a named structure."""

from pathlib import Path

from fusion.config.cohort import Cohort
from fusion.data.image import Image, Labels, is_dicom, read_labels
from fusion.data.roi_name import RING, TUMOUR
from fusion.data.slicer_seg import is_slicer_segmentation, read_slicer_segment

EXTERNAL2 = "external2"


def read_mask(path: Path, role: str, image: Image | None, cohort: Cohort) -> Labels | None:
    """The mask in ``path``, its region as ``cohort.label``; None of DICOM where the image could not be read.

    Args:
        path: a volume of labels, a segmentation of 3D Slicer, or DICOM: file, folder or zip.
        role: `external2`, which is looked for by the ring's usual names; any other, by ``cohort.roi``.
        image: that it was drawn on; DICOM structures have no grid without it.
        cohort: label, name, and how DICOM is read.

    Raises:
        CohortError: see ``read_labels``, ``read_slicer_segment`` and ``read_dicom_mask``.
    """
    wanted, usual = (None, RING) if role == EXTERNAL2 else (cohort.roi, TUMOUR)
    if path.exists() and is_dicom(path):
        if image is None:
            return None
        from fusion.data.dicom.mask import read_dicom_mask

        return read_dicom_mask(path, image, wanted, usual, cohort.label, cohort.dicom)
    if is_slicer_segmentation(path):
        return read_slicer_segment(path, wanted, usual, cohort.label)
    return read_labels(path)
