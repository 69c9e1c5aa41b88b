"""What failed in a sweep, and what it cost."""

import re

import pandas as pd

from fusion.report.blocks import Block, Folded, Prose, Rows, Section
from fusion.report.sweep.read import Swept
from fusion.report.sweep.words import counted, cut, duration, short, values

LONGEST = 300
"""Letters of a message on the page; the whole is in failures.csv."""


def failures(swept: Swept) -> Section | None:
    """The jobs that failed; None where none did."""
    if swept.failures.empty:
        return None
    names = short(swept.fields)
    own = {row["cell"]: values({name: row[name] for name in swept.fields}, names) for row in _cells(swept)}
    rows = [
        {"Cell": row["cell"], "Values": own.get(row["cell"], "–"), "Round": row["round"] or "–", "Job": row["job"],
         "Why": said(row["message"])}
        for row in swept.failures.to_dict("records")
    ]  # fmt: skip
    text = (
        "The results of the other jobs stand. Mend the cause and say the same command with --resume: it does what is "
        "missing. Whole messages are in failures.csv."
    )
    return Section("failures", "What failed", [Prose(text), Rows.of(pd.DataFrame(rows), words=5)], "Failures")


def costs(swept: Swept) -> Section | None:
    """Seconds a cell; None where no job was timed."""
    if swept.jobs.empty:
        return None
    seconds = swept.jobs.groupby("cell", sort=False)["seconds"].agg(["size", "sum", "max"])
    total = float(seconds["sum"].sum())
    told = (
        f"{counted(len(swept.jobs), 'job')} took {duration(total)} together. A cell took {_ends(seconds['sum'])}; the "
        f"longest job {duration(float(seconds['max'].max()))}. What was measured once for all cells is not counted."
    )
    rows = pd.DataFrame(
        {"Cell": seconds.index, "Jobs": seconds["size"].astype(str),
         "Together": [duration(value) for value in seconds["sum"]],
         "Longest job": [duration(value) for value in seconds["max"]]}
    )  # fmt: skip
    blocks: list[Block] = [Prose(told), Folded("Cell by cell", [Rows.of(rows)])]
    return Section("costs", "What it cost", blocks, "Costs")


def said(message: str) -> str:
    """A message without the case and file that it names, which stay in the folder.

    >>> said("case c7: /data/c7.nii.gz: found no voxel; expected one; draw it")
    'found no voxel; expected one; draw it'
    """
    lines = [re.sub(r"^.*?\b(?=found )", "", line) for line in message.splitlines() if line.strip()]
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    return f"{cut(lines[0], LONGEST)}{more}" if lines else "no message"


def _cells(swept: Swept) -> list[dict[str, str]]:
    return [{str(name): str(word) for name, word in row.items()} for row in swept.cells.to_dict("records")]


def _ends(own: "pd.Series[float]") -> str:
    if len(own) == 1:
        return duration(float(own.iloc[0]))
    return (
        f"{duration(float(own.min()))} to {duration(float(own.max()))}, {duration(float(own.median()))} in the middle"
    )
