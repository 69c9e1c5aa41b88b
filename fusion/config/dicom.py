"""How DICOM series and masks are read: which of several, and what is mended on request."""

from typing import Literal

from fusion.config.part import Fraction, Part


class Dicom(Part):
    """What to choose in a folder or zip of DICOM files, and what may be made of a series that is no even volume."""

    series: str | None = None
    """Of several series: SeriesInstanceUID, `#` and its number in the message that lists them, or a regular expression
    that the SeriesDescription of one holds."""
    modality: Literal["CT", "MR", "PT"] | None = None
    """Only series of this modality count."""
    tilt: Literal["resample", "refuse"] = "resample"
    """A gantry tilt: slices are shifted within their planes onto an upright grid (linear), which a note tells."""
    missing_slices: Literal["refuse", "interpolate"] = "refuse"
    """Missing or uneven slices: refused, or filled between their neighbours (linear), which a note tells."""
    contours: Literal["refuse", "interpolate"] = "refuse"
    """RT structures with contours between slices, or with none on slices in between: refused, or filled by signed
    distance, which a note tells."""
    fraction: Fraction = 0.5
    """Share of a voxel, or probability, from which a fractional segmentation counts as inside."""
