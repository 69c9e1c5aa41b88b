"""Rates at other thresholds: an accuracy belongs to the rule that found its threshold."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fusion.config.evaluate import FixedSensitivity, FixedThreshold, LeastCost, Youden
from fusion.evaluate import threshold
from fusion.evaluate.rates import rates
from fusion.report.blocks import Block, Folded, Prose, Rows, Section
from fusion.report.figures import cases
from fusion.report.results import Results
from fusion.report.topic import Topic
from fusion.report.words import SETS, UNKNOWN, number, percent

READ = (
    "Every threshold is found in out-of-fold predictions of the training set and then applied here, so a sensitivity "
    "asked for need not be the one obtained. Intervals are Wilson's. The cost rule takes the threshold with the least "
    "expected cost of misses and false alarms (Zweig & Campbell 1993)."
)
COUNTS = "TP, FN: positive cases called so, and missed. FP, TN: the others called positive in vain, and rightly not."
SHORT = {"accuracy": "ACC", "sensitivity": "SEN", "specificity": "SPE", "ppv": "PPV", "npv": "NPV"}


def topic(results: Results) -> Topic:
    """The main set at every rule."""
    set_ = results.sets[0]
    rules = by_rule(results, set_)
    blocks: list[Block] = [
        Prose(found(rules, results, set_), faint=False),
        Prose(READ),
        _rules(rules[rules["model"] == results.reference], results),
        Folded("Every model at every rule", [_rules(rules, results, "model")]),
    ]
    section = Section("rates", "Rates at other thresholds", blocks, "Rates")
    return Topic(section, {"thresholds": rules})


def by_rule(results: Results, set_: str) -> pd.DataFrame:
    """Counts and rates of every model in a set at each rule's threshold, as numbers."""
    rows = []
    for model in results.rows(set_).index:
        training = cases(results, model, "train_oof")
        for own in _asked(results):
            if len(training[0]) == 0 and not isinstance(own.rule, FixedThreshold):
                continue
            cut = threshold.choose(own.rule, *training)
            counts = threshold.confusion(*cases(results, model, set_), cut)
            rows.append({"set": set_, "model": model, "rule": own.name, "threshold": cut, **_numbers(counts, results)})
    return pd.DataFrame(rows)


def found(rules: pd.DataFrame, results: Results, set_: str) -> str:
    """How far the rule decides the rates, in words."""
    own = rules[rules["model"] == results.reference]
    spans = {
        name: f"{number(own[name].min())} to {number(own[name].max())}"
        for name in ("accuracy", "sensitivity", "specificity")
    }
    said = (
        f"In the {SETS[set_]} the accuracy of {results.reference} is {spans['accuracy']}, its sensitivity "
        f"{spans['sensitivity']} and its specificity {spans['specificity']}, depending on the rule of the threshold: "
        "such a number belongs to its rule."
    )
    asked = own[own["rule"] == "sensitivity 0.9"]
    if asked.empty:
        return said
    row = asked.iloc[0]
    return (
        f"{said} The threshold for a sensitivity of 0.9 in training predictions gave {number(row['sensitivity'])} here "
        f"({row['tp']} of {row['tp'] + row['fn']})."
    )


@dataclass(frozen=True)
class _Rule:
    name: str
    rule: threshold.Rule


def _asked(results: Results) -> list[_Rule]:
    """The run's own rule among the usual ones."""
    own = results.run.evaluate.threshold
    cost = own if isinstance(own, LeastCost) else LeastCost()
    rules: list[threshold.Rule] = [
        Youden(),
        FixedThreshold(),
        FixedSensitivity(),
        FixedSensitivity(sensitivity=0.95),
        cost,
    ]
    return [_Rule(_name(one), one) for one in (rules if own in rules else [own, *rules])]


def _name(own: threshold.Rule) -> str:
    match own:
        case Youden():
            return "Youden"
        case FixedThreshold():
            return f"fixed {own.probability:g}"
        case FixedSensitivity():
            return f"sensitivity {own.sensitivity:g}"
        case LeastCost():
            at = "" if own.prevalence is None else f" at {own.prevalence:g}"
            return f"cost FN:FP {own.false_negative:g}:{own.false_positive:g}{at}"
    return f"specificity {own.specificity:g}"


def _numbers(counts: threshold.Confusion, results: Results) -> dict[str, float | int]:
    made: dict[str, float | int] = {"tp": counts.tp, "fn": counts.fn, "fp": counts.fp, "tn": counts.tn}
    for name, rate in rates(counts, results.run.evaluate.confidence).items():
        made |= {name: rate.value, f"{name}_low": rate.low, f"{name}_high": rate.high}
    return made


def _rules(table: pd.DataFrame, results: Results, *words: str) -> Rows:
    level = percent(results.run.evaluate.confidence)
    rows = pd.DataFrame(
        [
            {
                **{name.capitalize(): row[name] for name in words},
                "Rule": row["rule"],
                "Threshold": number(row["threshold"]),
                **{name.upper(): str(row[name]) for name in ("tp", "fn", "fp", "tn")},
                **{short: _ends(row, name) for name, short in SHORT.items()},
            }
            for _, row in table.iterrows()
        ]
    )
    return Rows.of(rows, words=len(words) + 1, mark=results.reference, note=f"{COUNTS} In brackets: {level} interval.")


def _ends(row: "pd.Series[float]", name: str) -> str:
    if np.isnan(row[name]):
        return UNKNOWN
    return f"{number(row[name])} ({number(row[f'{name}_low'], 2)}–{number(row[f'{name}_high'], 2)})"
