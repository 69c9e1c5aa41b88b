"""Whether heads.harmonise can be fitted in every fold, told before any work."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from fusion.config.harmonise import Combat
from fusion.config.run import Run
from fusion.errors import Fault
from fusion.heads.combat import CONFOUNDED, LEAST, confounded, unlearned
from fusion.heads.harmonise import columns
from fusion.heads.parts import FINAL, folds, parts


def unmet(cases: pd.DataFrame, run: Run) -> list[Fault]:
    """What keeps ComBat from being fitted in some fold; nothing where it is not asked for.

    Args:
        cases: columns case, set, fold, clinical columns, and scanner if the table has one.
        run: its ``heads.harmonise`` says what is asked.
    """
    choice = run.heads.harmonise
    if choice is None:
        return []
    faults = _columns(cases, run, choice) or list(_by_fold(cases, choice))
    return [replace(fault, file=str(run.cohort.table)) for fault in faults]


def _columns(cases: pd.DataFrame, run: Run, choice: Combat) -> list[Fault]:
    faults, off = [], "or set heads.harmonise=null"
    absent = [name for name in choice.covariates if name not in run.cohort.clinical]
    if absent:
        found = f"heads.harmonise.covariates names {', '.join(absent)}"
        faults.append(
            Fault(found, "clinical columns, described in cohort.clinical", "change heads.harmonise.covariates")
        )
    if "scanner" not in cases:
        found, expected = f"no column {run.cohort.scanner!r}", "the scanner of every case, as heads.harmonise is set"
        return [*faults, Fault(found, expected, f"add it, set cohort.scanner, {off}")]
    nameless = cases["case"][cases["scanner"] == ""]
    return faults + [Fault("no scanner", "one, as heads.harmonise is set", f"fill the cell {off}", case)
                     for case in nameless]  # fmt: skip


def _by_fold(cases: pd.DataFrame, choice: Combat) -> Iterator[Fault]:
    """Each scanner that cannot be learned once, with the first part that lacks it; the rest for the first such part."""
    named: set[str] = set()
    scanner, covariates = cases["scanner"].to_numpy(str), columns(cases, choice)
    for fold in folds(cases):
        fit, _ = parts(cases, fold)
        place = "the training set" if fold == FINAL else f"the training part of fold {fold}"
        learned = [name for name in np.unique(scanner) if (scanner[fit] == name).sum() >= LEAST]
        rare = np.setdiff1d(scanner, learned)
        if len(rare) and choice.unseen == "refuse":
            if new := [name for name in rare if name not in named]:
                yield unlearned(np.array(new), place)
            named |= {*new}
        elif len(learned) < 2:
            found = f"{len(learned)} scanner{'' if len(learned) == 1 else 's'} with {LEAST} cases or more in {place}"
            yield Fault(found, "two to align", "set heads.harmonise=null")
            return
        else:
            known = fit & np.isin(scanner, learned)
            one_hot = scanner[known][:, None] == learned
            if confounded(np.concatenate([one_hot, covariates[known]], axis=1)):
                yield CONFOUNDED
                return
