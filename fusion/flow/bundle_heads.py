"""The final heads of a finished run, made sure to say what the run said, and how their answers are read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from fusion.data.task import task_rows
from fusion.errors import RunError
from fusion.evaluate import task_predictions
from fusion.evaluate.conformal import ERROR
from fusion.evaluate.metrics import stream
from fusion.evaluate.threshold import describe
from fusion.features import clinical
from fusion.flow.agreement import agreed
from fusion.flow.tasks import SCORES
from fusion.heads import final, redraw
from fusion.heads.interval import Draws
from fusion.heads.plain import Question
from fusion.heads.training import Training
from fusion.report.results import Results
from fusion.report.tasks.results import TaskResults
from fusion.roi.region import REGIONS
from fusion.serve.parts import Judgement

LIKELIEST = "the likeliest class"
"""How a class of more than two is called."""


@dataclass(frozen=True)
class Asked:
    """One question of a run: what its heads were fitted on, and the heads."""

    training: Training
    question: Question


def questions(results: Results | TaskResults) -> tuple[Asked, ...]:
    """Every question's final heads.

    Raises:
        RunError: heads that say of test or external cases something else than predictions.csv.
        HeadError: heads that need more than a case to judge it.
    """
    found = tuple(_of_regions(results) if isinstance(results, Results) else _of_tasks(results))
    if faults := [own for ask in found for own in final.agree(ask.question, ask.training, results.predictions)]:
        raise RunError(faults)
    return found


def judgements(results: Results | TaskResults, asked: Sequence[Asked]) -> dict[str, Judgement]:
    """By model, with its task, how its probabilities are read."""
    return {
        name: own.model_copy(update={"draws": _draws(ask, name, results.run.seed)})
        for ask in asked
        for name, own in read_as(results, (ask.question,)).items()
    }


def read_as(results: Results | TaskResults, asked: Sequence[Question]) -> dict[str, Judgement]:
    """``judgements`` without draws."""
    return {
        name: _judgement(results, own, name)
        for own in asked
        for name in (f"{own.name}/{model}" if own.name else model for model in own.models)
    }


def _of_regions(results: Results) -> Iterator[Asked]:
    run, folder = results.run, results.folder
    measured = {r: pd.read_parquet(folder / f"features/radiomics_{r}.parquet") for r in REGIONS}
    training = Training.of_regions(
        agreed(measured, folder, run.heads.icc), pd.read_parquet(folder / "features/scores.parquet"),
        _encoded(results), results.cohort, run.heads, run.seed, (run.cohort.negative_name, run.cohort.positive_name),
    )  # fmt: skip
    yield Asked(training, final.question(training, run.models))


def _of_tasks(results: TaskResults) -> Iterator[Asked]:
    run, folder, encoded = results.run, results.folder, _encoded(results)
    names = run.used_sequences if run.masked else ()
    tables = {name: pd.read_parquet(folder / f"features/radiomics_{name}.parquet") for name in names}
    scores = pd.read_parquet(folder / SCORES)
    for name, task in results.tasks.items():
        training = Training.of_task(
            tables, scores[scores["task"] == name], encoded, task_rows(results.cohort, task), run.heads, run.seed,
            task.names, run.views,
        )  # fmt: skip
        yield Asked(training, final.question(training, run.task_models(name), name))


def _encoded(results: Results | TaskResults) -> pd.DataFrame:
    run = results.run
    return clinical.encode(results.cohort.set_index("case"), run.cohort.clinical, run.predictors)


def _draws(ask: Asked, name: str, seed: int) -> Draws:
    return redraw.draws(ask.question, name.rpartition("/")[2], ask.training, stream(seed, "bundle", name))


def _judgement(results: Results | TaskResults, own: Question, model: str) -> Judgement:
    cut = results.metrics.loc[results.metrics["model"] == model, "threshold"].iloc[0]
    two = len(own.classes) == 2
    return Judgement(
        threshold=float(cut) if two else None,
        rule=describe(results.run.evaluate.threshold) if two else LIKELIEST,
        calibration=_calibration(results, own, model),
        error=ERROR,
    )


def _calibration(results: Results | TaskResults, own: Question, model: str) -> dict[str, tuple[float, ...]]:
    """Sorted, so that nothing tells which case is which."""
    rows = task_predictions.of(results.predictions, model, "train_oof")
    if isinstance(results, Results):
        rows = rows.assign(label=[own.classes[event] for event in rows["event"]])
        for name, share in zip(own.classes, (1 - rows["probability"], rows["probability"]), strict=True):
            rows[f"probability_{name}"] = share
    return {
        name: tuple(sorted(rows.loc[rows["label"] == name, f"probability_{name}"].astype(float).tolist()))
        for name in own.classes
    }
