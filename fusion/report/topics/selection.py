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
        f"{number(last['mean_kept'], 1)} on average. {_alike(results, last)}"
    )
    blocks: list[Block] = [Prose(kept, faint=False), Prose(_read(results))]
    few = [
        f"{row['model']} ({row['kept']})" for row in agreement.to_dict("records")
        if row["events_per_variable"] < chosen.EVENTS
    ]  # fmt: skip
    if not few:
        return blocks
    if keeps_all(results):
        held = "A penalty holds their coefficients small; the rule of 10 events per feature is for regressions without."
        return [*blocks, Prose(f"No feature is left out for few events. {held} Single coefficients mean little.")]
    warned = (
        f"Features kept by {', '.join(few)}: fewer than {chosen.EVENTS} training cases of the smaller class, which has "
        f"{chosen.events(results)}, stand behind each, so single coefficients are unreliable (Peduzzi 1996)."
    )
    return [*blocks, Listing([warned], "Few events per feature")]


def _alike(results: Results, row: pd.Series) -> str:
    if keeps_all(results):
        return (
            "A recipe of the run keeps every feature that varies, so nothing can be said of the selection's stability."
        )
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
    names = "A name is PyRadiomics': image type, class, feature."
    return f"{bars} Dots: share of the folds that chose the feature; what few folds chose may be luck. {names}"


def _stability(agreement: pd.DataFrame) -> Rows:
    head = ["Model", "Features kept", "Offered", "Kept per fold", "Jaccard", "Nogueira", "Events per feature"]
    rows = [
        [str(row[name]) for name in ("model", "kept", "offered")]
        + [_rounded(row[name], decimals) for name, decimals in DECIMALS.items()]
        for row in agreement.to_dict("records")
    ]
    note = (
        "Jaccard: mean over pairs of folds of shared over chosen features. Nogueira: Nogueira, Sechidis and Brown 2018."
    )
    return Rows(head, rows, note=f"{note} Folds overlap in their cases, so both flatter.")


def keeps_all(results: Results) -> bool:
    """Whether a recipe reads every feature."""
    return any(own.selector.kind == "all" for own in results.run.heads.recipes)


def _rounded(value: float, decimals: int) -> str:
    """A number that is not rounded to nothing."""
    return number(value, 3 if decimals == 1 and 0 < value < 0.1 else decimals)


def _path_read(results: Results) -> str:
    return (
        f"How the {way(results)} chose in the final {TRACED}: from left to right the penalty falls and features enter. "
        "Left, the inner folds' error; right, the coefficients, those of the final model coloured (of more than it may "
        "keep, the largest stay)."
    )


def _all(table: pd.DataFrame) -> Folded:
    shown = table[table["Rank"] <= MOST]
    more = len(table) - len(shown)
    note = f"{more} more, weaker ones are in tables/features.csv." if more else ""
    return Folded("All coefficients, and how many folds chose each feature", [Rows.of(shown, words=3, note=note)])
