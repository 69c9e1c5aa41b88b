"""Splits of several rounds: who is tested in each, and the folds of those that it learns from."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from fusion.config.split import LeaveOneScannerOut, Nested, Repeated, Rounds
from fusion.config.tasks import Task
from fusion.data import split_classes, split_draw
from fusion.data.split_column import ON
from fusion.errors import CohortError, Fault

OTHERS = "others"
"""The round of all scanners that are too small for one of their own."""
UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")
Tasks = Mapping[str, Task]


def whole(rows: pd.DataFrame, split: Rounds, seed: int, tasks: Tasks | None) -> pd.DataFrame:
    """Columns case, patient, set, fold: all in the training set, fold the place of the round that tests the case.

    Of repeated rounds it is the fold in the first.

    Raises:
        CohortError: fewer patients of a class than rounds or folds.
    """
    if isinstance(split, Repeated):
        return split_draw.drawn(rows, _everyone(rows), split.folds, seed, tasks)
    places = _outer(rows, split, seed, tasks)
    return split_draw.table(rows, _everyone(rows), places)


def rounds(rows: pd.DataFrame, split: Rounds, seed: int, tasks: Tasks | None) -> dict[str, pd.DataFrame]:
    """The table of each round by its name.

    Raises:
        CohortError: every fault of every round, with the round's name.
    """
    found, faults = {}, []
    for name, sets, own_seed in _rounds(rows, split, seed, tasks):
        try:
            found[name] = split_draw.drawn(rows, sets, split.folds, own_seed, tasks)
        except CohortError as error:
            faults += [replace(fault, found=f"{fault.found}, round {name}") for fault in error.faults]
    if faults:
        raise CohortError(faults)
    return found


def _rounds(
    rows: pd.DataFrame, split: Rounds, seed: int, tasks: Tasks | None
) -> Iterator[tuple[str, pd.Series, int]]:  # fmt: skip
    """Name, sets by patient and seed of the folds of each round."""
    if isinstance(split, Repeated):
        for number in range(split.repeats):
            yield _numbered("repeat", number, split.repeats), _everyone(rows), _seed(seed, number)
        return
    places = _outer(rows, split, seed, tasks)
    for number, name in enumerate(_names(rows, split, tasks)):
        yield name, (places == number).map({True: "test", False: "train"}), _seed(seed, number + 1)


def _names(rows: pd.DataFrame, split: Nested | LeaveOneScannerOut, tasks: Tasks | None) -> list[str]:
    if isinstance(split, Nested):
        return [_numbered("outer", number, split.outer) for number in range(split.outer)]
    return _safe(list(_places(rows, split, tasks)))


def _outer(rows: pd.DataFrame, split: Nested | LeaveOneScannerOut, seed: int, tasks: Tasks | None) -> pd.Series:
    """The place of the round that tests each patient."""
    if isinstance(split, LeaveOneScannerOut):
        places = {scanner: number for number, own in enumerate(_places(rows, split, tasks).values()) for scanner in own}
        return rows.groupby("patient", sort=True)[ON].first().map(places)
    folds = split_draw.folds(rows, split.outer, seed, "split.outer")
    table = split_draw.table(rows, _everyone(rows), folds)
    if "event" not in rows and (
        faults := split_classes.lacking(table, rows["outcome"], split.outer, tasks, "split.outer")
    ):
        raise CohortError(faults)
    return folds


def _places(rows: pd.DataFrame, split: LeaveOneScannerOut, tasks: Tasks | None) -> dict[str, list[str]]:
    """The scanners of each round, by scanner, those with too few patients of a class together if asked.

    Raises:
        CohortError: every scanner with too few patients of a class, or fewer than two rounds.
    """
    scanners = sorted(set(rows[ON]))
    short = {name: few for name in scanners if (few := _short(rows, [name], split, tasks))}
    if not split.pool_small:
        faults = [_few(f"scanner {name}", few, split) for name, few in short.items()]
        places = {name: [name] for name in scanners}
    else:
        places = {name: [name] for name in scanners if name not in short}
        if short:
            places[OTHERS if OTHERS not in places else f"{OTHERS} "] = list(short)
        lacking = _short(rows, list(short), split, tasks) if short else {}
        faults = [_few(f"all small scanners together ({', '.join(short)})", lacking, split)] if lacking else []
    if not faults and len(places) < 2:
        found = f"{len(places)} round{'' if len(places) == 1 else 's'} of scanners {', '.join(scanners)}"
        faults = [Fault(found, "two or more", "take another split.kind or split.column")]
    if faults:
        raise CohortError(faults)
    return places


def _short(rows: pd.DataFrame, scanners: list[str], split: LeaveOneScannerOut, tasks: Tasks | None) -> dict[str, int]:
    """Classes of which the scanners have too few patients, with how many they have."""
    counts = split_classes.counts(rows, tasks, rows[ON].isin(scanners))
    return {which: count for which, count in counts.items() if count < split.fewest}


def _few(who: str, found: dict[str, int], split: LeaveOneScannerOut) -> Fault:
    counted = " and ".join(f"{split_classes.patients(count)} {which}" for which, count in found.items())
    pooled = "" if split.pool_small else "set split.pool_small=true, "
    remedy = f"{pooled}lower split.fewest, or add patients"
    return Fault(f"{counted} on {who}", f"{split.fewest} or more of every class to be tested", remedy)


def _everyone(rows: pd.DataFrame) -> pd.Series:
    return pd.Series("train", index=sorted(set(rows["patient"])))


def _numbered(word: str, number: int, total: int) -> str:
    return f"{word}_{number + 1:0{len(str(total))}d}"


def _safe(names: list[str]) -> list[str]:
    """Names of folders, different also where capitals are not told apart.

    >>> _safe(["GE/16", "ge 16", "Philips"])
    ['GE_16', 'ge_16_2', 'Philips']
    """
    found: list[str] = []
    for name in names:
        base = made = UNSAFE.sub("_", name).strip("_.-") or "scanner"
        number = 1
        while made.lower() in map(str.lower, found):
            number += 1
            made = f"{base}_{number}"
        found.append(made)
    return found


def _seed(seed: int, number: int) -> int:
    """A seed of its own for each round's folds; the first draw's is the run's."""
    return seed if number == 0 else int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
