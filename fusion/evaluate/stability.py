"""Whether a selection is the same whichever cases it is made on."""

from itertools import combinations

import numpy as np
from jaxtyping import Bool
from numpy import ndarray


def nogueira(chosen: Bool[ndarray, "fold feature"]) -> float:
    """Nogueira's stability: 1 for the same features in every fold, 0 on average for features drawn at random.

    1 - (mean over features of the unbiased variance of being chosen) / (k/d (1 - k/d)), with k features of d chosen on
    average (Nogueira, Sechidis & Brown 2018, Journal of Machine Learning Research 18(174),
    doi:10.5555/3122009.3242031). They call it poor below 0.4 and excellent above 0.75.

    Args:
        chosen: a column for every feature that could have been chosen.

    Returns:
        nan for fewer than two folds, or where all features or none are chosen.

    >>> nogueira(np.array([[True, False, False], [True, False, False]]))
    1.0
    """
    folds, features = chosen.shape
    share = chosen.sum() / max(folds, 1) / features
    if folds < 2 or share in (0, 1):
        return float("nan")
    frequency = chosen.mean(axis=0)
    variance = (frequency * (1 - frequency)).mean() * folds / (folds - 1)
    return float(1 - variance / (share * (1 - share)))


def jaccard(chosen: Bool[ndarray, "fold feature"]) -> float:
    """What both of two folds chose over what either did (Jaccard 1901), the mean over pairs; nan below two folds."""
    pairs = [(one & other).sum() / max((one | other).sum(), 1) for one, other in combinations(chosen, 2)]
    return float(np.mean(pairs)) if pairs else float("nan")
