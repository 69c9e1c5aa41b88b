"""PET as standardised uptake value by body weight: one factor a series, or every reason why there is none.

The steps are those of the QIBA FDG-PET/CT profile's vendor-neutral SUV calculation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fusion.data.dicom.decay import scan_start, since_injection
from fusion.data.dicom.uptake import Uptake

FLUORINE = ("C-111A1", "77004003")
FLUORINE_S = 6586.2
"""Half-life of F-18."""
WEIGHT_KG, DOSE_BQ, HALF_LIFE_S = (0.5, 500.0), (1e6, 2e10), (60.0, 1e7)
"""Smallest and largest that are no slip of units: grams for kilograms, MBq for Bq, minutes for seconds."""
HALF_LIVES = 10.0
"""Of which, after injection, nothing is left to measure."""

Reason = tuple[str, str, str]
"""What was found, expected and helps."""


@dataclass(frozen=True)
class Factor:
    """From rescaled values to SUV by body weight."""

    value: float
    note: str
    """Empty where there is nothing to tell."""


def factor(uptakes: Sequence[Uptake]) -> Factor | list[Reason]:
    """The factor of the files of one series, or all reasons why there is none."""
    one, original = uptakes[0], "export the original, corrected series"
    for what, of in (("units", "units"), ("corrections", "corrected"), ("decay corrections", "decay"),
                     ("kinds of SUV", "suv_type"), ("factors to SUV", "philips_suv"),
                     ("factors to Bq/ml", "philips_bq")):  # fmt: skip
        if len({getattr(own, of) for own in uptakes}) > 1:
            return [(f"PET of several {what} in one series", "one", "choose the slices of one volume")]
    if one.corrected and "ATTN" not in one.corrected:
        return [("PET that is not corrected for attenuation", "it corrected", original)]
    if one.units == "GML" and one.suv_type in ("", "BW"):
        return Factor(1.0, "")
    if one.units == "CNTS" and one.philips_suv:
        return Factor(one.philips_suv, "PET counts turned into SUV by body weight with the scanner's own factor")
    if one.units == "BQML":
        return _by_activity(uptakes, 1.0, "PET in Bq/ml")
    if one.units == "CNTS" and one.philips_bq:
        return _by_activity(uptakes, one.philips_bq, "PET counts, by the scanner's factor in Bq/ml,")
    expected = "SUV by body weight (GML), Bq/ml (BQML), or counts with the scanner's factor"
    return [("PT in other units than can be read", expected, "export the series in these units")]


def _by_activity(uptakes: Sequence[Uptake], to_bq: float, what: str) -> Factor | list[Reason]:
    if reasons := [*_several(uptakes), *_unfit(uptakes[0])]:
        return reasons
    one = uptakes[0]
    assert one.weight_kg is not None
    assert one.dose_bq is not None
    assert one.half_life_s is not None
    per_bq = one.weight_kg * 1000 / one.dose_bq
    told = f"{what} turned into SUV by body weight"
    if one.decay == "ADMIN":
        return Factor(to_bq * per_bq, f"{told}; decay is corrected to the injection")
    start, by = scan_start(uptakes)
    passed = since_injection(one, start) if start is not None else by
    if isinstance(passed, str):
        return [(passed, "when injection and scan began", "export the original series with its times")]
    if not 0 <= passed <= HALF_LIVES * one.half_life_s:
        found = f"an injection {passed / 60:.0f} minutes before the scan"
        return [(found, f"0 to {HALF_LIVES:g} half-lives", "export the original series with its times")]
    left = 2 ** (-passed / one.half_life_s)
    note = f"{told}; {passed / 60:.1f} minutes of decay from the injection to the scan's start, by {by}"
    return Factor(to_bq * per_bq / left, note)


def _several(uptakes: Sequence[Uptake]) -> Iterator[Reason]:
    for what, of in (("weights", "weight_kg"), ("doses", "dose_bq"), ("half-lives", "half_life_s"),
                     ("injections", "injected"), ("injections", "injected_clock")):  # fmt: skip
        if len({getattr(own, of) for own in uptakes}) > 1:
            yield f"PET of several {what} in one series", "one", "choose the slices of one volume"


def _unfit(one: Uptake) -> Iterator[Reason]:
    """What is missing or makes no sense, for a factor by activity."""
    again = "export the original series, or one in SUV (GML)"
    if one.several_doses:
        yield "PET of several injections", "one", again
    if missing := {"ATTN", "DECY"} - set(one.corrected):
        yield f"PET in Bq/ml that does not say that it is corrected ({', '.join(sorted(missing))})", "it said", again
    if one.decay not in ("START", "ADMIN"):
        yield "PET whose decay is corrected to no known time", "to the scan's start or the injection", again
    for what, value, (low, high), unit in (
        ("weight of the patient", one.weight_kg, WEIGHT_KG, "kg"),
        ("injected dose", one.dose_bq, DOSE_BQ, "Bq"),
        ("half-life", one.half_life_s, HALF_LIFE_S, "s"),
    ):
        if not value:
            yield f"PET in Bq/ml without the {what}", "it in every header", again
        elif not low <= value <= high:
            yield f"PET whose {what} makes no sense", f"{low:g} to {high:g} {unit}", again
    if one.nuclide in FLUORINE and one.half_life_s and abs(one.half_life_s / FLUORINE_S - 1) > 0.02:
        yield f"fluorine-18 with a half-life of {one.half_life_s:g} s", f"{FLUORINE_S:g} s", again
