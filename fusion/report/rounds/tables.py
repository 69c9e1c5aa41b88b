"""The tables of the rounds: the models over all of them, a model in each, who was tested where."""

from typing import Any

import pandas as pd

from fusion.config.split import LeaveOneScannerOut
from fusion.evaluate.rounds import MEAN
from fusion.report.blocks import Block, Folded, Heading, Plot, Prose, Rows, Section
from fusion.report.rounds.read import RoundResults
from fusion.report.words import SETS, interval, number, p_value, percent, share

FIGURE = "rounds"
RATES = {"accuracy": "ACC", "sensitivity": "SEN", "specificity": "SPE", "ppv": "PPV", "npv": "NPV", "f1": "F1"}


def models(results: RoundResults) -> tuple[Section, pd.DataFrame]:
    """Every model over all rounds, and the same as a table for a file."""
    table = pd.DataFrame([_model(results, model) for task in results.tasks for model in results.models_of(task)])
    blocks: list[Block] = [Prose(_how(results))]
    for task in results.tasks:
        own = table[table["Model"].isin(results.models_of(task))].dropna(axis=1, how="all")
        blocks += [Heading(task)] if task else []
        blocks.append(Rows.of(own, mark=results.reference(task)))
    return Section("models", "The models over all rounds", blocks, "Models"), table


def each(results: RoundResults) -> tuple[Section, pd.DataFrame]:
    """The references round by round, every model's AUC round by round, and the latter as a table for a file."""
    blocks: list[Block] = []
    for task in results.tasks:
        model = results.reference(task)
        blocks += [
            Plot(_figure(task), f"AUC of {model} in every round"),
            Heading(f"{model}, round by round"),
            Rows.of(_by_round(results, model), note=_note(results)),
        ]
    table = pd.DataFrame([_areas(results, model) for model in results.models])
    blocks.append(Folded("AUC of every model, round by round", [Rows.of(table)]))
    return Section("rounds", "Round by round", blocks, "Rounds"), table


def figures(results: RoundResults) -> dict[str, str]:
    """The model that each figure of the rounds shows, by the figure's name."""
    return {_figure(task): results.reference(task) for task in results.tasks}


def tested(results: RoundResults) -> tuple[Section, pd.DataFrame]:
    """Cases and patients of each round, where its folder lies, and the same as a table for a file."""
    table = pd.DataFrame([_counts(results, name) for name in results.names]).fillna("0")
    how = (
        "Every round is a run of its own, in rounds/NAME: splits.csv says who was in which set and fold, and "
        "fusion report DIR/rounds/NAME writes its whole report."
    )
    return Section(
        "tested", "Who was tested", [Prose(how), Rows.of(table, words=2 if results.places else 1)], "Who"
    ), table


def _figure(task: str) -> str:
    return f"{FIGURE}_{task}" if task else FIGURE


def _how(results: RoundResults) -> str:
    rates = "rates are at each round's own threshold, chosen in its training folds"
    if results.set == "test":
        tests = "P is DeLong's paired test over all test cases"
        area = "AUC over the test cases of all rounds; beside it the mean of the rounds' own AUCs"
    else:
        tests = "P compares the mean AUCs in samples of patients"
        area = "AUC, rates, Brier score and slope are means over the repeats"
        rates = "the calls of a fold are at the threshold of the other folds"
    level = percent(results.run.evaluate.confidence)
    return (
        f"{area}; {rates}. {level} intervals by {results.run.evaluate.bootstrap} samples of patients. {tests}, against "
        "the marked model; Holm's column corrects for the number of comparisons."
    )


def _model(results: RoundResults, model: str) -> dict[str, object]:
    row, level = results.row(model), percent(results.run.evaluate.confidence)
    mean = {"Mean of rounds": number(row[MEAN])} if results.set == "test" else {}
    return {
        "Model": model, "n": int(row["n"]), **_events(row), "AUC": number(row["auc"]),
        f"{level} CI": interval(row["auc_low"], row["auc_high"]), **mean,
        "P": p_value(row["delong_p"]), "P (Holm)": p_value(row["delong_p_holm"]),
        **{short: number(row[name]) for name, short in RATES.items()}, "Brier": number(row["brier"]),
        "Slope": number(row["calibration_slope"], 2), "Intercept": number(row["calibration_intercept"], 2),
    }  # fmt: skip


def _by_round(results: RoundResults, model: str) -> pd.DataFrame:
    level = percent(results.run.evaluate.confidence)
    return pd.DataFrame(
        [
            {
                "Round": str(name), "n": int(row["n"]), **_events(row), "AUC": number(row["auc"]),
                f"{level} CI": interval(row["auc_low"], row["auc_high"]), "Threshold": number(row["threshold"]),
                "SEN": number(row["sensitivity"]), "SPE": number(row["specificity"]), "Brier": number(row["brier"]),
                "Slope": number(row["calibration_slope"], 2),
            }
            for name, row in results.of(model).iterrows()
        ]
    )  # fmt: skip


def _note(results: RoundResults) -> str:
    if results.set == "test":
        return "In the test set of each round; the threshold comes from its training folds."
    return "Out of fold; here, unlike above, the threshold of a repeat comes from the same cases that it calls."


def _areas(results: RoundResults, model: str) -> dict[str, str]:
    own = results.of(model)["auc"]
    return {"Model": model, **{name: number(own.get(name, float("nan"))) for name in results.names}}


def _counts(results: RoundResults, name: str) -> dict[str, str]:
    cohort = results.cohorts[name]
    found = {"Round": name}
    if isinstance(results.split, LeaveOneScannerOut) and results.places:
        tested = cohort["case"][cohort["set"] == "test"].map(results.places)
        found[results.split.column or results.run.cohort.scanner] = ", ".join(sorted(set(tested)))
    for set_ in ("train", "test"):
        own = cohort[cohort["set"] == set_]
        if len(own):
            found[SETS[set_].capitalize()] = f"{len(own)} of {own['patient'].nunique()} patients"
            if "event" in own:
                found[f"{results.run.cohort.positive_name}, {set_}"] = share(int(own["event"].sum()), len(own))
    return {**found, "Folds": str(int(cohort["fold"].max()) + 1)}


def _events(row: "pd.Series[Any]") -> dict[str, str]:
    return {} if pd.isna(row["events"]) else {"Events": str(int(row["events"]))}
