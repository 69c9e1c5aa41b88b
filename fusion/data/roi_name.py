"""Which of several named structures or segments is meant."""

import re
from collections.abc import Mapping

from fusion.errors import CohortError, Fault

TUMOUR = r"gtv|tumou?r|lesion|mass"
"""Names that a tumour is usually drawn under; upper and lower case alike."""
RING = r"external2|\bring\b"
LONGEST = 40


def pick(names: Mapping[int, str], wanted: str | None, usual: str, file: str) -> int:
    """The number of the structure that is meant.

    Args:
        names: of the structures, by number.
        wanted: a whole name, ``#`` and a number, or a regular expression found in one name; None where nobody said.
        usual: regular expression that decides then, unless there is one structure alone.
        file: named in the fault.

    Raises:
        CohortError: there is none, none fits, or several do.

    >>> pick({1: "Parotid", 2: "GTV-1"}, None, TUMOUR, "a.dcm")
    2
    """
    if wanted is None and len(names) == 1:
        return next(iter(names))
    fit = _fit(names, wanted or usual, file)
    if len(fit) == 1:
        return fit[0]
    found = f"{len(fit)} of {len(names)} structures that fit {wanted or usual!r} ({_listed(names)})"
    remedy = "set cohort.roi to one name, or `#` and a number, or export the tumour alone"
    if usual == RING:
        remedy = "name the ring External2, or export it alone"
    raise CohortError(Fault(found, "one", remedy, file=file))


def _listed(names: Mapping[int, str]) -> str:
    """The names; with their numbers where two are alike, as only a number tells those apart."""
    alike = len(set(names.values())) < len(names)
    listed = [f"#{number} {told(name)}" if alike else told(name) for number, name in list(names.items())[:20]]
    return ", ".join(listed) or "none"


def _fit(names: Mapping[int, str], pattern: str, file: str) -> list[int]:
    same = [number for number, name in names.items() if pattern in (name, f"#{number}")]
    if same:
        return same
    try:
        search = re.compile(pattern, re.IGNORECASE).search
    except re.error as error:
        remedy = "write a name, or a regular expression"
        raise CohortError(Fault(f"roi = {pattern!r} ({error})", "a pattern", remedy, file=file)) from error
    return [number for number, name in names.items() if search(name)]


def told(name: str) -> str:
    """A name as messages tell it: short, and printable."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:LONGEST]) or "(no name)"
