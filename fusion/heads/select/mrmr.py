"""Relevant to the outcome, redundant with nothing kept."""

import numpy as np
from jaxtyping import Float

from fusion.heads.select.ranked import Ranked, limit
from fusion.heads.select.support import Table
from fusion.heads.select.univariate import f_statistic
from fusion.types import Events


class Mrmr(Ranked):
    """Keeps ``top`` features of maximum relevance and minimum redundancy, taken greedily.

    Relevance is the F statistic, redundancy the mean absolute Pearson correlation with the features taken before, and
    the next feature has the largest quotient of the two: FCQ of Ding & Peng 2005, doi:10.1142/S0219720005001004.

    Args:
        top: features kept at most; None for all.
        events_per_variable: as in ``Ranked``.
    """

    def _scores(self, X: Table, y: Events) -> Float[np.ndarray, " feature"]:
        """Larger for a feature taken earlier, 0 for one not taken."""
        relevance = f_statistic(X, y)
        centred = X - X.mean(axis=0)
        norms = np.linalg.norm(centred, axis=0)
        unit = centred / np.where(norms > 0, norms, 1)
        scores, redundancy, open_ = np.zeros(X.shape[1]), np.zeros(X.shape[1]), relevance > 0
        for taken in range(limit(self.top, self.events_per_variable, y, int(open_.sum()))):
            mean = np.maximum(redundancy / taken, 1e-12) if taken else 1.0
            best = int(np.where(open_, relevance / mean, -np.inf).argmax())
            scores[best], open_[best] = X.shape[1] - taken, False
            redundancy += np.abs(unit[:, best] @ unit)
        return scores
