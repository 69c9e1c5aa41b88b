"""Models of a task against its reference: DeLong's paired test on the cases that both have."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fusion.config.run import FUSED
from fusion.evaluate import discrimination
from fusion.evaluate.judged import Judged

REFERENCES = (FUSED, "Combined")
"""Views that the others of a task are compared with; the first that is there."""


def reference(views: Sequence[str]) -> str:
    """The view that the others are compared with: all sequences fused, else Combined, else the last.

    >>> reference(["T2-w", "Combined"]), reference(["T2-w", "ADC"])
    ('Combined', 'ADC')
    """
    return next((view for view in REFERENCES if view in views), views[-1])


def compared(judged: Sequence[Judged]) -> pd.DataFrame:
    """Columns delong_p, delong_p_holm (Holm within the task and set) and delong_cases (shared cases), a row a model.

    Unknown (nan) for the reference itself; for more than two classes, where there is no one AUC to test; and for
    images, whose copies of one tumour are no independent cases.
    """
    rows = pd.DataFrame([_compared(own, judged) for own in judged], columns=["task", "set", "delong_p", "delong_cases"])
    holm = rows.groupby(["task", "set"])["delong_p"].transform(lambda p: discrimination.holm(p.to_numpy(float)))
    return rows.assign(delong_p_holm=holm)[["delong_p", "delong_p_holm", "delong_cases"]]


def _compared(own: Judged, judged: Sequence[Judged]) -> tuple[str, str, float, float]:
    group = {other.view: other for other in judged if (other.task, other.set) == (own.task, own.set)}
    against = group[reference(list(group))]
    if own is against or own.images or not own.binary:
        return own.task, own.set, float("nan"), float("nan")
    return own.task, own.set, *_p(own, against)


def _p(first: Judged, second: Judged) -> tuple[float, float]:
    shared, one, two = np.intersect1d(first.case, second.case, return_indices=True)
    events = first.label[one]
    if len(np.unique(events)) < 2:
        return float("nan"), float(len(shared))
    test = discrimination.delong_test(first.probability[one, 1], second.probability[two, 1], events)
    return test.p, float(len(shared))
