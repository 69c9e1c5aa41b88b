"""Do probabilities mean what they say: observed against predicted, slope, intercept, Brier score."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression

from fusion.types import Events, Vector


@dataclass(frozen=True)
class Recalibration:
    """Logistic recalibration; what cannot be estimated is nan, and ``reason`` says why.

    ``slope`` and ``offset`` belong to event ~ offset + slope logit(p), fitted together (Cox 1958,
    doi:10.1093/biomet/45.3-4.562). ``intercept`` is calibration in the large: slope fixed at 1. Both 1 and 0 at best;
    a slope below 1 means too extreme probabilities, an intercept above 0 too low ones (Van Calster 2019,
    doi:10.1186/s12916-019-1466-7).
    """

    slope: float
    offset: float
    intercept: float
    reason: str | None = None
    slope_error: float = float("nan")
    intercept_error: float = float("nan")

    def slope_interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Wald's interval of the slope."""
        return _wald(self.slope, self.slope_error, confidence)

    def intercept_interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Wald's interval of calibration in the large."""
        return _wald(self.intercept, self.intercept_error, confidence)

    def curve(self, probability: Float[ndarray, " point"]) -> Float[ndarray, " point"]:
        """The recalibrated probability at each ``probability`` in (0, 1)."""
        return expit(self.offset + self.slope * logit(probability))


def brier(probability: Vector, events: Events) -> float:
    """Mean squared distance of probability and event (Brier 1950); 0 at best, 0.25 for always saying one half.

    >>> brier(np.array([0.5, 0.5]), np.array([1, 0]))
    0.25
    """
    return float(np.mean((probability - events) ** 2))


def scaled_brier(probability: Vector, events: Events) -> float:
    """1 minus Brier score over that of always saying the share of events; 1 at best, 0 for no use, or below.

    Steyerberg 2010, doi:10.1097/EDE.0b013e3181c30fb2.

    >>> scaled_brier(np.array([0.75, 0.25]), np.array([1, 0]))
    0.75
    """
    share = float(events.mean())
    return 1 - brier(probability, events) / (share * (1 - share))


def spiegelhalter(probability: Vector, events: Events) -> tuple[float, float]:
    """z and two-sided p of the Brier score against what it would be if each probability were right.

    Spiegelhalter 1986, doi:10.1002/sim.4780050506. Unknown (nan) where every probability is 0, one half or 1.
    """
    variance = float(np.sum((1 - 2 * probability) ** 2 * probability * (1 - probability)))
    if variance == 0:
        return float("nan"), float("nan")
    z = float(np.sum((events - probability) * (1 - 2 * probability))) / variance**0.5
    return z, float(2 * norm.sf(abs(z)))


def recalibrate(probability: Vector, events: Events) -> Recalibration:
    """Slope and intercept of ``events`` on the log-odds of ``probability``, without penalty.

    No finite estimate exists where a probability is 0 or 1, where all are equal (slope), or where a threshold parts
    events from non-events (slope; Albert & Anderson 1984, doi:10.1093/biomet/71.1.1): nan, with the reason.
    """
    nan = float("nan")
    if np.any((probability <= 0) | (probability >= 1)):
        return Recalibration(nan, nan, nan, "a probability of exactly 0 or 1 has no log-odds")
    odds = logit(probability)
    intercept = _in_the_large(odds, events)
    weights = expit(intercept + odds) * expit(-intercept - odds)
    error = float(weights.sum() ** -0.5)
    if np.ptp(odds) == 0:
        return Recalibration(nan, nan, intercept, "all probabilities are equal", intercept_error=error)
    of_events, of_others = odds[events == 1], odds[events == 0]
    if of_events.min() >= of_others.max() or of_events.max() <= of_others.min():
        reason = "probabilities part events from non-events completely, ties aside"
        return Recalibration(nan, nan, intercept, reason, intercept_error=error)
    centre, spread = odds.mean(), odds.std()
    fit = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-8)
    fit.fit(((odds - centre) / spread)[:, None], events)
    slope = float(fit.coef_[0, 0] / spread)
    offset = float(fit.intercept_[0] - slope * centre)
    return Recalibration(slope, offset, intercept, None, _slope_error(odds, offset, slope), error)


def groups(probability: Vector, events: Events, count: int = 5, confidence: float = 0.95) -> pd.DataFrame:
    """Cases in up to ``count`` equally large groups by probability: predicted, observed, low, high, n.

    Equal probabilities stay together, so there may be fewer groups. The interval is Wilson's (1927,
    doi:10.1080/01621459.1927.10502953).
    """
    inner = np.quantile(probability, np.linspace(0, 1, count + 1)[1:-1])
    place = np.searchsorted(np.unique(inner), probability, side="left")
    rows = pd.DataFrame({"predicted": probability, "observed": events, "place": place})
    table = rows.groupby("place").agg(
        predicted=("predicted", "mean"), observed=("observed", "mean"), n=("observed", "size")
    )
    low, high = wilson(table["observed"].to_numpy(), table["n"].to_numpy(), confidence)
    return table.assign(low=low, high=high)[["predicted", "observed", "low", "high", "n"]].reset_index(drop=True)


def wilson(
    share: Float[ndarray, " group"], n: ndarray, confidence: float = 0.95
) -> tuple[Float[ndarray, " group"], Float[ndarray, " group"]]:
    """Wilson's score interval of a share of ``n`` cases."""
    z = norm.ppf((1 + confidence) / 2)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.maximum(centre - reach, 0), np.minimum(centre + reach, 1)


def _in_the_large(odds: Vector, events: Events) -> float:
    """The a for which the mean of expit(a + odds) is the share of events; it lies between the bracket's ends."""
    share = events.mean()
    low, high = logit(share) - odds.max(), logit(share) - odds.min()
    if low == high:
        return float(low)
    return float(brentq(lambda a: expit(a + odds).mean() - share, low - 1e-9, high + 1e-9, xtol=1e-12))


def _slope_error(odds: Vector, offset: float, slope: float) -> float:
    """Square root of the slope's entry in the inverse of the information matrix."""
    weights = expit(offset + slope * odds) * expit(-offset - slope * odds)
    mean = np.average(odds, weights=weights)
    return float(np.sum(weights * (odds - mean) ** 2) ** -0.5)


def _wald(value: float, error: float, confidence: float) -> tuple[float, float]:
    reach = float(norm.ppf((1 + confidence) / 2)) * error
    return value - reach, value + reach
