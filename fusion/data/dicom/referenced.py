"""The series that a DICOM mask was drawn on, as it names them."""

import pydicom


def series_of(own: pydicom.Dataset) -> frozenset[str]:
    """UIDs of the series that RT structures or a segmentation refer to; for comparison alone, never printed."""
    structures = [
        one
        for frame in own.get("ReferencedFrameOfReferenceSequence") or []
        for study in frame.get("RTReferencedStudySequence") or []
        for one in study.get("RTReferencedSeriesSequence") or []
    ]
    return frozenset(str(one.SeriesInstanceUID) for one in [*structures, *(own.get("ReferencedSeriesSequence") or [])])
