"""What the run says in plain sentences, and what to be careful about; computed, never typed."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import numpy as np
from scipy.stats import norm

from fusion.config.run import Run
from fusion.evaluate import calibration, predictions
from fusion.evaluate.discrimination import Comparison
from fusion.evaluate.metrics import compare
from fusion.report.results import Results
from fusion.report.words import SETS, number, p_value, percent

EVENTS_PER_PREDICTOR = 10
"""Peduzzi 1996, doi:10.1016/S0895-4356(96)00236-3."""
CASES_A_CLASS = 100
"""Events and non-events below which a validation is imprecise: Collins 2016, doi:10.1002/sim.6787."""
TESTABLE = 10
"""Cases of the smaller class below which DeLong's normal approximation is not believed: its P is then far too small
wherever a few ranks agree."""
SLOPES = (0.8, 1.25)
"""Calibration slopes outside this range are told."""


@runtime_checkable
class Made(Protocol):
    """Results of any kind of run."""

    @property
    def run(self) -> Run:
        """What was asked."""


def banners(results: Made) -> list[str]:
    """What makes every number below no finding about patients."""
    cohort = results.run.cohort
    made = ["Synthetic cohort: a digital phantom, not patients."] if cohort.phantom else []
    shuffled = "Outcome shuffled: a canary run; every model must score chance (AUC near 0.5)."
    return made + ([shuffled] if cohort.shuffle_outcome else [])


def sentences(results: Results) -> list[str]:
    """Which model ranks best, with interval; and whether imaging adds to the clinical variables."""
    return [_best(results), _gain(results)]


def cautions(results: Results) -> list[str]:
    """Reasons not to lean on the numbers, the gravest first."""
    return [
        "Research use only: not a medical device, and not for decisions about patients.",
        *_no_test_set(results), *_leaning(results), *_few_cases(results), *_few_events(results), *_calibration(results),
        *absent(results),
    ]  # fmt: skip


def absent(results: Results) -> Iterator[str]:
    """Models of Table 1 that the run does not have, and why."""
    reasons: dict[str, list[str]] = {}
    for name in results.absent:
        reasons.setdefault(_reason(name, results), []).append(name)
    for reason, names in reasons.items():
        yield f"Absent of the eleven models, as {reason}: {', '.join(names)}."
    if results.run.network is None and "Combined" in results.models:
        yield "Combined is here radiomics with the clinical variables, without networks."


def _best(results: Results) -> str:
    set_, rows = results.sets[0], results.rows(results.sets[0])
    best = str(rows["auc"].idxmax())
    n, events, area, low, high = (float(rows[name][best]) for name in ("n", "events", "auc", "auc_low", "auc_high"))
    among = f"of {len(rows)} models {best} ranked cases best" if len(rows) > 1 else f"{best} is the only model"
    where = f"In the {SETS[set_]} ({n:.0f} cases, {events:.0f} {results.run.cohort.positive_name})"
    level = percent(results.run.evaluate.confidence)
    score = f"AUC {number(area)} ({level} interval {number(low)} to {number(high)})"
    chosen = "; the best of many in the same cases is a little flattered" if best != results.reference else ""
    chance = "; the interval reaches 0.5, so this may be chance" if low <= 0.5 else ""
    perfect = "; no case is ranked wrong, so the bootstrap has no width, which is not certainty" if low == 1 else ""
    return f"{where}, {among}: {score}{chosen}{chance}{perfect}."


def _gain(results: Results) -> str:
    set_, rows = results.sets[0], results.rows(results.sets[0])
    if "Clinical" not in rows.index:
        return "There is no Clinical model in this run, so nothing shows whether imaging adds to what is known without."
    others = rows.drop(index="Clinical")
    if others.empty:
        return "There is no other model in this run to compare Clinical with."
    model = results.reference if results.reference != "Clinical" else str(others["auc"].idxmax())
    test = compare(results.predictions, model, "Clinical", set_, results.run.evaluate.confidence)
    tested = "Clinical" if results.reference != "Clinical" else model
    corrected = float(rows["delong_p_holm"][tested])
    areas = f"{number(rows['auc'][model])} against {number(rows['auc']['Clinical'])}"
    side = "above" if test.difference >= 0 else "below"
    apart = f"{number(abs(test.difference))} {side}" if abs(test.difference) >= 0.0005 else "level with"
    gap = f"{model} is {apart} Clinical ({areas}; {_tested(test, corrected, results)})"
    smaller = int(min(rows["events"][model], rows["n"][model] - rows["events"][model]))
    return f"{gap}: {_verdict(test, corrected, smaller)}"


def _tested(test: Comparison, corrected: float, results: Results) -> str:
    if np.isnan(test.p):
        return "no test, as the difference has no variance"
    level = percent(results.run.evaluate.confidence)
    ends = f"{level} interval of the difference {number(test.low)} to {number(test.high)}"
    return f"{ends}; DeLong P {p_value(test.p)}, {p_value(corrected)} after Holm's correction"


def _verdict(test: Comparison, corrected: float, smaller: int) -> str:
    if smaller < TESTABLE:
        return f"with {smaller} cases in the smaller class the test's approximation fails; nothing is shown either way."
    what = "a gain" if test.difference >= 0 else "a loss"
    if corrected < 0.05:
        return f"{what} that chance does not explain."
    if test.p < 0.05:
        return f"{what} that is suggestive only, as it does not outlast the correction for many comparisons."
    if np.isnan(test.p):
        return "nothing can be said about chance."
    seen = test.error * (norm.ppf(0.975) + norm.ppf(0.8))
    return f"this may be chance; with so few cases a true gap under about {number(seen, 2)} would often go unseen."


def _no_test_set(results: Results) -> Iterator[str]:
    if results.sets == ["train_oof"]:
        yield "There is no test set: all figures come from out-of-fold predictions of the training set."


def _leaning(results: Results) -> Iterator[str]:
    if results.sets == ["train_oof"] and results.leaning:
        yield (
            f"Out-of-fold AUCs of {', '.join(results.leaning)} lean upwards a little: their last regression reads "
            "scores that have seen the fold it is judged in."
        )


def _few_cases(results: Results) -> Iterator[str]:
    row, cohort = results.rows(results.sets[0]).iloc[0], results.run.cohort
    events, others = int(row["events"]), int(row["n"] - row["events"])
    if min(events, others) < CASES_A_CLASS:
        found = f"{events} {cohort.positive_name} and {others} {cohort.negative_name} cases"
        yield f"Small {SETS[results.sets[0]]}: {found}; with fewer than {CASES_A_CLASS} of each, numbers are imprecise."


def _few_events(results: Results) -> Iterator[str]:
    train = results.cohort[results.cohort["set"] == "train"]["event"]
    smaller = int(min(train.sum(), len(train) - train.sum()))
    kept = {model: len(results.final(model)) for model in results.models}
    low = {model: count for model, count in kept.items() if count and smaller / count < EVENTS_PER_PREDICTOR}
    if low:
        worst = max(low, key=lambda model: low[model])
        ratio = smaller / low[worst]
        yield (
            f"Few events: {smaller} training cases in the smaller class, fewer than {EVENTS_PER_PREDICTOR} per "
            f"predictor in {len(low)} of {len(results.models)} models, fewest in {worst} ({low[worst]} predictors, "
            f"{number(ratio, 1 if ratio >= 0.1 else 3)} each). What a single predictor weighs there is unstable."
        )


def _calibration(results: Results) -> Iterator[str]:
    rows = results.rows(results.sets[0])
    slope, model = float(rows["calibration_slope"][results.reference]), results.reference
    if np.isnan(slope):
        own = predictions.of(results.predictions, model, results.sets[0])
        reason = calibration.recalibrate(own["probability"].to_numpy(), own["event"].to_numpy()).reason
        yield f"The calibration slope of {model} cannot be estimated: {reason}."
    elif not SLOPES[0] <= slope <= SLOPES[1]:
        yield _slope(slope, results)


def _slope(slope: float, results: Results) -> str:
    """A slope far from 1: too extreme or too timid where its interval leaves 1 out, else not known."""
    set_, level = results.sets[0], results.run.evaluate.confidence
    own = predictions.of(results.predictions, results.reference, set_)
    fit = calibration.recalibrate(own["probability"].to_numpy(), own["event"].to_numpy())
    low, high = fit.slope_interval(level)
    told = f"{number(slope, 2)} ({percent(level)} interval {number(low, 2)} to {number(high, 2)}) in the {SETS[set_]}"
    if low <= 1 <= high:
        return f"The calibration slope of {results.reference}, {told}, is too uncertain to judge its probabilities."
    how = "extreme" if slope < 1 else "timid"
    return f"Probabilities of {results.reference} are too {how}: calibration slope {told}."


def _reason(name: str, results: Results) -> str:
    if "DL" in name and results.run.network is None:
        return "there are no networks (network: null)"
    if name in ("Clinical", "Combined") and not results.run.predictors:
        return "there are no clinical predictors"
    return "there are no predictions of them"
