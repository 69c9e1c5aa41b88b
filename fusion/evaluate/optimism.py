"""How much a model's apparent performance promises too much: Harrell's optimism and the .632+ estimate."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from fusion.errors import HeadError
from fusion.evaluate.calibration import brier, recalibrate
from fusion.evaluate.discrimination import auc
from fusion.evaluate.draws import bootstrap
from fusion.heads.refit import Material, fit_and_score, holds_network
from fusion.progress import each
from fusion.types import Events, Vector

CHANCE = 0.5
"""AUC without information."""
COLUMNS = (
    "model", "measure", "n", "events", "resamples", "dropped", "apparent", "optimism", "corrected", "left_out",
    "left_out_low", "left_out_high", "plus_632", "network_fixed",
)  # fmt: skip


def optimism(known: Material, models: Sequence[str], samples: int, seed: int, jobs: int = 0) -> pd.DataFrame:
    """One row a model and measure: AUC, Brier score, calibration slope.

    ``samples`` times patients of the training set are drawn with replacement and the whole model is fitted on them.
    Optimism is the mean of (measure in the resample - measure in the training set), and ``corrected`` the apparent
    measure less the optimism (Harrell 1996,
    doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4). ``left_out`` is the mean AUC over patients
    that a resample lacks, with the range of its middle 95 % (of resamples; no confidence interval), ``plus_632`` the
    estimate between it and the apparent AUC.

    Args:
        known: what the models are refitted from.
        models: names from ``combine.SOURCES`` without networks' own.
        samples: resamples.
        seed: of the draws; those of a resample do not depend on how many there are.
        jobs: worker processes; does not change a number.

    Returns:
        Columns ``COLUMNS``. ``resamples`` counts those behind a row; ``dropped`` those in which a model could not be
        fitted, a class was missing among those left out or a measure had no value. Where more are dropped than stay,
        nothing is estimated: those that stay would be no sample of all.

    Raises:
        HeadError: the training set itself cannot be fitted on.
    """
    train = known.train
    whole = fit_and_score(models, train, train, known)
    verb = partial(_resample, known=known, models=tuple(models), seed=seed)
    drawn = dict(each(verb, list(range(samples)), "optimism", jobs))
    found = pd.concat([pd.DataFrame(), *(drawn[number] for number in range(samples))], ignore_index=True)
    rows = [
        _row(model, measure, apparent, found, samples, known)
        for model in models
        for measure, apparent in measures(whole[model], known.events[train]).items()
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def measures(probability: Vector, events: Events) -> dict[str, float]:
    """AUC, Brier score and calibration slope; the slope is nan where it has no estimate."""
    slope = recalibrate(probability, events).slope
    return {"auc": auc(probability, events), "brier": brier(probability, events), "calibration_slope": slope}


def plus_632(apparent: float, left_out: float, chance: float = CHANCE) -> float:
    """The .632+ estimate of a measure that is the better the larger, ``chance`` without information.

    Efron & Tibshirani 1997, doi:10.1080/01621459.1997.10474007; for the AUC as Adler & Lausen 2009,
    doi:10.1016/j.csda.2008.09.009. The more of the apparent performance is lost among those left out, the less the
    apparent one weighs: .368 when none is lost, 0 when all is.

    >>> round(plus_632(apparent=0.9, left_out=0.7), 4)
    0.7451
    """
    left_out = max(left_out, chance)
    lost = (apparent - left_out) / (apparent - chance) if apparent > left_out else 0.0
    weight = 0.632 / (1 - 0.368 * lost)
    return (1 - weight) * apparent + weight * left_out


def _resample(number: int, known: Material, models: tuple[str, ...], seed: int) -> pd.DataFrame:
    """Measures in the resample, in the training set and among those left out: a row a model, none where no fit is."""
    train = known.train
    drawn = bootstrap(known.cohort, np.random.default_rng([seed, number]))
    try:
        probability = fit_and_score(models, drawn, train, known)
    except HeadError:  # counted as dropped
        return pd.DataFrame()
    events, place, out = known.events[train], np.searchsorted(train, drawn), ~np.isin(train, drawn)
    rows = []
    for model, own in probability.items():
        inside, all_ = measures(own[place], events[place]), measures(own, events)
        known_out = len(np.unique(events[out])) == 2
        rows.append(
            {"model": model, "left_out": auc(own[out], events[out]) if known_out else np.nan,
             **{f"{name}_gap": inside[name] - all_[name] for name in inside}}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _row(
    model: str, measure: str, apparent: float, found: pd.DataFrame, samples: int, known: Material
) -> dict[str, object]:
    own = found[found["model"] == model].dropna(subset=f"{measure}_gap") if len(found) else found
    if measure == "auc" and len(own):
        own = own.dropna(subset="left_out")
    enough = len(own) > samples / 2
    gap = float(own[f"{measure}_gap"].mean()) if enough else float("nan")
    row: dict[str, object] = {
        "model": model, "measure": measure, "n": len(known.train), "events": int(known.events[known.train].sum()),
        "resamples": len(own), "dropped": samples - len(own), "apparent": apparent, "optimism": gap,
        "corrected": apparent - gap, "network_fixed": holds_network(model, known),
    }  # fmt: skip
    if measure == "auc" and enough:
        low, high = np.quantile(own["left_out"], [0.025, 0.975])
        left_out = float(own["left_out"].mean())
        row |= {"left_out": left_out, "left_out_low": low, "left_out_high": high,
                "plus_632": plus_632(apparent, left_out)}  # fmt: skip
    return row
