"""What reads the kept features: a scikit-learn classifier for each learner of the config."""

from typing import Any

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from fusion.config.recipe import ElasticNet, GradientBoosting, Logistic, RandomForest


def classifier(learner: Logistic | ElasticNet | GradientBoosting | RandomForest, c: float | None, seed: int) -> Any:
    """An unfitted classifier, one thread each.

    Args:
        learner: its kind and settings.
        c: inverse penalty of the regressions; None for no penalty.
        seed: of what is drawn.
    """
    if isinstance(learner, Logistic):
        return logistic(c)
    if isinstance(learner, ElasticNet):
        return LogisticRegression(
            C=c, l1_ratio=learner.l1_ratio, solver="saga", max_iter=10_000, tol=1e-3, random_state=seed
        )
    if isinstance(learner, RandomForest):
        return RandomForestClassifier(learner.trees, n_jobs=1, random_state=seed)
    return GradientBoostingClassifier(
        n_estimators=learner.trees, learning_rate=learner.rate, max_depth=2, subsample=0.5, max_features="sqrt",
        random_state=seed,
    )  # fmt: skip


def logistic(c: float | None) -> LogisticRegression:
    """Logistic regression with a ridge penalty, or without one.

    Without a penalty, classes that the features separate have no best coefficients; the search then stops where the
    likelihood is all but flat.
    """
    return LogisticRegression(C=np.inf if c is None else c, max_iter=1000 if c is not None else 10_000)
