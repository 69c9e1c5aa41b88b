"""The model card, as a page."""

import math

from fusion.report.words import SETS, UNKNOWN
from fusion.serve.bundle import Bundle
from fusion.serve.page.templates import render

MEASURES = {
    "auc": "AUC", "accuracy": "Accuracy", "sensitivity": "Sensitivity", "specificity": "Specificity", "ppv": "PPV",
    "npv": "NPV", "f1": "F1", "brier": "Brier", "calibration_slope": "Calibration slope",
    "calibration_intercept": "Calibration intercept",
}  # fmt: skip


def html(bundle: Bundle) -> str:
    """The bundle's card: use, data, limits, and every metric with its interval."""
    known = {name for row in bundle.card.metrics for name, value in row.values.items() if _number(value)}
    columns = [name for name in MEASURES if name in known]
    return render("card.html.j2", card=bundle.card, digest=bundle.digest, columns=columns, names=MEASURES, sets=SETS,
                  measured=measured, whole=whole)  # fmt: skip


def measured(values: dict[str, float | None], name: str) -> str:
    """A metric with its interval where there is one.

    >>> measured({"auc": 0.9134, "auc_low": 0.85, "auc_high": 0.96}, "auc"), measured({"f1": None}, "f1")
    ('0.913 (0.850 to 0.960)', '–')
    """
    value, low, high = (values.get(own) for own in (name, f"{name}_low", f"{name}_high"))
    if not _number(value):
        return UNKNOWN
    ends = f" ({low:.3f} to {high:.3f})" if _number(low) and _number(high) else ""
    return f"{value:.3f}{ends}".replace("-", "−")


def whole(value: float | None) -> str:
    """A count."""
    return f"{value:.0f}" if value is not None and _number(value) else UNKNOWN


def _number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
