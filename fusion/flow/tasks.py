"""The stages of tasks: networks by task and view, then every model's probabilities."""

from pathlib import Path

import pandas as pd

from fusion.config.network import Network
from fusion.config.run import Run
from fusion.config.tasks import Task
from fusion.data.task import task_rows
from fusion.evaluate import task_predictions
from fusion.evaluate.tasks import task_metrics
from fusion.features import clinical
from fusion.flow import fold_heads
from fusion.flow.folder import told
from fusion.flow.slices import read_radiomics, read_slices
from fusion.flow.work import Work
from fusion.heads.combine import CALIBRATION, INNER
from fusion.heads.parts import FINAL, Fitted
from fusion.heads.path import ERRORS, PATH
from fusion.heads.task import predict_task
from fusion.heads.task_radiomics import rad_scores
from fusion.roi.slice import Slices
from fusion.store import write_csv, write_parquet

SCORES = "features/task_scores.parquet"
LITERAL = "predictions_paper_literal.csv", "metrics_paper_literal.csv"


def write_networks(work: Work) -> None:
    """checkpoints/TASK/, features/deep_TASK/VIEW.parquet and features/deep_scores_TASK.parquet."""
    network = work.run.network
    missing = [task for task in work.run.used_tasks if not _deep_scores(work.folder, task).is_file()]
    if network is None or not missing:
        return
    slices = read_slices(work)
    with told(work.folder, "networks"):
        for task in missing:
            _scored(work, task, network, slices)


def train_fold(work: Work, fold: int) -> None:
    """Train what is missing of the networks of all tasks and views that never see a fold."""
    network = work.run.network
    missing = [task for task in work.run.used_tasks if not _fold_there(work, task, fold)]
    if network is None or not missing:
        return
    slices = read_slices(work)
    for task in missing:
        _train(work, task, network, slices, only=(fold,))


def fold_there(work: Work, fold: int) -> bool:
    """Whether all networks of a fold are trained, or nobody needs them any more; ``FINAL`` has none."""
    return all(_fold_there(work, task, fold) for task in work.run.used_tasks)


def write_predictions(work: Work) -> None:
    """features/task_scores.parquet, selection.csv, lasso_errors.csv, lasso_path.csv, calibration.csv, predictions.csv.

    Beside the scores features/scores_inner.parquet, what the regressions on radiomics scores learn from, and
    features/heads, what each head on radiomics found: those that a fold's job left there are not fitted again.
    """
    if (work.folder / "predictions.csv").is_file():
        return
    run, folder = work.run, work.folder
    with told(folder, "heads"):
        tables = read_radiomics(work) if run.masked else {}
        fitted = {name: _fit(work, name, task, tables) for name, task in run.used_tasks.items()}
        parts = {name: [found[name] for found in fitted.values()] for name in next(iter(fitted.values()))}
        write_parquet(folder / SCORES, _joined(parts["scores"]))
        if not (inner := _joined(parts["inner"])).empty:
            write_parquet(folder / INNER, inner)
        kept = ["model", "fold", "feature", "coefficient", "rank", "class"]
        write_csv(folder / "selection.csv", _first(_joined(parts["selection"]), kept))
        write_csv(folder / "lasso_errors.csv", _first(_joined(parts["errors"]), list(ERRORS)))
        write_csv(folder / "lasso_path.csv", _first(_joined(parts["path"]), list(PATH)))
        write_csv(folder / "calibration.csv", _first(_joined(parts["calibration"]), list(CALIBRATION)))
        rows = _joined(parts["rows"]).reindex(columns=list(task_predictions.columns(run.used_tasks)))
        write_csv(folder / "predictions.csv", rows)


def evaluate(folder: Path, run: Run) -> None:
    """metrics.csv from predictions.csv, and metrics_paper_literal.csv from the images' where there are some."""
    cohort = pd.read_csv(folder / "cohort.csv", dtype={"case": str, "patient": str}, keep_default_na=False)
    for asked, made in (("predictions.csv", "metrics.csv"), LITERAL):
        if (folder / asked).is_file():
            found = task_predictions.read(folder / asked, run.used_tasks)
            write_csv(folder / made, task_metrics(found, cohort, run.used_tasks, run.evaluate, run.seed))


def _deep_scores(folder: Path, task: str) -> Path:
    return folder / f"features/deep_scores_{task}.parquet"


def _scored(work: Work, task: str, network: Network, slices: Slices) -> None:
    from fusion.models import task_scores

    _train(work, task, network, slices)
    run, own = work.run, work.run.used_tasks[task]
    rows, folder = task_rows(work.cases, own), _networks(work.folder, task)
    seen = slices.of(tuple(rows["case"]))
    answers = task_scores.ask(seen, rows, len(own.names), network, run.roi, folder, run.views, run.jobs)
    for view, table in task_scores.deep(answers, rows).items():
        write_parquet(work.folder / f"features/deep_{task}/{view}.parquet", table)
    write_parquet(_deep_scores(work.folder, task), task_scores.scores(answers, rows, own.names))


def _train(work: Work, task: str, network: Network, slices: Slices, only: tuple[int, ...] | None = None) -> None:
    from fusion.models.train import train

    run, own = work.run, work.run.used_tasks[task]
    rows = task_rows(work.cases, own)
    label, fold = rows["label"].to_numpy(), rows["fold"].to_numpy()
    train(slices.of(tuple(rows["case"])), label, fold, network, run.roi, run.seed, _networks(work.folder, task),
          run.jobs, only=only, sources=run.views, classes=len(own.names))  # fmt: skip


def _fold_there(work: Work, task: str, fold: int) -> bool:
    run = work.run
    if run.network is None or fold == FINAL or _deep_scores(work.folder, task).is_file():
        return True
    if fold > task_rows(work.cases, run.used_tasks[task])["fold"].max():
        return True  # a task without cases in the last folds
    from fusion.models.checkpoints import checkpoint

    place, numbers = _networks(work.folder, task), range(run.network.seeds)
    return all(checkpoint(place, view, fold, number).is_file() for view in run.views for number in numbers)


def _networks(folder: Path, task: str) -> Path:
    """The folder of a task's networks."""
    return folder / "checkpoints" / task


def _fit(work: Work, name: str, task: Task, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """All of one task that goes into the run's files, by kind; models named TASK/VIEW."""
    run, cases = work.run, work.cases
    rows, models = task_rows(cases, task), run.task_models(name)
    empty = Fitted(pd.DataFrame(), pd.DataFrame())
    pictured, keep = fold_heads.pictured(work, task), fold_heads.of_task(work.folder, name)
    rad = rad_scores(tables, pictured, task.names, run.heads, run.seed, run.jobs, keep) if tables else empty
    deep = pd.read_parquet(_deep_scores(work.folder, name)) if run.network is not None else pd.DataFrame()
    scores = _joined([deep, rad.rows])
    encoded = clinical.encode(cases.set_index("case"), run.cohort.clinical, run.predictors)
    fitted = predict_task(scores, encoded, rows, models, run.views, task.names, run.heads, rad.inner)
    named = {
        "selection": _joined([rad.selection, fitted.selection]), "errors": rad.errors, "path": rad.path,
        "calibration": fitted.calibration,
    }  # fmt: skip
    with_task = {kind: _of_task(table, name) for kind, table in named.items()}
    return {
        **with_task, "scores": scores.assign(task=name), "inner": rad.inner.assign(task=name),
        "rows": _predictions(_of_task(fitted.rows, name), task),
    }  # fmt: skip


def _of_task(table: pd.DataFrame, task: str) -> pd.DataFrame:
    return table.assign(model=f"{task}/" + table["model"].astype(str)) if "model" in table else table


def _predictions(rows: pd.DataFrame, task: Task) -> pd.DataFrame:
    """With the class's name as label, and of two classes the positive one's probability and event."""
    names = task.names
    named = rows.assign(label=[names[number] for number in rows["label"]])
    if len(names) > 2:
        return named
    return named.assign(probability=rows[f"probability_{names[1]}"], event=rows["label"].astype(int))


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """The tables that are not empty, one below the other."""
    full = [table for table in tables if not table.empty]
    return pd.concat(full, ignore_index=True) if full else pd.DataFrame()


def _first(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """``columns`` first, whether the table has them or not, then its others."""
    return table.reindex(columns=[*columns, *(name for name in table.columns if name not in columns)])
