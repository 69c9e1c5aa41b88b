"""One case a class in every sequence as the networks see it, so that a radiologist can check what was outlined."""

from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.data.task import task_rows
from fusion.report.blocks import Block, Plot, Prose, Section
from fusion.report.figures import WIDTH
from fusion.report.style import FAINT, headed
from fusion.report.tasks.results import TaskResults
from fusion.report.tasks.words import brief
from fusion.report.topic import Topic
from fusion.roi.slice import Slices

FILE = "checkpoints/slices.npz"
OUTLINE = "#ffb000"
PIXELS = 128
"""A picture is shown with no more rows and columns, so that the page stays small."""


def topic(results: TaskResults) -> Topic | None:
    """The cases that show the classes of the task with most of them."""
    if not (results.folder / FILE).is_file():
        return None
    slices = Slices.load(results.folder / FILE)
    examples = chosen(results, slices)
    if not examples:
        return None
    masked = "the tumour as drawn in yellow; check that it lies where it should" if slices.mask.any() else "no outline"
    text = (
        f"One tumour a class in every sequence, as the networks see it ({slices.grey.shape[2]} x "
        f"{slices.grey.shape[3]} pixels): {masked}. Of each class the tumour of median area among those with most "
        "sequences; no name is shown."
    )
    plots = {"slices": lambda: shown(results, slices, examples)}
    blocks: list[Block] = [
        Prose(text, faint=False),
        Plot("slices", "One tumour a class in every sequence, tumour outlined"),
    ]
    return Topic(Section("slices", "What the networks see", blocks, "Slices"), plots=plots)


def chosen(results: TaskResults, slices: Slices) -> dict[str, str]:
    """A case by class: the median tumour area among the cases with most sequences."""
    task = max(results.tasks.values(), key=lambda own: len(own.names))
    rows = task_rows(results.cohort[results.cohort["case"].isin(slices.cases)], task)
    found = {}
    for place, name in enumerate(task.names):
        own = slices.of(rows.loc[rows["label"] == place, "case"].tolist())
        if own.cases:
            found[name] = _middle(own)
    return found


def shown(results: TaskResults, slices: Slices, examples: dict[str, str]) -> Figure:
    """A row a class, a column a sequence."""
    names = [name for name in results.run.used_sequences if name in slices.sequences]
    own, factor = slices.of(list(examples.values())), max(1, -(-max(slices.grey.shape[2:]) // PIXELS))
    side = min(1.75, (WIDTH - 1.0) / len(names))
    title = f"Slices as the networks see them: n = {len(examples)} tumours, one a class"
    coarse = f" Shown at 1/{factor} of the networks' resolution." if factor > 1 else ""
    line = "Yellow: the tumour as drawn. " if own.mask.any() else "No outline was given. "
    note = f"{line}Grey values from 0 (black) to 255.{coarse} No case is named."
    figure = headed(title, note, max(1.0 + side * len(names), 5.0), 0.9 + (side + 0.06) * len(examples))
    axes = figure.subplots(len(examples), len(names), squeeze=False)
    for row, name in enumerate(examples):
        for column, sequence in enumerate(names):
            at = own.sequences.index(sequence)
            _picture(axes[row, column], own.grey[row, at], own.mask[row, at], bool(own.there[row, at]), factor)
        axes[row, 0].set_ylabel(fill(brief(name, 26), 14), fontsize=8)
    for axis, sequence in zip(axes[0], names, strict=True):
        axis.set_title(brief(sequence, 16), fontsize=8)
    return figure


def _middle(own: Slices) -> str:
    have = own.there.sum(axis=1)
    most = np.flatnonzero(have == have.max())
    area = own.mask[most].sum(axis=(1, 2, 3))
    return own.cases[int(most[np.argsort(area, kind="stable")[(len(most) - 1) // 2]])]


def _picture(axis: Axes, grey: np.ndarray, mask: np.ndarray, there: bool, factor: int) -> None:
    axis.set(xticks=[], yticks=[])
    axis.grid(visible=False)
    if not there:
        axis.set(aspect="equal", xlim=(0, 1), ylim=(0, 1), facecolor="#f6f8fa")
        axis.text(0.5, 0.5, "lacking", ha="center", va="center", fontsize=7.4, color=FAINT)
        return
    axis.imshow(_coarse(grey, factor), cmap="gray", vmin=0, vmax=255, interpolation="none")
    outline = _coarse(mask.astype(float), factor)
    if outline.max() >= 0.5 > outline.min():
        axis.contour(outline, levels=[0.5], colors=[OUTLINE], linewidths=1.0)


def _coarse(values: np.ndarray, factor: int) -> np.ndarray:
    """Means of squares of ``factor`` pixels."""
    rows, columns = (length // factor for length in values.shape)
    own = values[: rows * factor, : columns * factor].astype(float)
    return own.reshape(rows, factor, columns, factor).mean(axis=(1, 3))
