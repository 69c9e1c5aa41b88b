"""What was decided in reading images and masks, counted; no case is named."""

import pandas as pd

from fusion.report.alike import alike
from fusion.report.blocks import Block, Folded, Prose, Rows, Section
from fusion.report.topic import Recorded, Topic
from fusion.report.words import share

FILE = "notes.csv"


def topic(results: Recorded) -> Topic | None:
    """Each decision and how many cases it was taken in; None where none had to be taken."""
    path = results.folder / FILE
    if not path.is_file():
        return None
    notes = pd.read_csv(path, dtype=str, keep_default_na=False)
    notes = notes[notes["case"].isin(results.cohort["case"])]
    if notes.empty:
        return None
    counts = alike(zip(notes["case"], notes["note"], strict=True))
    table = pd.DataFrame(counts, columns=["What was decided", "Cases"])
    cases, kinds = share(notes["case"].nunique(), len(results.cohort)), len(table)
    text = (
        f"In {cases} of {len(results.cohort)} cases something had to be decided in reading the files "
        f"({kinds} kind{'s' * (kinds > 1)} of decision). The numbers of this page rest on these decisions."
    )
    note = f"Which cases they are, the run folder tells: {FILE}."
    blocks: list[Block] = [Prose(text, faint=False), Folded("Decisions and cases", [Rows.of(table, note=note)])]
    return Topic(Section("notes", "Decisions in reading files", blocks, "Reading"), {"notes": table})
