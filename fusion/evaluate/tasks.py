"""Tasks, judged: the tables of all models, of their classes, of their confusions, and of what the leak adds."""

import pandas as pd

from fusion.config.evaluate import Evaluate
from fusion.evaluate import metrics, task_pairs, task_row
from fusion.evaluate.judged import judge
from fusion.evaluate.task_predictions import Tasks

RATES = ("accuracy", "sensitivity", "specificity", "ppv", "f1")
COLUMNS = (
    *metrics.COLUMNS, "task", "view", "patients", "cases",
    *(f"{name}_{end}" for name in RATES for end in ("low", "high")),
    "majority", "balanced_accuracy", "hand_till", "log_loss", "never_called", "threshold_rule", "delong_cases",
)  # fmt: skip


def task_metrics(
    predictions: pd.DataFrame, cohort: pd.DataFrame, tasks: Tasks, evaluate: Evaluate, seed: int
) -> pd.DataFrame:
    """One row a model and set, columns ``COLUMNS``; intervals by drawing patients.

    Two classes: rates, AUC and calibration of the positive one. More: means over the classes (``Rates.macro``), AUC
    the mean of one against the rest; events, threshold and calibration are empty. ``majority`` is the share of the
    largest class, the accuracy of always calling it. A threshold stays as it is while patients are drawn. A row does
    not depend on which other models are there, its p values excepted.

    Args:
        predictions: as ``task_predictions.check`` wants them, of cases or of images.
        cohort: columns case and patient.
        tasks: tasks by name.
        evaluate: threshold rule, bootstrap samples, confidence.
        seed: of the bootstrap.

    Raises:
        RunError: as ``judged.judge``.
    """
    judged = judge(predictions, cohort, tasks, evaluate)
    rows = pd.DataFrame([task_row.row(own, evaluate, seed) for own in judged])
    result = rows.join(task_pairs.compared(judged))[list(COLUMNS)]
    return result.astype({"events": "Int64", "delong_cases": "Int64"})


def class_table(
    predictions: pd.DataFrame, cohort: pd.DataFrame, tasks: Tasks, evaluate: Evaluate, seed: int
) -> pd.DataFrame:
    """One row a model, set and class, each class against all others; n counts its cases.

    A class that was never called has an unknown ppv. Arguments and errors as ``task_metrics``.
    """
    judged = judge(predictions, cohort, tasks, evaluate)
    return pd.DataFrame([row for own in judged for row in task_row.class_rows(own, evaluate, seed)])


def confusions(predictions: pd.DataFrame, cohort: pd.DataFrame, tasks: Tasks, evaluate: Evaluate) -> pd.DataFrame:
    """Columns model, set, truth, call, n: a row a cell of each confusion matrix, the empty ones too.

    Arguments and errors as ``task_metrics``.
    """
    rows = [
        (own.model, own.set, truth, call, int(n))
        for own in judge(predictions, cohort, tasks, evaluate)
        for truth, line in zip(own.names, own.counts()[0], strict=True)
        for call, n in zip(own.names, line, strict=True)
    ]
    return pd.DataFrame(rows, columns=["model", "set", "truth", "call", "n"])


def differences(honest: pd.DataFrame, literal: pd.DataFrame) -> pd.DataFrame:
    """What the leak adds: a row a model, set of ``honest`` and measure; a model that only one table has is left out.

    Columns task, view, set, measure, honest and literal (each with _low and _high), difference (literal minus honest),
    and chance: what always calling the most frequent class of the honest cases gives, known of accuracy and AUC.

    Args:
        honest: ``task_metrics`` of cases.
        literal: ``task_metrics`` of images.
    """
    both = honest.merge(literal, on=["model", "task", "view"], suffixes=("", "_literal"))
    parts = [_difference(both, measure) for measure in (*RATES, "auc")]
    return pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)


def _difference(both: pd.DataFrame, measure: str) -> pd.DataFrame:
    ends = ("", "_low", "_high")
    columns = {f"honest{end}": both[f"{measure}{end}"] for end in ends}
    columns |= {f"literal{end}": both[f"{measure}{end}_literal"] for end in ends}
    found = both[["task", "view", "set"]].assign(measure=measure, **columns)
    chance = both["majority"] if measure == "accuracy" else 0.5 if measure == "auc" else float("nan")
    return found.assign(difference=found["literal"] - found["honest"], chance=chance)
