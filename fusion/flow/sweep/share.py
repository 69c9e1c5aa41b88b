"""What cells have in common, measured once and linked into each cell's folder."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from fusion.config import dump
from fusion.config.heads import Heads
from fusion.config.split import Holdout
from fusion.errors import Fault, FusionError, RunError
from fusion.flow import cohort_files, lost, networks, rings, slices, stages
from fusion.flow.agreement import write_agreement
from fusion.flow.folder import note_environment, opened
from fusion.flow.intact import refuse_damaged
from fusion.flow.shared import link, measured
from fusion.flow.sweep.plan import Part
from fusion.flow.work import Work
from fusion.store import sha256, write_text

FEATURES = "features/radiomics_*.parquet"
READ_AGAIN = ("features/icc.csv", "features/radiomics_*_*.parquet", "readings/*")
Agreements = dict[str, Path | FusionError]
"""Where the agreement between readings was measured, or why it could not be, by all that it depends on."""


def measure(parts: Sequence[Part]) -> Work:
    """Rings, boxes or slices, and radiomics of the parts' cases, in the folder that they share.

    Args:
        parts: all of one base, also those that ended: the first with networks stands for them.

    Returns:
        The work, with the cases that were lost.

    Raises:
        FusionError: more cases were lost than may be, or cells were begun with other features.
    """
    first = next((part for part in parts if part.run.network is not None), parts[0])
    name = first.run.name.partition(f"_{first.cell.name}")[0]
    alike = {"name": f"{name}_shared", "output": first.base, "split": Holdout(), "heads": Heads()}
    run = first.run.model_copy(update=alike)
    with opened(run) as folder:
        note_environment(folder, run, first.checked.data_sha256)
        work = Work(run, folder, first.checked, first.checked.lost)
        if work.lost:
            lost.write(folder, work.lost, first.checked.sets)
        work = _slices(work) if run.cohort.tasks else _regions(work)
    _same_features(first.base, parts)
    return work


def furnish(part: Part, base: Work) -> Work:
    """The part's own folder with all that was measured, so that its run goes on from there.

    Raises:
        FusionError: damaged files.
    """
    run, folder = part.run, part.run.folder
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "run.yaml").is_file():
        write_text(folder / "run.yaml", dump(run))
    link(base.folder, folder, measured(run))
    refuse_damaged(folder, _same_files(base.folder, folder, measured(run)))
    note_environment(folder, run, part.checked.data_sha256)
    work = Work(run, folder, part.checked, base.lost)
    cohort_files.write_cohort(work)
    return work


def prepare(part: Part, base: Work, agreements: Agreements) -> Work:
    """The part's folder with all that its jobs read, and the work that they are given.

    Raises:
        FusionError: too few cases are left for this cell, readings that cannot be measured, or damaged files.
    """
    work = furnish(part, base)
    cohort_files.enough(work)
    _agree(work, agreements)
    return work


def _same_features(base: Path, parts: Sequence[Part]) -> None:
    """Refuse cells whose features are not those of the base: rings were edited there since, and all measured again."""
    faults = []
    for path in base.glob(FEATURES):
        for own in (part.run.folder / path.relative_to(base) for part in parts):
            if own.exists() and not own.samefile(path) and sha256(own) != sha256(path):
                remedy = "use another output, or delete the folder of this cell, so that it is made again"
                faults.append(Fault("features of other rings", "those that cells share", remedy, file=str(own)))
    if faults:
        raise RunError(faults)


def _same_files(base: Path, folder: Path, patterns: Sequence[str]) -> list[Path]:
    """Files of the part that are the base's own, which were looked at when the base was opened."""
    every = ((path, folder / path.relative_to(base)) for pattern in patterns for path in base.glob(pattern))
    return [own for path, own in every if own.exists() and own.samefile(path)]


def _regions(work: Work) -> Work:
    work = rings.write_regions(work)
    work = networks.write_patches(work)
    work = stages.write_radiomics(work)
    return _whole(work)


def _slices(work: Work) -> Work:
    work = _whole(slices.write_slices(work))
    slices.write_radiomics(work)
    return work


def _whole(work: Work) -> Work:
    """The work, unless it lost too many cases; whether enough are left is each cell's own question."""
    if work.over:
        raise lost.too_many(work.lost, work.run.may_lose)
    return work


def _agree(work: Work, agreements: Agreements) -> None:
    """features/icc.csv where `heads.icc` asks; of parts that ask the same of the same cases, the first measures."""
    if work.run.heads.icc is None:
        return
    key = _asked(work)
    if key not in agreements:
        try:
            write_agreement(work)
            agreements[key] = work.folder
        except FusionError as error:
            agreements[key] = error
    known = agreements[key]
    if isinstance(known, FusionError):
        raise known
    link(known, work.folder, READ_AGAIN)


def _asked(work: Work) -> str:
    """What an agreement depends on: the cases and their sets, what is asked, and how they were measured."""
    run, cases = work.run, work.cases
    icc = run.heads.icc
    assert icc is not None
    parts = run.model_dump(mode="json", include={"cohort", "roi", "radiomics"})
    own = {"icc": icc.model_dump(mode="json"), "confidence": run.evaluate.confidence,
           "seed": run.seed if icc.perturb is not None else None, "sets": cases[["case", "set"]].to_csv()}  # fmt: skip
    return hashlib.sha256(json.dumps({**parts, **own}, sort_keys=True).encode()).hexdigest()
