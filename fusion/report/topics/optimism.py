"""What the paper's plain reading promises too much; only runs with `heads.stacking=paper_literal` have it."""

import pandas as pd

from fusion.report import optimism
from fusion.report.blocks import Prose, Rows, Section
from fusion.report.results import Results
from fusion.report.topic import Topic
from fusion.report.words import SETS, percent


def topic(results: Results) -> Topic | None:
    """In-sample against unseen AUC of the plain reading, beside the honest stacking."""
    path = results.folder / optimism.FILE
    if not path.is_file():
        return None
    table = optimism.optimism(results, pd.read_csv(path, dtype={"case": str}))
    text = (
        "Warning: this table leaks on purpose, and no other number on this page comes from it. It shows the paper read "
        "plainly: the last regression is fitted on deep features of cases that the network was trained on. Optimism is "
        f"the in-sample AUC minus that on unseen cases ({SETS[results.sets[0]]}), all with "
        f"{percent(results.run.evaluate.confidence)} intervals."
    )
    shown = Rows.of(optimism.shown(table))
    section = Section("optimism", "Optimism of the plain reading", [Prose(text), shown], "Optimism")
    return Topic(section, {"optimism": table})
