"""Scores of several classes: log-probabilities less their mean over the classes, a row a class."""

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray
from scipy.special import log_expit, softmax

ClassScores = Float[ndarray, "case class"]
"""Log-probabilities less their mean over the classes."""
Chances = Float[ndarray, "case class"]
"""Probabilities that sum to 1 over the classes."""
PROBABILITY = "probability_"
"""Begins the column of a class's probability."""


def centred(log_probabilities: ClassScores) -> ClassScores:
    """Each row less its mean; what a row lacks to sum to probability 1 goes with it.

    >>> centred(np.log([[0.2, 0.8], [0.02, 0.08]])).round(3).tolist()
    [[-0.693, 0.693], [-0.693, 0.693]]
    """
    return log_probabilities - log_probabilities.mean(axis=1, keepdims=True)


def together(log_odds: ClassScores) -> ClassScores:
    """Scores of log-odds that each tell one class from the others: their probabilities, made to sum to 1."""
    return centred(log_expit(log_odds))


def chances(scores: ClassScores) -> Chances:
    """Probabilities, which sum to 1 over the classes.

    >>> chances(centred(np.log([[0.1, 0.2, 0.7]]))).round(3).tolist()
    [[0.1, 0.2, 0.7]]
    """
    return softmax(scores, axis=1)


def judged_classes(classes: tuple[str, ...]) -> tuple[str, ...]:
    """The classes that a score speaks of: of two the second alone, by its log-odds; otherwise every one.

    >>> judged_classes(("benign", "malignant")), judged_classes(("a", "b", "c"))
    (('malignant',), ('a', 'b', 'c'))
    """
    return classes[1:] if len(classes) == 2 else classes


def long(rows: pd.DataFrame, scores: ClassScores, classes: tuple[str, ...]) -> pd.DataFrame:
    """``rows`` once a class, with the columns ``class`` and ``score`` more."""
    every = rows.loc[rows.index.repeat(len(classes))].reset_index(drop=True)
    return every.assign(**{"class": np.tile(np.array(classes, dtype=object), len(rows)), "score": scores.ravel()})


def by_class(scores: pd.DataFrame) -> pd.DataFrame:
    """Rows of several classes as rows of several sources, named ``source:class``, so that each is a column of its own.

    >>> by_class(pd.DataFrame({"source": ["RAD"], "class": ["PA"], "score": [0.1]}))["source"].item()
    'RAD:PA'
    """
    return scores.assign(source=scores["source"] + ":" + scores["class"])


def told(rows: pd.DataFrame, found: Chances, classes: tuple[str, ...]) -> pd.DataFrame:
    """Columns model, set, case, fold, label of ``rows``, and the probability of each class, ``probability_<class>``."""
    columns = {f"{PROBABILITY}{name}": found[:, number] for number, name in enumerate(classes)}
    return rows[["model", "set", "case", "fold", "label"]].assign(**columns)
