"""Ready-made heads: values for the fields that a user leaves alone."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

Values = dict[str, Any]

PAPER_STEPS: Values = {
    "scale": "zscore", "prefilter": {"kind": "none"}, "correlation": 0.95, "correlation_of": "pearson",
    "selector": {"kind": "lasso", "rule": "min"}, "top": 20, "events_per_variable": None, "lasso_folds": 10,
    "regions": "joint",
}  # fmt: skip
PRESETS: dict[str, Values] = {
    "default": {},
    "paper": {**PAPER_STEPS, "learner": {"kind": "logistic"}, "c": None, "fusion_c": None},
    "robust": {
        **PAPER_STEPS, "c": 0.03,
        "learner": {"kind": "average", "of": [
            {"learner": {"kind": "logistic"}},
            {"scale": "quantile_normal", "correlation": None, "selector": {"kind": "all"}, "c": 0.01},
        ]},
    },
}  # fmt: skip
"""`paper`: the recipe of Shen 2026 to the letter, its regressions without penalty. `default`: the same steps with
penalised regressions. `robust`: the mean log-odds of the default's steps and of a ridge regression on all features, put
on the normal curve."""
STEPS = ("scale", "prefilter", "correlation", "correlation_of", "selector", "top", "events_per_variable", "c")
"""What the members of an average take from `heads` where they do not say."""
UNPENALISED = ("gradient_boosting", "random_forest")


def filled(given: Mapping[str, Any]) -> Values:
    """``given`` with the preset's values for what it lacks, and `null` where its selector or learner leaves no choice.

    >>> filled({"preset": "paper"})["c"], filled({"preset": "paper", "c": 1.0})["c"]
    (None, 1.0)
    >>> filled({"selector": {"kind": "all"}})["top"]
    """
    preset = given.get("preset", "default")
    values = {**(PRESETS.get(preset, {}) if isinstance(preset, str) else {}), **given}
    members = _part(values.get("learner"), "of") if _part(values.get("learner"), "kind") == "average" else None
    if not isinstance(members, list | tuple):
        return {**values, **_without_choice(values, given)}
    common = {name: values[name] for name in STEPS if name in values}
    every = [{**common, **_plain(own), **_without_choice({**common, **_plain(own)}, _plain(own))} for own in members]
    leads = {name: every[0][name] for name in STEPS if every and name in every[0] and name not in given}
    return {**values, **leads, "learner": {"kind": "average", "of": every}}


def _without_choice(values: Values, given: Mapping[str, Any]) -> Values:
    """`top` of a selector that keeps everything, `c` of a learner without a penalty."""
    fixed = {
        "top": _part(values.get("selector"), "kind") == "all",
        "events_per_variable": _part(values.get("selector"), "kind") == "all",
        "c": _part(values.get("learner"), "kind") in UNPENALISED,
    }
    return {name: None for name, only in fixed.items() if only and name not in given}


def _plain(value: Any) -> Values:
    """The fields that were given of a section, which may be a section already."""
    if isinstance(value, BaseModel):
        return {name: getattr(value, name) for name in value.model_fields_set}
    return dict(value) if isinstance(value, dict) else {"learner": value}


def _part(value: Any, name: str) -> Any:
    """A field of a section, given as values or as a section; None where there is none."""
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)
