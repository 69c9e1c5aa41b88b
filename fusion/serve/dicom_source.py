"""The series that an answer's DICOM objects refer to: its headers, checked to be the image that was answered."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from jaxtyping import Bool
from numpy import ndarray

from fusion.config.dicom import Dicom
from fusion.data.case import Case
from fusion.data.dicom.decode import decode
from fusion.data.dicom.grid import Frame, Grid, grid
from fusion.data.dicom.header import Unreadable, opened
from fusion.data.dicom.series import Series, chosen
from fusion.data.image import USUAL, is_dicom
from fusion.errors import CohortError, Fault
from fusion.serve.told import Told
from fusion.types import Mask

SAME_MM = 1e-3
MAKER = {"manufacturer": "fusion", "manufacturer_model_name": "fusion"}
NEEDED = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber",
          "ReferringPhysicianName", "StudyID")  # fmt: skip
"""What the standard wants in every object of a study, if need be empty."""


@dataclass(frozen=True)
class Source:
    """Headers of a series in order, without pixels; they hold the patient's identifiers, so they are never printed.

    Objects that a hospital's archive files under a patient must carry that patient and study: here, and nowhere else,
    identifiers are copied on.
    """

    datasets: tuple[pydicom.Dataset, ...] = field(repr=False)
    frames: tuple[Frame, ...] = field(repr=False)
    modality: str
    step_mm: float

    def in_file_order(self, mask: Mask) -> Bool[ndarray, "frame y x"]:
        """``mask`` with its slices as the datasets, or the one dataset's frames, come."""
        if len(self.datasets) > 1:
            return mask
        ordered = np.zeros_like(mask)
        for slice_of_frame, frame in zip(mask, self.frames, strict=True):
            ordered[frame.index] = slice_of_frame
        return ordered


def source_of(told: Told, series: Path, dicom: Dicom = USUAL) -> tuple[Source, Case]:
    """The series behind an answer, and the case as it was answered.

    Args:
        told: an answer of regions.
        series: folder of the image's DICOM series, or one of its files.
        dicom: how the image was read.

    Raises:
        CohortError: no answer of regions, no DICOM series, not the image that was answered, or one that was mended
            when it was read, so that its masks lie on no slices of the series.
    """
    needs = "the answer of a case whose image is a DICOM series"
    if told.case is None or told.external2 is None:
        found = "DICOM output asked for slices"
        raise CohortError(Fault(found, needs, "leave DICOM output out", case=told.answer.case))
    if not (series.exists() and is_dicom(series)):
        found = "an image that is no DICOM series, to which DICOM output could refer"
        raise CohortError(Fault(found, needs, "give the series as image, or leave DICOM output out",
                                case=told.answer.case, file=str(series)))  # fmt: skip
    own = chosen(series, dicom=dicom)
    whole = grid(own.headers, series, dicom)
    if (why := _unlike(whole, own, told.case)) is not None:
        raise CohortError(Fault(*why, case=told.answer.case, file=str(series)))
    datasets = tuple(_dataset(path) for path in _files(whole))
    return Source(datasets, whole.frames, own.headers[0].modality, whole.geometry.spacing_mm[0]), told.case


def _unlike(whole: Grid, own: Series, answered: Case) -> tuple[str, str, str] | None:
    """Why objects that refer to the series would be wrong: what was found, expected and helps; None where none is."""
    leave = "leave DICOM output out"
    moved = whole.geometry.difference(answered.geometry, SAME_MM, SAME_MM)
    if moved or not np.array_equal(decode(whole).values, answered.image):
        found = f"another series than was answered{': ' + '; '.join(moved) if moved else ''}"
        return found, "the answered image", "name its series"
    if "" in whole.instances:
        found = "a series that was made even and upright when it was read, so that masks do not lie on its slices"
        return found, "slices as they were scanned", leave
    if len({header.study for header in own.headers}) > 1:
        return "a series whose files name several studies", "one study, to file the objects under", leave
    if len(_files(whole)) not in (1, len(whole.frames)):
        return f"a series of {len(_files(whole))} files with several frames each", "one file, or one a slice", leave
    return None


def _files(whole: Grid) -> list[Path]:
    return list(dict.fromkeys(frame.header.path for frame in whole.frames))


@contextmanager
def speaking_dicom(file: Path) -> Iterator[None]:
    """Makes a fault of what the DICOM library refuses; its own words may quote a name, in errors and in logs.

    Args:
        file: the series, for the fault.
    """
    log = logging.getLogger("highdicom")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (AttributeError, ValueError, TypeError, KeyError) as error:
        found = f"headers that DICOM output cannot refer to ({type(error).__name__})"
        remedy = "export the series again, or leave DICOM output out"
        raise CohortError(Fault(found, "headers by the standard", remedy, file=str(file))) from None
    finally:
        log.setLevel(level)


def made_by(bundle: str) -> dict[str, Any]:
    """What every object says of its maker: fusion, its version, and the bundle in place of a device's number."""
    return {**MAKER, "software_versions": version("fusion"), "device_serial_number": bundle[-64:]}


def _dataset(path: Path) -> pydicom.Dataset:
    try:
        with opened(path) as own:
            for name in NEEDED:
                if name not in own:
                    setattr(own, name, None if name.endswith(("Date", "Time")) else "")
            return own
    except Unreadable as reason:
        raise CohortError(
            Fault(f"no readable DICOM ({reason})", "a slice", "copy it again", file=str(path))
        ) from reason
