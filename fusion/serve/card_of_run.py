"""The card of a finished run: its cohort, its numbers, and what speaks against trusting them, from the run's files."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from fusion.config.run import Run
from fusion.report.findings import CASES_A_CLASS
from fusion.report.results import Results
from fusion.report.tasks.results import TaskResults
from fusion.report.words import SETS
from fusion.serve.parts import Card, Deployed, Metric

USE = (
    "To study, on images with an outlined tumour like those described below, how well {what}. It is no medical device "
    "and must not decide about a patient."
)


def card(results: Results | TaskResults, deployed: Deployed) -> Card:
    """The card of the run that ``deployed`` was made of."""
    run, environment = results.run, results.environment
    return Card(
        name=run.name,
        intended_use=USE.format(what="; ".join(_what(deployed))),
        headline=headline(deployed),
        data=tuple(_data(results, deployed)),
        limits=tuple(_limits(results, deployed)),
        metrics=tuple(_metrics(results.metrics)),
        versions={"fusion": environment["fusion"], "python": environment["python"], **environment["packages"]},
    )


def headline(deployed: Deployed) -> str:
    """The model whose answer comes first: of the first question the one that reads most, not the clinical one alone."""
    models = [name for name in deployed.judgements if deployed.question(name)[0] is deployed.questions[0]]
    return next((name for name in reversed(models) if not name.endswith("Clinical")), models[-1])


def _what(deployed: Deployed) -> Iterator[str]:
    for own in deployed.questions:
        *others, last = own.classes
        yield (
            f"{last} is told from {' and '.join(others)}"
            if len(others) == 1
            else (f"{', '.join(others)} and {last} are told apart")
        )


def _data(results: Results | TaskResults, deployed: Deployed) -> Iterator[str]:
    run, cohort = results.run, results.cohort
    yield f"{len(cohort)} cases of {cohort['patient'].nunique()} patients."
    for set_ in ("train", "test", "external"):
        for task, counts in _classes(results, set_):
            words = ", ".join(f"{number} {name}" for name, number in counts.items())
            yield f"{SETS[set_].capitalize()}{f', {task}' if task else ''}: {sum(counts.values())} cases ({words})."
    if "scanner" in cohort and (scanners := cohort["scanner"].replace("", np.nan).nunique()):
        yield f"{scanners} scanner{'s' if scanners > 1 else ''}."
    yield from _made(run)
    if run.network is not None:
        yield (f"Networks: {len(deployed.networks)} of {run.network.backbone}, {run.network.epochs} epochs from "
               f"{_start(run)}; a score is a mean over folds and seeds.")  # fmt: skip
    if run.predictors:
        yield f"Clinical variables: {', '.join(run.predictors)}."


def _made(run: Run) -> Iterator[str]:
    if run.cohort.tasks:
        rows, columns = run.roi.slice.shape
        yield f"Slices of {', '.join(run.used_sequences)}, cut to {rows} x {columns} pixels."
        return
    ring = run.roi.external2
    plane = "in the slice's plane" if ring.grid == "in_plane" else "in all directions"
    grey = "" if ring.hu_range is None else f", {ring.hu_range[0]:g} to {ring.hu_range[1]:g} HU"
    yield f"External2: {ring.thickness_mm:g} mm outside the tumour, {plane}{grey}; a ring drawn by hand stays."
    spacing = " x ".join(f"{own:g}" for own in run.roi.patch.spacing_mm)
    if run.network is not None:
        yield f"Networks see a box of {' x '.join(map(str, run.roi.patch.shape))} voxels of {spacing} mm (z, y, x)."


def _start(run: Run) -> str:
    assert run.network is not None
    return {"none": "random weights", "hub": "ImageNet's weights"}.get(run.network.weights, "weights of a local file")


def _classes(results: Results | TaskResults, set_: str) -> Iterator[tuple[str, dict[str, int]]]:
    """Cases by class of a set, by task."""
    own = results.cohort[results.cohort["set"] == set_]
    if own.empty:
        return
    if isinstance(results, Results):
        names = (results.run.cohort.negative_name, results.run.cohort.positive_name)
        yield "", {name: int((own["event"] == number).sum()) for number, name in enumerate(names)}
        return
    for name, task in results.tasks.items():
        of = {str(value): kind for kind, values in task.classes.items() for value in values}
        labels = own["outcome"].map(of)
        yield name, {kind: int((labels == kind).sum()) for kind in task.names}


def _limits(results: Results | TaskResults, deployed: Deployed) -> Iterator[str]:
    run, sets = results.run, set(results.cohort["set"])
    if run.cohort.phantom is not None:
        yield "The cohort is synthetic: nothing here was learned from patients, and nothing holds for one."
    if run.cohort.shuffle_outcome:
        yield "The outcome was shuffled on purpose: no number here means anything."
    if "external" not in sets:
        yield "Never tried on an external set: on other scanners and patients it may do worse."
    if "test" not in sets and "external" not in sets:
        yield "No test set: every number is out-of-fold, of models that were fitted on the other folds."
    yield from _small(results)
    if run.network is not None and run.network.weights == "none":
        yield "The networks started from random weights, which needs far more cases than ImageNet's do."
    scanners = results.cohort["scanner"].replace("", np.nan).nunique() if "scanner" in results.cohort else 0
    if scanners < 2:
        yield "One scanner at most is known, so that nothing is known of others."
    yield from _chance(results, headline(deployed))


def _small(results: Results | TaskResults) -> Iterator[str]:
    for set_ in ("train", "test", "external"):
        for task, counts in _classes(results, set_):
            name, fewest = min(counts.items(), key=lambda own: own[1])
            if fewest < CASES_A_CLASS:
                where = f"{SETS[set_]}{f', {task}' if task else ''}"
                yield f"Few cases: {fewest} {name} in the {where}; numbers are imprecise below {CASES_A_CLASS} a class."


def _chance(results: Results | TaskResults, model: str) -> Iterator[str]:
    for _, row in results.metrics[results.metrics["model"] == model].iterrows():
        if row["auc_low"] <= 0.5:
            yield f"{model} may do no better than chance: the AUC's interval in the {SETS[row['set']]} reaches 0.5."


def _metrics(table: pd.DataFrame) -> Iterator[Metric]:
    numbers = table.select_dtypes("number").columns
    for _, row in table.iterrows():
        values = {str(name): float(row[name]) for name in numbers}
        told = {name: value if math.isfinite(value) else None for name, value in values.items()}
        yield Metric(model=row["model"], set=row["set"], values=told)
