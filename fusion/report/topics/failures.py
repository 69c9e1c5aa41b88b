"""What was lost or doubtful in the run, in counts; who it was stays in the run folder."""

import json
from collections import Counter

import numpy as np
import pandas as pd

from fusion.evaluate import calibration
from fusion.report import findings
from fusion.report.blocks import Block, Heading, Listing, Prose, Rows, Section
from fusion.report.figures import cases
from fusion.report.results import Results
from fusion.report.topic import Recorded, Topic
from fusion.report.way import LOST
from fusion.report.words import SETS, number

FEW = 700
"""Voxels below which a region's texture says more of its size than of its tissue: Brooks & Grigsby 2014,
doi:10.2967/jnumed.112.116715."""
SURE = 0.9
"""A wrong call with this probability for its side is a confident one."""


def topic(results: Results) -> Topic:
    """Warnings, small regions, models without calibration or absent, unfinished stages, wrong calls."""
    wrong = wrong_calls(results)
    doubts = [*lost(results), *_warnings(results), *_small(results), *_uncalibrated(results), *_empty(results),
              *findings.absent(results), *_unfinished(results)]  # fmt: skip
    nothing = "Nothing was lost on the way: no warning, no small region, every model is there, every stage ended."
    blocks: list[Block] = [
        *([Prose(_counted(doubts), faint=False), Listing(doubts)] if doubts else [Prose(nothing, faint=False)]),
        Heading(f"Wrong calls of {results.reference}"),
        Prose(_read(results), faint=False),
        Rows.of(wrong, words=2),
    ]
    section = Section("failures", "What was lost or doubtful", blocks, "Failures")
    return Topic(section, {"wrong_calls": wrong, "failures": pd.DataFrame({"Doubt": doubts})})


def lost(results: Recorded) -> list[str]:
    """Cases that could not be used, by the stage that they failed in."""
    path = results.folder / LOST
    table = pd.read_csv(path, dtype=str, keep_default_na=False) if path.is_file() else pd.DataFrame({"case": []})
    if not (count := table["case"].nunique()):
        return []
    stages = ", ".join(f"{stage} {own}" for stage, own in table.groupby("stage", sort=False)["case"].nunique().items())
    are = "case that was in the cohort is" if count == 1 else "cases that were in the cohort are"
    return [
        f"{count} {are} in no figure, as they could not be read or measured ({stages}); where that has to do with the "
        "tumour, the others are no fair sample."
    ]


def _counted(doubts: list[str]) -> str:
    """How many things are doubtful."""
    return (
        "One thing in this run is doubtful." if len(doubts) == 1 else f"{len(doubts)} things in this run are doubtful."
    )


def wrong_calls(results: Results) -> pd.DataFrame:
    """How often the reference model was wrong in each set, in both ways, and how sure it was."""
    rows = [row for set_ in results.sets for row in _wrong(results, set_)]
    return pd.DataFrame(rows)


def _wrong(results: Results, set_: str) -> list[dict[str, str]]:
    probability, events = cases(results, results.reference, set_)
    cut = float(results.rows(set_)["threshold"][results.reference])
    cohort, called = results.run.cohort, probability >= cut
    kinds = {
        f"{cohort.positive_name}, missed": ((events == 1) & ~called, events == 1, 1 - probability),
        f"{cohort.negative_name}, false alarm": ((events == 0) & called, events == 0, probability),
    }
    return [
        {"Set": SETS[set_], "Wrong call": kind, "Cases": f"{wrong.sum()} of {of.sum()}",
         "Probability, median": _middle(probability[wrong]), "Lowest to highest": _ends(probability[wrong]),
         f"Sure ({number(SURE, 1)} or more)": str(int((sure[wrong] >= SURE).sum()))}
        for kind, (wrong, of, sure) in kinds.items()
    ]  # fmt: skip


def _middle(values: np.ndarray) -> str:
    return number(float(np.median(values))) if len(values) else "–"


def _ends(values: np.ndarray) -> str:
    return f"{number(values.min())} to {number(values.max())}" if len(values) else "–"


def _read(results: Results) -> str:
    set_ = results.sets[0]
    row = results.scores(set_, results.reference)
    wrong = round((1 - row["accuracy"]) * row["n"])
    sure = sum(int(own[f"Sure ({number(SURE, 1)} or more)"]) for own in _wrong(results, set_))
    return (
        f"In the {SETS[set_]} {wrong} of {row['n']:.0f} calls are wrong at the threshold {number(row['threshold'])}; "
        f"in {sure} of them the model gave the wrong side a probability of {number(SURE, 1)} or more. A wrong call "
        "near the threshold is doubt; a sure one is a failure to look into."
    )


def _warnings(results: Results) -> list[str]:
    path = results.folder / "features/radiomics_warnings.csv"
    if not path.is_file():
        return []
    table = pd.read_csv(path, dtype=str)
    kinds = table["warning"].str.replace(r"\s*\([^)]*\)", "", regex=True)
    counts = table.assign(kind=kinds).groupby(["kind", "region"], sort=False)["case"].nunique().reset_index()
    return [
        f"Radiomics of {region}, {count} of {len(results.cohort)} cases: {kind}."
        for kind, region, count in counts.to_numpy().tolist()
    ]


def _small(results: Results) -> list[str]:
    """Regions of few voxels, counted on the grid on which features are measured, where its voxel size is known."""
    told = []
    for region in ("tumour", "external2"):
        path, spacing = results.folder / f"features/radiomics_{region}.parquet", results.run.radiomics.spacing_mm
        if spacing is None or not path.is_file():
            continue
        table = pd.read_parquet(path)
        if "original_shape_VoxelVolume" not in table:
            continue
        voxels = table["original_shape_VoxelVolume"] / float(np.prod(spacing))
        few = int((voxels < FEW).sum())
        if few:
            told.append(
                f"{few} of {len(voxels)} cases have fewer than {FEW} voxels in {region} (the smallest "
                f"{voxels.min():.0f}): there, texture depends on size (Brooks & Grigsby 2014)."
            )
    return told


def _uncalibrated(results: Results) -> list[str]:
    told = []
    for set_ in results.sets:
        for model in results.rows(set_).index:
            reason = calibration.recalibrate(*cases(results, model, set_)).reason
            if reason is not None:
                told.append(f"No calibration slope of {model} in the {SETS[set_]}: {reason}.")
    return told


def _empty(results: Results) -> list[str]:
    """Radiomics models in which a selection kept nothing: such a fold gives every case the same probability."""
    selection, told = results.selection, []
    fitted = {str(fold) for fold in selection["fold"]}
    for model in (name for name in results.models if name.endswith("_RAD")):
        none = sorted(fitted - set(selection.loc[selection["model"] == model, "fold"]))
        if none:
            fits = ", ".join("the final fit" if fold == "final" else f"fold {int(fold) + 1}" for fold in none)
            told.append(f"{model} kept no feature in {fits}.")
    return told


def _unfinished(results: Results) -> list[str]:
    """Stages that were started more often than they ended; this report is still being written."""
    path = results.folder / "log.jsonl"
    if not path.is_file():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    open_ = Counter(line["stage"] for line in lines if line["what"] == "started")
    open_.subtract(line["stage"] for line in lines if line["what"] == "done")
    return [
        f"The stage {stage} broke off {'once' if count == 1 else f'{count} times'} and was done again later."
        for stage, count in open_.items()
        if count > 0 and stage != "report"
    ]
