"""Readers: does a model call more cases right than a radiologist did?"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from fusion.evaluate import predictions, readers
from fusion.report.blocks import Block, Folded, Plot, Prose, Rows, Section
from fusion.report.caution import few
from fusion.report.figures import fullest, panels, rule
from fusion.report.matrix import matrix
from fusion.report.reading import calls, compared, pair, rated
from fusion.report.results import Results
from fusion.report.style import FAINT
from fusion.report.topic import Topic
from fusion.report.words import SETS, UNKNOWN, number, p_value, percent

READ = (
    "A reader's call and a model's are compared over the cases that the reader read, the model at its threshold. "
    "McNemar's test asks whether the cases that only one of them got right are evenly divided: among all cases "
    "(accuracy), among those of the positive class (sensitivity) and among the others (specificity). The mid-p value "
    "is the one to read (Fagerland 2013); Holm's column corrects the "
    "accuracy's for the number of models. A reader works at one point of a curve, so the last columns give the model's "
    "sensitivity on its ROC curve at the reader's specificity; that point is found in these very cases, which flatters "
    "the model."
)
RATES = {"accuracy": "ACC", "sensitivity": "SEN", "specificity": "SPE", "ppv": "PPV", "npv": "NPV"}


def topic(results: Results) -> Topic | None:
    """Readers against models in the main set; None where the run has no reader."""
    set_, readers_ = results.sets[0], results.run.cohort.readers
    if not readers_:
        return None
    read = {name: calls(results, name, set_)["event"] for name in readers_}
    names = [name for name, events in read.items() if events.nunique() == 2]
    left = [
        Prose(_left(name, events, results, set_), faint=False) for name, events in read.items() if name not in names
    ]
    if not names:
        return Topic(Section("readers", "Readers and models", left, "Readers"))
    judged, tests, shown = rated(results, set_, names), compared(results, set_, names), _shown(results, set_)
    blocks: list[Block] = [
        *(Prose(sentence, faint=False) for name in names for sentence in found(tests, judged, name, results, set_)),
        *left,
        *few(results, set_),
        Prose(READ),
        *_judged(judged[judged["who"].isin([*names, *shown])], results),
        Plot(f"confusion_readers_{set_}", f"Confusion matrices of readers and models, {SETS[set_]}"),
        *_tests(tests[tests["model"].isin(shown)], results, brief=True),
        Folded("Every model against every reader", [*_judged(judged, results), *_tests(tests, results)]),
    ]
    plots = {f"confusion_readers_{set_}": lambda: confused(results, set_, names)}
    section = Section("readers", "Readers and models", blocks, "Readers")
    return Topic(section, {"readers": judged, "readers_mcnemar": tests}, plots)


def found(tests: pd.DataFrame, judged: pd.DataFrame, name: str, results: Results, set_: str) -> list[str]:
    """One reader against the reference model, in words."""
    model, level = results.reference, percent(results.run.evaluate.confidence)
    own = judged[judged["reader"] == name].set_index("who")
    row = tests[(tests["reader"] == name) & (tests["model"] == model)].iloc[0]
    read = f"Of {results.rows(set_)['n'].iloc[0]:.0f} cases in the {SETS[set_]} {name} read {row['n']:.0f}"
    right = {
        who: f"{own['tp'][who] + own['tn'][who]} right (accuracy {number(own['accuracy'][who])})" for who in own.index
    }
    apart = (
        f"{number(row['accuracy'])} ({level} interval {number(row['accuracy_low'])} to {number(row['accuracy_high'])})"
    )
    same = (
        "a difference that chance does not explain"
        if row["accuracy_mid_p"] < 0.05
        else "which chance may explain; it is no proof that they are alike"
    )
    return [
        f"{read} and called {right[name]}; {model} at its threshold called {right[model]}. The model alone was right "
        f"in {row['accuracy_model_only']:.0f}, the reader alone in {row['accuracy_reader_only']:.0f}; model minus "
        f"reader {apart}, McNemar mid-P {p_value(row['accuracy_mid_p'])}, {same}.",
        _at(row, name, model, level),
    ]


def _at(row: "pd.Series[float]", name: str, model: str, level: str) -> str:
    chance = row["sensitivity_at_gain_low"] <= 0 <= row["sensitivity_at_gain_high"]
    return (
        f"At the specificity of {name} ({number(row['reader_specificity'])}) the sensitivity of {model} is "
        f"{number(row['sensitivity_at'])} against {number(row['reader_sensitivity'])}, a difference of "
        f"{number(row['sensitivity_at_gain'])} ({level} interval {number(row['sensitivity_at_gain_low'])} to "
        f"{number(row['sensitivity_at_gain_high'])}{', which holds 0' if chance else ''})."
    )


def _left(name: str, events: "pd.Series[int]", results: Results, set_: str) -> str:
    """Why a reader is not compared."""
    cohort = results.run.cohort
    if events.empty:
        return f"There is no call of {name} in the {SETS[set_]}."
    only = cohort.positive_name if events.iloc[0] else cohort.negative_name
    return f"{name} read {len(events)} cases of the {SETS[set_]}, all {only}: nothing to compare."


def confused(results: Results, set_: str, names: list[str]) -> Figure:
    """Confusion matrices of readers, Clinical, DL-radiomics and Combined (Shen 2026, Suppl. Fig. 3)."""
    cohort, shown = results.run.cohort, _shown(results, set_)
    firsts = [pair(results, name, shown[0], set_) for name in names]
    judged = [(pair.reader, pair.read, pair.events) for pair in firsts]
    for model in shown:
        own = predictions.of(results.predictions, model, set_)
        called = own["probability"].to_numpy() >= results.rows(set_)["threshold"][model]
        judged.append((model, called.astype(int), own["event"].to_numpy()))
    title = f"Readers and models, {SETS[set_]}: positive class {cohort.positive_name}"
    note = f"Rows: truth. Columns: call. Colour: share of the row. Threshold: {rule(results)}."
    figure, axes = panels(title, note, len(judged), 2.45)
    for axis, (who, called, events) in zip(axes, judged, strict=True):
        counts = readers.counts(called, events)
        matrix(axis, counts, [cohort.positive_name, cohort.negative_name])
        axis.set_title(f"{who}\naccuracy {number(counts.accuracy)}\n", fontsize=8)
        words = f"n = {len(events)}, {events.sum()} {cohort.positive_name}"
        axis.text(0, 1.04, words, transform=axis.transAxes, fontsize=7.4, color=FAINT)
    return figure


def _shown(results: Results, set_: str) -> list[str]:
    """Clinical, the fullest model without clinical variables, Combined: those of them that there are."""
    models = list(results.rows(set_).index)
    image = [name for name in fullest(models) if name not in ("Clinical", "Combined")][-1:]
    return [name for name in ("Clinical", *image, "Combined") if name in models]


def _judged(table: pd.DataFrame, results: Results) -> list[Block]:
    """One table a reader: the reader and the models over the cases that were read."""
    level = percent(results.run.evaluate.confidence)
    blocks: list[Block] = []
    for name, own in table.groupby("reader", sort=False):
        n, events = own["n"].iloc[0], own["events"].iloc[0]
        cases = f"Over the {n} cases ({events} {results.run.cohort.positive_name}) that {name} read."
        words = pd.DataFrame(
            {
                "Who": own["who"],
                **{name.upper(): own[name] for name in ("tp", "fn", "fp", "tn")},
                **{short: [_ends(row, rate) for _, row in own.iterrows()] for rate, short in RATES.items()},
            }
        )
        blocks.append(Rows.of(words, note=f"{cases} In brackets: {level} interval."))
    return blocks


def _tests(table: pd.DataFrame, results: Results, brief: bool = False) -> list[Block]:
    """Accuracy, then sensitivity and specificity; if brief, the mid-p value alone."""
    level = percent(results.run.evaluate.confidence)
    accuracy, parts = [], []
    for _, row in table.iterrows():
        who = {"Model": row["model"], "Reader": row["reader"]}
        accuracy.append(
            {
                **who, "ACC, model − reader": _difference(row, "accuracy"),
                "Balanced ACC": _difference(row, "balanced_accuracy"),
                "Only model right": str(row["accuracy_model_only"]),
                "Only reader right": str(row["accuracy_reader_only"]),
                "mid-P": p_value(row["accuracy_mid_p"]), "mid-P (Holm)": p_value(row["accuracy_mid_p_holm"]),
                "exact P": p_value(row["accuracy_exact_p"]), "χ² P": p_value(row["accuracy_corrected_p"]),
            }
        )  # fmt: skip
        parts.append(
            {
                **who, "SEN: only model, only reader": _two(row, "sensitivity"),
                "mid-P, SEN": p_value(row["sensitivity_mid_p"]),
                "SPE: only model, only reader": _two(row, "specificity"),
                "mid-P, SPE": p_value(row["specificity_mid_p"]),
                "SEN at the reader's SPE": number(row["sensitivity_at"]), "SEN of the reader":
                number(row["reader_sensitivity"]),
            }
        )  # fmt: skip
    others = ["exact P", "χ² P"] if brief else []
    brackets = "" if brief else " χ² P: with the continuity correction."
    brackets = f"In brackets: {level} bootstrap interval.{brackets}"
    return [
        _shortened(pd.DataFrame(accuracy).drop(columns=others), "Reader", results, brackets),
        _shortened(pd.DataFrame(parts), "Reader", results, ""),
    ]


def _shortened(table: pd.DataFrame, reader: str, results: Results, note: str) -> Rows:
    """Without the column of readers where there is one only."""
    one = table[reader].nunique() == 1
    return Rows.of(table.drop(columns=reader) if one else table, 1 if one else 2, results.reference, note)


def _two(row: "pd.Series[float]", name: str) -> str:
    return f"{row[f'{name}_model_only']}, {row[f'{name}_reader_only']}"


def _difference(row: "pd.Series[float]", name: str) -> str:
    return f"{number(row[name])} ({number(row[f'{name}_low'])} to {number(row[f'{name}_high'])})"


def _ends(row: "pd.Series[float]", name: str) -> str:
    if np.isnan(row[name]):
        return UNKNOWN
    return f"{number(row[name])} ({number(row[f'{name}_low'], 2)}–{number(row[f'{name}_high'], 2)})"
