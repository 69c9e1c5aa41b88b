"""How tasks, their classes and their scores are told."""

import numpy as np
import pandas as pd

from fusion.config.tasks import Task
from fusion.report.tasks.results import TaskResults, beyond
from fusion.report.words import interval, number

BEYOND = "†"
"""Marks a model that the paper does not have."""


def listed(names: list[str] | tuple[str, ...], last: str = "and") -> str:
    """Names as a sentence has them.

    >>> listed(("MEC", "PA", "Warthin"), "or")
    'MEC, PA or Warthin'
    """
    return f"{', '.join(names[:-1])} {last} {names[-1]}" if len(names) > 1 else "".join(names)


def brief(name: str, most: int = 18) -> str:
    """A name as a figure has room for it.

    >>> brief("Warthin"), brief("mucoepidermoid-carcinoma", 12)
    ('Warthin', 'mucoepiderm…')
    """
    return name if len(name) <= most else f"{name[: most - 1]}…"


def question(task: Task) -> str:
    """What a task asks, its positive class named."""
    if task.positive is None:
        return f"Which of {listed(task.names, 'or')}? Every class against all others, so there is no one positive class"
    return f"{task.names[0]} or {task.positive}? Positive: {task.positive}"


def classes(task: Task, most: int = 1000) -> str:
    """The positive class and the other, or how many there are; names of ``most`` letters for a figure."""
    if task.positive is None:
        return f"{len(task.names)} classes, means over them"
    return f"positive: {brief(task.positive, most)}, against {brief(task.names[0], most)}"


def counted(row: "pd.Series[float]") -> str:
    """Tumours and patients behind a row.

    >>> counted(pd.Series({"cases": 117, "patients": 113}))
    '117 tumours of 113 patients'
    """
    return f"{row['cases']:.0f} tumours of {row['patients']:.0f} patients"


def spanned(row: "pd.Series[float]", name: str) -> str:
    """A measure with its interval in brackets."""
    return f"{number(row[name])} ({interval(row[f'{name}_low'], row[f'{name}_high'])})"


def largest(results: TaskResults, task: str, set_: str, view: str) -> str:
    """The most frequent class among the cases that a model judged."""
    own = results.judged(task, view, set_)
    return own.names[int(np.bincount(own.label).argmax())]


def marked(view: str, results: TaskResults) -> str:
    """The view's name, with a mark where the paper has no such model."""
    return f"{view} {BEYOND}" if beyond(view, results.run) else view


def ranges(values: "pd.Series[float] | pd.Series[int]") -> str:
    """From the least to the largest of row counts.

    >>> ranges(pd.Series([98, 117])), ranges(pd.Series([117, 117]))
    ('98 to 117', '117')
    """
    low, high = int(values.min()), int(values.max())
    return str(low) if low == high else f"{low} to {high}"
