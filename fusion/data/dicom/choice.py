"""Which of several series is the image: by number, identifier, description or modality, or refused with a list."""

import re
from collections.abc import Sequence
from pathlib import Path

from fusion.config.dicom import Dicom
from fusion.data.dicom.found import Series
from fusion.errors import CohortError, Fault

LISTED = 20


def one_of(there: Sequence[Series], choose: int | str | None, dicom: Dicom, where: Path) -> Series:
    """The one image series that fits.

    Args:
        there: all series.
        choose: number or identifier; None for ``dicom``'s choice.
        dicom: series and modality.
        where: named in the fault.

    Raises:
        CohortError: none fits, or several do; they are listed without a word that somebody typed.
    """
    picked = [one for one in _fit(there, choose, dicom, where) if _of(dicom.modality, one)]
    if len(picked) == 1 and picked[0].is_volume:
        return picked[0]
    raise CohortError(_fault(there, len(picked), where))


def note(there: Sequence[Series], own: Series) -> tuple[str, ...]:
    """What is told of the choice; nothing where there was none."""
    volumes = [one for one in there if one.is_volume]
    return (f"series {own.number} of {len(volumes)}: {own.told}",) if len(volumes) > 1 else ()


def _fit(there: Sequence[Series], choose: int | str | None, dicom: Dicom, where: Path) -> Sequence[Series]:
    if choose is not None:
        return [one for one in there if choose in (one.number, str(one.number), one.uid)]
    volumes = [one for one in there if one.is_volume]
    if dicom.series is not None:
        return _described(volumes, dicom.series, where)
    return [one for one in volumes if not one.localizer] or volumes


def _described(volumes: Sequence[Series], wanted: str, where: Path) -> Sequence[Series]:
    same = [one for one in volumes if wanted in (one.uid, f"#{one.number}", one.headers[0].description)]
    if same or re.fullmatch(r"#\d+", wanted):
        return same
    try:
        search = re.compile(wanted, re.IGNORECASE).search
    except re.error as error:
        remedy = "write cohort.dicom.series as an identifier, # and a number, or a regular expression"
        raise CohortError(
            Fault(f"a pattern that is none ({error.msg})", "a pattern", remedy, file=str(where))
        ) from None
    return [one for one in volumes if search(one.headers[0].description)]


def _of(modality: str | None, series: Series) -> bool:
    return modality is None or all(own.modality == modality for own in series.headers)


def _fault(there: Sequence[Series], picked: int, where: Path) -> Fault:
    listed = "; ".join(f"{one.number}: {one.told}" for one in there[:LISTED])
    listed += f"; and {len(there) - LISTED} more" if len(there) > LISTED else ""
    if not any(one.is_volume for one in there):
        return Fault(f"no CT, MR or PET series ({listed})", "one", "export the series of the image", file=str(where))
    what = f"{picked} image series" if picked > 1 else "no image series of that choice"
    remedy = "set cohort.dicom.series to # and its number, its SeriesInstanceUID or a pattern of its description, or "
    remedy += "cohort.dicom.modality; name one of its files; or leave the others out"
    return Fault(f"{what} ({listed})", "one", remedy, file=str(where))
