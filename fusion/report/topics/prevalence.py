"""Predictive values where the positive class is more or less common than here."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.evaluate import prevalence, threshold
from fusion.report.blocks import Block, Plot, Prose, Rows, Section
from fusion.report.figures import WIDTH, cases, fullest, rule, titled
from fusion.report.results import Results
from fusion.report.style import FAINT, headed, line
from fusion.report.topic import Topic
from fusion.report.words import SETS, UNKNOWN, interval, number, percent

AT = (
    "Sensitivity and specificity as found here, carried to other prevalences by Bayes' theorem (intervals: Mercaldo "
    "2007, prevalence taken as known). It holds where the mix of easy and hard cases is the same; in a clinic that "
    "sees milder disease it is not."
)
PREVALENCES = (0.05, 0.1, 0.2, 0.3, 0.5)
FINE = np.linspace(0.01, 0.99, 99)


def topic(results: Results) -> Topic:
    """What a call means at other prevalences."""
    set_ = results.sets[0]
    values = by_prevalence(results, set_)
    blocks: list[Block] = [
        Prose(carried(values, results), faint=False),
        Prose(AT),
        Plot(f"prevalence_{set_}", f"Predictive values by prevalence, {SETS[set_]}"),
        _values(values[values["model"] == results.reference], results),
    ]
    section = Section("prevalence", "Predictive values at other prevalences", blocks, "Prevalence")
    plots = {f"prevalence_{set_}": lambda: predictive(results, set_)}
    return Topic(section, {"prevalence": values}, plots)


def by_prevalence(results: Results, set_: str) -> pd.DataFrame:
    """PPV and NPV of every model at its threshold, at the prevalences of the table and the stated one."""
    stated = results.run.evaluate.prevalence
    places = np.array(sorted({*PREVALENCES, *([] if stated is None else [stated])}))
    tables = []
    for model, cut in results.rows(set_)["threshold"].items():
        counts = threshold.confusion(*cases(results, str(model), set_), cut)
        table = pd.DataFrame({"set": set_, "model": model, "prevalence": places})
        for name, of in (("ppv", prevalence.ppv), ("npv", prevalence.npv)):
            value = of(counts, places, results.run.evaluate.confidence)
            table = table.assign(**{name: value.value, f"{name}_low": value.low, f"{name}_high": value.high})
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def carried(values: pd.DataFrame, results: Results) -> str:
    """What a call of the reference means at the stated prevalence, or at the rarest and the commonest, in words."""
    own = values[values["model"] == results.reference].set_index("prevalence")
    stated = results.run.evaluate.prevalence
    places = [PREVALENCES[0], PREVALENCES[-1]] if stated is None else [stated]
    names = results.run.cohort
    said = [
        f"were {_percent(at)} of all cases {names.positive_name}, {_percent(own['ppv'][at])} of its "
        f"{names.positive_name} calls would be right and {_percent(own['npv'][at])} of its {names.negative_name} ones"
        for at in places
    ]
    return f"{results.reference} at its threshold ({rule(results)}): {'; '.join(said)}."


def predictive(results: Results, set_: str) -> Figure:
    """PPV and NPV over prevalence, of the fullest model of each family."""
    level = percent(results.run.evaluate.confidence)
    note = f"Dotted: share in this set; dashed: the stated prevalence, if any. Band: {level} interval of {{}}."
    note = note.format(results.reference) + f" Threshold: {rule(results)}."
    figure = headed(titled("Predictive values by prevalence", results, set_), note, WIDTH * 0.85, 3.7)
    axes = figure.subplots(1, 2)
    for axis, of, title in zip(axes, (prevalence.ppv, prevalence.npv), ("positive", "negative"), strict=True):
        _curves(axis, results, set_, of)
        axis.set(xlim=(0, 1), ylim=(-0.02, 1.02), xlabel=f"share of {results.run.cohort.positive_name} cases")
        axis.set_title(f"{title} predictive value")
    axes[0].legend(loc="lower right", fontsize=7.4)
    return figure


def _curves(axis: Axes, results: Results, set_: str, of: Callable[..., prevalence.PredictiveValue]) -> None:
    rows, confidence = results.rows(set_), results.run.evaluate.confidence
    for name in fullest(list(rows.index)):
        counts, style = threshold.confusion(*cases(results, name, set_), rows["threshold"][name]), line(name)
        value = of(counts, FINE, confidence)
        axis.plot(FINE, value.value, color=style.colour, linestyle=style.dash, linewidth=style.width, label=name)
        if name == results.reference:
            axis.fill_between(FINE, value.low, value.high, color=style.colour, alpha=0.14, linewidth=0)
    axis.axvline(rows["events"].iloc[0] / rows["n"].iloc[0], color=FAINT, linewidth=1, linestyle=":")
    if results.run.evaluate.prevalence is not None:
        axis.axvline(results.run.evaluate.prevalence, color=FAINT, linewidth=1, linestyle="--")


def _values(table: pd.DataFrame, results: Results) -> Rows:
    level = percent(results.run.evaluate.confidence)
    rows = pd.DataFrame(
        [
            {
                "Prevalence": _percent(row["prevalence"]),
                f"PPV ({level} CI)": _ends(row, "ppv"),
                f"NPV ({level} CI)": _ends(row, "npv"),
            }
            for _, row in table.iterrows()
        ]
    )
    return Rows.of(rows)


def _ends(row: "pd.Series[float]", name: str) -> str:
    if np.isnan(row[name]):
        return UNKNOWN
    return f"{number(row[name])} ({interval(row[f'{name}_low'], row[f'{name}_high'])})"


def _percent(share: float) -> str:
    return UNKNOWN if np.isnan(share) else f"{100 * share:.3g}%"
