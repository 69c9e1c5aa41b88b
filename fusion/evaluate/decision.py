"""Is acting on the model better than acting on all or on none: net benefit."""

from collections.abc import Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Band:
    """A quantity at each threshold with its pointwise interval."""

    value: Benefit
    low: Benefit
    high: Benefit


class Resampled:
    """Net benefit of several models in the same bootstrap samples of cases, so that they can be subtracted.

    Cases are drawn without regard to their class, as net benefit depends on how common events are.
    """

    def __init__(
        self,
        probabilities: Mapping[str, Vector],
        events: Events,
        thresholds: Benefit,
        generator: np.random.Generator,
        samples: int = 2000,
        confidence: float = 0.95,
    ) -> None:
        """Draw the samples.

        Args:
            probabilities: by model, of the same cases.
            events: 1 for an event, 0 otherwise.
            thresholds: probabilities in (0, 1) at which one would act.
            generator: draws the samples.
            samples: how many.
            confidence: of the intervals.
        """
        n = len(events)
        self._ends = [(1 - confidence) / 2, (1 + confidence) / 2]
        self._thresholds, self._share = thresholds, float(events.mean())
        counts = np.vstack([np.ones(n), generator.multinomial(n, np.full(n, 1 / n), size=samples)])  # first: as it is
        worth = np.where(events[:, None] == 1, 1.0, -thresholds / (1 - thresholds))
        self._all = counts @ worth / n
        self._models = {
            name: counts @ ((own[:, None] >= thresholds) * worth) / n for name, own in probabilities.items()
        }

    def net_benefit(self, model: str) -> Band:
        """Net benefit with interval."""
        return self._band(self._models[model])

    def gain(self, model: str, over: str) -> Band:
        """Net benefit of one model minus that of another."""
        return self._band(self._models[model] - self._models[over])

    def standardised(self, model: str) -> Benefit:
        """Net benefit over the share of events, its greatest value (Kerr 2016, doi:10.1200/JCO.2015.65.5654)."""
        return self._models[model][0] / self._share

    def avoided(self, model: str) -> Band:
        """Interventions avoided a case against treating all, with no event more missed.

        Vickers 2008, doi:10.1186/1472-6947-8-53: (benefit of the model - benefit of treating all) (1 - t)/t.
        """
        return self._band((self._models[model] - self._all) * (1 - self._thresholds) / self._thresholds)

    def _band(self, samples: Float[ndarray, "sample threshold"]) -> Band:
        low, high = np.quantile(samples[1:], self._ends, axis=0)
        return Band(samples[0], low, high)
