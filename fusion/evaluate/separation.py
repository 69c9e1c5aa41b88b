"""Where maximum likelihood has no finite estimate: predictors that part events from non-events."""

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy.optimize import linprog

from fusion.types import Events

SMALL = 1e-6


def separated(design: Float[ndarray, "case term"], events: Events) -> Bool[ndarray, " term"]:
    """The terms whose maximum likelihood estimate is infinite; none where a finite maximum exists.

    Albert & Anderson 1984, doi:10.1093/biomet/71.1.1, decided by Konis's linear programme (2007, Oxford thesis): is
    there a direction along which no case becomes less likely and one becomes likelier? Complete and quasi-complete
    separation are not told apart, as both leave no finite estimate.

    Args:
        design: one column a term, intercept included; no column a combination of others.
        events: 1 for an event, 0 otherwise.

    >>> separated(np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1])).tolist()
    [False, True]
    """
    scale = np.maximum(np.abs(design).max(axis=0), np.finfo(float).tiny)
    signed = np.where(events == 1, 1.0, -1.0)[:, None] * (design / scale)
    cases, terms = design.shape
    found = linprog(-signed.sum(axis=0), -signed, np.zeros(cases), bounds=[(-1, 1)] * terms, method="highs")
    return np.abs(found.x) > SMALL if -found.fun > SMALL else np.zeros(terms, bool)
