"""What a user can act on: a fault says which case and file, what was found, what was expected, what to do."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One thing that a user can mend.

    >>> print(Fault(found="no voxel has label 2", expected="at least one", remedy="set cohort.label", case="a1"))
    case a1: found no voxel has label 2; expected at least one; set cohort.label
    """

    found: str
    expected: str
    remedy: str
    case: str | None = None
    file: str | None = None

    def __str__(self) -> str:
        """One line: case, file, found, expected, remedy."""
        where = [f"case {self.case}"] if self.case is not None else []
        where += [self.file] if self.file is not None else []
        what = f"found {self.found}; expected {self.expected}; {self.remedy}"
        return ": ".join([*where, what])


class FusionError(Exception):
    """Base of everything a user can mend; carries every fault found, not the first alone, and none twice."""

    def __init__(self, faults: Fault | Iterable[Fault]) -> None:
        self.faults = (faults,) if isinstance(faults, Fault) else tuple(dict.fromkeys(faults))
        super().__init__(self.faults)

    def __str__(self) -> str:
        """One fault a line."""
        return "\n".join(str(fault) for fault in self.faults)


class ConfigError(FusionError):
    """A config or an override that does not describe a run."""


class CohortError(FusionError):
    """A cohort table, image or mask that cannot be used as it is."""


class RegionError(FusionError):
    """A tumour or ring that has too few voxels to measure."""


class FeatureError(FusionError):
    """A feature that could not be computed, or is not a finite number."""


class ModelError(FusionError):
    """A network, its weights or its training that cannot go on."""


class HeadError(FusionError):
    """A selection or a logistic model that has nothing to work with."""


class RunError(FusionError):
    """A run folder that does not fit the run that was asked for."""


class BundleError(FusionError):
    """A bundle that is damaged, of a newer format, or not one; or a run that none can be made of."""
