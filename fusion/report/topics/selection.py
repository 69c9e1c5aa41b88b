"""Selected features: what the radiomics models kept, how sure the selection is, and how LASSO came to it."""

import pandas as pd

from fusion.report import chosen
from fusion.report.blocks import Block, Folded, Listing, Plot, Prose, Rows, Section
from fusion.report.chosen_figures import MOST, TRACED, lasso, selected, traced, way, weight
from fusion.report.results import Results
from fusion.report.topic import Topic
from fusion.report.words import number

POOR, EXCELLENT = 0.4, 0.75
"""Nogueira's stability below which a selection is called poor, and above which excellent (Nogueira 2018)."""

DECIMALS = {"mean_kept": 1, "jaccard": 2, "nogueira": 2, "events_per_variable": 1}
"""Of the numbers in the table of stability."""


def topic(results: Results) -> Topic:
    """Coefficients and fold frequencies of the radiomics models, their stability, LASSO's path; a table of all."""
    table = features(results)
    tables = {"features": table, "selection_frequency": chosen.frequency(results)}
    blocks: list[Block] = [Prose("No radiomics model kept a feature in this run.")]
    plots = {}
    if chosen.radiomics_models(results):
        agreement = chosen.agreement(results)
        tables["selection_stability"] = agreement
        plots = {"selected_features": lambda: selected(results, agreement)}
        blocks = [*_said(results, agreement), Plot("selected_features", "Selected features"), _stability(agreement)]
        if traced(results):
            plots["lasso"] = lambda: lasso(results)
            blocks += [Prose(_path_read(results)), Plot("lasso", "Path and cross-validated error of the penalty")]
    blocks.append(_all(table))
    return Topic(Section("selection", "Selected features", blocks, "Features"), tables, plots)


def features(results: Results) -> pd.DataFrame:
    """Features of every final model with their coefficients, and how many folds chose them too."""
    folds = results.selection[results.selection["fold"] != chosen.FINAL]
    counts = folds.groupby(["model", "feature"]).size()
    tables = []
    for model in results.models:
        own = results.final(model)
        again = [int(counts.get((model, feature), 0)) for feature in own["feature"]]
        coefficients = own["coefficient"].map(number)
        tables.append(
            pd.DataFrame(
                {"Model": model, "Rank": own["rank"], "Feature": own["feature"], "Coefficient": coefficients,
                 "Folds": [f"{count} of {folds['fold'].nunique()}" for count in again]}
            )
        )  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def _said(results: Results, agreement: pd.DataFrame) -> list[Block]:
    last = agreement.iloc[-1]
    kept = (
        f"Of {last['offered']} features {last['model']} keeps {last['kept']}; its folds kept "
        f"{number(last['mean_kept'], 1)} on average. {_alike(last)}"
    )
    blocks: list[Block] = [Prose(kept, faint=False), Prose(_read(results))]
    warned = [
        f"{row['model']}: {row['kept']} features on {chosen.events(results)} training cases of the smaller class, "
        f"{number(row['events_per_variable'], 1)} a feature; fewer than {chosen.EVENTS} make coefficients unreliable."
        for row in agreement.to_dict("records")
        if row["events_per_variable"] < chosen.EVENTS
    ]
    return [*blocks, Listing(warned, "Few events a feature")] if warned else blocks


def _alike(row: pd.Series) -> str:
    if pd.isna(row["nogueira"]):
        return "Every fold keeps all of them, so nothing can be said of the selection's stability."
    word = "poor" if row["nogueira"] < POOR else "excellent" if row["nogueira"] > EXCELLENT else "fair to good"
    return (
        f"Two folds share {row['jaccard']:.0%} of what either kept; Nogueira's stability is "
        f"{number(row['nogueira'], 2)} ({word}; 1 for the same features in every fold, 0 for features drawn at random)."
    )


def _read(results: Results) -> str:
    positive = results.run.cohort.positive_name
    bars = (
        f"Bars: {weight(results)}; orange raises the odds of {positive}, blue lowers them."
        if weight(results) == "coefficient"
        else "Bars: importance, which has no sign."
    )
    return f"{bars} Dots: share of the folds that chose the feature. A feature that few folds chose may be luck."


def _stability(agreement: pd.DataFrame) -> Rows:
    head = ["Model", "Features kept", "Offered", "Kept a fold", "Jaccard", "Nogueira", "Events a feature"]
    rows = [
        [str(row[name]) for name in ("model", "kept", "offered")]
        + [number(row[name], decimals) for name, decimals in DECIMALS.items()]
        for row in agreement.to_dict("records")
    ]
    note = (
        "Jaccard: mean over pairs of folds of shared over chosen features. Nogueira: Nogueira, Sechidis and Brown 2018."
    )
    return Rows(head, rows, note=f"{note} Folds overlap in their cases, so both flatter.")


def _path_read(results: Results) -> str:
    return (
        f"How the {way(results)} chose in the final {TRACED}: from left to right the penalty falls and features enter. "
        "Left, the inner folds' error; right, the coefficients, those of the final model coloured."
    )


def _all(table: pd.DataFrame) -> Folded:
    shown = table[table["Rank"] <= MOST]
    more = len(table) - len(shown)
    note = f"{more} more, weaker ones are in tables/features.csv." if more else ""
    return Folded("All coefficients, and how many folds chose each feature", [Rows.of(shown, words=3, note=note)])
