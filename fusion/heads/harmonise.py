"""Harmonisation in the fold: ComBat fitted on the cases that the fold's head is fitted on, applied to all."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from jaxtyping import Bool
from numpy import ndarray

from fusion.config.harmonise import Combat
from fusion.errors import Fault
from fusion.heads.combat import CONFOUNDED, LEAST, ComBat, Covariates, confounded, unlearned
from fusion.heads.parts import FINAL, folds, parts


def harmonised(
    table: pd.DataFrame, cohort: pd.DataFrame, fit: Bool[ndarray, " case"], choice: Combat | None
) -> pd.DataFrame:  # fmt: skip
    """``table`` as if every case came from the average scanner, learned from the cases ``fit`` alone.

    Args:
        table: features, one row a case in the order of ``cohort``.
        cohort: a column ``scanner``, and those of ``choice.covariates``.
        fit: cases to learn from.
        choice: null gives ``table`` back.

    Raises:
        HeadError: a scanner that cannot be learned, unless ``choice.unseen`` is ``as_is``.
    """
    if choice is None:
        return table
    scanner, covariates = cohort["scanner"].to_numpy(str), columns(cohort, choice)
    own = ComBat(choice.mean_only, choice.unseen)
    own.fit(table.to_numpy(float)[fit], scanner[fit], covariates[fit])
    return pd.DataFrame(own.transform(table.to_numpy(float), scanner, covariates), table.index, table.columns)


def columns(cohort: pd.DataFrame, choice: Combat) -> Covariates:
    """The covariates as numbers: a number as it is, a category as one 0/1 column a level but the first."""
    chosen = pd.get_dummies(cohort[list(choice.covariates)], drop_first=True, dtype=float)
    return chosen.to_numpy(float).reshape(len(cohort), -1)


def unmet(cohort: pd.DataFrame, choice: Combat) -> list[Fault]:
    """What keeps ComBat from being fitted in some fold, told before any work.

    Args:
        cohort: case, set, fold, event, and scanner if the table has one.
        choice: what is asked.
    """
    if "scanner" not in cohort:
        remedy = "add the column, set cohort.scanner, or set heads.harmonise=null"
        return [Fault("no scanner column, and heads.harmonise is set", "the scanner of every case", remedy)]
    remedy = "fill the cell, or set heads.harmonise=null"
    faults = [Fault("no scanner", "the scanner of every case, as heads.harmonise is set", remedy, case)
              for case in cohort["case"][cohort["scanner"] == ""]]  # fmt: skip
    absent = [name for name in choice.covariates if name not in cohort]
    if absent:
        found, remedy = f"covariates {', '.join(absent)}", "change heads.harmonise.covariates"
        faults.append(Fault(found, "clinical columns of cohort.clinical", remedy))
    return faults or list(dict.fromkeys(_by_fold(cohort, choice)))


def _by_fold(cohort: pd.DataFrame, choice: Combat) -> Iterator[Fault]:
    scanner, covariates = cohort["scanner"].to_numpy(str), columns(cohort, choice)
    for fold in folds(cohort):
        fit, _ = parts(cohort, fold)
        place = "the training set" if fold == FINAL else f"the training part of fold {fold}"
        learned = [name for name in np.unique(scanner) if (scanner[fit] == name).sum() >= LEAST]
        rare = np.setdiff1d(scanner, learned)
        if len(rare) and choice.unseen == "refuse":
            yield unlearned(rare, place)
        elif len(learned) < 2:
            yield Fault(f"{len(learned)} scanners with {LEAST} cases or more in {place}", "two to align",
                        "set heads.harmonise=null")  # fmt: skip
        else:
            known = fit & np.isin(scanner, learned)
            one_hot = scanner[known][:, None] == learned
            if confounded(np.concatenate([one_hot, covariates[known]], axis=1)):
                yield CONFOUNDED
