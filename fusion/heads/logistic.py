"""Scale, select, learn: one estimator, refitted whole in every fold."""

from typing import Any

from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from fusion.config.heads import Heads
from fusion.config.recipe import (
    AllSelector,
    ElasticNetSelector,
    LassoSelector,
    MrmrSelector,
    NoPrefilter,
    Recipe,
    StabilitySelector,
)
from fusion.heads.average import MeanLogOdds
from fusion.heads.learn import classifier, logistic
from fusion.heads.odds import log_odds, probability
from fusion.heads.scale import scaler
from fusion.heads.select import (
    ByRegion,
    DropCorrelated,
    DropFlat,
    LassoTop,
    Mrmr,
    StabilityTop,
    UnivariateTop,
)

__all__ = ["fusion_head", "log_odds", "probability", "radiomics_head"]


def radiomics_head(
    heads: Heads, seed: int, widths: tuple[int, ...] | None = None, fill: bool = False
) -> Pipeline | MeanLogOdds:  # fmt: skip
    """Drop flat features, scale, select, learn, as ``heads`` says; by default the steps of Shen 2026.

    Args:
        heads: the recipe, or several whose log-odds are averaged.
        seed: of LASSO's folds, of random halves and trees.
        widths: columns of each region, where the table holds several side by side; used by `regions: union`.
        fill: begin by filling empty cells (nan) with the column's median over the cases that the head is fitted on.

    Returns:
        An unfitted estimator; ``log_odds`` reads it when it is fitted.
    """
    parts = widths if heads.regions == "union" else None
    made = tuple(_pipeline(own, heads.lasso_folds, seed, parts, fill) for own in heads.recipes)
    return made[0] if len(made) == 1 else MeanLogOdds(made)


def fusion_head(heads: Heads) -> Pipeline:
    """Standardise scores and clinical predictors, fit a logistic regression on all; of several classes multinomial."""
    return make_pipeline(StandardScaler(), logistic(heads.fusion_c))


def _pipeline(recipe: Recipe, folds: int, seed: int, widths: tuple[int, ...] | None, fill: bool) -> Pipeline:
    selection = _plain(*_selection(recipe, folds, seed))
    learner = classifier(recipe.learner, recipe.c, seed)
    filled = [SimpleImputer(strategy="median", keep_empty_features=True)] if fill else []
    if widths is None:
        return _plain(*filled, *(step for _, step in selection.steps), learner)
    return _plain(*filled, ByRegion(selection, widths), scaler(recipe.scale), learner)


def _selection(recipe: Recipe, folds: int, seed: int) -> list[Any]:
    """From the table to the kept features, scaled."""
    steps: list[Any] = [DropFlat(), scaler(recipe.scale)]
    if not isinstance(recipe.prefilter, NoPrefilter):
        steps.append(UnivariateTop(recipe.prefilter.keep, recipe.prefilter.kind))
    if recipe.correlation is not None:
        steps.append(DropCorrelated(recipe.correlation, recipe.correlation_of))
    return [*steps, *_selector(recipe, folds, seed)]


def _selector(recipe: Recipe, folds: int, seed: int) -> list[Any]:
    """The step that selects; none where all is kept."""
    kind, top, cap = recipe.selector, recipe.top, recipe.events_per_variable
    if isinstance(kind, AllSelector):
        return []
    if isinstance(kind, LassoSelector):
        return [LassoTop(top, folds, seed, kind.rule, events_per_variable=cap)]
    if isinstance(kind, ElasticNetSelector):
        return [LassoTop(top, folds, seed, kind.rule, kind.l1_ratio, cap)]
    if isinstance(kind, MrmrSelector):
        return [Mrmr(top, cap)]
    if isinstance(kind, StabilitySelector):
        return [StabilityTop(top, kind.samples, kind.threshold, seed, cap)]
    return [UnivariateTop(top, kind.by, cap)]


def _plain(*steps: Any) -> Pipeline:
    return make_pipeline(*steps).set_output(transform="default")
