"""A fitted head as plain numbers: the columns that count, how each is scaled, and what reads them."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from fusion.heads.average import MeanLogOdds
from fusion.heads.odds import CLIP
from fusion.heads.plain import Boosting, Column, Forest, Head, Linear, MeanHead, QuantileNormal, Tree, ZScore
from fusion.heads.scale import QuantileNormal as FittedQuantileNormal


@dataclass
class _Known:
    """A column on its way through the pipeline."""

    place: int
    fill: float | None = None
    scales: list[ZScore | QuantileNormal] = field(default_factory=list)


def plain(head: Pipeline | MeanLogOdds, names: list[str], fitted_on: Float[ndarray, "case feature"]) -> Head | MeanHead:
    """The numbers of a fitted head, as ``fusion.heads.logistic.radiomics_head`` builds it.

    Columns without weight are left out; those that are left give the same log-odds.

    Args:
        head: fitted; of an average every member is told.
        names: of its columns.
        fitted_on: the table it was fitted on, for the columns' means.
    """
    if isinstance(head, MeanLogOdds):
        return MeanHead(heads=tuple(_head(own, names, fitted_on) for own in head.heads_))
    return _head(head, names, fitted_on)


def _head(head: Pipeline, names: list[str], fitted_on: Float[ndarray, "case feature"]) -> Head:
    known = [_Known(place) for place in range(len(names))]
    for _, step in head.steps[:-1]:
        known = _through(step, known)
    learner, used = _learner(head.steps[-1][1])
    return Head(columns=tuple(_column(known[place], names, fitted_on) for place in used), learner=learner)


def _through(step: Any, known: list[_Known]) -> list[_Known]:
    """The columns after a fitted step."""
    if isinstance(step, SimpleImputer):
        for own, value in zip(known, step.statistics_, strict=True):
            own.fill = float(value)
    elif isinstance(step, StandardScaler):
        for own, mean, scale in zip(known, step.mean_, step.scale_, strict=True):
            own.scales.append(ZScore(mean=float(mean), scale=float(scale)))
    elif isinstance(step, FittedQuantileNormal):
        for own, quantiles in zip(known, step.quantiles_.T, strict=True):
            own.scales.append(QuantileNormal(quantiles=tuple(quantiles.tolist())))
    elif hasattr(step, "get_support"):
        return [known[place] for place in np.flatnonzero(step.get_support())]
    else:
        raise TypeError(f"no plain numbers for {type(step).__name__}")
    return known


def _column(own: _Known, names: list[str], fitted_on: Float[ndarray, "case feature"]) -> Column:
    values = fitted_on[:, own.place]
    filled = values if own.fill is None else np.where(np.isnan(values), own.fill, values)
    return Column(name=names[own.place], mean=float(filled.mean()), fill=own.fill, scales=tuple(own.scales))


def _learner(learner: Any) -> tuple[Linear | Boosting | Forest, list[int]]:
    """The learner's numbers, and the places of the columns that it reads, in their order."""
    if isinstance(learner, LogisticRegression):
        weights = learner.coef_[0]
        used = np.flatnonzero(weights).tolist()
        return Linear(intercept=float(learner.intercept_[0]), coefficients=tuple(weights[used].tolist())), used
    fitted = [own.tree_ for own in np.ravel(learner.estimators_)]
    used = sorted({int(column) for tree in fitted for column in tree.feature if column >= 0})
    if isinstance(learner, GradientBoostingClassifier):
        trees = tuple(_tree(tree, used, tree.value[:, 0, 0]) for tree in fitted)
        origin = learner.decision_function(np.zeros((1, learner.n_features_in_)))[0]
        told = sum(tree((0.0,) * len(used)) for tree in trees)
        return Boosting(start=float(origin - learner.learning_rate * told), rate=learner.learning_rate,
                        trees=trees), used  # fmt: skip
    if isinstance(learner, RandomForestClassifier):
        shares = (tree.value[:, 0, 1] / tree.value[:, 0].sum(axis=1) for tree in fitted)
        return Forest(lowest=CLIP, trees=tuple(_tree(*own) for own in zip(fitted, [used] * len(fitted), shares,
                                                                         strict=True))), used  # fmt: skip
    raise TypeError(f"no plain numbers for {type(learner).__name__}")


def _tree(tree: Any, used: list[int], values: Float[ndarray, " node"]) -> Tree:
    place = {column: n for n, column in enumerate(used)}
    return Tree(
        column=tuple(place.get(int(column), -1) for column in tree.feature),
        threshold=tuple(tree.threshold.tolist()),
        left=tuple(tree.children_left.tolist()),
        right=tuple(tree.children_right.tolist()),
        value=tuple(values.tolist()),
    )
