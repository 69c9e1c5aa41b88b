"""Folders of sweeps, made of numbers: as `fusion sweep` leaves them, without images."""

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from fusion.config import dump, parse
from tests.evaluate.sweep import made

MODELS = ("Tumor_RAD", "External2_RAD", "Clinical", "Combined")
CONFIG = """
name: made_{cell}
cohort:
  table: t.csv
  clinical: {{age: {{kind: number}}}}
network: null
evaluate: {{bootstrap: 200}}
"""
HOLDOUT, REPEATED = "holdout", "repeated"


def write(
    folder: Path, swept: Mapping[str, Sequence[str]], *overrides: str, split: str | int = HOLDOUT, cases: int = 120,
    failed: Sequence[str] = (), waiting: Sequence[str] = (), by: str | None = None, signal: float = 1.2,
    models: Sequence[str] = MODELS,
) -> Path:  # fmt: skip
    """A sweep over every combination of ``swept``; later cells know a little more.

    ``split`` is HOLDOUT, REPEATED (three rounds without a test set), or the number of outer rounds.
    """
    whole, generator = made.cohort(cases), np.random.default_rng(5)
    combinations = list(itertools.product(*swept.values()))
    rows, jobs, failures = [], [], []
    for number, values in enumerate(combinations, 1):
        name = f"c{number:02d}"
        state = "failed" if name in failed else "waiting" if name in waiting else "done"
        rows.append({"cell": name, **dict(zip(swept, values, strict=True)), "state": state})
        if state == "failed":
            failures.append((name, "", "fold_1", "case secret0003: /data/secret0003.nii: found no voxel; expected one"))
        if state == "done":
            own = _rounds(whole, split, signal * (0.7 + 0.3 * number / len(combinations)), generator, models)
            _cell(folder / "cells" / name, name, own, whole, overrides)
            jobs += [(name, round_, job, 12.5 * number) for round_ in own for job in ("fold_0", "fold_1", "finish")]
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(folder / "cells.csv", index=False)
    pd.DataFrame(jobs, columns=["cell", "round", "job", "seconds"]).to_csv(folder / "jobs.csv", index=False)
    pd.DataFrame(failures, columns=["cell", "round", "job", "message"]).to_csv(folder / "failures.csv", index=False)
    words = [f"{field}={','.join(values)}" for field, values in swept.items()]
    (folder / "sweep.yaml").write_text(yaml.safe_dump({"by": by, "words": words}))
    return folder


def _rounds(
    whole: pd.DataFrame, split: str | int, signal: float, generator: np.random.Generator, models: Sequence[str]
) -> dict[str, pd.DataFrame]:  # fmt: skip
    places = np.arange(len(whole))
    if split == HOLDOUT:
        return {"": made.round_(whole, places[::3], signal, generator, models=models)}
    if split == REPEATED:
        return {f"repeat_{n}": made.round_(whole, (), signal, generator, models=models) for n in (1, 2, 3)}
    outer = int(split)
    return {
        f"outer_{n + 1}": made.round_(whole, places[places % outer == n], signal, generator, models=models)
        for n in range(outer)
    }


def _cell(
    folder: Path, name: str, rounds: Mapping[str, pd.DataFrame], whole: pd.DataFrame, overrides: Sequence[str]
) -> None:
    folder.mkdir(parents=True)
    own = made.cell(name, rounds, whole)  # judged as the run below would
    (folder / "run.yaml").write_text(dump(parse(CONFIG.format(cell=name), overrides)))
    own.metrics.to_csv(folder / "metrics.csv", index=False)
    for round_, table in rounds.items():
        part = folder / "rounds" / round_ if round_ else folder
        part.mkdir(parents=True, exist_ok=True)
        table.to_csv(part / "predictions.csv", index=False)
        whole.to_csv(part / "cohort.csv", index=False)
        (part / "environment.json").write_text(json.dumps({"data_sha256": "ab" * 32}))
