"""Read a whole cohort, table and every voxel, and list every fault at once."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pandas as pd

from fusion import phantom
from fusion.config.run import Run
from fusion.data import cohort, eligibility
from fusion.data.case import Files, attempted
from fusion.data.cohort import Table
from fusion.data.eligibility import Left
from fusion.data.split import rounds, split
from fusion.data.study import Study
from fusion.errors import CohortError, Fault, ModelError
from fusion.flow import readings, scanners, studies
from fusion.flow.checked import Checked
from fusion.flow.enough import too_few
from fusion.flow.folder import same_environment
from fusion.flow.look import Asked, Seen, look
from fusion.flow.lost import Lost, too_many
from fusion.flow.lost import read as read_lost
from fusion.progress import each
from fusion.roi.ring_files import searched_rings
from fusion.store import sha256


def check(run: Run, folder: Path | None = None, seen: Mapping[str, Seen] | None = None) -> Checked:
    """The run's cohort, split and ready.

    The split is drawn over all cases that the rules leave, the lost ones among them: which cases are lost moves no
    other case to another set or fold.

    Args:
        run: what to check; its phantom is made first if the table does not exist.
        folder: of the run; rings of an earlier start, perhaps edited since, are checked too, and cases that it lost
            are not looked at again.
        seen: what a check found of the same cohort and regions (``Checked.seen``), so that no file is read again.

    Raises:
        CohortError: every fault of table, split, images, masks and regions at once.
        RunError: other data than an earlier start had, which would be the cause of other faults.
    """
    _phantom(run)
    lost = () if folder is None else read_lost(folder)
    table = cohort.read(run.cohort, run.seed, run.sequences, run.tasks, run.split)
    rings, unknown = searched_rings(folder / "regions", table.outcomes) if folder else ({}, [])
    faults = [*table.faults, *unknown]
    if seen is None:
        seen = _looks(table, run, rings, {own.case for own in lost})
    digests = {case: own.data_sha256 for case, own in seen.items()} | {own.case: own.data_sha256 for own in lost}
    data_sha256 = _digest(run, table.files, digests)
    if folder is not None and all(digests.values()):
        same_environment(folder, data_sha256)
    failed = tuple(Lost(case, "check", own.faults, own.data_sha256) for case, own in seen.items() if own.faults)
    if faults or not run.may_lose:
        faults += [fault for own in failed for fault in own.faults]
    left = (*table.left, *(own.left for own in seen.values() if own.left is not None))
    placed = _Placed()
    if not table.faults:
        gone = (*lost, *failed) if run.may_lose else lost
        placed = attempted(lambda: _placed(table, run, left, gone), faults) or placed
    files = _of(placed.cases, table.files)
    faults += _unmet_by_round(placed, files, run) + _networks(run)
    if not faults and len(lost) + len(failed) > run.may_lose:
        raise too_many((*lost, *failed), run.may_lose)
    if faults:
        raise CohortError(faults)
    return Checked(
        placed.cases, files, data_sha256, digests, placed.sets, frozenset(table.outcomes), _rows(left, table),
        _flow(run, table, left), (*lost, *failed), seen, placed.rounds,
    )  # fmt: skip


def looked(run: Run, folder: Path) -> dict[str, Seen]:
    """What a check with ``folder`` finds in the images and masks, for the checks of other runs of the same cases.

    Raises:
        CohortError: the table cannot be read.
    """
    _phantom(run)
    table = cohort.read(run.cohort, run.seed, run.sequences, run.tasks)
    rings, _ = searched_rings(folder / "regions", table.outcomes)
    return _looks(table, run, rings, {own.case for own in read_lost(folder)})


@dataclass(frozen=True)
class _Placed:
    """Cases with their set and fold; also of those that are lost their sets, and their places in each round."""

    cases: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"case": []}))
    sets: dict[str, str] = field(default_factory=dict)
    rounds: dict[str, pd.DataFrame] = field(default_factory=dict)


def _placed(table: Table, run: Run, left: Sequence[Left], lost: Sequence[Lost]) -> _Placed:
    rows = table.rows[~table.rows["case"].isin({own.case for own in left})].reset_index(drop=True)
    tasks = run.used_tasks or None
    tables = rounds(rows, run.split, run.seed, tasks)
    splits = tables[""] if "" in tables else split(rows, run.split, run.seed, tasks)
    cases = splits.merge(rows.drop(columns=["patient", "set"], errors="ignore"), on="case")
    here = cases[~cases["case"].isin({own.case for own in lost})].reset_index(drop=True)
    return _Placed(here, dict(zip(splits["case"], splits["set"], strict=True)), tables)


def _looks(table: Table, run: Run, rings: Mapping[str, Path], lost: Iterable[str]) -> dict[str, Seen]:
    """What each case looks like, in the table's order."""
    asked = [Asked(own, rings.get(own.case)) for own in table.files if own.case not in lost]
    found = {own.files.case: seen for own, seen in each(partial(look, run=run), asked, "checking cases", run.jobs)}
    return {own.files.case: found[own.files.case] for own in asked}


def _of(cases: pd.DataFrame, files: Sequence[Files | Study]) -> tuple[Files | Study, ...]:
    own = set(cases["case"])
    return tuple(one for one in files if one.case in own)


def _rows(left: Sequence[Left], table: Table) -> pd.DataFrame:
    rows = [(own.case, table.patients[own.case], own.rule, own.why, table.outcomes[own.case]) for own in left]
    return pd.DataFrame(rows, columns=["case", "patient", "rule", "why", "outcome"])


def _flow(run: Run, table: Table, left: Sequence[Left]) -> pd.DataFrame:
    rules = run.cohort.eligibility
    return eligibility.counted(table.total, rules, left) if rules else pd.DataFrame()


def unmet(cases: pd.DataFrame, files: Sequence[Files | Study], run: Run) -> list[Fault]:
    """What the run asks of the cohort and it does not have."""
    if run.cohort.tasks:
        return studies.unmet(cases, run)
    of_regions = [own for own in files if isinstance(own, Files)]
    return too_few(cases, run) + readings.unmet(cases, of_regions, run) + scanners.unmet(cases, run)


def _unmet_by_round(placed: _Placed, files: Sequence[Files | Study], run: Run) -> list[Fault]:
    """What each round of the split lacks, with the round's name where there are several."""
    found = []
    for name, table in placed.rounds.items():
        of_round = placed.cases.drop(columns=["set", "fold"]).merge(table[["case", "set", "fold"]], on="case")
        own = unmet(of_round, files, run)
        found += [replace(fault, found=f"{fault.found}, round {name}") for fault in own] if name else own
    return found


def _phantom(run: Run) -> None:
    """Make the phantom where the table is missing; refuse one that another recipe made."""
    table, wanted = run.cohort.table, run.cohort.phantom
    if wanted is None:
        return
    if not table.exists():
        phantom.make(table, wanted, run.jobs)
    note = table.with_name("phantom.json")
    if note.is_file() and (found := json.loads(note.read_text())["spec"]) != wanted.model_dump(mode="json"):
        different = ", ".join(f"{key} = {value}" for key, value in found.items() if getattr(wanted, key, None) != value)
        remedy = "name another cohort.table, or delete this phantom"
        raise CohortError(Fault(f"a phantom with {different}", "the one of cohort.phantom", remedy, file=str(table)))


def _networks(run: Run) -> list[Fault]:
    """The networks' start is asked for before hours of other work."""
    if run.network is None:
        if run.heads.stacking == "oof_score":
            return []
        found = f"heads.stacking={run.heads.stacking} without networks (network: null)"
        return [Fault(found, "networks whose vectors to stack", "describe network, or leave heads.stacking alone")]
    from fusion.models.backbone import start_weights
    from fusion.models.frozen import needs_weights

    if run.heads.stacking == "frozen_backbone" and run.network.weights == "none":
        return [needs_weights()]
    try:
        start_weights(run.network)
    except ModelError as error:
        return list(error.faults)
    return []


def _digest(run: Run, files: Sequence[Files | Study], digests: Mapping[str, str]) -> str:
    whole = hashlib.sha256(sha256(run.cohort.table).encode())
    for own in files:
        whole.update(digests[own.case].encode())
    return whole.hexdigest()
