"""The permutation test: what the whole pipeline finds in outcomes that mean nothing."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from fusion.evaluate.permutation import OBSERVED, p_value
from fusion.report import words
from fusion.report.blocks import Block, Listing, Plot, Prose
from fusion.report.figures import panels
from fusion.report.results import Results
from fusion.report.style import FAINT, line
from fusion.report.words import number

NAME = "validation_permutation"
READ = (
    "The outcome was exchanged between training patients, inside their folds, and everything was fitted again, also "
    "the selection. P is (1 + permutations that reach the observed AUC) / (1 + permutations) (Phipson & Smyth 2010), "
    "so it cannot be smaller than {smallest} here. The permuted AUCs belong around 0.5, in small sets a little below "
    "it, as scores of several folds stand in one ranking; far above it they would tell of a leak."
)


def told(table: pd.DataFrame) -> list[Block]:
    """Observed AUC, its P, and where chance lies."""
    sentences = [_sentence(model, *_parts(table, model)) for model in table["model"].unique()]
    most = int(table["permutation"].max())
    return [
        Listing(sentences),
        Prose(READ.format(smallest=number(1 / (1 + most))) + _unfitted(table)),
        Plot(NAME, "Out-of-fold AUC with permuted outcomes, and the observed one"),
    ]


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """One row a model, as printed."""
    rows = []
    for model in table["model"].unique():
        observed, null = _parts(table, model)
        low, high = np.quantile(null, [0.025, 0.975]) if len(null) else (np.nan, np.nan)
        rows.append(
            {"Model": model, "Observed AUC": number(observed), "Permutations": str(len(null)),
             "Mean permuted AUC": number(float(np.mean(null)) if len(null) else np.nan),
             "Middle 95%": words.interval(low, high), "P": words.p_value(p_value(observed, null))}
        )  # fmt: skip
    return pd.DataFrame(rows)


def drawn(results: Results, table: pd.DataFrame) -> Figure:
    """The permuted AUCs as a histogram and the observed one as a line, a panel a model."""
    train = results.cohort[results.cohort["set"] == "train"]
    title = (
        f"Permutation test, training set, out-of-fold: n = {len(train)}, {int(train['event'].sum())} "
        f"{results.run.cohort.positive_name} (positive)"
    )
    models = list(table["model"].unique())
    note = "Grey: AUC with permuted outcomes. Line: AUC with the true outcome. Dotted: chance."
    figure, axes = panels(title, note, len(models), 2.4)
    edges = np.linspace(0, 1, 41).tolist()
    for axis, model in zip(axes, models, strict=True):
        observed, null = _parts(table, model)
        axis.hist(null, edges, color="#c5cbd3")
        axis.axvline(0.5, color=FAINT, linewidth=1, linestyle=":")
        axis.axvline(observed, color=line(model).colour, linewidth=1.8)
        axis.set_title(model, fontsize=8)
        axis.set(xlim=(0, 1), xlabel="AUC", ylabel="permutations")
        axis.text(0.03, 0.95, f"P {words.p_value(p_value(observed, null))}", transform=axis.transAxes, va="top",
                  fontsize=7.4, color=FAINT)  # fmt: skip
    return figure


def _parts(table: pd.DataFrame, model: str) -> tuple[float, list[float]]:
    """The observed AUC and the permuted ones that could be fitted."""
    own = table[table["model"] == model].set_index("permutation")["auc"]
    return float(own[OBSERVED]), own.drop(OBSERVED).dropna().tolist()


def _sentence(model: str, observed: float, null: list[float]) -> str:
    if not null:
        return f"{model}: no permuted outcome could be fitted, so there is no test."
    p = p_value(observed, null)
    start = (
        f"{model} reaches AUC {number(observed)} out-of-fold; with {len(null)} permuted outcomes the same steps reach "
        f"{number(float(np.mean(null)))} on average and {number(max(null))} at best (P {words.p_value(p)})"
    )
    return f"{start}: more than chance finds." if p < 0.05 else f"{start}: chance may explain it."


def _unfitted(table: pd.DataFrame) -> str:
    lost = int(table.groupby("permutation")["auc"].apply(lambda own: own.isna().any()).sum())
    return f" {lost} permuted outcomes could not be fitted and are left out." if lost else ""
