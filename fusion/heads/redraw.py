"""How sure one case's probability is: a model's last regression fitted again on resampled patients."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Shaped
from numpy import ndarray
from scipy.special import expit

from fusion.config.recipe import Logistic
from fusion.heads.calibrate import calibration
from fusion.heads.interval import Draws, last_head
from fusion.heads.plain import AsItIs, Question, Regression
from fusion.heads.training import Training

DRAWS = 200
"""Resamples of the patients."""
STEPS, TOLERANCE = 50, 1e-9
"""Newton steps at most, and the largest change of a coefficient at which it stops."""
LEAST_PENALTY = 1e-4
"""Where a regression has no penalty, so that classes that a resample separates have coefficients at all."""
WIDEST = 64
"""Columns at most that a radiomics head may read to be drawn: a ridge regression on thousands, a coefficient of each in
every draw, would make the bundle ten times as large."""
Counts = Int[ndarray, "draw case"]
"""How often a resample holds a case."""


@dataclass(frozen=True)
class Learned:
    """What a model's last regression was fitted on."""

    table: Float[ndarray, "case predictor"]
    events: Int[ndarray, " case"]
    patients: Shaped[ndarray, " case"]


def draws(question: Question, model: str, known: Training, generator: np.random.Generator, many: int = DRAWS) -> Draws:
    """What the last regression of ``model`` would be with other patients like those of the training set.

    None for several classes, for an average of heads, for trees, for an elastic net, and for a network's score that
    is not calibrated: they have no last regression that can be fitted alone. None for more than ``WIDEST`` columns.

    Args:
        question: with the final heads.
        model: one of its models.
        known: what they were fitted on.
        generator: of the resamples.
        many: how many resamples.
    """
    own = question.models[model]
    if len(question.classes) > 2:
        return ()
    if isinstance(own, AsItIs):
        learned, c = _of_features(question, own, known)
        return (
            () if learned is None else regressions(learned, resamples(learned, generator, many), c, standardise=False)
        )
    read = known.predictors(model)
    learned = Learned(read.table.to_numpy(float), read.labels, read.patients)
    counts = resamples(learned, generator, many)
    if isinstance(own, Regression):
        return regressions(learned, counts, known.heads.fusion_c, standardise=True)
    at = (np.repeat(np.arange(len(learned.events)), own_counts) for own_counts in counts)
    found = (calibration(known.heads, learned.table[rows, 0], learned.events[rows]) for rows in at)
    return tuple((one.offset, one.factor) for one in found)


def _of_features(question: Question, model: AsItIs, known: Training) -> tuple[Learned | None, float | None]:
    """The kept features of a radiomics score, scaled as its head scales them, and the inverse penalty on them."""
    head, recipe = last_head(question, model), known.heads.recipes[0]
    if head is None or not isinstance(recipe.learner, Logistic) or len(head.columns) > WIDEST:
        return None, None
    rows = known.scored((model.source,)).reset_index(drop=True)
    rows = rows[rows["set"] == "train"]
    table = known.radiomics[model.source].loc[rows["case"], [column.name for column in head.columns]]
    names = [str(name) for name in table.columns]
    scaled = np.array([head.scaled(dict(zip(names, row, strict=True))) for row in table.to_numpy(float)])
    return Learned(scaled, rows["label"].to_numpy(int), rows["patient"].to_numpy(str)), recipe.c


def resamples(learned: Learned, generator: np.random.Generator, draws: int = DRAWS) -> Counts:
    """Patients drawn with replacement, all cases of a patient together; a resample with one class is drawn again.

    Args:
        learned: with both classes.
        generator: of the draws.
        draws: how many.
    """
    names, own = np.unique(learned.patients, return_inverse=True)
    found: list[Int[ndarray, " case"]] = []
    while len(found) < draws:
        counts = np.bincount(generator.integers(len(names), size=len(names)), minlength=len(names))[own]
        if len(np.unique(learned.events[counts > 0])) == 2:
            found.append(counts)
    return np.array(found)


def regressions(learned: Learned, counts: Counts, c: float | None, *, standardise: bool) -> Draws:
    """Ridge logistic regressions, one a resample, as scikit-learn's ``LogisticRegression(C=c)`` fits them.

    All are fitted at once by Newton's method, which takes a hundredth of the time.

    Args:
        learned: predictors and events.
        counts: of each case in each resample.
        c: inverse penalty; None for none, which stands for ``LEAST_PENALTY`` here.
        standardise: the penalty is on predictors scaled to mean 0 and standard deviation 1 in the resample.

    Returns:
        Intercept and coefficients on the predictors as they are in ``learned``.
    """
    weights = counts.astype(float)
    total = weights.sum(1)[:, None]
    mean = weights @ learned.table / total if standardise else np.zeros((len(counts), learned.table.shape[1]))
    scale = np.ones_like(mean)
    if standardise:
        spread = np.sqrt(np.maximum(weights @ learned.table**2 / total - mean**2, 0))
        scale = np.where(spread > 0, spread, 1)
    scaled = (learned.table[None] - mean[:, None]) / scale[:, None]
    design = np.concatenate([np.ones((*scaled.shape[:2], 1)), scaled], axis=2)
    found = _newton(design, learned.events.astype(float), weights, LEAST_PENALTY if c is None else 1 / c)
    slopes = found[:, 1:] / scale
    intercepts = found[:, 0] - (slopes * mean).sum(1)
    return tuple(map(tuple, np.column_stack([intercepts, slopes]).tolist()))


def _newton(
    design: Float[ndarray, "draw case coefficient"], events: Float[ndarray, " case"],
    weights: Float[ndarray, "draw case"], penalty: float,
) -> Float[ndarray, "draw coefficient"]:  # fmt: skip
    """Maxima of the penalised likelihood, the intercept without penalty; a step is halved until it climbs."""
    at = np.zeros((len(design), design.shape[2]))
    ridge = penalty * np.diag([0.0, *[1.0] * (design.shape[2] - 1)])
    for _ in range(STEPS):
        chance = expit((design @ at[..., None])[..., 0])
        slope = ((weights * (events - chance))[:, None] @ design)[:, 0] - at @ ridge
        bend = (design * (weights * chance * (1 - chance))[..., None]).transpose(0, 2, 1) @ design + ridge
        step = np.linalg.solve(bend + 1e-10 * np.eye(len(ridge)), slope[..., None])[..., 0]
        at = at + _climbing(design, events, weights, penalty, at, step)
        if np.abs(step).max() < TOLERANCE:
            break
    return at


def _climbing(
    design: Float[ndarray, "draw case coefficient"], events: Float[ndarray, " case"],
    weights: Float[ndarray, "draw case"], penalty: float, at: Float[ndarray, "draw coefficient"],
    step: Float[ndarray, "draw coefficient"],
) -> Float[ndarray, "draw coefficient"]:  # fmt: skip
    """``step``, halved in those draws where it would overshoot."""
    before = _likelihood(design, events, weights, penalty, at)
    for _ in range(30):
        worse = _likelihood(design, events, weights, penalty, at + step) < before - 1e-9 * np.abs(before)
        if not worse.any():
            break
        step = np.where(worse[:, None], step / 2, step)
    return step


def _likelihood(
    design: Float[ndarray, "draw case coefficient"], events: Float[ndarray, " case"],
    weights: Float[ndarray, "draw case"], penalty: float, at: Float[ndarray, "draw coefficient"],
) -> Float[ndarray, " draw"]:  # fmt: skip
    odds = (design @ at[..., None])[..., 0]
    fits = (weights * (events * odds - np.logaddexp(0, odds))).sum(1)
    return fits - penalty / 2 * (at[:, 1:] ** 2).sum(1)
