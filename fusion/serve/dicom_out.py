"""An answer as DICOM objects of the patient's study: External2 as a segmentation, its numbers as a report."""

from pathlib import Path

import highdicom as hd
import numpy as np
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from pydicom import Dataset
from pydicom.sr.codedict import codes

from fusion.config.dicom import Dicom
from fusion.data.image import USUAL
from fusion.serve.dicom_content import content
from fusion.serve.dicom_source import Source, made_by, source_of, speaking_dicom
from fusion.serve.told import Told
from fusion.store import whole

USE = "research use only"
SERIES_NUMBERS = 9001, 9002
"""Of segmentation and report: beyond those of scanners."""
CODING = CodingSchemeIdentificationItem(
    designator="99FUSION", name="Names of an answer's numbers", responsible_organization="fusion"
)


def segmentation(told: Told, series: Path, path: Path, dicom: Dicom = USUAL) -> Path:
    """Write External2 and the tumour as a DICOM SEG that refers to the image's series.

    Args:
        told: an answer of regions.
        series: folder of the image's DICOM series, or one of its files.
        path: to write; the caller keeps it free of identifiers.
        dicom: how the image was read.

    Raises:
        CohortError: no such answer or series, or headers that cannot be referred to.
    """
    source, case = source_of(told, series, dicom)
    assert told.external2 is not None
    inside = np.stack([source.in_file_order(told.external2), source.in_file_order(case.tumour)], axis=-1)
    with speaking_dicom(series):
        written = hd.seg.Segmentation(
            source_images=list(source.datasets),
            pixel_array=inside.astype(np.uint8),
            segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
            segment_descriptions=_segments(told, refined=case.external2 is not None),
            series_instance_uid=hd.UID(),
            series_number=SERIES_NUMBERS[0],
            sop_instance_uid=hd.UID(),
            instance_number=1,
            content_label="EXTERNAL2",
            content_description=f"External2 and tumour, {USE}",
            pixel_measures=_measures(source),
            series_description=f"fusion External2, {USE}",
            **made_by(told.answer.bundle),
        )
        _save(written, path)
    return path


def report(told: Told, series: Path, path: Path, dicom: Dicom = USUAL) -> Path:
    """Write the answer as a DICOM SR (TID 1500, a measurement group a model), neither final nor verified.

    Args:
        told: an answer of regions.
        series: folder of the image's DICOM series, or one of its files.
        path: to write; the caller keeps it free of identifiers.
        dicom: how the image was read.

    Raises:
        CohortError: as ``segmentation``.
    """
    source, _ = source_of(told, series, dicom)
    with speaking_dicom(series):
        written = hd.sr.ComprehensiveSR(
            evidence=list(source.datasets),
            content=content(told.answer, source)[0],
            series_instance_uid=hd.UID(),
            series_number=SERIES_NUMBERS[1],
            sop_instance_uid=hd.UID(),
            instance_number=1,
            is_complete=True,
            is_final=False,
            is_verified=False,
            series_description=f"fusion answer, {USE}",
            coding_schemes=[CODING],
            **made_by(told.answer.bundle),
        )
        _save(written, path)
    return path


def _segments(told: Told, refined: bool) -> list[hd.seg.SegmentDescription]:
    """External2 first. SNOMED CT has no code for tissue round a tumour that we know of: it is a tissue, and its label
    and description say which.
    """
    kinds = hd.seg.SegmentAlgorithmTypeValues
    ring = hd.seg.SegmentDescription(
        segment_number=1,
        segment_label="External2",
        segmented_property_category=codes.SCT.Tissue,
        segmented_property_type=codes.SCT.Tissue,
        algorithm_type=kinds.SEMIAUTOMATIC if refined else kinds.AUTOMATIC,
        algorithm_identification=hd.AlgorithmIdentificationSequence(
            name="fusion External2", family=codes.DCM.MorphologicalOperations, version=made_by("")["software_versions"]
        ),
    )
    made = "drawn by hand over the automatic ring" if refined else "made from the tumour's mask"
    ring.SegmentDescription = f"Peritumoural tissue (External2), {made}; {USE}"
    tumour = hd.seg.SegmentDescription(
        segment_number=2,
        segment_label="Tumour",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Neoplasm,
        algorithm_type=kinds.MANUAL,
    )
    tumour.SegmentDescription = "The tumour as it was given with the image"
    return [ring, tumour]


def _measures(source: Source) -> hd.PixelMeasuresSequence | None:
    """Spacing in words of the grid; a file of several frames has its own."""
    first = source.frames[0]
    if len(source.datasets) == 1:
        return None
    thickness = source.datasets[0].get("SliceThickness") or source.step_mm
    return hd.PixelMeasuresSequence(first.plane.pixel_mm, float(thickness), source.step_mm)


def _save(written: Dataset, path: Path) -> None:
    written.SpecificCharacterSet = "ISO_IR 192"  # UTF-8: names of patients and classes as they are
    with whole(path) as part:
        written.save_as(part)
