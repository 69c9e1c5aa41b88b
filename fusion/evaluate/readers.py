"""A reader's calls against a model's, over the cases that the reader read."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from fusion.evaluate.mcnemar import McNemar, mcnemar
from fusion.evaluate.threshold import Confusion, confusion
from fusion.types import Events, Vector

Calls = Int[ndarray, " case"]
"""1 where a case is called positive, 0 elsewhere."""
SAMPLES = 2000


@dataclass(frozen=True)
class Difference:
    """Model minus reader, with a percentile interval over stratified bootstrap samples of cases."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """A model against a reader: paired differences, and McNemar's test of accuracy, sensitivity and specificity."""

    accuracy: Difference
    balanced_accuracy: Difference
    of_all: McNemar
    of_events: McNemar
    of_others: McNemar


@dataclass(frozen=True)
class AtSpecificity:
    """A model's sensitivity where its specificity is no lower than the reader's, and how far above the reader's.

    The threshold is found in these cases, so that this reads the ROC curve and is not a rule to be used.
    """

    sensitivity: float
    specificity: float
    gain: Difference


def counts(calls: Calls, events: Events) -> Confusion:
    """The four counts behind a reader's calls."""
    return confusion(calls.astype(float), events, 0.5)


def compare(
    model: Calls,
    reader: Calls,
    events: Events,
    generator: np.random.Generator,
    samples: int = SAMPLES,
    confidence: float = 0.95,
) -> Comparison:
    """The calls of a model at its threshold against a reader's, of the same cases."""
    gain = (model == events).astype(int) - (reader == events).astype(int)
    drawn = {kind: _resampled(gain[events == kind], generator, samples) for kind in (1, 0)}
    n, positives = len(events), int(events.sum())
    accuracy = (drawn[1] * positives + drawn[0] * (n - positives)) / n
    balanced = (drawn[1] + drawn[0]) / 2
    tests = [_test(part) for part in (gain, gain[events == 1], gain[events == 0])]
    return Comparison(_difference(accuracy, confidence), _difference(balanced, confidence), *tests)


def at_specificity(
    probability: Vector,
    reader: Calls,
    events: Events,
    generator: np.random.Generator,
    samples: int = SAMPLES,
    confidence: float = 0.95,
) -> AtSpecificity:
    """The model's best sensitivity at the reader's specificity or above; both are found anew in each sample."""
    cuts = np.append(np.unique(probability), np.inf)
    spared = _copies(int((events == 0).sum()), generator, samples)
    treated = _copies(int(events.sum()), generator, samples)
    true_negatives = spared @ (probability[events == 0][:, None] < cuts)
    wanted = spared @ (reader[events == 0] == 0)
    place = np.argmax(true_negatives >= wanted[:, None] - 1e-9, axis=1)
    hits = treated @ (probability[events == 1][:, None] >= cuts)
    sensitivity = hits[np.arange(len(place)), place] / hits[:, 0]
    gain = sensitivity - treated @ (reader[events == 1] == 1) / hits[:, 0]
    specificity = true_negatives[0, place[0]] / true_negatives[0, -1]
    return AtSpecificity(float(sensitivity[0]), float(specificity), _difference(gain, confidence))


def _copies(n: int, generator: np.random.Generator, samples: int) -> Float[ndarray, "sample case"]:
    """How often each of ``n`` cases is in each sample; the first row is the cases as they are."""
    return np.vstack([np.ones(n), generator.multinomial(n, np.full(n, 1 / n), size=samples)])


def _resampled(gain: Int[ndarray, " case"], generator: np.random.Generator, samples: int) -> Float[ndarray, " sample"]:
    return _copies(len(gain), generator, samples) @ gain / len(gain)


def _difference(values: Float[ndarray, " sample"], confidence: float) -> Difference:
    low, high = np.quantile(values[1:], [(1 - confidence) / 2, (1 + confidence) / 2])
    return Difference(float(values[0]), float(low), float(high))


def _test(gain: Int[ndarray, " case"]) -> McNemar:
    return mcnemar(int((gain > 0).sum()), int((gain < 0).sum()))
