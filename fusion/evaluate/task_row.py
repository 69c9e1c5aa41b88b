"""One model in one set, in numbers: over its classes together, and class by class."""

from collections.abc import Callable, Sequence

import numpy as np

from fusion.config.evaluate import Evaluate
from fusion.evaluate import calibration, class_ranks, classes, metrics, patient_draws
from fusion.evaluate.judged import Judged

Numbers = dict[str, object]
ENDS = ("", "_low", "_high")
OF_CLASS = ("sensitivity", "specificity", "ppv", "f1", "auc")


def row(own: Judged, evaluate: Evaluate, seed: int) -> Numbers:
    """The row of metrics.csv, without p values."""
    found = mean_row((own,), evaluate, seed)
    return found | {"never_called": int(classes.never_called(own.counts())[0])}


def mean_row(parts: Sequence[Judged], evaluate: Evaluate, seed: int) -> Numbers:
    """The same where a model was judged several times over the same cases: the means, and intervals of the means.

    Args:
        parts: one model in one set, cases in the same order.
        evaluate: bootstrap samples, confidence.
        seed: of the bootstrap.
    """
    own = parts[0]
    found = _with_interval(own, evaluate, seed, lambda weights: _means([_measures(part, weights) for part in parts]))
    return {
        "model": own.model, "set": own.set, "task": own.task, "view": own.view, "n": len(own.label),
        "events": int(own.label.sum()) if own.binary else None, "threshold_rule": own.rule,
        "patients": len(np.unique(own.patient)), "cases": len(np.unique(own.case)),
        "majority": float(np.bincount(own.label).max() / len(own.label)),
        **{name + end: float(x) for name, three in found.items() for end, x in zip(ENDS, three, strict=True)},
        **_mean_numbers([_whole(part) for part in parts]),
    }  # fmt: skip


def class_rows(own: Judged, evaluate: Evaluate, seed: int) -> list[Numbers]:
    """The rows of tables/classes.csv: each class against all others."""
    found = _with_interval(own, evaluate, seed, lambda weights: _of_classes(own, weights))
    return [
        {"model": own.model, "set": own.set, "class": name, "n": int((own.label == place).sum())}
        | {
            measure + end: float(x)
            for measure in OF_CLASS
            for end, x in zip(ENDS, found[measure][:, place], strict=True)
        }
        for place, name in enumerate(own.names)
    ]


def _with_interval(
    own: Judged, evaluate: Evaluate, seed: int, measure: Callable[[classes.Weights], patient_draws.Measures]
) -> patient_draws.Measures:
    """Value, low and high, in this order, of all that ``measure`` makes; both tables draw the same patients."""
    value = measure(np.ones((len(own.label), 1)))
    generator = metrics.stream(seed, own.model, own.set)
    ends = patient_draws.intervals(
        measure, own.patient, own.label, generator, evaluate.bootstrap, evaluate.confidence
    )  # fmt: skip
    return {name: np.concatenate([value[name], ends[name]]) for name in value}


def _means(parts: Sequence[patient_draws.Measures]) -> patient_draws.Measures:
    return {name: np.mean([part[name] for part in parts], axis=0) for name in parts[0]}


def _mean_numbers(parts: Sequence[dict[str, float]]) -> Numbers:
    return {name: float(np.mean([part[name] for part in parts])) for name in parts[0]}


def _whole(own: Judged) -> dict[str, float]:
    """What has no interval."""
    label, counts = own.label, own.counts()
    return {
        "threshold": own.threshold, "brier": classes.brier(own.probability, label),
        "log_loss": classes.log_loss(own.probability, label),
        "hand_till": class_ranks.hand_till(own.probability, label), **_recalibration(own),
        "never_called": float(classes.never_called(counts)[0]),
        "balanced_accuracy": float(classes.rates(counts).macro("sensitivity")[0]),
    }  # fmt: skip


def _measures(own: Judged, weights: classes.Weights) -> patient_draws.Measures:
    """Rates and AUC in each sample: of the event, or the means over more than two classes."""
    rates, names = classes.rates(own.counts(weights)), [name for name in metrics.RATES if name != "accuracy"]
    if own.binary:
        area = class_ranks.weighted_auc(own.probability[:, 1], own.label == 1, weights)
        found = {name: getattr(rates, name)[:, 1] for name in names}
    else:
        area = class_ranks.one_vs_rest(own.probability, own.label, weights).mean(axis=1)
        found = {name: rates.macro(name) for name in names}
    return {"auc": area, "accuracy": rates.accuracy, **found}


def _of_classes(own: Judged, weights: classes.Weights) -> patient_draws.Measures:
    rates = classes.rates(own.counts(weights))
    area = class_ranks.one_vs_rest(own.probability, own.label, weights)
    return {name: area if name == "auc" else getattr(rates, name) for name in OF_CLASS}


def _recalibration(own: Judged) -> dict[str, float]:
    """Slope and intercept of two classes' event; unknown of more, and where one class is absent."""
    nan = float("nan")
    if not own.binary or len(np.unique(own.label)) < 2:
        return {"calibration_slope": nan, "calibration_intercept": nan}
    found = calibration.recalibrate(own.probability[:, 1], own.label)
    return {"calibration_slope": found.slope, "calibration_intercept": found.intercept}
