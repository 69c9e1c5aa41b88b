"""What the folds chose: how often each feature, how much alike, and how many events stand behind the final choice."""

import numpy as np
import pandas as pd

from fusion.evaluate.stability import jaccard, nogueira
from fusion.features.radiomics.preset import columns
from fusion.report.results import Results

FINAL = "final"
EVENTS = 10
"""Events a variable under which coefficients are said to be unreliable (Peduzzi 1996,
doi:10.1016/S0895-4356(96)00236-3)."""


def radiomics_models(results: Results) -> list[str]:
    """Radiomics models with a final selection."""
    return [model for model in results.models if model.endswith("_RAD") and len(results.final(model))]


def frequency(results: Results) -> pd.DataFrame:
    """A row a feature that any fold or the final model chose: how many folds did, and its mean coefficient in them.

    Columns model, feature, folds, share, coefficient (mean over the folds that chose it), final; models in the order of
    Table 1, features by share, then by the size of the coefficient.
    """
    selection, final = results.selection, results.selection["fold"] == FINAL
    folds = selection[~final].groupby(["model", "feature"])["coefficient"].agg(["size", "mean"])
    both = folds.join(selection[final].set_index(["model", "feature"])["coefficient"].rename(FINAL), how="outer")
    table = both.reset_index().rename(columns={"size": "folds", "mean": "coefficient"})
    table["folds"] = table["folds"].fillna(0).astype(int)
    table["share"] = table["folds"] / max(selection["fold"][~final].nunique(), 1)
    table["final"] = table["final"].notna()
    table["order"] = table["model"].map({name: place for place, name in enumerate(results.models)})
    table["size"] = table["coefficient"].abs().fillna(0)
    by = ["order", "share", "size", "feature"]
    table = table.dropna(subset="order").sort_values(by, ascending=[True, False, False, True], ignore_index=True)
    return table[["model", "feature", "folds", "share", "coefficient", "final"]]


def agreement(results: Results) -> pd.DataFrame:
    """A row a radiomics model: features kept, offered, kept a fold on average, how much alike, events a feature.

    Columns model, kept, offered, mean_kept, jaccard, nogueira, events_per_variable.
    """
    return pd.DataFrame([_agreement(results, model) for model in radiomics_models(results)])


def events(results: Results) -> int:
    """Training cases of the smaller class."""
    counts = results.cohort.loc[results.cohort["set"] == "train", "event"].value_counts()
    return int(counts.reindex([0, 1], fill_value=0).min())


def _agreement(results: Results, model: str) -> dict[str, object]:
    own = results.selection[results.selection["model"] == model]
    folds = own[own["fold"] != FINAL]
    wide = pd.crosstab(folds["fold"], folds["feature"]).to_numpy().astype(bool)
    offered = max(_offered(results, model), wide.shape[1])
    chosen = np.zeros((len(wide), offered), dtype=bool)
    chosen[:, : wide.shape[1]] = wide
    kept = len(results.final(model))
    return {
        "model": model, "kept": kept, "offered": offered, "mean_kept": float(chosen.sum() / max(len(chosen), 1)),
        "jaccard": jaccard(chosen), "nogueira": nogueira(chosen), "events_per_variable": events(results) / kept,
    }  # fmt: skip


def _offered(results: Results, model: str) -> int:
    """Columns of the model's table, before any filter."""
    return len(columns(results.run.radiomics)) * (2 if "+" in model else 1)
