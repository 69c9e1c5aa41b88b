"""The learning curve: would more patients help."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import norm

from fusion.evaluate.learning import summary
from fusion.report.blocks import Block, Listing, Plot, Prose
from fusion.report.figures import WIDTH
from fusion.report.results import Results
from fusion.report.style import FAINT, headed, line
from fusion.report.words import UNKNOWN, interval, number, percent

NAME = "validation_learning"
ALMOST = 0.7
"""The share whose AUC the whole is compared with."""
READ = (
    "Each point: the mean AUC of models that learned from {draws} random parts of the training patients of that size. "
    "Whatever they learned from, they judge the same training cases, out-of-fold. Bars: {level} interval, of the cases "
    "judged and of the draws. A change that chance may explain says neither that more patients would help nor that not."
)


def told(results: Results, table: pd.DataFrame) -> list[Block]:
    """Whether the curve still rises, with due caution."""
    draws = int(table[table["share"] < 1].groupby(["model", "share"]).size().max())
    level = percent(results.run.evaluate.confidence)
    sentences = [_sentence(results, table, str(model)) for model in table["model"].unique()]
    return [
        Listing(sentences),
        Prose(READ.format(draws=draws, level=level) + _unfitted(table)),
        Plot(NAME, "AUC against the number of training patients"),
    ]


def shown(results: Results, table: pd.DataFrame) -> pd.DataFrame:
    """The points of the figure, as printed."""
    level = percent(results.run.evaluate.confidence)
    return pd.DataFrame(
        [
            {"Model": model, "Share": f"{row['share']:.0%}", "Patients": f"{row['patients']:.0f}",
             "Draws": f"{row['fitted']:.0f} of {row['draws']:.0f}",
             f"AUC ({level} CI)": _ends(row["auc"], row["error"], results)}
            for model in table["model"].unique()
            for _, row in summary(table, str(model)).iterrows()
        ]
    )  # fmt: skip


def drawn(results: Results, table: pd.DataFrame) -> Figure:
    """AUC over training patients, a line a model."""
    train = results.cohort[results.cohort["set"] == "train"]
    title = (
        f"Learning curve, training set, out-of-fold: n = {len(train)}, {int(train['event'].sum())} "
        f"{results.run.cohort.positive_name} (positive)"
    )
    level = percent(results.run.evaluate.confidence)
    figure = headed(title, f"Bars: {level} interval. Dotted: chance.", 0.74 * WIDTH, 3.8)
    axis = figure.subplots()
    reach = float(norm.ppf((1 + results.run.evaluate.confidence) / 2))
    models = list(table["model"].unique())
    for step, model in enumerate(models):
        points, style = summary(table, model), line(model)
        x = points["patients"] * (1 + 0.008 * (step - (len(models) - 1) / 2))  # so that bars do not hide one another
        axis.errorbar(x, points["auc"], reach * points["error"], color=style.colour, linestyle=style.dash,
                      linewidth=style.width, elinewidth=0.9, marker="o", markersize=4, label=model)  # fmt: skip
    axis.axhline(0.5, color=FAINT, linewidth=1, linestyle=":")
    axis.set(xlabel="training patients drawn", ylabel="AUC")
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1.02), fontsize=8)
    return figure


def _sentence(results: Results, table: pd.DataFrame, model: str) -> str:
    points = summary(table, model).dropna(subset="auc").set_index("share")
    smaller = [share for share in points.index if share < 1]
    if not smaller:
        return f"{model}: no part of the training set was large enough to be fitted on."
    share = min(smaller, key=lambda own: abs(own - ALMOST))
    row = points.loc[share]
    reach = float(norm.ppf((1 + results.run.evaluate.confidence) / 2)) * row["gain_error"]
    low, high = row["gain"] - reach, row["gain"] + reach
    start = (
        f"{model}: from {share:.0%} to all of the training patients the AUC changes by {number(row['gain'])} "
        f"({percent(results.run.evaluate.confidence)} interval {number(low)} to {number(high)})"
    )
    if low > 0:
        return f"{start}: the curve still rises, so more patients would probably help."
    if high < 0:
        return f"{start}: it falls, which more patients do not explain; the smaller parts were luckier."
    return f"{start}, which chance may explain."


def _ends(area: float, error: float, results: Results) -> str:
    if np.isnan(area):
        return UNKNOWN
    reach = float(norm.ppf((1 + results.run.evaluate.confidence) / 2)) * error
    return f"{number(area)} ({interval(max(area - reach, 0.0), min(area + reach, 1.0))})"


def _unfitted(table: pd.DataFrame) -> str:
    drawn = table[table["share"] < 1].drop_duplicates(["share", "draw"])
    lost = int(drawn["auc"].isna().sum())
    return f" {lost} of {len(drawn)} draws were too small to be fitted on and are left out." if lost else ""
