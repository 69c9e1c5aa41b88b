"""Every cell checked before any work: its cohort, its split, the start of its networks; all faults of all at once."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fusion.config.run import Run
from fusion.config.sweep import Cell, Sweep, together
from fusion.errors import CohortError, Fault, FusionError
from fusion.flow import lost
from fusion.flow.absolute import absolute
from fusion.flow.check import check, looked
from fusion.flow.checked import Checked
from fusion.flow.look import Seen
from fusion.flow.readings import ROLES, asked
from fusion.flow.rounds import rounds_of
from fusion.flow.sweep.folder import CACHE

Looks = dict[tuple[str, Path | None], dict[str, Seen]]
"""What was found of images and masks, by all that it depends on."""


@dataclass(frozen=True)
class Part:
    """One round of a cell, or the whole cell where its split has one round."""

    cell: Cell
    round: str
    run: Run
    checked: Checked
    base: Path
    """Folder of what is measured once for this cell and others."""


@dataclass(frozen=True)
class Planned:
    """A cell as a whole, and its rounds, or itself where there is one."""

    whole: Part
    parts: tuple[Part, ...]

    @property
    def cell(self) -> Cell:
        """Which one."""
        return self.whole.cell

    @property
    def in_rounds(self) -> bool:
        """Whether its split has rounds, so that the cell as a whole has no jobs but one that puts them together."""
        return self.parts[0] is not self.whole


@dataclass(frozen=True)
class _Checked:
    base: Path
    seen: Mapping[str, Seen]
    checked: Checked


def plan(sweep: Sweep, folder: Path, by: str | None = None) -> tuple[Planned, ...]:
    """The cells in order. No image or mask is read twice for two cells that read it the same way.

    Args:
        sweep: cells and their runs.
        folder: of the sweep.
        by: model by which the inner loop chooses among the cells; every cell has to make it.

    Raises:
        CohortError: every fault of every cell, those of all cells once.
    """
    looks: Looks = {}
    faults: dict[str, Sequence[Fault]] = {}
    runs = {name: _placed(run, name, folder.absolute()) for name, run in sweep.runs.items()}
    cells = [cell for cell in sweep.cells if cell.name in runs]
    found = {}
    for cell in cells:
        try:
            found[cell.name] = _checked(runs[cell.name], folder, looks, by)
        except FusionError as error:
            faults[cell.name] = error.faults
    if every := [*together(sweep.cells, sweep.faults), *together(cells, faults)]:
        raise CohortError(every)
    return tuple(_planned(cell, runs[cell.name], found[cell.name]) for cell in cells)


def _placed(run: Run, cell: str, folder: Path) -> Run:
    """The cell's run in its own folder, with the sweep's cache, by paths that any machine understands."""
    own = {"name": f"{run.name}_{cell}", "output": folder / "cells" / cell, "cache": run.cache or folder / CACHE}
    return absolute(run.model_copy(update=own))


def _checked(run: Run, folder: Path, looks: Looks, by: str | None) -> _Checked:
    if by is not None and by not in run.models:
        models = f"one of {', '.join(run.models)}"
        raise CohortError(Fault(f"no model {by}", models, "name another with --by", file="command line"))
    base = folder.absolute() / "shared" / _digest(_measures(run))
    seen = _seen(run, base, looks)
    return _Checked(base, seen, check(run, base, seen))


def _planned(cell: Cell, run: Run, found: _Checked) -> Planned:
    """The cell with its rounds, whose splits are written only now: a sweep with faults leaves nothing."""
    whole = Part(cell, "", run, found.checked, found.base)
    rounds = {name: own for name, own in rounds_of(run, found.checked).items() if name}
    parts = [Part(cell, name, own, check(own, found.base, found.seen), found.base) for name, own in rounds.items()]
    return Planned(whole, tuple(parts) or (whole,))


def _seen(run: Run, base: Path, looks: Looks) -> dict[str, Seen]:
    """From ``looks`` where another cell asked the same; an earlier start's rings and lost cases are its base's own."""
    begun = (base / "regions").is_dir() or (base / lost.FILE).is_file()
    key = _digest(_reads(run)), base if begun else None
    if key not in looks:
        looks[key] = looked(run, base)
    return looks[key]


def _measures(run: Run) -> dict[str, Any]:
    """What rings, boxes, slices and radiomics depend on; and which second masks are data of the run, as they are named
    by the digest that a folder keeps of its data."""
    parts = run.model_dump(mode="json", include={"cohort", "tasks", "sequences", "roi", "radiomics"})
    seed = run.seed if run.cohort.shuffle_outcome else None
    return {**parts, "seed": seed, "readings": [kind for kind in asked(run) if kind in ROLES]}


def _reads(run: Run) -> dict[str, Any]:
    """What the look at a case's images and masks depends on."""
    parts = run.model_dump(mode="json", include={"cohort", "tasks", "sequences", "roi"})
    return {**parts, "readings": asked(run), "roi": {**parts["roi"], "patch": None}}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
