"""Which radiomics features each task's RAD head kept, and how many folds chose them too."""

import pandas as pd

from fusion.report.blocks import Block, Folded, Prose, Rows, Section
from fusion.report.recipe import recipe
from fusion.report.tasks.results import TaskResults
from fusion.report.topic import Topic
from fusion.report.words import number

MOST = 20


def topic(results: TaskResults) -> Topic | None:
    """Kept features by task; None where the run has no RAD head."""
    models = [model for task in results.tasks if len(results.final(model := f"{task}/RAD"))]
    if not models:
        return None
    table = pd.concat([features(results, model) for model in models], ignore_index=True)
    read = (
        f"Recipe, all inside the fold: {recipe(results.run.heads)}. Folds: how many chose the feature; what few chose "
        "may be luck. A name is sequence, PyRadiomics' image type, class and feature."
    )
    blocks: list[Block] = [Prose(_found(table, models), faint=False), Prose(read)]
    for model in models:
        own = table[table["Model"] == model].drop(columns="Model")
        more = len(own) - MOST
        note = f"{more} more are in tables/features.csv." if more > 0 else ""
        blocks.append(Folded(f"{model}: {len(own)} coefficients", [_rows(own.head(MOST), note)]))
    return Topic(Section("selection", "Selected radiomics features", blocks, "Features"), {"features": table})


def features(results: TaskResults, model: str) -> pd.DataFrame:
    """The final head's features, its coefficient (of a class, where the head has one a class), folds that chose it."""
    own, key = results.final(model), ["feature"]
    every = results.selection[(results.selection["model"] == model) & (results.selection["fold"] != "final")]
    if "class" in own and own["class"].notna().any():
        key = ["class", "feature"]
    folds, count = every.groupby(key)["fold"].nunique(), every["fold"].nunique()
    found = [folds.get(tuple(row) if len(key) > 1 else row[0], 0) for row in own[key].to_numpy().tolist()]
    first = {"Model": model} | ({"Class": own["class"]} if len(key) > 1 else {})
    return pd.DataFrame({**first, "Rank": own["rank"], "Feature": own["feature"], "Coefficient": own["coefficient"],
                         "Folds": [f"{again} of {count}" for again in found]})  # fmt: skip


def _rows(own: pd.DataFrame, note: str) -> Rows:
    words = own.assign(Coefficient=own["Coefficient"].map(number)).dropna(axis=1, how="all")
    order = [name for name in ("Feature", "Class", "Rank", "Coefficient", "Folds") if name in words]
    return Rows.of(words[order].fillna(""), words=2 if "Class" in words else 1, note=note)


def _found(table: pd.DataFrame, models: list[str]) -> str:
    kept = {model: table.loc[table["Model"] == model, "Feature"].nunique() for model in models}
    return "Features kept: " + "; ".join(f"{model} {count}" for model, count in kept.items()) + "."
