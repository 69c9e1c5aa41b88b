"""How well size alone ranks the cases of a cohort table: the number that any other model has to beat.

python experiments/size_only.py runs/data/lidc/cohort.csv --outcome label --positive malignant --size diameter_mm
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import typer

from fusion.errors import CohortError, Fault
from fusion.evaluate.discrimination import auc, delong_interval


def size_only(table: Path, outcome: str, positive: str, size: str, confidence: float = 0.95) -> pd.DataFrame:
    """AUC of ``size`` with DeLong's interval on the log-odds scale: over all cases, then by set where there are sets.

    Nothing is fitted, so no split is needed: a larger size counts as more likely positive, also where that is wrong.
    An AUC of exactly 0 or 1 has no such interval: nan.

    Raises:
        CohortError: no such table or column, a size that is no finite number, or a set with one class only.
    """
    cases = _read(table, outcome, size)
    groups = [("all", cases)]
    if "set" in cases:
        groups += [(str(name), group) for name, group in cases.groupby("set", sort=False)]
    return pd.DataFrame([_row(name, group, outcome, positive, size, confidence, table) for name, group in groups])


def _read(table: Path, outcome: str, size: str) -> pd.DataFrame:
    try:
        cases = pd.read_csv(table, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise CohortError(Fault(f"no readable table ({error})", "a CSV", "check the path", file=str(table))) from error
    absent = [name for name in (outcome, size) if name not in cases]
    if absent:
        found = f"no column {', '.join(absent)} (columns: {', '.join(cases.columns)})"
        raise CohortError(Fault(found, "outcome and size", "set --outcome and --size", file=str(table)))
    cases[size] = pd.to_numeric(cases[size], errors="coerce")
    missing = int((~np.isfinite(cases[size])).sum())
    if missing:
        found = f"{missing} cases whose {size} is no finite number"
        raise CohortError(Fault(found, "a size in every row", "fill them", file=str(table)))
    return cases


def _row(
    name: str, cases: pd.DataFrame, outcome: str, positive: str, size: str, confidence: float, table: Path
) -> dict[str, str | int | float]:
    events = (cases[outcome] == positive).to_numpy(dtype=int)
    if not 0 < events.sum() < len(events):
        found = f"{events.sum()} of {len(events)} cases with {outcome} = {positive} (set: {name})"
        raise CohortError(Fault(found, "cases of both classes", "check --positive", file=str(table)))
    sizes = cases[size].to_numpy(dtype=float)
    low, high = delong_interval(sizes, events, confidence)
    return {"set": name, "n": len(events), "events": int(events.sum()), "auc": auc(sizes, events),
            "auc_low": low, "auc_high": high}  # fmt: skip


def main(table: Path, outcome: str = "malignant", positive: str = "1", size: str = "diameter_mm") -> None:
    """Print the AUC of size alone in TABLE, a cohort.csv."""
    try:
        found = size_only(table, outcome, positive, size)
    except CohortError as error:
        sys.exit(str(error))
    print(f"AUC of {size} alone for {outcome} = {positive}, 95% DeLong interval (log-odds scale)")
    print(found.round(3).to_string(index=False))


if __name__ == "__main__":
    typer.run(main)
