"""What the paper's plain reading promises too much: in-sample against unseen AUC, beside the honest stacking."""

from pathlib import Path

import numpy as np
import pandas as pd

from fusion.config.run import Run
from fusion.evaluate import discrimination
from fusion.report.results import Results, read
from fusion.report.words import SETS, interval, number
from fusion.store import write_csv

FILE = "predictions_paper_literal.csv"
TABLE = "tables/optimism.csv"


def write(folder: Path, run: Run) -> Path | None:
    """tables/optimism.csv of a run with `heads.stacking=paper_literal`; returns its path, or None for other runs.

    Columns: model; set, the unseen one (test, else external, else train_oof), and its n; the AUC of the plain reading
    in-sample (literal_train) and on unseen cases (literal) and of the honest stacking there (honest), each with its
    interval (_low, _high); optimism = literal_train - literal.

    Raises:
        RunError: the run is not finished.
    """
    if not (folder / FILE).is_file():
        return None
    write_csv(folder / TABLE, optimism(read(folder, run), pd.read_csv(folder / FILE, dtype={"case": str})))
    return folder / TABLE


def optimism(results: Results, literal: pd.DataFrame) -> pd.DataFrame:
    """The rows of tables/optimism.csv, from the literal predictions."""
    unseen, honest = results.sets[0], results.rows(results.sets[0])
    rows = []
    for model, own in literal.groupby("model", sort=False):
        apart = own[own["set"] == unseen]
        seen, fresh = _auc(own[own["set"] == "train"], results.run), _auc(apart, results.run)
        known = honest.loc[str(model)]
        rows.append(
            {"model": model, "set": unseen, "n": len(apart),
             **dict(zip(("literal_train", "literal_train_low", "literal_train_high"), seen, strict=True)),
             **dict(zip(("literal", "literal_low", "literal_high"), fresh, strict=True)),
             "honest": known["auc"], "honest_low": known["auc_low"], "honest_high": known["auc_high"],
             "optimism": seen[0] - fresh[0]}
        )  # fmt: skip
    return pd.DataFrame(rows)


def lines(folder: Path) -> list[str]:
    """The optimism of each model in words, or nothing where the run has none."""
    if not (folder / TABLE).is_file():
        return []
    told = [
        f"{row['model']}: in-sample AUC {number(row['literal_train'])}, {SETS[row['set']]} {number(row['literal'])}, "
        f"optimism {number(row['optimism'])}; honest stacking {number(row['honest'])}"
        for _, row in pd.read_csv(folder / TABLE).iterrows()
    ]
    return ["The paper's plain reading, which leaks (heads.stacking=paper_literal):", *told]


def shown(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of tables/optimism.csv as the page prints them."""
    table = pd.DataFrame({"Model": rows["model"], "n": rows["n"]})
    heads = {"literal_train": "In-sample", "literal": "Unseen", "honest": "Unseen, honest stacking"}
    for name, head in heads.items():
        ends = zip(rows[f"{name}_low"], rows[f"{name}_high"], strict=True)
        spans = [interval(low, high) for low, high in ends]
        table[head] = [f"{number(value)} ({span})" for value, span in zip(rows[name], spans, strict=True)]
    return table.assign(Optimism=rows["optimism"].map(number))


def _auc(own: pd.DataFrame, run: Run) -> tuple[float, float, float]:
    """AUC with its bootstrap interval; the same draws for every model, as they are compared."""
    probability, events = own["probability"].to_numpy(), own["event"].to_numpy()
    generator = np.random.default_rng(run.seed)
    low, high = discrimination.bootstrap_interval(
        probability, events, generator, run.evaluate.bootstrap, run.evaluate.confidence
    )
    return discrimination.auc(probability, events), low, high
