"""Readers' calls beside models' calls over the same cases: the numbers behind the readers' section."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fusion.data.cohort import READER
from fusion.evaluate import predictions, readers
from fusion.evaluate.discrimination import holm
from fusion.evaluate.metrics import stream
from fusion.evaluate.rates import rates
from fusion.report.results import Results


@dataclass(frozen=True)
class Pair:
    """A model and a reader over the cases that the reader read."""

    reader: str
    model: str
    read: np.ndarray
    called: np.ndarray
    probability: np.ndarray
    events: np.ndarray


def calls(results: Results, name: str, set_: str) -> pd.DataFrame:
    """The cases of a set that a reader read, with a column ``call``; none where cohort.csv is older than the reader."""
    place = "train" if set_ == "train_oof" else set_
    rows = results.cohort[results.cohort["set"] == place].set_index("case")
    if f"{READER}{name}" not in rows:
        return rows.iloc[:0].assign(call=[])
    call = pd.to_numeric(rows[f"{READER}{name}"], errors="coerce")
    return rows.assign(call=call)[call.notna()]


def pair(results: Results, name: str, model: str, set_: str) -> Pair:
    """The cases of a set that a reader read, with a model's calls at its threshold."""
    read = calls(results, name, set_)["call"]
    own = predictions.of(results.predictions, model, set_)
    own = own[own.index.isin(read.index)]
    probability, events = own["probability"].to_numpy(), own["event"].to_numpy()
    called = (probability >= results.rows(set_)["threshold"][model]).astype(int)
    return Pair(name, model, read.loc[own.index].to_numpy(dtype=int), called, probability, events)


def rated(results: Results, set_: str, names: list[str]) -> pd.DataFrame:
    """Counts and rates of each reader, and of every model over the same cases, as numbers."""
    rows = []
    for name in names:
        pairs = [pair(results, name, model, set_) for model in results.rows(set_).index]
        rows.append(_numbers(name, name, pairs[0].read, pairs[0].events, results, set_))
        rows += [_numbers(name, one.model, one.called, one.events, results, set_) for one in pairs]
    return pd.DataFrame(rows)


def compared(results: Results, set_: str, names: list[str]) -> pd.DataFrame:
    """Every model against every reader: paired differences, McNemar's tests, the ROC curve's point, as numbers."""
    rows = [
        _against(pair(results, name, model, set_), results, set_)
        for name in names
        for model in results.rows(set_).index
    ]
    table = pd.DataFrame(rows)
    corrected = table.groupby("reader", sort=False)["accuracy_mid_p"].transform(lambda p: holm(p.to_numpy()))
    return table.assign(accuracy_mid_p_holm=corrected)


def _numbers(
    reader: str, who: str, called: np.ndarray, events: np.ndarray, results: Results, set_: str
) -> dict[str, object]:
    counts = readers.counts(called, events)
    made: dict[str, object] = {"set": set_, "reader": reader, "who": who, "n": len(events), "events": int(events.sum())}
    made |= {"tp": counts.tp, "fn": counts.fn, "fp": counts.fp, "tn": counts.tn}
    for name, rate in rates(counts, results.run.evaluate.confidence).items():
        made |= {name: rate.value, f"{name}_low": rate.low, f"{name}_high": rate.high}
    return made


def _against(one: Pair, results: Results, set_: str) -> dict[str, object]:
    evaluate = results.run.evaluate
    generator = stream(results.run.seed, one.model, set_, one.reader)
    paired = readers.compare(one.called, one.read, one.events, generator, evaluate.bootstrap, evaluate.confidence)
    at = readers.at_specificity(
        one.probability, one.read, one.events, generator, evaluate.bootstrap, evaluate.confidence
    )
    own = readers.counts(one.read, one.events)
    made: dict[str, object] = {"set": set_, "reader": one.reader, "model": one.model, "n": len(one.events)}
    for name, difference in (("accuracy", paired.accuracy), ("balanced_accuracy", paired.balanced_accuracy)):
        made |= {name: difference.value, f"{name}_low": difference.low, f"{name}_high": difference.high}
    for name, test in (
        ("accuracy", paired.of_all),
        ("sensitivity", paired.of_events),
        ("specificity", paired.of_others),
    ):
        made |= {
            f"{name}_model_only": test.first, f"{name}_reader_only": test.second, f"{name}_exact_p": test.exact,
            f"{name}_mid_p": test.mid, f"{name}_chi_square": test.chi_square, f"{name}_chi_square_p": test.chi_square_p,
            f"{name}_corrected_chi_square": test.corrected, f"{name}_corrected_p": test.corrected_p,
        }  # fmt: skip
    return made | {
        "reader_sensitivity": own.sensitivity, "reader_specificity": own.specificity,
        "sensitivity_at": at.sensitivity, "specificity_at": at.specificity, "sensitivity_at_gain": at.gain.value,
        "sensitivity_at_gain_low": at.gain.low, "sensitivity_at_gain_high": at.gain.high,
    }  # fmt: skip
