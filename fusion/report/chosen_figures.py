"""Figures of the selection: coefficients beside fold frequencies, and LASSO's path."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.config.recipe import ElasticNetSelector, GradientBoosting, LassoSelector, RandomForest
from fusion.report import chosen
from fusion.report.figures import WIDTH
from fusion.report.results import Results
from fusion.report.style import FAINT, INK, NEGATIVE, POSITIVE, headed

MOST = 20
"""Features of a model that are shown."""
OTHERS = "#c5cbd3"
"""Colour of features that the final model did not take from the path."""
TRACED = "Tumor+External2_RAD"
"""The model whose LASSO is drawn."""


def selected(results: Results, agreement: pd.DataFrame) -> Figure:
    """The final radiomics models' features, bars for coefficients (Shen 2026, Suppl. Fig. 2), dots for fold shares."""
    tables = {model: results.final(model).head(MOST) for model in chosen.radiomics_models(results)}
    heights = [len(table) + 2.5 for table in tables.values()]
    figure = headed(_title("Selected features", results), _note(results), WIDTH * 0.9, 0.17 * sum(heights) + 0.7)
    axes = figure.subplots(
        len(tables), 2, squeeze=False, sharex="col", sharey="row",
        gridspec_kw={"height_ratios": heights, "width_ratios": [3, 1]},
    )  # fmt: skip
    kept, share = agreement.set_index("model")["kept"], _shares(results)
    for (bars, dots), (model, table) in zip(axes, tables.items(), strict=True):
        _bars(bars, table)
        more = kept[model] - len(table)
        bars.set_title(f"{model}{f', the first {len(table)}; {more} more' if more > 0 else ''}")
        _dots(dots, [share.get((model, feature), 0.0) for feature in table["feature"]])
    axes[-1][0].set_xlabel(weight(results))
    axes[-1][1].set_xlabel("share of folds")
    return figure


def lasso(results: Results) -> Figure:
    """Cross-validated error and coefficients of the final model's LASSO against the penalty."""
    errors, path = (_of(results, name) for name in ("lasso_errors", "lasso_path"))
    at = errors.loc[errors["chosen"], "penalty"].iloc[0]
    note = f"Error bars: one standard error over the inner folds. Vertical line: the penalty taken, {at:.3g}."
    figure = headed(_title(f"{way(results)}, {TRACED}", results), note, WIDTH * 0.9, 3.6)
    left, right = figure.subplots(1, 2)
    left.errorbar(errors["penalty"], errors["error"], errors["error_se"], fmt="o", color=INK, markersize=2.5,
                  elinewidth=0.6)  # fmt: skip
    left.set_title("Cross-validated error")
    left.set_ylabel("mean squared error")
    final = set(results.final(TRACED)["feature"])
    for feature, own in path.groupby("feature", sort=True):
        value = _at(own, at) if feature in final else 0.0
        colour = POSITIVE if value > 0 else NEGATIVE if value < 0 else OTHERS
        right.plot(own["penalty"], own["coefficient"], color=colour, linewidth=1.1 if value else 0.6,
                   zorder=2 if value else 1)  # fmt: skip
    right.set_title(f"Coefficients: {int(errors.loc[errors['chosen'], 'features'].iloc[0])} at the penalty taken")
    right.set_ylabel("coefficient")
    for axis in (left, right):
        axis.set_xscale("log")
        axis.set_xlabel("penalty")
        axis.invert_xaxis()
        axis.axvline(at, color=FAINT, linewidth=0.9, linestyle=(0, (4, 2)))
    return figure


def traced(results: Results) -> bool:
    """Whether the run has left a LASSO path of the model."""
    files = [results.folder / f"{name}.csv" for name in ("lasso_errors", "lasso_path")]
    return all(path.is_file() for path in files) and len(_of(results, "lasso_errors")) > 0


def way(results: Results) -> str:
    """The regression whose path is drawn: the first of the recipes' selections that has one."""
    kinds = [own.selector for own in results.run.heads.recipes]
    first = next((kind for kind in kinds if isinstance(kind, LassoSelector | ElasticNetSelector)), LassoSelector())
    return "elastic net" if isinstance(first, ElasticNetSelector) else "LASSO"


def weight(results: Results) -> str:
    """What the bars are: importance where all learners are trees."""
    trees = all(isinstance(own.learner, GradientBoosting | RandomForest) for own in results.run.heads.recipes)
    return "importance" if trees else "coefficient"


def _title(what: str, results: Results) -> str:
    train = results.cohort[results.cohort["set"] == "train"]
    events = f"{train['event'].sum()} {results.run.cohort.positive_name} (positive)"
    return f"{what}, training set: n = {len(train)}, {events}"


def _note(results: Results) -> str:
    if weight(results) == "importance":
        return "Share of the impurity that a feature takes away; fitted on the whole training set."
    positive = results.run.cohort.positive_name
    return f"Log-odds of {positive} for one standard deviation more; fitted on the whole training set."


def _shares(results: Results) -> pd.Series:
    return chosen.frequency(results).set_index(["model", "feature"])["share"]


def _bars(axis: Axes, table: pd.DataFrame) -> None:
    colours = [POSITIVE if value > 0 else NEGATIVE for value in table["coefficient"]]
    axis.barh(table["feature"], table["coefficient"], color=colours, height=0.62)
    axis.set_ylim(-1.2, len(table) + 0.2)  # a bar is as thick where there is one as where there are twenty
    axis.axvline(0, color=FAINT, linewidth=0.8)
    axis.invert_yaxis()
    axis.grid(visible=False, axis="y")
    axis.tick_params(axis="y", labelsize=6.8, labelcolor=INK)


def _dots(axis: Axes, shares: list[float]) -> None:
    axis.plot(shares, np.arange(len(shares)), "o", color=INK, markersize=4)
    axis.set(xlim=(-0.04, 1.04))
    axis.set_xticks([0, 0.5, 1], ["0", "50%", "100%"])
    axis.tick_params(axis="y", labelleft=False)


def _of(results: Results, name: str) -> pd.DataFrame:
    table = pd.read_csv(results.folder / f"{name}.csv", dtype={"model": str})
    return table[table["model"] == TRACED]


def _at(own: pd.DataFrame, penalty: float) -> float:
    nearest = int((own["penalty"] - penalty).abs().to_numpy().argmin())
    return float(own["coefficient"].to_numpy()[nearest])
