"""Work on many cases of which some fail: the others are done, and the failures told together."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from fusion.data.case import Files
from fusion.data.study import Study
from fusion.errors import Fault, FusionError
from fusion.machine_faults import of_file

T = TypeVar("T")


@dataclass(frozen=True)
class Failed:
    """Stands in the place of a case's result."""

    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Attempt(Generic[T]):
    """``verb``, which gives ``Failed`` where a case, and not the run, is at fault."""

    verb: Callable[[Files | Study], T]

    def __call__(self, case: Files | Study) -> T | Failed:
        """What ``verb`` gives, or why it does not."""
        try:
            return self.verb(case)
        except FusionError as error:
            return Failed(tuple(replace(fault, case=case.case) for fault in error.faults))
        except OSError as error:
            return Failed((replace(of_file(error), case=case.case),))


def failures(found: Iterable[tuple[Files | Study, object]]) -> dict[str, tuple[Fault, ...]]:
    """The faults of the cases that failed."""
    return {own.case: result.faults for own, result in found if isinstance(result, Failed)}
