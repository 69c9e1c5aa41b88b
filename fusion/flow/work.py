"""What every stage of a run works on."""

from dataclasses import dataclass
from pathlib import Path

from fusion.config.run import Run
from fusion.data.case import Files
from fusion.data.study import Study
from fusion.flow.check import Checked, with_ring


@dataclass(frozen=True)
class Work:
    """A checked run and its folder."""

    run: Run
    folder: Path
    checked: Checked

    @property
    def files(self) -> list[Files]:
        """The cases' files, with the rings that are actually used."""
        every = [with_ring(own, self.folder / "regions") for own in self.checked.files]
        return [own for own in every if isinstance(own, Files)]

    @property
    def studies(self) -> list[Study]:
        """The cases' slices."""
        return [own for own in self.checked.files if isinstance(own, Study)]
