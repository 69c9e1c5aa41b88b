"""Heads beyond the papers', measured on tables of radiomics features before one of them becomes a default.

    python experiments/heads/run.py runs/heads lidc-T=FEATURES.parquet:COHORT.csv "both=A.parquet+B.parquet:COHORT.csv"

A table is NAME=FEATURES[+FEATURES]:COHORT: parquet files with the index case, put side by side, and a CSV with columns
case, patient and event, such as a run's features/radiomics_*.parquet and cohort.csv. Every head is fitted and judged on
the same folds: stratified by outcome, parted by patient, drawn anew in every repeat; selection, scaling and penalties
are inside the fold. Writes OUT/heads.csv (a row a table, repeat and head) and OUT/heads.md, and ends with one line of
JSON: mean differences of AUC to the paper's recipe. A table that OUT/heads.csv has already is not measured again.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Memory
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from threadpoolctl import threadpool_limits

from fusion.config.heads import Heads
from fusion.evaluate.calibration import recalibrate
from fusion.heads.average import MeanLogOdds
from fusion.heads.logistic import log_odds, probability, radiomics_head
from fusion.store import write_csv, write_text

ALL = {"selector": {"kind": "all"}}
QUANTILE = {**ALL, "scale": "quantile_normal", "correlation": None, "c": 0.01}
FOREST = {**ALL, "learner": {"kind": "random_forest"}}
BOOSTING = {**ALL, "learner": {"kind": "gradient_boosting"}}
ANOVA_64 = {**ALL, "prefilter": {"kind": "anova"}, "c": 0.5}
REFERENCE = "paper"
HEADS: dict[str, dict[str, Any]] = {
    REFERENCE: {"preset": "paper"},
    "default": {},
    "default, correlation .90": {"correlation": 0.9},
    "default, LASSO one_se": {"selector": {"kind": "lasso", "rule": "one_se"}},
    "default, elastic net": {"selector": {"kind": "elastic_net"}},
    "default, mRMR": {"selector": {"kind": "mrmr"}},
    "default, stability": {"selector": {"kind": "stability"}},
    "default, 10 events a feature": {"events_per_variable": 10},
    "robust": {"preset": "robust"},
    "quantile, ridge on all": QUANTILE,
    "ANOVA 64, correlation, C .5": ANOVA_64,
    "quantile, correlation, ANOVA 64": {
        "scale": "quantile_normal", "selector": {"kind": "top_k"}, "top": 64
    },
    "elastic-net regression on all": {**ALL, "learner": {"kind": "elastic_net"}, "c": 0.1},
    "gradient boosting": BOOSTING,
    "random forest": FOREST,
    "average: default, quantile, forest": {"learner": {"kind": "average", "of": [{}, QUANTILE, FOREST]}},
}  # fmt: skip
COLUMNS = ("table", "repeat", "head", "auc", "brier", "slope", "seconds")


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("out", type=Path)
    words.add_argument("tables", nargs="+", help="NAME=FEATURES[+FEATURES]:COHORT")
    words.add_argument("--repeats", type=int, default=5)
    words.add_argument("--folds", type=int, default=5)
    words.add_argument("--heads", nargs="*", default=list(HEADS), choices=list(HEADS), metavar="HEAD")
    words.add_argument("--lasso-folds", type=int, default=10)
    given = words.parse_args()
    kept = given.out / "heads.csv"
    rows = pd.read_csv(kept) if kept.is_file() else pd.DataFrame(columns=list(COLUMNS))
    names = list(dict.fromkeys([REFERENCE, *given.heads]))
    with threadpool_limits(1):
        for word in given.tables:
            name = word.partition("=")[0]
            if name not in set(rows["table"]):
                made = pd.DataFrame(measured(word, names, given.repeats, given.folds, given.lasso_folds))
                rows = pd.concat([rows, made], ignore_index=True) if len(rows) else made
                write_csv(kept, rows)
                print(f"{name}: done", flush=True)
    text = markdown(rows)
    write_text(given.out / "heads.md", text)
    print(text)
    print(json.dumps(differences(rows)["auc"].round(6).to_dict()))


def measured(word: str, names: Sequence[str], repeats: int, folds: int, lasso_folds: int) -> Iterator[dict[str, Any]]:
    """A row a repeat and head of one table."""
    name, table, cohort = read(word)
    event, patient = cohort["event"].to_numpy(), cohort["patient"].to_numpy()
    for repeat in range(repeats):
        odds = {head: np.full(len(event), np.nan) for head in names}
        seconds = dict.fromkeys(names, 0.0)
        draw = StratifiedGroupKFold(folds, shuffle=True, random_state=repeat)
        for fit, apart in draw.split(table, event, patient):
            with tempfile.TemporaryDirectory() as folder:
                for head in names:
                    start = time.perf_counter()
                    made = remembered(head, repeat, lasso_folds, Memory(folder, verbose=0))
                    odds[head][apart] = log_odds(made.fit(table[fit], event[fit]), table[apart])
                    seconds[head] += time.perf_counter() - start
        for head in names:
            yield {"table": name, "repeat": repeat, "head": head, **judged(odds[head], event),
                   "seconds": seconds[head] / folds}  # fmt: skip


def read(word: str) -> tuple[str, np.ndarray, pd.DataFrame]:
    """Name, features (cases x columns) and cases of a table."""
    name, _, paths = word.partition("=")
    features, _, cohort = paths.rpartition(":")
    cases = pd.read_csv(cohort, dtype={"case": str, "patient": str})
    parts = [pd.read_parquet(path).rename(index=str).loc[cases["case"]] for path in features.split("+")]
    return name, np.concatenate([part.to_numpy(float) for part in parts], axis=1), cases


def remembered(name: str, seed: int, lasso_folds: int, memory: Memory) -> Any:
    """The head; a selection that two heads share is made once, so seconds are those of what is new."""
    head = radiomics_head(Heads(**{"lasso_folds": lasso_folds, **HEADS[name]}), seed)
    for own in head.heads if isinstance(head, MeanLogOdds) else (head,):
        own.set_params(memory=memory)
    return head


def judged(odds: np.ndarray, event: np.ndarray) -> dict[str, float]:
    """AUC, Brier score and calibration slope of the pooled out-of-fold probabilities."""
    found = probability(odds)
    return {"auc": float(roc_auc_score(event, found)), "brier": float(brier_score_loss(event, found)),
            "slope": recalibrate(found, event).slope}  # fmt: skip


def differences(rows: pd.DataFrame) -> pd.DataFrame:
    """By head: mean difference of AUC, Brier score and slope to the paper's recipe, paired over tables and repeats."""
    wide = rows.pivot(index=["table", "repeat"], columns="head", values=["auc", "brier", "slope"])
    order = list(rows["head"].unique())
    means = {
        value: (wide[value].sub(wide[value][REFERENCE], axis=0)).groupby("table").mean().mean()
        for value in ("auc", "brier", "slope")
    }
    return pd.DataFrame(means).loc[order]


def markdown(rows: pd.DataFrame) -> str:
    """Means over repeats: AUC of every table, then what all tables have in common."""
    tables, order = list(rows["table"].unique()), list(rows["head"].unique())
    auc = rows.pivot_table(index="head", columns="table", values="auc").loc[order, tables]
    means = rows.groupby(["head", "table"])[["brier", "slope", "seconds"]].mean().groupby("head").mean().loc[order]
    apart, spread = differences(rows), _spread(rows)
    lines = [_row(["head", *tables, "mean AUC", "minus paper", "Brier", "slope", "s a fit"]),
             "| --- " * (len(tables) + 6) + "|"]  # fmt: skip
    for head in order:
        own = means.loc[head]
        gap = "0" if head == REFERENCE else _apart(apart["auc"][head], spread[head])
        cells = [*(f"{value:.3f}" for value in auc.loc[head]), f"{auc.loc[head].mean():.3f}", gap]
        lines.append(_row([head, *cells, f"{own['brier']:.3f}", _known(own["slope"], ".2f"), f"{own['seconds']:.1f}"]))
    counts = rows.groupby("table")["repeat"].nunique()
    note = f"Mean over {counts.min()} repeats, each over all out-of-fold cases; ± standard error over tables."
    return "\n".join(lines) + f"\n\n{note}\n"


def _spread(rows: pd.DataFrame) -> pd.Series:
    """Standard error over tables of the difference of AUC; nan with one table."""
    wide = rows.pivot_table(index="table", columns="head", values="auc")
    apart = wide.sub(wide[REFERENCE], axis=0)
    return apart.std(ddof=1) / np.sqrt(len(apart))


def _apart(gap: float, error: float) -> str:
    return f"{gap:+.3f}" if np.isnan(error) else f"{gap:+.3f} ± {error:.3f}"


def _known(value: float, form: str) -> str:
    """A dash where nothing was found: classes that are separated have no calibration slope."""
    return "–" if np.isnan(value) else format(value, form)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
