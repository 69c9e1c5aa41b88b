"""What a PET file says of injection and scan."""

from dataclasses import dataclass, field
from datetime import datetime, time

import pydicom

from fusion.data.dicom.clock import clock, moment, moment_of
from fusion.data.dicom.tags import first, number, word, words

GE_SCAN = (0x0009, "GEMS_PETD_01", 0x0D)
PHILIPS_SUV, PHILIPS_BQ = ((0x7053, "Philips PET Private Group", one) for one in (0x00, 0x09))


@dataclass(frozen=True)
class Uptake:
    """What one PET file says of injection and scan; never printed, as dates are the patient's."""

    units: str
    suv_type: str
    corrected: tuple[str, ...]
    decay: str
    weight_kg: float | None = field(repr=False)
    dose_bq: float | None = field(repr=False)
    half_life_s: float | None
    nuclide: str
    injected: datetime | None = field(repr=False)
    injected_clock: time | None = field(repr=False)
    series: datetime | None = field(repr=False)
    acquired: datetime | None = field(repr=False)
    ge_scan: datetime | None = field(repr=False)
    frame_reference_s: float | None
    """From the scan's start to when the frame's mean activity was measured."""
    frame_s: float | None
    philips_suv: float | None
    philips_bq: float | None
    several_doses: bool


def uptake(own: pydicom.Dataset) -> Uptake:
    """What the header says of injection and scan."""
    doses = own.get("RadiopharmaceuticalInformationSequence") or []
    dose = first(own, "RadiopharmaceuticalInformationSequence")
    frame_ms, reference_ms = number(own.get("ActualFrameDuration")), number(own.get("FrameReferenceTime"))
    return Uptake(
        units=word(own, "Units"),
        suv_type=word(own, "SUVType"),
        corrected=words(own, "CorrectedImage"),
        decay=word(own, "DecayCorrection"),
        weight_kg=number(own.get("PatientWeight")),
        dose_bq=number(dose.get("RadionuclideTotalDose")),
        half_life_s=number(dose.get("RadionuclideHalfLife")),
        nuclide=word(first(dose, "RadionuclideCodeSequence"), "CodeValue"),
        injected=moment(word(dose, "RadiopharmaceuticalStartDateTime")),
        injected_clock=clock(word(dose, "RadiopharmaceuticalStartTime")),
        series=moment_of(own, "Series"),
        acquired=moment_of(own, "Acquisition"),
        ge_scan=moment(str(_private(own, GE_SCAN) or "")),
        frame_reference_s=None if reference_ms is None else reference_ms / 1000,
        frame_s=None if frame_ms is None else frame_ms / 1000,
        philips_suv=number(_private(own, PHILIPS_SUV)),
        philips_bq=number(_private(own, PHILIPS_BQ)),
        several_doses=len(doses) > 1,
    )


def _private(own: pydicom.Dataset, tag: tuple[int, str, int]) -> object:
    group, creator, element = tag
    try:
        return own.private_block(group, creator)[element].value
    except KeyError:
        return None
