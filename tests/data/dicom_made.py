"""Small DICOM series, structures and segmentations, written tag by tag."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

CLASSES = {"CT": "1.2.840.10008.5.1.4.1.1.2", "MR": "1.2.840.10008.5.1.4.1.1.4", "PT": "1.2.840.10008.5.1.4.1.1.128"}
SPACING = (3.0, 0.5, 0.8)
ORIGIN = (-10.0, 20.0, 100.0)
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
NAME = "Mustermann^Erika"
"""The patient, whom no message may name."""
Change = Callable[[int, Dataset], None]


def voxels(slices: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-1000, 1500, (slices, 12, 16)).astype(np.int16)


def series(folder: Path, values: np.ndarray | None = None, modality: str = "CT", change: Change | None = None,
           orientation: Sequence[float] = AXIAL, origin=ORIGIN, spacing=SPACING, seed: str = "a",
           syntax: str = ExplicitVRLittleEndian) -> Path:  # fmt: skip
    """A series whose files lie in no order; ``change`` spoils the data set of a slice before it is written."""
    values = voxels() if values is None else values
    normal = np.cross(orientation[:3], orientation[3:])
    folder.mkdir(parents=True, exist_ok=True)
    for position, pixels in enumerate(values):
        own = header(CLASSES[modality], seed)
        own.Modality, own.SeriesNumber, own.InstanceNumber = modality, 3, position + 1
        own.SOPInstanceUID = generate_uid(entropy_srcs=[seed, str(position)])
        own.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        own.ImageOrientationPatient, own.PixelSpacing = list(orientation), list(spacing[1:])
        own.ImagePositionPatient = [float(one) for one in np.asarray(origin) + position * spacing[0] * normal]
        own.SliceThickness = spacing[0]
        picture(own, pixels)
        if modality != "MR":
            own.RescaleSlope, own.RescaleIntercept = 1, 0
        if modality == "PT":
            own.Units = "GML"
        if change is not None:
            change(position, own)
        write(folder / f"IM{(position * 7) % len(values)}_{position}", own, syntax)
    return folder


def header(sop_class: str, seed: str = "a") -> Dataset:
    own = Dataset()
    own.SOPClassUID, own.SOPInstanceUID = sop_class, generate_uid()
    own.PatientID, own.PatientName, own.StudyID, own.AccessionNumber = "4711", NAME, "1", ""
    own.PatientBirthDate, own.PatientSex, own.StudyDate, own.StudyTime = "19500101", "F", "20200101", "120000"
    own.ReferringPhysicianName, own.SeriesDescription = "Haus^Gregor", f"neck of {NAME}"
    own.StudyInstanceUID, own.SeriesInstanceUID = uid("study", seed), uid("series", seed)
    own.FrameOfReferenceUID = uid("frame", seed)
    return own


def uid(what: str, seed: str = "a") -> str:
    return str(generate_uid(entropy_srcs=[what, seed]))


def picture(own: Dataset, pixels: np.ndarray) -> None:
    own.Rows, own.Columns, own.SamplesPerPixel, own.PhotometricInterpretation = *pixels.shape[-2:], 1, "MONOCHROME2"
    own.BitsAllocated, own.BitsStored, own.HighBit, own.PixelRepresentation = 16, 16, 15, 1
    own.PixelData = pixels.astype("<i2").tobytes()


def write(path: Path, own: Dataset, syntax: str = ExplicitVRLittleEndian) -> Path:
    own.file_meta = FileMetaDataset()
    own.file_meta.TransferSyntaxUID = syntax
    own.file_meta.MediaStorageSOPClassUID = own.SOPClassUID
    own.file_meta.MediaStorageSOPInstanceUID = own.SOPInstanceUID
    own.save_as(path, enforce_file_format=True)
    return path


def item(**tags) -> Dataset:
    own = Dataset()
    for name, value in tags.items():
        setattr(own, name, value)
    return own


def enhanced(path: Path, values: np.ndarray, order: Sequence[int], slopes: Sequence[float]) -> Path:
    """An enhanced CT of one file, its frames in ``order``, each with a slope of its own."""
    own = header("1.2.840.10008.5.1.4.1.1.2.1")
    own.Modality, own.ImageType, own.NumberOfFrames = "CT", ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"], len(values)
    picture(own, values[list(order)])
    own.SharedFunctionalGroupsSequence = [item(
        PlaneOrientationSequence=[item(ImageOrientationPatient=list(AXIAL))],
        PixelMeasuresSequence=[item(PixelSpacing=list(SPACING[1:]), SliceThickness=SPACING[0])],
    )]  # fmt: skip
    own.PerFrameFunctionalGroupsSequence = [
        item(
            PlanePositionSequence=[item(ImagePositionPatient=[*ORIGIN[:2], ORIGIN[2] + position * SPACING[0]])],
            PixelValueTransformationSequence=[item(RescaleSlope=slopes[position], RescaleIntercept=-10)],
        )
        for position in order
    ]
    return write(path, own)


def structures(path: Path, rois: dict[str, list[np.ndarray]], seed: str = "a", kind: str = "CLOSED_PLANAR") -> Path:
    """RT structures: by name, contours of corners (x, y, z) in mm."""
    own = header("1.2.840.10008.5.1.4.1.1.481.3", seed)
    own.Modality, own.SeriesInstanceUID = "RTSTRUCT", uid("structures", seed)
    frame = uid("frame", seed)
    own.ReferencedFrameOfReferenceSequence = [item(
        FrameOfReferenceUID=frame,
        RTReferencedStudySequence=[item(
            ReferencedSOPInstanceUID=uid("study", seed),
            RTReferencedSeriesSequence=[item(SeriesInstanceUID=uid("series", seed))],
        )],
    )]  # fmt: skip
    own.StructureSetROISequence = [
        item(ROINumber=number, ROIName=name, ReferencedFrameOfReferenceUID=frame) for number, name in enumerate(rois, 1)
    ]
    own.ROIContourSequence = [
        item(
            ReferencedROINumber=number,
            ContourSequence=[
                item(
                    ContourGeometricType=kind,
                    NumberOfContourPoints=len(corners),
                    ContourData=[f"{one:.6g}" for one in np.ravel(corners)],
                )
                for corners in contours
            ],
        )
        for number, contours in enumerate(rois.values(), 1)
    ]
    return write(path, own)


def box(position: float, rows: tuple[float, float], columns: tuple[float, float]) -> np.ndarray:
    """A rectangle on a slice of an axial series, its edges at rows and columns (continuous indices)."""
    corners = [
        (c, r) for r, c in ((rows[0], columns[0]), (rows[0], columns[1]), (rows[1], columns[1]), (rows[1], columns[0]))
    ]
    return np.array([
        (ORIGIN[0] + c * SPACING[2], ORIGIN[1] + r * SPACING[1], ORIGIN[2] + position * SPACING[0]) for c, r in corners
    ])  # fmt: skip


def segmentation(path: Path, segments: dict[str, np.ndarray], seed: str = "a", kind: str = "BINARY",
                 flipped: bool = False, origin=ORIGIN, spacing=SPACING) -> Path:  # fmt: skip
    """A DICOM SEG: by label, voxels (z, y, x), 0 to 1; empty frames are left out, frames come last slice first."""
    own = header("1.2.840.10008.5.1.4.1.1.66.7" if kind == "LABELMAP" else "1.2.840.10008.5.1.4.1.1.66.4", seed)
    own.Modality, own.SeriesInstanceUID, own.SegmentationType = "SEG", uid("segmentation", seed), kind
    own.ReferencedSeriesSequence = [item(SeriesInstanceUID=uid("series", seed))]
    own.SegmentSequence = [item(SegmentNumber=n, SegmentLabel=label) for n, label in enumerate(segments, 1)]
    frames = [
        (number, position, inside)
        for number, values in enumerate(segments.values(), 1)
        for position, inside in reversed(list(enumerate(values)))
        if inside.any()
    ]
    rows, columns = next(iter(segments.values())).shape[1:]
    own.Rows, own.Columns, own.SamplesPerPixel, own.PhotometricInterpretation = rows, columns, 1, "MONOCHROME2"
    own.NumberOfFrames, own.PixelRepresentation = len(frames), 0
    bits = 1 if kind == "BINARY" else 8
    own.BitsAllocated, own.BitsStored, own.HighBit = bits, bits, bits - 1
    stacked = np.array([inside for _, _, inside in frames])
    if kind == "BINARY":
        packed = np.packbits(stacked.ravel() > 0, bitorder="little").tobytes()
        own.PixelData = packed + b"\0" * (len(packed) % 2)
    elif kind == "FRACTIONAL":
        own.MaximumFractionalValue, own.PixelData = 200, np.round(stacked * 200).astype(np.uint8).tobytes()
    else:
        numbers = [np.where(inside, number, 0) for number, _, inside in frames]
        own.PixelData = np.array(numbers).astype(np.uint8).tobytes()
    own.SharedFunctionalGroupsSequence = [item(
        PlaneOrientationSequence=[item(ImageOrientationPatient=list(AXIAL))],
        PixelMeasuresSequence=[item(PixelSpacing=list(spacing[1:]), SliceThickness=spacing[0],
                                    SpacingBetweenSlices=spacing[0])],
    )]  # fmt: skip
    own.PerFrameFunctionalGroupsSequence = [
        item(
            PlanePositionSequence=[item(ImagePositionPatient=[*origin[:2], origin[2] + position * spacing[0]])],
            **({} if kind == "LABELMAP" else {"SegmentIdentificationSequence": [item(ReferencedSegmentNumber=number)]}),
        )
        for number, position, _ in frames
    ]
    return write(path, own)
