"""How a model of several classes judges: by one source's scores, calibrated, or by a multinomial regression."""

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from fusion.config.heads import Heads
from fusion.heads.calibrate import class_calibration
from fusion.heads.classes import Chances, chances, told
from fusion.heads.logistic import fusion_head
from fusion.heads.parts import Fitted, parts, word

SELECTION = ("model", "fold", "class", "feature", "coefficient", "rank")


def as_it_is(
    model: str, fold: int, inputs: pd.DataFrame, learned: pd.DataFrame, cohort: pd.DataFrame, classes: tuple[str, ...]
) -> Fitted:  # fmt: skip
    """A ``combine.Judge`` that reads ``inputs``, a score a class, as probabilities."""
    _, apart = parts(cohort, fold)
    return Fitted(_rows(model, cohort[apart], chances(inputs.to_numpy()[apart]), classes), pd.DataFrame())


def calibrated(
    model: str, fold: int, inputs: pd.DataFrame, learned: pd.DataFrame, cohort: pd.DataFrame, classes: tuple[str, ...],
    heads: Heads,
) -> Fitted:  # fmt: skip
    """A ``combine.Judge`` that calibrates a network's scores, a column a class, before it reads them."""
    fit, apart = parts(cohort, fold)
    scores = inputs.to_numpy()
    own = class_calibration(heads, scores[fit], cohort["label"].to_numpy()[fit])
    rows = _rows(model, cohort[apart], chances(own(scores[apart])), classes)
    numbers = {"model": model, "fold": word(fold), "class": classes, "factor": own.factor, "offset": own.offsets}
    return Fitted(rows, pd.DataFrame(), calibration=pd.DataFrame(numbers))


def regression(
    model: str, fold: int, inputs: pd.DataFrame, learned: pd.DataFrame, cohort: pd.DataFrame, classes: tuple[str, ...],
    heads: Heads,
) -> Fitted:  # fmt: skip
    """A ``combine.Judge`` by a multinomial regression on the scores of every class and the clinical predictors."""
    fit, apart = parts(cohort, fold)
    head = fusion_head(heads).fit(learned.to_numpy()[fit], cohort["label"].to_numpy()[fit])
    found = head.predict_proba(inputs.to_numpy()[apart]) if apart.any() else np.empty((0, len(classes)))
    kept = [_kept(head, number, list(inputs.columns)).assign(**{"class": name}) for number, name in enumerate(classes)]
    selection = pd.concat(kept, ignore_index=True).assign(model=model, fold=word(fold))
    return Fitted(_rows(model, cohort[apart], found, classes), selection[list(SELECTION)])


def _kept(head: Pipeline, number: int, names: list[str]) -> pd.DataFrame:
    """Coefficients of one class on standardised predictors, the largest first."""
    table = pd.DataFrame({"feature": names, "coefficient": head.steps[-1][1].coef_[number]})
    table["rank"] = table["coefficient"].abs().rank(ascending=False, method="first").astype(int)
    return table.sort_values("rank", ignore_index=True)


def _rows(model: str, cases: pd.DataFrame, found: Chances, classes: tuple[str, ...]) -> pd.DataFrame:
    return told(cases.assign(model=model, set=cases["set"].replace({"train": "train_oof"})), found, classes)
