"""Do the final heads in plain numbers say what the run predicted?"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from fusion.errors import Fault
from fusion.heads.classes import PROBABILITY
from fusion.heads.plain import Question, Scores

TOLERANCE = 1e-9
"""Largest difference of a probability, or of a radiomics score."""


def agree(
    question: Question, tables: Mapping[str, pd.DataFrame], scores: pd.DataFrame, clinical: pd.DataFrame,
    predictions: pd.DataFrame,
) -> list[Fault]:  # fmt: skip
    """Every model whose probabilities of cases outside the training set are not those of the run; empty if all are.

    Args:
        question: the heads.
        tables: radiomics by source, columns as the heads name them, index case; a case may have no row.
        scores: rows source, case, set, score (and class, of a task).
        clinical: encoded clinical predictors, index case.
        predictions: rows model (without its task), set, case, probability or ``probability_<class>``.
    """
    known = _known(question, tables, scores[(scores["set"] != "train").to_numpy()])
    apart: dict[str, float] = {}
    for row in predictions[(predictions["set"] != "train_oof").to_numpy()].to_dict("records"):
        case, model = str(row["case"]), str(row["model"])
        encoded = clinical.loc[case].to_dict() if case in clinical.index else {}
        told = question.chances(model, known[case], {str(name): value for name, value in encoded.items()})
        wanted = _wanted(question, row)
        apart[model] = max(apart.get(model, 0.0), *(abs(told[name] - value) for name, value in wanted.items()))
    return [
        Fault(f"{model} in plain numbers off by {worst:.1e} in probability", f"{TOLERANCE:g} at most",
              "run again with another output, as data or versions changed since")
        for model, worst in apart.items()
        if not worst <= TOLERANCE
    ]  # fmt: skip


def _known(
    question: Question, tables: Mapping[str, pd.DataFrame], scores: pd.DataFrame
) -> dict[str, dict[str, Scores]]:  # fmt: skip
    """By case and source what is said of it: of networks as the run has it, of radiomics by the heads themselves."""
    found: dict[str, dict[str, Scores]] = {str(case): {} for case in scores["case"].unique()}
    for (case, source), rows in scores.groupby(["case", "source"]):
        if source in question.radiomics:
            features = tables[str(source)].loc[str(case)].to_dict()
            own = question.radiomics_scores(str(source), {str(name): value for name, value in features.items()})
        else:
            own = rows["score"].to_numpy(float)
            if "class" in rows and len(question.judged) > 1:
                own = rows.set_index("class")["score"].loc[list(question.judged)].to_numpy(float)
        found[str(case)][str(source)] = np.asarray(own)
    return found


def _wanted(question: Question, row: Mapping[str, object]) -> dict[str, float]:
    """The run's probabilities by class."""
    columns = {name: f"{PROBABILITY}{name}" for name in question.classes}
    if all(column in row for column in columns.values()):
        return {name: float(row[column]) for name, column in columns.items()}  # type: ignore[arg-type]
    positive = float(row["probability"])  # type: ignore[arg-type]
    return dict(zip(question.classes, (1 - positive, positive), strict=True))
