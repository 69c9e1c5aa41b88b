"""The stages of a run, in order; each leaves files and does nothing where they already are."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fusion.config.run import Run
from fusion.config.split import Rounds
from fusion.errors import Fault, FusionError, RunError
from fusion.evaluate import predictions
from fusion.evaluate.metrics import metrics
from fusion.features import clinical
from fusion.features.radiomics import extract
from fusion.features.table import FeatureTable
from fusion.flow import fold_heads, networks, rounds, tasks
from fusion.flow.folder import stored_run, told
from fusion.flow.rings import rings_digest, same_rings
from fusion.flow.work import Work
from fusion.heads.combine import CALIBRATION, INNER, predict, radiomics_scores
from fusion.heads.literal import literal_predictions
from fusion.heads.path import ERRORS, PATH
from fusion.report import optimism, page
from fusion.report import rounds as report_of_rounds
from fusion.report.results import Results
from fusion.report.tasks.results import TaskResults
from fusion.roi.region import REGIONS
from fusion.store import write_csv, write_parquet


def write_radiomics(work: Work) -> Work:
    """features/radiomics_<region>.parquet and features/radiomics_warnings.csv; neither with more lost than may be."""
    paths = {region: work.folder / f"features/radiomics_{region}.parquet" for region in REGIONS}
    if all(path.is_file() for path in paths.values()):
        same_rings(paths["external2"], rings_digest(work))
        return work
    with told(work.folder, "radiomics"):
        found, failed = extract.measured(work.files, work.run, work.run.cache or work.folder / "features/cases")
        work = work.without(failed, "radiomics")
        if work.over:
            return work
        write_csv(work.folder / "features/radiomics_warnings.csv", _warnings(found))
        for region, path in paths.items():
            write_parquet(path, found[region].values, {**found[region].metadata, "rings_sha256": rings_digest(work)})
        return work


def write_predictions(work: Work) -> None:
    """features/scores.parquet, selection.csv, lasso_errors.csv, lasso_path.csv, calibration.csv and predictions.csv.

    Beside the scores features/scores_inner.parquet, what the regressions on scores learn from (``combine.predict``),
    and features/heads, what each head on radiomics found: those that a fold's job left there are not fitted again.
    With `paper_literal` also predictions_paper_literal.csv, which nothing else reads but the optimism.
    """
    target = work.folder / "predictions.csv"
    if target.is_file():
        return
    run, cases = work.run, work.cases
    with told(work.folder, "heads"):
        found, keep = fold_heads.measured(work), work.folder / fold_heads.FOLDER
        radiomics = radiomics_scores(found, cases, run.heads, run.seed, run.jobs, run.models, keep)
        scores, selections = [radiomics.rows], [radiomics.selection]
        if run.network is not None:
            scores.append(pd.read_parquet(work.folder / networks.SCORES))
            selections += networks.selection(work.folder)
        every = pd.concat(scores, ignore_index=True)
        encoded = clinical.encode(cases.set_index("case"), run.cohort.clinical, run.predictors)
        inner = pd.concat([radiomics.inner, networks.inner(work.folder)], ignore_index=True)
        fitted = predict(every, encoded, cases, run.models, run.heads, None if inner.empty else inner)
        if run.heads.stacking == "paper_literal":
            deep = networks.seen_vectors(work.folder)
            literal = literal_predictions(
                found, radiomics.selection, deep, encoded, cases, run.models, run.heads, run.jobs
            )
            write_csv(work.folder / optimism.FILE, literal)
        write_parquet(work.folder / "features/scores.parquet", every)
        if not inner.empty:
            write_parquet(work.folder / INNER, inner)
        write_csv(work.folder / "selection.csv", pd.concat([*selections, fitted.selection], ignore_index=True))
        write_csv(work.folder / "lasso_errors.csv", radiomics.errors.reindex(columns=list(ERRORS)))
        write_csv(work.folder / "lasso_path.csv", radiomics.path.reindex(columns=list(PATH)))
        write_csv(work.folder / "calibration.csv", fitted.calibration.reindex(columns=list(CALIBRATION)))
        write_csv(target, fitted.rows)


def evaluate(folder: Path, run: Run) -> None:
    """metrics.csv, from predictions.csv; where the split has several rounds from theirs, with predictions.csv."""
    path = folder / "predictions.csv"
    if isinstance(run.split, Rounds):
        with told(folder, "evaluate"):
            rounds.pooled(run, rounds.found_rounds(folder))
        return
    if not path.is_file():
        raise RunError(Fault("no predictions.csv", "a run with predictions", "finish the run first", file=str(folder)))
    with told(folder, "evaluate"):
        if run.cohort.tasks:
            tasks.evaluate(folder, run)
            return
        write_csv(folder / "metrics.csv", metrics(predictions.read(path), run.evaluate, run.seed))


def report(folder: Path, run: Run, pdf: bool = False) -> Path:
    """tables/, figures/, report.html and, if asked, report.pdf; returns the page's path."""
    if not (folder / "metrics.csv").is_file():
        evaluate(folder, run)
    with told(folder, "report"):
        if isinstance(run.split, Rounds):
            return report_of_rounds.write(folder, run, rounds.found_rounds(folder), pdf)
        return page.write(folder, run, pdf)


def compare(folders: Sequence[Path], out: Path, pdf: bool = False) -> Path:
    """One page at ``out`` that sets finished runs side by side, and the same as PDF if asked; returns its path.

    Raises:
        RunError: folders that hold no finished run, all at once.
    """
    found: list[Results | TaskResults] = []
    faults: list[Fault] = []
    for folder in folders:
        try:
            run = stored_run(folder)
            rounds.refuse_rounds(run, "runs of one round to compare", "compare their sweep, or name folders of rounds")
            found.append(page.read(folder, run))
        except FusionError as error:
            faults += error.faults
    if faults:
        raise RunError(faults)
    return page.write_comparison(found, out, pdf)


def _warnings(tables: dict[str, FeatureTable]) -> pd.DataFrame:
    """One row a case and region that its features carry a warning for."""
    rows = [
        {"case": case, "region": region, "warning": warning}
        for region, table in tables.items()
        for case, warning in table.warnings.items()
        if warning
    ]
    return pd.DataFrame(rows, columns=["case", "region", "warning"])
