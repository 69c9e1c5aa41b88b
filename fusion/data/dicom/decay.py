"""How long before a PET scan the tracer was injected: the clocks of the header, compared, and never believed blindly.

The scan's start is that to which decay was corrected: by the QIBA FDG-PET/CT profile's vendor-neutral calculation the
series' time, unless that is later than an acquisition; then GE's own time of the scan, or by frames and acquisitions.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import expm1, log

from fusion.data.dicom.clock import last_before
from fusion.data.dicom.uptake import Uptake

OVER_MIDNIGHT_S = 12 * 3600.0
"""An injection without a date was at most that long before a scan on the next day."""
LONGEST_S = 86400.0
"""Of a scan and its frames."""
SAME_S = 60.0
"""How far clocks may differ that say the same."""


def scan_start(uptakes: Sequence[Uptake]) -> tuple[datetime | None, str]:
    """When the scan began, and by what; None, and what is missing or contradicts itself."""
    acquired = [own.acquired for own in uptakes if own.acquired is not None]
    series = {own.series for own in uptakes}
    if len(acquired) < len(uptakes):
        return None, "PET without the date and time of acquisition"
    first_acquired, begun = min(acquired), next(iter(series))
    if len(series) == 1 and begun is not None and begun <= first_acquired:
        return begun, "the series' time"
    if (ge := {own.ge_scan for own in uptakes}) != {None}:
        told = next(iter(ge))
        found = "PET whose scans began at several times"
        return (told, "the scanner's own time of the scan") if len(ge) == 1 else (None, found)
    back = [start for own in uptakes if (start := _before_frame(own)) is not None]
    if len(back) < len(uptakes):
        return first_acquired, "the first acquisition"
    if (max(back) - min(back)).total_seconds() > SAME_S:
        return None, "PET whose frames contradict each other on when the scan began"
    return min(back), "the time of its frames"


def _before_frame(own: Uptake) -> datetime | None:
    """The scan's start by one frame: its own start, less the time from the scan's start to its mean activity, which
    lies where decay within the frame has its mean.
    """
    if not (own.acquired and own.frame_reference_s and own.frame_s and own.half_life_s):
        return None
    if not (0 < own.frame_reference_s <= LONGEST_S and 0 < own.frame_s <= LONGEST_S):
        return None
    rate = log(2) / own.half_life_s
    mean_s = log(rate * own.frame_s / -expm1(-rate * own.frame_s)) / rate
    return own.acquired - timedelta(seconds=own.frame_reference_s - mean_s)


def since_injection(one: Uptake, start: datetime) -> float | str:
    """Seconds from the injection to ``start``; or what is missing or contradicts itself."""
    if one.injected is None and one.injected_clock is None:
        return "PET without the time of the injection"
    if one.injected is None:
        assert one.injected_clock is not None
        injected = last_before(one.injected_clock, start)
        passed = (start - injected).total_seconds()
        if injected.date() != start.date() and passed > OVER_MIDNIGHT_S:
            return "PET with an injection, without a date, later in the day than the scan"
        return passed
    if one.injected_clock is not None:
        apart = abs((last_before(one.injected_clock, one.injected) - one.injected).total_seconds())
        if min(apart, 86400 - apart) > SAME_S:
            return "PET with two times of the injection that contradict each other"
    return (start - one.injected).total_seconds()
