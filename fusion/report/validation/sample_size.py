"""Whether the cohort was large enough: to develop the models, and to judge and compare them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from fusion.evaluate import sample_size
from fusion.report.blocks import Block, Folded, Heading, Prose, Rows
from fusion.report.results import Results
from fusion.report.words import SETS, UNKNOWN, number

POOR = 0.15
"""Share of the largest R2 that Riley 2020 advises to expect where nothing is known."""
CORRELATIONS = (0.5, 0.7)
WIDTH = 0.1
READ = (
    "Needed: the largest of what three aims ask for (predictor effects shrunk by 10% at most, apparent and adjusted R² "
    "within 0.05, overall risk within 0.05; Riley 2020), if the model explains 15% of what can be explained, as is "
    "advised where nothing is known, and if it has the out-of-fold AUC of this run (R² by Riley 2021). The aims count "
    "candidates, all that selection looked at, and think of a regression without penalty; thousands of candidates can "
    "hardly meet them. Selection and penalties inside the fold soften that, but no rule says by how much."
)


def told(results: Results) -> list[Block]:
    """Development first, then the unseen set."""
    table = shown(results)
    return [
        Prose(_development(results, table), faint=False),
        Prose(READ),
        Folded("Cases needed, model by model", [Rows.of(table, words=2)]),
        Heading("Judging and comparing"),
        Prose(_judged(results), faint=False),
    ]


def shown(results: Results) -> pd.DataFrame:
    """Cases needed for every model that the heads fit, as printed: by what was kept and by all candidates."""
    train = results.cohort[results.cohort["set"] == "train"]["event"]
    share, aucs = float(train.mean()), results.rows("train_oof")["auc"]
    rows = []
    for model, counted, count in _counts(results):
        area = float(aucs.get(model, float("nan")))
        poor = sample_size.needed(count, share, POOR * sample_size.largest_r2(share))
        good = sample_size.needed(count, share, sample_size.r2_of(area, share)) if 0.5 < area < 1 else None
        rows.append(
            {"Model": model, "Counted": counted, "Parameters": f"{count:,}",
             "Training cases": str(len(train)), "Events per parameter": _ratio(int(train.sum()) / count),
             "Needed (15% of R²)": f"{poor.cases:,}",
             "Needed (AUC of this run)": f"{good.cases:,} (AUC {number(area)})" if good else UNKNOWN,
             "Events per parameter needed": UNKNOWN if good is None else _ratio(good.events_per_predictor)}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _ratio(value: float) -> str:
    return number(value, 1) if value >= 0.1 else number(value)


def _counts(results: Results) -> Iterator[tuple[str, str, int]]:
    """Model, what is counted, how many."""
    columns = _columns(results.folder)
    for model in results.models:
        kept = len(results.final(model))
        if model.endswith("_DL") or not kept:
            continue
        region = model.removesuffix("_RAD").replace("Tumor", "tumour").replace("External2", "external2")
        if not model.endswith("_RAD"):
            yield model, "scores and clinical", kept
            continue
        parts = region.split("+")
        offered = sum(columns[part] for part in parts) if set(parts) <= set(columns) else 0
        if offered:
            yield model, "candidates", offered
        if kept != offered:
            yield model, "kept", kept


def _columns(folder: Path) -> dict[str, int]:
    """Radiomics features by region, where the run still has them."""
    import pyarrow.parquet as pq

    paths = {region: folder / f"features/radiomics_{region}.parquet" for region in ("tumour", "external2")}
    return {
        region: len([name for name in pq.read_schema(path).names if name != "case"])
        for region, path in paths.items()
        if path.is_file()
    }


def _development(results: Results, table: pd.DataFrame) -> str:
    train = results.cohort[results.cohort["set"] == "train"]["event"]
    events = int(train.sum())
    start = f"The models were developed on {len(train)} cases with {events} {results.run.cohort.positive_name}."
    if table.empty:
        return start
    asked = table["Needed (15% of R²)"].str.replace(",", "").astype(int)
    short, every = table["Model"][asked > len(train)].nunique(), table["Model"].nunique()
    if not short:
        return f"{start} By the usual aims that is enough for every model in this table."
    count = f"all {every} models" if short == every else f"{short} of {every} models"
    worst = int(asked.argmax())
    return (
        f"{start} By the usual aims and with the cautious guess that is too few for {count}; "
        f"{table['Model'][worst]} with {table['Parameters'][worst]} {table['Counted'][worst]} would ask for "
        f"{asked[worst]:,}."
    )


def _judged(results: Results) -> str:
    set_ = results.sets[0]
    row = results.scores(set_, results.reference)
    area, n, events = row["auc"], int(row["n"]), int(row["events"])
    where = f"The {SETS[set_]} has {n} cases, {events} of them {results.run.cohort.positive_name}."
    if not 0.5 < area < 1:
        return f"{where} At an AUC of {number(area)} there is no formula for its precision."
    error = sample_size.hanley_error(area, events, n - events)
    gaps = [sample_size.detectable(area, events, n - events, correlation) for correlation in CORRELATIONS]
    wanted = sample_size.cases_for_width(area, events / n, WIDTH)
    return (
        f"{where} At the AUC of {results.reference}, {number(area)}, a 95% interval is about {number(3.92 * error)} "
        f"wide (Hanley & McNeil 1982); {wanted:,} cases of the same mix would make it {WIDTH:g}. "
        f"{_least(results, gaps)}"
    )


def _least(results: Results, gaps: list[float]) -> str:
    """What a comparison could have found."""
    if any(np.isnan(gap) for gap in gaps):
        return (
            f"A paired test against {results.reference} has less than 80% power for any gap down to an AUC of 0.5, so "
            f"that a difference is not significant here says nothing."
        )
    least = " or ".join(
        f"{number(gap)} (AUCs correlated {correlation:g})" for gap, correlation in zip(gaps, CORRELATIONS, strict=True)
    )
    return (
        f"A paired test against {results.reference} has 80% power for a gap of {least} or more, so that a smaller "
        f"difference is not significant here says little."
    )
