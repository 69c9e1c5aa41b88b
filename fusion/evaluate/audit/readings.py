"""Other definitions with which an impossible row would be possible: means over both classes, F1 of rounded values."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from fusion.evaluate.audit.confusion import possible
from fusion.evaluate.audit.printed import Printed

Grid = Float[ndarray, "tp fp"]
MOST = 1_000_000
"""Tables beyond which no other definition is tried."""
FEWEST = 3
"""With fewer printed metrics than this, agreement would say nothing."""
AVERAGED = {"sensitivity", "ppv", "f1"}
EXACT = 1e-9


def readings(metrics: Mapping[str, Printed], positive: int, negative: int) -> list[str]:
    """The definitions, in words, that make an impossible row possible; none where none does.

    Scikit-learn and others print "macro" means over both classes and "weighted" means, in which the recall is the
    accuracy; some papers compute F1 from the PPV and sensitivity that they have already rounded.

    >>> from fusion.evaluate.audit.printed import number
    >>> row = {"accuracy": ".800", "sensitivity": ".800", "ppv": ".816", "f1": ".807"}
    >>> readings({name: number(word) for name, word in row.items()}, 20, 80)
    ['sensitivity, PPV and F1 weighted by class']
    """
    found = []
    if len(metrics) >= FEWEST and len(AVERAGED & metrics.keys()) > 1 and (positive + 1) * (negative + 1) <= MOST:
        found = [words for words, grids in _means(positive, negative).items() if _agree(metrics, grids).any()]
    rest = {name: printed for name, printed in metrics.items() if name != "f1"}
    if metrics.keys() >= AVERAGED and _harmonic(metrics) and possible(rest, positive, negative).count:
        found.append("F1 computed from the rounded PPV and sensitivity")
    return found


def _means(positive: int, negative: int) -> dict[str, dict[str, Grid]]:
    """Means over both classes of recall, precision and F1, for every table; 0/0 counts as 0."""
    tp, fp = (grid.astype(float) for grid in np.mgrid[: positive + 1, : negative + 1])
    tn, fn = negative - fp, positive - tp
    ones = [_share(tp, positive + 0 * tp), _share(tp, tp + fp), _share(2 * tp, positive + tp + fp)]
    others = [_share(tn, negative + 0 * tn), _share(tn, tn + fn), _share(2 * tn, negative + tn + fn)]
    fixed = {"accuracy": (tp + tn) / (positive + negative), "specificity": others[0], "npv": others[1]}
    weights = {"sensitivity, PPV and F1 as means of both classes": 0.5,
               "sensitivity, PPV and F1 weighted by class": positive / (positive + negative)}  # fmt: skip
    names = ("sensitivity", "ppv", "f1")
    return {
        words: fixed | {name: weight * one + (1 - weight) * other
                        for name, one, other in zip(names, ones, others, strict=True)}
        for words, weight in weights.items()
    }  # fmt: skip


def _share(part: Grid, whole: Grid) -> Grid:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _agree(metrics: Mapping[str, Printed], grids: Mapping[str, Grid]) -> Bool[ndarray, "tp fp"]:
    inside = [
        (grids[name] >= float(printed.low) - EXACT) & (grids[name] <= float(printed.high) + EXACT)
        for name, printed in metrics.items()
    ]
    return np.logical_and.reduce(inside)


def _harmonic(metrics: Mapping[str, Printed]) -> bool:
    ppv, recall = metrics["ppv"].value, metrics["sensitivity"].value
    return ppv + recall > 0 and 2 * ppv * recall / (ppv + recall) in metrics["f1"]
