"""A small made-up cohort of slices on disk for any config with sequences: a disc whose grey value tells the outcome."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from fusion.config.cohort import Cohort, Number

SIDE = 48


def cohort(folder: Path, cohort: Cohort, each: int = 6, seed: int = 0) -> Path:
    """``folder``/own.csv with ``each`` cases of every outcome value that a task names; returns its path.

    The first case lacks the last of several sequences.
    """
    rng = np.random.default_rng(seed)
    values = dict.fromkeys(str(v) for task in cohort.tasks.values() for own in task.classes.values() for v in own)
    rows = [
        {cohort.case: f"c{number}-{kind}", cohort.patient: f"p{number}-{kind}", cohort.outcome: value,
         **scans(folder, f"c{number}-{kind}", cohort, kind, rng), **clinical(cohort, rng)}
        for number in range(each)
        for kind, value in enumerate(values)
    ]  # fmt: skip
    columns = list(dict.fromkeys(own.column for own in cohort.sequences.values()))
    if len(columns) > 1:
        rows[0][columns[-1]] = ""
    pd.DataFrame(rows).to_csv(folder / "own.csv", index=False)
    return folder / "own.csv"


def scans(folder: Path, case: str, cohort: Cohort, kind: int, rng: np.random.Generator) -> dict[str, str]:
    """Pictures and masks of one case, by column."""
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2 + rng.uniform(-3, 3, (2, 1, 1))
    tumour = y**2 + x**2 < rng.uniform(8, 11) ** 2
    pictures = {}
    for own in cohort.sequences.values():
        grey = 60 + tumour * (20 + 25 * kind) + rng.normal(0, 12, tumour.shape)
        pictures[own.column] = grey.clip(0, 255).astype(np.uint8)
        if own.mask is not None:
            pictures[own.mask] = tumour.astype(np.uint8) * cohort.label
    for column, pixels in pictures.items():
        Image.fromarray(pixels).save(folder / f"{case}_{column}.png")
    return {column: f"{case}_{column}.png" for column in pictures}


def clinical(cohort: Cohort, rng: np.random.Generator) -> dict[str, object]:
    """A value of every clinical column, unrelated to anything."""
    return {
        column: rng.uniform(kind.low or 0, kind.high or 100) if isinstance(kind, Number)
        else str(rng.choice([str(value) for value in kind.values]))
        for column, kind in cohort.clinical.items()
    }  # fmt: skip
