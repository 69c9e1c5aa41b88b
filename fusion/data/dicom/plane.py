"""Frames of a DICOM file: where each lies, how its numbers become grey values, and what sets it apart from others."""

from dataclasses import dataclass

import pydicom

from fusion.data.dicom.tags import Numbers, count, first, number, numbers, word

OF_FILE = {
    "EchoTime": "echo time",
    "TemporalPositionIdentifier": "temporal position",
    "AcquisitionNumber": "acquisition",
    "DiffusionBValue": "diffusion weighting",
    "InversionTime": "inversion time",
    "TriggerTime": "trigger time",
    "FrameReferenceTime": "time of the frame",
    "ConvolutionKernel": "kernel",
    "KVP": "tube voltage",
    "ImageType": "type of image",
    "AcquisitionTime": "time of acquisition",
}
"""What may set apart two images at one place, by tag, in the order in which it is looked for."""
OF_FRAME = {"TemporalPositionIndex": "temporal position", "FrameAcquisitionNumber": "acquisition"}
"""The same of frames of one file."""


@dataclass(frozen=True)
class Plane:
    """Where a frame lies and how its numbers become grey values; None where the header does not say."""

    position_mm: Numbers | None
    orientation: Numbers | None
    pixel_mm: Numbers | None
    """Between rows, between columns."""
    slope: float | None
    intercept: float | None
    step_mm: float | None = None
    """From slice to slice, as the header has it."""
    segment: int | None = None
    """That the frame belongs to, in a segmentation."""
    units: str = ""
    """Of its grey values, as the header has it."""
    stack: str = ""
    """Frames of one file may make several stacks."""
    moment: tuple[tuple[str, str], ...] = ()
    """What may set it apart from others at its place: a word, and a value for comparison alone."""


def planes(own: pydicom.Dataset) -> tuple[Plane, ...]:
    """A plane a frame; of a file without frames, its own."""
    frames = own.get("PerFrameFunctionalGroupsSequence") or []
    shared = first(own, "SharedFunctionalGroupsSequence")
    return tuple(_frame(frame, shared) for frame in frames) or (_single(own),)


def _single(own: pydicom.Dataset) -> Plane:
    moment = tuple((told, word(own, name)) for name, told in OF_FILE.items())
    return _plane(own, own, own, own, moment=moment)


def _frame(frame: pydicom.Dataset, shared: pydicom.Dataset) -> Plane:
    """The plane of one frame: what is said of the frame, else of all frames."""

    def group(name: str) -> pydicom.Dataset:
        return (frame.get(name) or shared.get(name) or [pydicom.Dataset()])[0]

    content, echo = group("FrameContentSequence"), group("MREchoSequence")
    segment = group("SegmentIdentificationSequence").get("ReferencedSegmentNumber")
    moment = tuple((told, word(content, name)) for name, told in OF_FRAME.items())
    return _plane(
        group("PlanePositionSequence"),
        group("PlaneOrientationSequence"),
        group("PixelMeasuresSequence"),
        group("PixelValueTransformationSequence"),
        segment=None if segment is None else count(segment),
        stack=word(content, "StackID"),
        moment=(("echo time", word(echo, "EffectiveEchoTime")), *moment),
    )


def _plane(place: pydicom.Dataset, axes: pydicom.Dataset, measures: pydicom.Dataset, values: pydicom.Dataset,
           segment: int | None = None, stack: str = "", moment: tuple[tuple[str, str], ...] = ()) -> Plane:  # fmt: skip
    return Plane(
        position_mm=numbers(place.get("ImagePositionPatient"), 3),
        orientation=numbers(axes.get("ImageOrientationPatient"), 6),
        pixel_mm=numbers(measures.get("PixelSpacing"), 2),
        slope=number(values.get("RescaleSlope")),
        intercept=number(values.get("RescaleIntercept")),
        step_mm=number(measures.get("SpacingBetweenSlices")) or number(measures.get("SliceThickness")),
        segment=segment,
        units=word(values, "RescaleType"),
        stack=stack,
        moment=moment,
    )
