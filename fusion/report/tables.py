"""The papers' tables: the cohort, Table 1, the selected features."""

from pathlib import Path

import pandas as pd

from fusion.config.cohort import Category, Number
from fusion.config.run import Run
from fusion.data.cohort import level_word
from fusion.report.results import Results, read
from fusion.report.words import interval, number, p_value, percent, share
from fusion.store import write_csv

RATES = {"accuracy": "ACC", "sensitivity": "SEN", "specificity": "SPE", "ppv": "PPV", "npv": "NPV", "f1": "F1"}


def write(folder: Path, run: Run) -> list[Path]:
    """tables/table1.csv, tables/cohort.csv and tables/features.csv of a finished run; returns their paths.

    Raises:
        RunError: the run is not finished.
    """
    results = read(folder, run)
    made = {"table1": table1(results), "cohort": cohort(results), "features": features(results)}
    for name, table in made.items():
        write_csv(folder / f"tables/{name}.csv", table)
    return [folder / f"tables/{name}.csv" for name in made]


def table1(results: Results) -> pd.DataFrame:
    """Shen 2026, Table 1, with all it promised: one row a model and set, numbers as text to three decimals."""
    rows = [
        _row(results, set_, str(model), row) for set_ in results.sets for model, row in results.rows(set_).iterrows()
    ]
    return pd.DataFrame(rows)


def cohort(results: Results) -> pd.DataFrame:
    """Cases, patients and clinical variables by set and outcome: mean ± SD, or count and percentage."""
    groups = _groups(results)
    rows = [
        ["Cases", "", *(str(len(group)) for group in groups.values())],
        ["Patients", "", *(str(group["patient"].nunique()) for group in groups.values())],
    ]
    for name, kind in results.run.cohort.clinical.items():
        rows += _variable(name, kind, groups)
    return pd.DataFrame(rows, columns=["Variable", "Level", *groups])


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


def _row(results: Results, set_: str, model: str, row: pd.Series) -> dict[str, object]:
    level = percent(results.run.evaluate.confidence)
    return {
        "Model": model, "Set": set_, "n": int(row["n"]), "Events": int(row["events"]),
        "AUC": number(row["auc"]), f"{level} CI": interval(row["auc_low"], row["auc_high"]),
        f"P vs {results.reference}": p_value(row["delong_p"]), "P (Holm)": p_value(row["delong_p_holm"]),
        **{short: number(row[name]) for name, short in RATES.items()}, "Brier": number(row["brier"]),
    }  # fmt: skip


def _groups(results: Results) -> dict[str, pd.DataFrame]:
    """Cases by set and outcome, in the order of the flow, named as a column head."""
    names = {1: results.run.cohort.positive_name, 0: results.run.cohort.negative_name}
    rows = results.cohort
    return {
        f"{set_}: {names[event]}": rows[(rows["set"] == set_) & (rows["event"] == event)]
        for set_ in ("train", "test", "external")
        if (rows["set"] == set_).any()
        for event in (1, 0)
    }


def _variable(name: str, kind: Number | Category, groups: dict[str, pd.DataFrame]) -> list[list[str]]:
    if isinstance(kind, Number):
        return [[name, "mean ± SD", *(_mean(group[name].astype(float)) for group in groups.values())]]
    levels = [level_word(value) for value in kind.values]
    return [
        [name, level, *(share(int((group[name] == level).sum()), len(group)) for group in groups.values())]
        for level in levels
    ]


def _mean(values: "pd.Series[float]") -> str:
    return f"{number(values.mean(), 2)} ± {number(values.std(), 2)}"
