"""How a DICOM image was acquired, for a paper's table of scanners; nothing that names a person, place or day."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pydicom

from fusion.config.dicom import Dicom
from fusion.data.dicom import contrast_agent
from fusion.data.dicom.grid import axes_of
from fusion.data.dicom.header import Header, Unreadable, opened
from fusion.data.dicom.series import chosen
from fusion.data.dicom.tags import many, numbers, word
from fusion.data.image import is_dicom, is_zip
from fusion.data.unzipped import unzipped
from fusion.errors import CohortError, Fault

NUMBERS = {
    "tube_voltage_kv": ("KVP",),
    "tube_current_ma": ("XRayTubeCurrentInmA", "XRayTubeCurrent"),
    "exposure_time_ms": ("ExposureTimeInms", "ExposureTime"),
    "rotation_time_s": ("RevolutionTime",),
    "slice_thickness_mm": ("SliceThickness",),
    "field_strength_t": ("MagneticFieldStrength",),
    "repetition_time_ms": ("RepetitionTime",),
    "echo_time_ms": ("EffectiveEchoTime", "EchoTime"),
    "flip_angle_deg": ("FlipAngle",),
}
"""By column, the tags that may hold it, of frames first."""
VENDOR = {
    "manufacturer": "Manufacturer",
    "model": "ManufacturerModelName",
    "kernel": "ConvolutionKernel",
    "pet_units": "Units",
    "pet_reconstruction": "ReconstructionMethod",
}
"""By column, tags whose words the scanner's maker chose."""
COLUMNS = ("modality", "manufacturer", "model", "tube_voltage_kv", "tube_current_ma", "exposure_time_ms",
           "rotation_time_s", "collimation_mm", "slice_thickness_mm", "interval_mm", "matrix", "pixel_mm", "kernel",
           "contrast_agent", "field_strength_t", "repetition_time_ms", "echo_time_ms", "flip_angle_deg", "pet_units",
           "pet_reconstruction")  # fmt: skip
"""In this order; empty where the header does not say."""
UNSAID = ("", "NONE", "UNKNOWN", "UNDEFINED")
LONGEST = 40

Value = str | float


def acquisition(path: Path, dicom: Dicom) -> dict[str, Value]:
    """By ``COLUMNS``, how the image in ``path`` was acquired; empty where it is no DICOM.

    A number that varies over the series is told as ``low-high``, words that vary are joined by ``/``.

    Raises:
        CohortError: as ``read_image``.
    """
    if path.is_file() and is_zip(path):
        with unzipped(path) as real:
            return acquisition(real[path], dicom)
    if not (path.exists() and is_dicom(path)):
        return {}
    headers = chosen(path, dicom=dicom).headers
    own = {"modality": headers[0].modality, **_geometry(headers), **_told(headers)}
    return {column: own[column] for column in COLUMNS}


def _told(headers: Sequence[Header]) -> dict[str, Value]:
    seen: dict[str, set[Value]] = {}
    for header in headers:
        try:
            with opened(header.path) as own:
                for column, value in _values(own):
                    seen.setdefault(column, set()).add(value)
        except Unreadable as reason:
            found = f"no readable DICOM ({reason})"
            raise CohortError(Fault(found, "a slice", "copy it again", file=str(header.path))) from reason
    names = (*NUMBERS, *VENDOR, "contrast_agent", "collimation_mm")
    return {name: _together(seen.get(name, set())) for name in names}


def _values(own: pydicom.Dataset) -> Iterator[tuple[str, Value]]:
    """What one file says, of itself and of its frames."""
    groups = list(_groups(own))
    for column, tags in NUMBERS.items():
        given = [[_round(one) for group in groups for one in numbers(group.get(tag), 1) or ()] for tag in tags]
        yield from ((column, value) for value in next((values for values in given if values), []))
    for column, tag in VENDOR.items():
        told = (" ".join(str(one) for one in many(group.get(tag))) for group in groups)
        yield from ((column, _plain(text)) for text in told if text.strip().upper() not in UNSAID)
    if agent := contrast_agent.told(_agents(own)):
        yield "contrast_agent", agent
    for group in groups:
        single = numbers(group.get("SingleCollimationWidth"), 1)
        total = numbers(group.get("TotalCollimationWidth"), 1)
        if single and total and single[0] > 0:
            yield "collimation_mm", f"{total[0] / single[0]:.0f} x {single[0]:g}"


def _groups(own: pydicom.Dataset) -> Iterator[pydicom.Dataset]:
    """The data set itself, and the functional groups of all frames and of each."""
    yield own
    for sequence in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for frame in own.get(sequence) or []:
            yield from (item for element in frame if element.VR == "SQ" for item in element.value)


def _agents(own: pydicom.Dataset) -> str:
    coded = own.get("ContrastBolusAgentSequence") or []
    return " ".join([word(own, "ContrastBolusAgent"), *(word(one, "CodeMeaning") for one in coded)])


def _geometry(headers: Sequence[Header]) -> dict[str, Value]:
    planes = [plane for header in headers for plane in header.planes]
    pixels = {plane.pixel_mm for plane in planes if plane.pixel_mm}
    return {
        "matrix": _together({f"{header.rows} x {header.columns}" for header in headers}),
        "pixel_mm": _together({_round(one[0]) if one[0] == one[1] else f"{one[0]:g} x {one[1]:g}" for one in pixels}),
        "interval_mm": _interval(headers),
    }


def _interval(headers: Sequence[Header]) -> Value:
    """The usual step between slices, along their normal."""
    planes = [plane for header in headers for plane in header.planes]
    if len(planes) < 2 or any(plane.position_mm is None or plane.orientation is None for plane in planes):
        return ""
    normal = axes_of(planes[0])[2]
    along = np.sort([float(np.asarray(plane.position_mm) @ normal) for plane in planes])
    return _round(float(np.median(np.diff(along))))


def _together(values: set[Value]) -> Value:
    """One value, or words for several."""
    given = [value for value in values if isinstance(value, float)]
    if len(given) == len(values) and given:
        low, high = min(given), max(given)
        return low if low == high else f"{low:g}-{high:g}"
    return " / ".join(sorted(f"{value:g}" if isinstance(value, float) else value for value in values))


def _round(value: float) -> float:
    """To five digits, as no scanner is more exact; headers write 3.26999999999998."""
    return float(f"{value:.5g}")


def _plain(text: str) -> str:
    return "".join(letter for letter in text.strip()[:LONGEST] if letter.isprintable())
