"""Where the slices of a case lie, sequence by sequence."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Scan:
    """One sequence of a case: its slice or volume, and the tumour's mask on the same grid where there is one."""

    sequence: str
    image: Path
    mask: Path | None = None


@dataclass(frozen=True)
class Study:
    """The sequences that a case has, in the run's order; those it lacks are not there."""

    case: str
    scans: tuple[Scan, ...]

    def scan(self, sequence: str) -> Scan | None:
        """The case's scan of ``sequence``; None where it lacks it."""
        return next((own for own in self.scans if own.sequence == sequence), None)
