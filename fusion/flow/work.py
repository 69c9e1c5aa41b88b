"""What every stage of a run works on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from fusion.config.run import Run
from fusion.data.case import Files
from fusion.data.study import Study
from fusion.errors import CohortError, Fault
from fusion.flow import lost
from fusion.flow.absolute import absolute, absolute_files
from fusion.flow.check import unmet
from fusion.flow.checked import Checked
from fusion.flow.folder import noted
from fusion.flow.lost import Lost
from fusion.roi.ring_files import found_rings


@dataclass(frozen=True)
class Work:
    """A checked run and its folder, without the cases that were lost on the way."""

    run: Run
    folder: Path
    checked: Checked
    lost: tuple[Lost, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        """For a worker, which may stand in another folder and has one process: without what only first stages read."""
        checked = replace(self.checked, files=tuple(map(absolute_files, self.checked.files)), seen={}, rounds={},
                          left=pd.DataFrame(), flow=pd.DataFrame())  # fmt: skip
        run = absolute(self.run).model_copy(update={"jobs": 1})
        return {"run": run, "folder": self.folder.absolute(), "checked": checked, "lost": self.lost}

    @property
    def cases(self) -> pd.DataFrame:
        """The cohort: case, patient, set, fold, event or outcome, clinical columns."""
        every = self.checked.cases
        return every[~every["case"].isin(self._gone)].reset_index(drop=True) if self._gone else every

    @property
    def files(self) -> list[Files]:
        """The cases' files, with the rings that are actually used."""
        rings = self.rings
        return [
            replace(own, external2=rings.get(own.case, own.external2))
            for own in self._present
            if isinstance(own, Files)
        ]

    @property
    def rings(self) -> dict[str, Path]:
        """The file of each ring that is there."""
        return found_rings(self.folder / "regions", self.checked.known)

    @property
    def studies(self) -> list[Study]:
        """The cases' slices."""
        return [own for own in self._present if isinstance(own, Study)]

    @property
    def _gone(self) -> set[str]:
        return {own.case for own in self.lost}

    @property
    def _present(self) -> Sequence[Files | Study]:
        return [own for own in self.checked.files if own.case not in self._gone]

    def without(self, failed: Mapping[str, Sequence[Fault]], stage: str) -> "Work":
        """The same work without ``failed`` cases, which lost.csv keeps where the run may lose that many."""
        if not failed:
            return self
        digests = self.checked.digests
        new = [Lost(case, stage, tuple(faults), digests[case]) for case, faults in sorted(failed.items())]
        less = replace(self, lost=(*self.lost, *new))
        noted(self.folder, stage, f"{len(new)} cases failed")
        if not less.over:
            lost.write(self.folder, less.lost, self.checked.sets)
        return less

    @property
    def over(self) -> bool:
        """Whether more cases are lost than may be."""
        return len(self.lost) > self.run.may_lose

    def enough(self) -> None:
        """Nothing may be fitted unless this passes.

        Raises:
            CohortError: more cases are lost than may be, or too few of a class are left.
        """
        if self.over:
            raise lost.too_many(self.lost, self.run.may_lose)
        if self.lost and (faults := unmet(self.cases, self._present, self.run)):
            raise CohortError(faults)
