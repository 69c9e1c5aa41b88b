"""Internal validation: how much is optimism, would more cases help, could it be chance, were there enough."""

import pandas as pd

from fusion.report.blocks import Block, Heading, Section
from fusion.report.results import Results
from fusion.report.topic import Topic
from fusion.report.validation import curve, optimism, permutation, sample_size


def topic(results: Results) -> Topic:
    """What `evaluate.validation` measured, and the sample size, which needs no refit."""
    found = {name: _read(results, name) for name in ("optimism", "learning_curve", "permutation")}
    blocks: list[Block] = []
    tables, plots = {"sample_size": sample_size.shown(results)}, {}
    if (own := found["optimism"]) is not None:
        blocks += [Heading("Optimism"), *optimism.told(results, own)]
        tables["validation"] = optimism.shown(results, own)
        plots[optimism.NAME] = lambda own=own: optimism.drawn(results, own)
    if (own := found["learning_curve"]) is not None:
        blocks += [Heading("Would more patients help?"), *curve.told(results, own)]
        tables["learning_curve"] = curve.shown(results, own)
        plots[curve.NAME] = lambda own=own: curve.drawn(results, own)
    if (own := found["permutation"]) is not None:
        blocks += [Heading("Could it be chance?"), *permutation.told(own)]
        tables["permutation"] = permutation.shown(own)
        plots[permutation.NAME] = lambda own=own: permutation.drawn(results, own)
    blocks += [Heading("Sample size"), *sample_size.told(results)]
    return Topic(Section("validation", "Internal validation", blocks, "Validation"), tables, plots)


def _read(results: Results, name: str) -> pd.DataFrame | None:
    """A table of the validation stage, or None where it was not asked for."""
    path = results.folder / f"validation/{name}.csv"
    return pd.read_csv(path, dtype={"model": str}) if path.is_file() else None
