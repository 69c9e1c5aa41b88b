"""Scanners: who was scanned where, whether the model ranks as well on each, and how far features depend on them."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from fusion.evaluate import predictions
from fusion.evaluate.discrimination import auc, delong_interval
from fusion.report import scanner_features
from fusion.report.blocks import Block, Folded, Plot, Prose, Rows, Section
from fusion.report.results import Results
from fusion.report.topic import Topic
from fusion.report.words import SETS, interval, number, percent, share

UNKNOWN = "not given"


def topic(results: Results) -> Topic | None:
    """Cases, AUC and features by scanner; None where the cohort does not tell at least two."""
    if "scanner" not in results.cohort:
        return None
    cohort = results.cohort.assign(scanner=results.cohort["scanner"].astype(str).replace({"": UNKNOWN}))
    if cohort.loc[cohort["scanner"] != UNKNOWN, "scanner"].nunique() < 2:
        return None
    counts, areas = _counts(cohort, results), _areas(cohort, results)
    blocks: list[Block] = [
        Prose(_says(cohort, areas, results), faint=False),
        Rows.of(counts),
        Rows.of(_printed(areas, results), note=_note(results)),
    ]
    tables = {"scanners": counts, "scanners_auc": _printed(areas, results)}
    plots: dict[str, Callable[[], Figure]] = {}
    found = scanner_features.compared(results, cohort[cohort["scanner"] != UNKNOWN])
    if isinstance(found, str):
        blocks.append(Prose(found))
    elif found is not None:
        shares = scanner_features.shares(found)
        blocks += [Prose(scanner_features.says(found, results), faint=False),
                   Plot("scanners", "Features by scanner, as measured and after ComBat"),
                   Prose(scanner_features.READ), Folded("By region and class", [Rows.of(shares, words=2)])]  # fmt: skip
        tables["scanners_features"] = shares
        plots["scanners"] = lambda: scanner_features.drawn(found, results)
    return Topic(Section("scanners", "Scanners", blocks), tables, plots)


def _counts(cohort: pd.DataFrame, results: Results) -> pd.DataFrame:
    """Cases of every scanner and set, with the share of the positive class."""
    sets = [name for name in ("train", "test", "external") if (cohort["set"] == name).any()]
    rows = []
    for scanner, own in cohort.groupby("scanner"):
        parts = {SETS[name]: own["event"][own["set"] == name] for name in sets}
        cells = {
            f"{place}: {what}": cell
            for place, events in parts.items()
            for what, cell in (("cases", str(len(events))),
                               (results.run.cohort.positive_name, share(int(events.sum()), len(events))))
        }  # fmt: skip
        rows.append({"Scanner": str(scanner), **cells})
    return pd.DataFrame(rows)


def _areas(cohort: pd.DataFrame, results: Results) -> pd.DataFrame:
    """AUC of the reference model in the main set, scanner by scanner; nan where there is one class only."""
    own = predictions.of(results.predictions, results.reference, results.sets[0])
    scanner = cohort.set_index("case")["scanner"].reindex(own.index)
    rows = []
    for name, part in own.groupby(scanner):
        probability, events = part["probability"].to_numpy(), part["event"].to_numpy()
        area, ends = float("nan"), (float("nan"), float("nan"))
        if 0 < events.sum() < len(events):
            area = auc(probability, events)
            ends = delong_interval(probability, events, results.run.evaluate.confidence)
        rows.append((str(name), len(part), int(events.sum()), area, *ends))
    return pd.DataFrame(rows, columns=["scanner", "n", "events", "auc", "low", "high"])


def _printed(areas: pd.DataFrame, results: Results) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Scanner": areas["scanner"],
            "n": areas["n"].astype(str),
            results.run.cohort.positive_name: areas["events"].astype(str),
            "AUC": [number(value) for value in areas["auc"]],
            f"{percent(results.run.evaluate.confidence)} interval": [
                interval(low, high) for low, high in areas[["low", "high"]].to_numpy()
            ],
        }
    )


def _note(results: Results) -> str:
    return (
        f"{results.reference} in the {SETS[results.sets[0]]}; DeLong's interval on the logit scale. No AUC where a "
        "scanner has one class only, no interval where it has one case of a class or ranks without a fault."
    )


def _says(cohort: pd.DataFrame, areas: pd.DataFrame, results: Results) -> str:
    known, positive = areas.dropna(subset="auc").sort_values("auc"), results.run.cohort.positive_name
    of = cohort.groupby("scanner")["event"].mean()
    mix = (
        f"{cohort['scanner'].nunique()} scanners, with {100 * of.min():.0f}% to {100 * of.max():.0f}% {positive} cases"
    )
    if len(known) < 2:
        return f"{mix}; in the {SETS[results.sets[0]]} too few of them have both classes to compare how they rank."
    low, high = known.iloc[0], known.iloc[-1]
    apart = "do not overlap" if low["high"] < high["low"] else "overlap, so no difference is shown"
    if np.isnan([low["high"], high["low"]]).any():
        apart = "are not all known, so no difference is shown"
    return (
        f"{mix}. {results.reference} ranks with AUC {number(low['auc'])} on {low['scanner']} to {number(high['auc'])} "
        f"on {high['scanner']} in the {SETS[results.sets[0]]}; the intervals {apart}."
    )
