"""Is acting on the model better than acting on all or on none: net benefit."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from fusion.types import Events, Vector

Benefit = Float[ndarray, " threshold"]


def net_benefit(probability: Vector, events: Events, thresholds: Benefit) -> Benefit:
    """Net true positives a case when everyone at ``thresholds`` or more is treated.

    Vickers & Elkin 2006, doi:10.1177/0272989X06295361: tp/n - fp/n t/(1-t). Treating none has net benefit 0.

    Args:
        probability: one a case.
        events: 1 for an event, 0 otherwise.
        thresholds: probabilities in (0, 1) at which one would act.
    """
    treated = probability[:, None] >= thresholds
    tp, fp = (treated[events == kind].sum(axis=0) for kind in (1, 0))
    return (tp - fp * thresholds / (1 - thresholds)) / len(events)


def treat_all(events: Events, thresholds: Benefit) -> Benefit:
    """Net benefit when everyone is treated.

    >>> treat_all(np.repeat([1, 0], [14, 86]), np.array([0.25])).round(7).tolist()
    [-0.1466667]
    """
    return net_benefit(np.ones(len(events)), events, thresholds)
