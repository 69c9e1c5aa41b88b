"""Selected features: what the radiomics models kept, and how many folds agree."""

import pandas as pd
from matplotlib.figure import Figure

from fusion.report.blocks import Block, Folded, Plot, Prose, Rows, Section
from fusion.report.figures import WIDTH
from fusion.report.results import Results
from fusion.report.style import FAINT, INK, NEGATIVE, POSITIVE, headed
from fusion.report.topic import Topic
from fusion.report.words import number


def topic(results: Results) -> Topic:
    """Coefficients of the final radiomics models, and of every model as a table."""
    table = features(results)
    blocks: list[Block] = [Prose("No radiomics model kept a feature in this run.")]
    plots = {}
    if kept(results):
        positive = results.run.cohort.positive_name
        text = f"Coefficients on standardised features: orange raises the odds of {positive}, blue lowers them."
        blocks = [Prose(text), Plot("selected_features", "Selected features")]
        plots = {"selected_features": lambda: selected(results)}
    blocks.append(Folded("All coefficients, and how many folds chose each feature", [Rows.of(table, words=3)]))
    return Topic(Section("selection", "Selected features", blocks, "Features"), {"features": table}, plots)


def features(results: Results) -> pd.DataFrame:
    """Features of every final model with standardised coefficients, and how many folds chose them too."""
    folds = results.selection[results.selection["fold"] != "final"]
    chosen = folds.groupby(["model", "feature"]).size()
    tables = []
    for model in results.models:
        own = results.final(model)
        again = [int(chosen.get((model, feature), 0)) for feature in own["feature"]]
        coefficients = own["coefficient"].map(number)
        tables.append(
            pd.DataFrame(
                {"Model": model, "Rank": own["rank"], "Feature": own["feature"], "Coefficient": coefficients,
                 "Folds": [f"{count} of {folds['fold'].nunique()}" for count in again]}
            )
        )  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def kept(results: Results) -> list[str]:
    """Radiomics models with a final selection."""
    return [model for model in results.models if model.endswith("_RAD") and len(results.final(model))]


def selected(results: Results) -> Figure:
    """Standardised coefficients of the features that each final radiomics model kept (Shen 2026, Suppl. Fig. 2)."""
    tables = {model: results.final(model) for model in kept(results)}
    heights = [len(table) + 2.5 for table in tables.values()]
    train = results.cohort[results.cohort["set"] == "train"]
    cohort = results.run.cohort
    title = f"Selected features, training set: n = {len(train)}, {train['event'].sum()} {cohort.positive_name}"
    note = f"Log-odds of {cohort.positive_name} for one standard deviation more; fitted on the whole training set."
    figure = headed(title, note, WIDTH * 0.8, 0.17 * sum(heights) + 0.6)
    axes = figure.subplots(len(tables), 1, squeeze=False, sharex=True, gridspec_kw={"height_ratios": heights})[:, 0]
    for axis, (model, table) in zip(axes, tables.items(), strict=True):
        colours = [POSITIVE if value > 0 else NEGATIVE for value in table["coefficient"]]
        axis.barh(table["feature"], table["coefficient"], color=colours, height=0.62)
        axis.axvline(0, color=FAINT, linewidth=0.8)
        axis.invert_yaxis()
        axis.grid(visible=False, axis="y")
        axis.tick_params(axis="y", labelsize=6.8, labelcolor=INK)
        axis.set_title(model)
    axes[-1].set_xlabel("coefficient")
    return figure
