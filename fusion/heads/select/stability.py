"""Features that a LASSO keeps choosing, whichever half of the cases it sees."""

import warnings

import numpy as np
from jaxtyping import Float
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import lars_path
from sklearn.model_selection import StratifiedShuffleSplit

from fusion.errors import Fault, HeadError
from fusion.heads.select.ranked import Ranked, limit
from fusion.heads.select.support import Table
from fusion.types import Events


class StabilityTop(Ranked):
    """Keeps the ``top`` features that are chosen most often in random halves of the cases.

    Stability selection (Meinshausen & Buehlmann 2010, doi:10.1111/j.1467-9868.2010.00740.x) with the LASSO path,
    followed in each half for ``top`` steps. With ``threshold`` t above 1/2 and p features their theorem 1 bounds the
    expected number of false ones by top^2 / (2t - 1) / p. Expects standardised columns.

    Args:
        top: features that enter in a half, and features kept at most.
        samples: halves, stratified by outcome.
        threshold: smallest share of the halves that chose a kept feature; None asks for no share.
        seed: of the halves.
        events_per_variable: as in ``Ranked``; it lowers what enters in a half too.
    """

    def __init__(
        self, top: int | None = 20, samples: int = 100, threshold: float | None = None, seed: int = 0,
        events_per_variable: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__(top, events_per_variable)
        self.samples = samples
        self.threshold = threshold
        self.seed = seed

    def _scores(self, X: Table, y: Events) -> Float[np.ndarray, " feature"]:
        if int(np.bincount(y, minlength=2).min()) < 2:
            found = "fewer than 2 cases of a class in a training part"
            raise HeadError(Fault(found, "one a half of stability selection", "add cases"))
        entering = min(limit(self.top, self.events_per_variable, y, X.shape[1]), len(X) // 2 - 1)
        halves = StratifiedShuffleSplit(self.samples, train_size=len(X) // 2, random_state=self.seed)
        counts = np.zeros(X.shape[1])
        for half, _ in halves.split(X, y):
            counts[_first(X[half], y[half], entering)] += 1
        self.frequency_ = counts / self.samples
        enough = self.frequency_ >= (self.threshold or 0)
        return np.where(enough, self.frequency_, 0.0)

    def _nothing(self, X: Table) -> Fault:
        found = (
            f"no feature that {self.threshold or 0:.0%} of the halves chose; the most were {self.frequency_.max():.0%}"
        )
        return Fault(found, "one", "lower heads.selector.threshold, or set it to null")


def _first(X: Table, y: Events, features: int) -> np.ndarray:
    """Columns in the LASSO's path after ``features`` steps."""
    spread = X.std(axis=0)
    standard = (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1)
    with warnings.catch_warnings():  # of two columns that are one in this half, one is left out
        warnings.simplefilter("ignore", ConvergenceWarning)
        _, active, _ = lars_path(standard, y - y.mean(), method="lasso", max_iter=features, return_path=False)
    return np.asarray(active, dtype=int)
