"""The head's recipe in words."""

from fusion.config.heads import Heads
from fusion.config.recipe import (
    AllSelector,
    AnovaPrefilter,
    Average,
    ElasticNet,
    ElasticNetSelector,
    GradientBoosting,
    LassoSelector,
    Logistic,
    MannWhitneyPrefilter,
    MrmrSelector,
    RandomForest,
    Recipe,
    StabilitySelector,
)

TESTS = {"anova": "F statistic", "mann_whitney": "rank sum statistic"}


def recipe(heads: Heads) -> str:
    """What is done to a radiomics table, step by step.

    >>> recipe(Heads(preset="paper"))  # doctest: +ELLIPSIS
    'standardise, drop one of each pair with |r| above 0.95, LASSO with 10 inner folds, at most 20 features, ...
    """
    told = [_steps(own, heads) for own in heads.recipes]
    if isinstance(heads.learner, Average):
        return "mean log-odds of " + "; and of ".join(f"({n}) {own}" for n, own in enumerate(told, 1))
    return told[0]


def learner(own: Recipe) -> str:
    """What reads the kept features."""
    penalty = "" if own.c is None else f" (C = {own.c:g})"
    return {
        Logistic: "logistic regression without penalty" if own.c is None else f"ridge logistic regression{penalty}",
        ElasticNet: f"elastic-net logistic regression{penalty}",
        GradientBoosting: "gradient-boosted trees",
        RandomForest: "random forest",
    }[type(own.learner)]


def selection(own: Recipe, heads: Heads) -> str:
    """How the features are chosen, and how many at most."""
    kind = own.selector
    if isinstance(kind, AllSelector):
        return "all features kept"
    ways = {
        LassoSelector: f"LASSO with {heads.lasso_folds} inner folds",
        ElasticNetSelector: f"elastic net with {heads.lasso_folds} inner folds",
        MrmrSelector: "mRMR (F statistic over mean correlation)",
        StabilitySelector: f"stability selection over {getattr(kind, 'samples', 0)} halves",
    }
    way = ways.get(type(kind), f"largest {TESTS.get(getattr(kind, 'by', ''), '')}")
    rule = " (one standard error rule)" if getattr(kind, "rule", "min") == "one_se" else ""
    most = "" if own.top is None else f", at most {own.top} features"
    cap = own.events_per_variable
    return f"{way}{rule}{most}{'' if cap is None else f', {cap:g} events per feature or more'}"


def _steps(own: Recipe, heads: Heads) -> str:
    steps = ["standardise" if own.scale == "zscore" else "ranks put on the normal curve"]
    if isinstance(own.prefilter, AnovaPrefilter | MannWhitneyPrefilter):
        steps.append(f"the {own.prefilter.keep} largest by {TESTS[own.prefilter.kind]}")
    if own.correlation is not None:
        sign = "r" if own.correlation_of == "pearson" else "Spearman's rho"
        steps.append(f"drop one of each pair with |{sign}| above {own.correlation:g}")
    union = ", each region by itself where both are read" if heads.regions == "union" else ""
    return ", ".join([*steps, f"{selection(own, heads)}{union}", learner(own)])
