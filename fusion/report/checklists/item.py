"""What a checklist is made of: items with a subject, and what the run's record answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from fusion.report.results import Results

Status = Literal["answered", "not done", "not applicable", "for the authors"]
BLANK = "[to be filled in by the authors]"
COLUMNS = ("item", "section", "topic", "answer", "source", "status")


@dataclass(frozen=True)
class Answer:
    """A draft answer, the files of the run folder that show it, and what kind of answer it is."""

    text: str
    source: str
    status: Status


def done(text: str, source: str) -> Answer:
    """The record shows it.

    >>> done("5 folds", "splits.csv").text
    'Yes: 5 folds'
    """
    return Answer(f"Yes: {text}", source, "answered")


def not_done(text: str, source: str) -> Answer:
    """The record shows that it was not done."""
    return Answer(f"Not done: {text}", source, "not done")


def not_applicable(text: str, source: str) -> Answer:
    """The record shows that the item does not ask this run."""
    return Answer(f"Not applicable: {text}", source, "not applicable")


FOR_AUTHORS = Answer(BLANK, "", "for the authors")
Fact = Callable[[Results], Answer]


@dataclass(frozen=True)
class Item:
    """An item as its source numbers it, its subject in our words, and who answers: the run, or else the authors.

    ``weight`` is its share of a score, where the source has one.
    """

    number: str
    section: str
    topic: str
    fact: Fact | None = None
    weight: float = 0.0


@dataclass(frozen=True)
class Checklist:
    """A reporting checklist; ``key`` names its table."""

    key: str
    name: str
    source: str
    items: Sequence[Item]


def answers(checklist: Checklist, results: Results) -> list[Answer]:
    """The draft answer to every item, in order."""
    return [FOR_AUTHORS if item.fact is None else item.fact(results) for item in checklist.items]


def table(checklist: Checklist, results: Results) -> pd.DataFrame:
    """Columns item, section, topic, answer, source, status: tables/checklist_KEY.csv."""
    rows = [
        (item.number, item.section, item.topic, answer.text, answer.source, answer.status)
        for item, answer in zip(checklist.items, answers(checklist, results), strict=True)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
