"""Log-odds of any fitted head, and what they are as a probability."""

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import expit, logit

CLIP = 1e-3
"""Probabilities of a head that has no log-odds of its own (a forest's share of votes may be 0 or 1) are kept between
this and one minus this."""


def log_odds(head: Any, predictors: Float[np.ndarray, "case feature"]) -> Float[np.ndarray, " case"]:
    """The fitted head's log-odds of the positive class: its own, or those of its probabilities within ``CLIP``."""
    if hasattr(head, "decision_function"):
        return head.decision_function(predictors)
    return logit(np.clip(head.predict_proba(predictors)[:, 1], CLIP, 1 - CLIP))


def probability(log_odds: Float[np.ndarray, " case"]) -> Float[np.ndarray, " case"]:
    """Log-odds as probability.

    >>> probability(np.array([0.0])).item()
    0.5
    """
    return expit(log_odds)
