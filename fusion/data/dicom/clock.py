"""Dates and times of DICOM as clocks without a zone: those of one scanner are compared, and none is ever told."""

import re
from datetime import datetime, time, timedelta

import pydicom

from fusion.data.dicom.tags import word

CLOCK = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2})?(?:\.(\d{1,6}))?")

FIRST_YEAR = 1900
"""Before which nobody was scanned."""


def clock(text: str) -> time | None:
    """A time of day; None where there is none.

    >>> clock("235959.5"), clock("0830"), clock("99")
    (datetime.time(23, 59, 59, 500000), datetime.time(8, 30), None)
    """
    found = CLOCK.fullmatch(text.strip())
    if found is None:
        return None
    hour, minute, second = (int(one or 0) for one in found.groups()[:3])
    if hour > 23 or minute > 59 or second > 60:  # 60 is a leap second
        return None
    return time(hour, minute, min(second, 59), int((found[4] or "0").ljust(6, "0")))


def moment(text: str) -> datetime | None:
    """A date with its time of day, YYYYMMDDHHMMSS.FFFFFF&ZZXX, the zone left out; None where it is not whole.

    >>> moment("20200131235959.5+0100")
    datetime.datetime(2020, 1, 31, 23, 59, 59, 500000)
    """
    text = re.split(r"[+-]", text.strip())[0]
    day, of_day = text[:8].replace(".", ""), clock(text[8:])
    if of_day is None:
        return None
    try:
        known = datetime.strptime(day, "%Y%m%d")
    except ValueError:
        return None
    return datetime.combine(known, of_day) if known.year >= FIRST_YEAR else None


def moment_of(own: pydicom.Dataset, what: str) -> datetime | None:
    """When a ``Series``, an ``Acquisition`` or the like began, by its date and its time."""
    return moment(word(own, f"{what}Date").replace(".", "") + word(own, f"{what}Time"))


def last_before(of_day: time, then: datetime) -> datetime:
    """The last time that a clock said ``of_day`` before ``then``, if need be on the day before.

    >>> last_before(time(23, 30), datetime(2020, 1, 2, 0, 30))
    datetime.datetime(2020, 1, 1, 23, 30)
    """
    same_day = datetime.combine(then.date(), of_day)
    return same_day if same_day <= then else same_day - timedelta(days=1)
