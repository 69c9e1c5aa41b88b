"""Every model in every set, judged: the rows of metrics.csv."""

import hashlib

import numpy as np
import pandas as pd

from fusion.config.evaluate import Evaluate, FixedThreshold
from fusion.errors import Fault, RunError
from fusion.evaluate import calibration, discrimination, predictions, threshold

COLUMNS = (
    "model", "set", "n", "events", "auc", "auc_low", "auc_high", "threshold", "accuracy", "sensitivity", "specificity",
    "ppv", "npv", "f1", "brier", "calibration_slope", "calibration_intercept", "delong_p", "delong_p_holm",
)  # fmt: skip
RATES = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1")


def metrics(table: pd.DataFrame, evaluate: Evaluate, seed: int) -> pd.DataFrame:
    """One row a model and set: AUC with interval, threshold, rates, Brier, calibration, DeLong against the reference.

    A model's threshold is found in its train_oof rows and applied to every set. The reference of a set is Combined, or
    the last model of Table 1's order there; its own p is nan. A row does not depend on which other models are there,
    its p values excepted.

    Args:
        table: predictions, as ``predictions.check`` wants them.
        evaluate: threshold rule, bootstrap samples, confidence.
        seed: of the bootstrap.

    Raises:
        RunError: faulty predictions; no train_oof rows to find a threshold in; a model without the reference's cases.
    """
    table = predictions.check(table)
    thresholds = _thresholds(table, evaluate)
    rows = [
        {"model": model, "set": set_, **_row(own, thresholds[model], evaluate, stream(seed, model, set_))}
        for model in predictions.models(table)
        for set_ in predictions.SETS
        if not (own := predictions.of(table, model, set_)).empty
    ]
    result = pd.DataFrame(rows)
    result["delong_p"] = [_p(table, str(row["model"]), str(row["set"])) for row in rows]
    result["delong_p_holm"] = result.groupby("set")["delong_p"].transform(lambda p: discrimination.holm(p.to_numpy()))
    return result[list(COLUMNS)]


def reference(models: list[str]) -> str:
    """The model that the others are compared with: Combined, or the last in Table 1's order.

    >>> reference(["Tumor_RAD", "Clinical"])
    'Clinical'
    """
    return "Combined" if "Combined" in models else models[-1]


def compare(
    table: pd.DataFrame, first: str, second: str, set_: str, confidence: float = 0.95
) -> discrimination.Comparison:
    """DeLong's paired test of two models in one set, aligned by case.

    Raises:
        RunError: the two models were not applied to the same cases.
    """
    one, two = predictions.of(table, first, set_), predictions.of(table, second, set_)
    apart = one.index.symmetric_difference(two.index)
    if len(apart):
        found = f"{len(apart)} cases of set {set_} in only one of {first} and {second}"
        raise RunError(Fault(found, "the same cases, as the comparison is paired", "make predictions.csv again"))
    two = two.loc[one.index]
    return discrimination.delong_test(
        one["probability"].to_numpy(), two["probability"].to_numpy(), one["event"].to_numpy(), confidence
    )


def stream(seed: int, *names: str) -> np.random.Generator:
    """Random numbers of their own for what ``names`` say, so that leaving another out changes nothing here."""
    digest = hashlib.sha256("/".join(names).encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8], "little")])


def _thresholds(table: pd.DataFrame, evaluate: Evaluate) -> dict[str, float]:
    found, faults = {}, []
    for model in predictions.models(table):
        own = predictions.of(table, model, "train_oof")
        if own.empty and not isinstance(evaluate.threshold, FixedThreshold):
            expected = "train_oof rows, where its threshold is found"
            faults.append(
                Fault(f"none for {model}", expected, "predict the folds, or set evaluate.threshold.kind=fixed")
            )
            continue
        found[model] = threshold.choose(evaluate.threshold, own["probability"].to_numpy(), own["event"].to_numpy())
    if faults:
        raise RunError(faults)
    return found


def _row(own: pd.DataFrame, cut: float, evaluate: Evaluate, generator: np.random.Generator) -> dict[str, float | int]:
    probability, events = own["probability"].to_numpy(), own["event"].to_numpy()
    low, high = discrimination.bootstrap_interval(
        probability, events, generator, evaluate.bootstrap, evaluate.confidence
    )
    counts = threshold.confusion(probability, events, cut)
    recalibration = calibration.recalibrate(probability, events)
    return {
        "n": len(events), "events": int(events.sum()),
        "auc": discrimination.auc(probability, events), "auc_low": low, "auc_high": high,
        "threshold": cut, **{name: getattr(counts, name) for name in RATES},
        "brier": calibration.brier(probability, events),
        "calibration_slope": recalibration.slope, "calibration_intercept": recalibration.intercept,
    }  # fmt: skip


def _p(table: pd.DataFrame, model: str, set_: str) -> float:
    against = reference(predictions.models(table[table["set"] == set_]))
    return float("nan") if model == against else compare(table, model, against, set_).p
