"""What a model scores where it was fitted, what is left of it by resampling, out-of-fold and in unseen sets."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.report.blocks import Block, Folded, Plot, Prose, Rows
from fusion.report.figures import WIDTH
from fusion.report.results import Results
from fusion.report.style import FAINT, headed, line
from fusion.report.words import SETS, UNKNOWN, interval, number, percent

NAME = "validation_optimism"
PAPER = (0.974, 0.861)
"""Shen 2026, Tumor+External2_RAD: AUC in the training and in the test set."""
READ = (
    "Apparent: the model judges the cases it was fitted on, which flatters it. Corrected: less the optimism of {count} "
    "bootstrap resamples of patients, in each of which everything from selection on was fitted again (Harrell 1996). "
    ".632+: leans on the patients that a resample lacks, the more so the more the model overfits (Efron & Tibshirani "
    "1997); where the apparent AUC is near 1 it is the one to believe, as Harrell's correction is then too kind. "
    "Left out: mean AUC among patients that a resample lacks, with its middle 95% over resamples, no confidence "
    "interval. A resample holds copies of patients; those of one patient share a fold, outer and inner."
)
DRAWN = {
    "apparent": ("s", "apparent"), "corrected": ("D", "corrected (Harrell)"), "plus_632": ("v", ".632+"),
}  # fmt: skip


def told(results: Results, table: pd.DataFrame) -> list[Block]:
    """What is left of the apparent AUC, in words, figure and table."""
    rows = _auc(table)
    model = results.reference if results.reference in rows.index else str(rows.index[-1])
    text = READ.format(count=int(rows["resamples"].iloc[0] + rows["dropped"].iloc[0]))
    return [
        Prose(
            _sentence(results, {str(name): float(rows[name][model]) for name in rows if name != "measure"}, model),
            faint=False,
        ),
        Plot(NAME, "AUC where a model was fitted, corrected for optimism, out-of-fold and in unseen sets"),
        Rows.of(shown(results, table).drop(columns=["Optimism", "Resamples"]), mark=model),
        Prose(_paper()),
        Folded(
            "How these were made, and how to read them",
            [Prose(text + _fixed(rows) + _stacked(results, rows) + _dropped(rows))],
        ),
        Folded("Brier score and calibration slope, corrected for optimism", [Rows.of(others(table), words=2)]),
    ]


def shown(results: Results, table: pd.DataFrame) -> pd.DataFrame:
    """AUCs of every model that was refitted, as printed."""
    level = percent(results.run.evaluate.confidence)
    made = []
    for model, row in _auc(table).iterrows():
        seen = {f"{SETS[set_].capitalize()} ({level} CI)": _of(results, str(model), set_) for set_ in _order(results)}
        unseen = results.rows(results.sets[0])["auc"].get(model, np.nan)
        left = UNKNOWN if np.isnan(row["left_out"]) else (
            f"{number(row['left_out'])} ({interval(row['left_out_low'], row['left_out_high'])})"
        )  # fmt: skip
        made.append(
            {"Model": model, "Apparent": number(row["apparent"]), "Optimism": number(row["optimism"]),
             "Corrected": number(row["corrected"]), ".632+": number(row["plus_632"]), "Left out (middle 95%)": left,
             **seen, f"Apparent − {SETS[results.sets[0]]}": number(row["apparent"] - unseen),
             "Resamples": f"{row['resamples']:.0f} of {row['resamples'] + row['dropped']:.0f}"}
        )  # fmt: skip
    return pd.DataFrame(made)


def others(table: pd.DataFrame) -> pd.DataFrame:
    """The measures that have no .632+ here."""
    names = {"brier": "Brier score", "calibration_slope": "Calibration slope"}
    rows = table[table["measure"].isin(list(names))]
    return pd.DataFrame(
        [
            {"Model": row["model"], "Measure": names[row["measure"]], "Apparent": number(row["apparent"]),
             "Optimism": number(row["optimism"]), "Corrected": number(row["corrected"]),
             "Resamples": f"{row['resamples']} of {row['resamples'] + row['dropped']}"}
            for _, row in rows.iterrows()
        ]
    )  # fmt: skip


def drawn(results: Results, table: pd.DataFrame) -> Figure:
    """One line a model, from where it was fitted to where it was not."""
    rows, names = _auc(table), results.run.cohort
    first = rows.iloc[0]
    title = f"Optimism, training set: n = {first['n']:.0f}, {first['events']:.0f} {names.positive_name} (positive)"
    level = percent(results.run.evaluate.confidence)
    figure = headed(title, f"Bars: {level} interval of the AUC. Dotted: chance.", 0.8 * WIDTH, 1.5 + 0.42 * len(rows))
    axis = figure.subplots()
    for place, (model, row) in enumerate(rows.iterrows()):
        colour = line(str(model)).colour
        for name, (marker, _) in DRAWN.items():
            axis.plot(row[name], place, marker, color=colour, markersize=5, markerfacecolor="white")
        for step, set_ in enumerate(_order(results)):
            _interval(axis, results, str(model), set_, place + 0.2 * (step + 1), colour, "ox^"[step])
    for marker, word in [*DRAWN.values(), *zip("ox^", [SETS[set_] for set_ in _order(results)], strict=False)]:
        fill = FAINT if marker in "ox^" else "white"
        axis.plot([], [], marker, color=FAINT, markersize=5, label=word, markerfacecolor=fill)
    axis.axvline(0.5, color=FAINT, linewidth=1, linestyle=":")
    axis.set_yticks(range(len(rows)), [str(model) for model in rows.index])
    axis.set(ylim=(len(rows) - 0.1, -0.5), xlabel="AUC")
    axis.grid(axis="y", visible=False)
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1.02), fontsize=8)
    return figure


def _auc(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["measure"] == "auc"].set_index("model")


def _order(results: Results) -> list[str]:
    return [set_ for set_ in ("train_oof", "test", "external") if set_ in results.sets]


def _of(results: Results, model: str, set_: str) -> str:
    rows = results.rows(set_)
    if model not in rows.index:
        return UNKNOWN
    return f"{number(rows['auc'][model])} ({interval(rows['auc_low'][model], rows['auc_high'][model])})"


def _interval(axis: Axes, results: Results, model: str, set_: str, place: float, colour: str, marker: str) -> None:
    rows = results.rows(set_)
    if model in rows.index:
        area, low, high = (float(rows[name][model]) for name in ("auc", "auc_low", "auc_high"))
        axis.plot([low, high], [place, place], color=colour, linewidth=1)
        axis.plot(area, place, marker, color=colour, markersize=4.5)


def _sentence(results: Results, row: dict[str, float], model: str) -> str:
    unseen = ", ".join(
        f"{number(results.rows(set_)['auc'][model])} in the {SETS[set_]}"
        if set_ != "train_oof" else f"{number(results.rows(set_)['auc'][model])} out-of-fold"
        for set_ in _order(results) if model in results.rows(set_).index
    )  # fmt: skip
    if np.isnan(row["plus_632"]):
        return (
            f"{model} has AUC {number(row['apparent'])} on the {row['n']:.0f} cases it was fitted on and {unseen}; too "
            f"few resamples could be fitted to say how much of the former is optimism."
        )
    return (
        f"On the {row['n']:.0f} training cases ({row['events']:.0f} events) it was fitted on, {model} has AUC "
        f"{number(row['apparent'])}. Of that, resampling of patients leaves {number(row['corrected'])} (Harrell) or "
        f"{number(row['plus_632'])} (.632+); it has {unseen}. Only the "
        f"apparent AUC counts what was learned by heart; the further apart the others lie, the less is known."
    )


def _stacked(results: Results, rows: pd.DataFrame) -> str:
    names = [model for model in results.leaning if model in rows.index]
    if not names:
        return ""
    return (
        f" The out-of-fold AUC of {', '.join(names)} leans upwards a little: the last regression reads scores that "
        f"have seen the fold it is judged in. Left out, .632+ and unseen sets are free of that."
    )


def _fixed(rows: pd.DataFrame) -> str:
    names = [str(model) for model, fixed in rows["network_fixed"].items() if fixed]
    return (
        f" In {', '.join(names)} the networks' out-of-fold score was held fixed, so the optimism of the network's own "
        f"training is not in these numbers."
        if names else ""
    )  # fmt: skip


def _dropped(rows: pd.DataFrame) -> str:
    lost = {str(model): int(count) for model, count in rows["dropped"].items() if count}
    if not lost:
        return ""
    words = ", ".join(f"{model} {count}" for model, count in lost.items())
    return f" Resamples that could not be fitted or judged were dropped: {words}."


def _paper() -> str:
    train, test = PAPER
    return (
        f"For comparison: Shen 2026 prints {number(train)} in the training and {number(test)} in the test set for "
        f"Tumor+External2_RAD, an optimism of {number(train - test, 2)}."
    )
