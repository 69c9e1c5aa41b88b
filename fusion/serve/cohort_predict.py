"""Many cases of a table answered, on all cores; what an earlier call answered with equal inputs stays as it is."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

import pandas as pd

from fusion.data.case import Files
from fusion.data.dicom.series import digest as digest_of
from fusion.data.new_cases import NewCase, read_new
from fusion.errors import Fault, FusionError
from fusion.machine_faults import of_file
from fusion.progress import cores, each
from fusion.serve import bundle as bundles
from fusion.serve.answer import Answer, ModelAnswer
from fusion.serve.asked import Asked, Outputs
from fusion.serve.deliver import ANSWER, deliver
from fusion.serve.predict import Predictor
from fusion.store import sweep, write_csv, write_json

PREDICTIONS = "predictions.csv"
INPUTS = "inputs.json"
"""Beside a case's answer: the digest of all that it depends on, and the files that belong to it."""


@dataclass(frozen=True)
class Wanted:
    """What to ask of every case and what to leave of it; fields as in ``Asked`` and ``Outputs``."""

    models: tuple[str, ...] | None = None
    task: str | None = None
    explain: bool = True
    sheet_html: bool = False
    sheet_pdf: bool = False
    dicom: bool = False


@dataclass(frozen=True)
class Done:
    """How a table went."""

    predictions: Path
    answered: int
    faults: tuple[Fault, ...] = field(default=())
    """Of the cases without an answer."""


@dataclass(frozen=True)
class _Answered:
    answer: Answer | None
    faults: tuple[Fault, ...] = ()


def predict_cohort(bundle: Path, table: Path, folder: Path, wanted: Wanted, jobs: int = 0) -> Done:
    """Answer every case of ``table``: DIR/predictions.csv with a row a case and model, DIR/CASE/ with its files.

    A call that was interrupted goes on where it stopped: a case is answered again only if the bundle, one of its files,
    its clinical values or what is wanted of it changed. No number depends on ``jobs``.

    Args:
        bundle: a bundle's folder or archive.
        table: with the columns of the bundle's cohort; the outcome need not be there.
        folder: for the answers.
        wanted: of every case.
        jobs: worker processes; 0 for one a core.

    Raises:
        FusionError: the bundle or the table cannot be used; faults of single cases are in ``Done``.
    """
    own = bundles.read(bundle)
    cases = read_new(table, own.run.cohort, own.run.used_sequences)
    workers = min(cores(jobs), len(cases))
    verb = partial(_answered, bundle=bundle, digest=own.digest, table=table, folder=folder, wanted=wanted,
                   threads=max(cores(0) // workers, 1))  # fmt: skip
    found = {case.case: done for case, done in each(verb, cases, "cases", workers)}
    rows = [row for case in cases if (answer := found[case.case].answer) for row in rows_of(answer)]
    write_csv(folder / PREDICTIONS, as_table(rows))
    faults = tuple(fault for case in cases for fault in found[case.case].faults)
    return Done(folder / PREDICTIONS, sum(done.answer is not None for done in found.values()), faults)


def _answered(
    case: NewCase, bundle: Path, digest: str, table: Path, folder: Path, wanted: Wanted, threads: int
) -> _Answered:  # fmt: skip
    """The case's answer, read back where it is there already, or why there is none."""
    own = folder / case.case
    try:
        if case.files is None:
            remedy = "fill the cells or delete the row"
            raise FusionError(Fault("no path of an image", "an image and its mask", remedy, case.case, str(table)))
        key = _key(case, digest, wanted)
        if own.is_dir():
            sweep(own)
        if (kept := _kept(own, key)) is not None:
            return _Answered(kept)
        answer = deliver(_predictor(bundle, digest, threads), _asked(case, wanted), _outputs(own, wanted))
    except FusionError as error:
        return _Answered(None, error.faults)
    except OSError as error:
        return _Answered(None, (replace(of_file(error), case=case.case),))
    write_json(own / INPUTS, {"inputs": key, "files": sorted(path.name for path in own.iterdir() if path.is_file())})
    return _Answered(answer)


@cache
def _predictor(bundle: Path, digest: str, threads: int) -> Predictor:
    """One a process; ``digest`` tells a bundle that took another's place."""
    return Predictor.of(bundles.read(bundle), threads)


def _asked(case: NewCase, wanted: Wanted) -> Asked:
    files, study = (case.files, None) if isinstance(case.files, Files) else (None, case.files)
    return Asked(files, study, case.clinical, wanted.models, wanted.explain, wanted.task)


def _outputs(folder: Path, wanted: Wanted) -> Outputs:
    return Outputs(folder, wanted.sheet_html, wanted.sheet_pdf, wanted.dicom)


def _key(case: NewCase, digest: str, wanted: Wanted) -> str:
    """Names everything that the answer and its files depend on."""
    inputs = [(role, digest_of(path)) for role, path in _inputs(case).items() if path.exists()]
    text = json.dumps([digest, case.case, inputs, sorted(case.clinical.items()), vars(wanted)])
    return hashlib.sha256(text.encode()).hexdigest()


def _inputs(case: NewCase) -> dict[str, Path]:
    """What is read of the case, by role."""
    if isinstance(case.files, Files):
        paths = {role: getattr(case.files, role) for role in ("image", "tumour", "external2")}
    else:
        scans = case.files.scans if case.files else ()
        paths = {f"{own.sequence} {role}": getattr(own, role) for own in scans for role in ("image", "mask")}
    return {role: path for role, path in paths.items() if path is not None}


def _kept(folder: Path, key: str) -> Answer | None:
    """The answer in ``folder``, if it is to the same inputs; else what belongs to it goes."""
    note = folder / INPUTS
    if not note.is_file():
        return None
    known = json.loads(note.read_text(encoding="utf-8"))
    if known["inputs"] == key and all((folder / name).is_file() for name in known["files"]):
        return Answer.model_validate_json((folder / ANSWER).read_text(encoding="utf-8"))
    for name in [INPUTS, *known["files"]]:
        (folder / Path(name).name).unlink(missing_ok=True)
    return None


def rows_of(answer: Answer) -> Iterator[dict[str, object]]:
    """A row a model."""
    for own in answer.answers:
        yield {"case": answer.case, "model": own.model, "probability": own.probability, **_by_class(own),
               "label": own.label, "set": " ".join(own.set), "refer": own.refer,
               "warnings": len(answer.warnings)}  # fmt: skip


def _by_class(own: ModelAnswer) -> dict[str, float]:
    """Of more than two classes; of two the probability says all."""
    return {} if own.positive else {f"probability_{name}": value for name, value in own.probabilities.items()}


def as_table(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """The rows with their columns in order; probabilities of more than two classes behind the others."""
    first, last = ["case", "model", "probability"], ["label", "set", "refer", "warnings"]
    more = dict.fromkeys(name for row in rows for name in row if name not in (*first, *last))
    return pd.DataFrame(rows, columns=[*first, *more, *last])
