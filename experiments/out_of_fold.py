"""Out-of-fold AUC of a run's networks, with DeLong intervals on the logit scale."""

from pathlib import Path

import pandas as pd

from fusion.config.run import Run
from fusion.evaluate.discrimination import auc, delong_interval
from fusion.flow.run import TRAIN, part

COLUMNS = ["source", "n", "events", "auc", "auc_low", "auc_high"]


def networks(run: Run) -> pd.DataFrame:
    """Train what is missing and judge each source on the training cases, every one by networks that never saw it."""
    return judged(part(run, TRAIN))


def judged(folder: Path) -> pd.DataFrame:
    """One row a source, columns `COLUMNS`."""
    scores = pd.read_parquet(folder / "features/deep_scores.parquet").query("set == 'train'")
    events = pd.read_csv(folder / "cohort.csv", dtype={"case": str}).set_index("case")["event"]
    rows = []
    for source, own in scores.groupby("source", sort=False):
        outcome = events.loc[own["case"]].to_numpy()
        score = own["score"].to_numpy()
        rows.append((source, len(own), int(outcome.sum()), auc(score, outcome), *delong_interval(score, outcome)))
    return pd.DataFrame(rows, columns=COLUMNS)
