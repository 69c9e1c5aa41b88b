"""Table 1: every model in every set."""

import pandas as pd

from fusion.evaluate.discrimination import delong_interval
from fusion.report.blocks import Block, Folded, Heading, Prose, Rows, Section
from fusion.report.caution import few
from fusion.report.figures import cases
from fusion.report.results import Results
from fusion.report.topic import Topic
from fusion.report.words import SETS, interval, number, p_value, percent

RATES = {"accuracy": "ACC", "sensitivity": "SEN", "specificity": "SPE", "ppv": "PPV", "npv": "NPV", "f1": "F1"}


SHORT = (
    "ACC accuracy, SEN sensitivity, SPE specificity, PPV and NPV positive and negative predictive value, F1 harmonic "
    "mean of PPV and SEN: all at the model's threshold. Brier: mean squared error of the probability."
)


def topic(results: Results) -> Topic:
    """Table 1 of Shen 2026 by set, with a second interval of the AUC."""
    table = table1(results)
    level = percent(results.run.evaluate.confidence)
    blocks: list[Block] = [
        Prose(found(results), faint=False),
        *few(results, results.sets[0]),
        Prose(
            f"{SHORT} Two {level} intervals of the AUC: the bootstrap's, and DeLong's on the log-odds of the AUC, "
            f"which stays honest near 1. P is DeLong's paired test against {results.reference}; Holm's column corrects "
            "for the number of comparisons in the set."
        ),
    ]
    for set_, own in table.groupby("Set", sort=False):
        n, events = own["n"].iloc[0], own["Events"].iloc[0]
        name = (
            f"{SETS[str(set_)][0].upper()}{SETS[str(set_)][1:]}: {n} cases, {events} {results.run.cohort.positive_name}"
        )
        rows = Rows.of(own.drop(columns=["Set", "n", "Events"]), mark=results.reference)
        blocks += [Heading(name), rows] if set_ == results.sets[0] else [Folded(name, [rows])]
    return Topic(Section("models", "Table 1: the models", blocks, "Models"), {"table1": table})


def found(results: Results) -> str:
    """From where to where the AUCs of the main set go, and which differ from the reference's."""
    set_ = results.sets[0]
    rows = results.rows(set_)
    areas = rows["auc"].sort_values()
    ends = f"{number(areas.iloc[0])} ({areas.index[0]}) to {number(areas.iloc[-1])} ({areas.index[-1]})"
    apart = [str(model) for model in rows.index[rows["delong_p_holm"] < 0.05]]
    differ = ", ".join(apart) if apart else "none"
    said = f"In the {SETS[set_]} the AUCs of {len(rows)} models go from {ends}" if len(rows) > 1 else (
        f"In the {SETS[set_]} {areas.index[0]} has AUC {number(areas.iloc[0])}"
    )  # fmt: skip
    return f"{said}. Different from {results.reference} at P < 0.05 after Holm's correction: {differ}."


def table1(results: Results) -> pd.DataFrame:
    """Shen 2026, Table 1, with all it promised: one row a model and set, numbers as text to three decimals."""
    rows = [
        _row(results, set_, str(model), row) for set_ in results.sets for model, row in results.rows(set_).iterrows()
    ]
    return pd.DataFrame(rows)


def _row(results: Results, set_: str, model: str, row: "pd.Series[float]") -> dict[str, object]:
    confidence = results.run.evaluate.confidence
    level = percent(confidence)
    return {
        "Model": model, "Set": set_, "n": int(row["n"]), "Events": int(row["events"]),
        "AUC": number(row["auc"]), f"{level} CI": interval(row["auc_low"], row["auc_high"]),
        f"{level} CI (DeLong)": interval(*delong_interval(*cases(results, model, set_), confidence)),
        f"P vs {results.reference}": p_value(row["delong_p"]), "P (Holm)": p_value(row["delong_p_holm"]),
        **{short: number(row[name]) for name, short in RATES.items()}, "Brier": number(row["brier"]),
    }  # fmt: skip
