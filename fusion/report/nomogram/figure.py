"""The nomogram drawn in the classical layout: points on top, a line a predictor, total points, probability."""

from collections.abc import Sequence
from itertools import pairwise
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.heads.points import FULL, Choice, Nomogram, Scale, clean, round_range
from fusion.report.nomogram.names import odds_word, plain, shortest
from fusion.report.style import INK, POSITIVE, RULE, headed

WIDTH = 10.4
"""Inches; the page's column."""
PITCH = 0.5
"""Inches from one line to the next."""
LETTER = 0.068
"""Inches that a letter of a label needs."""
PROBABILITIES = (0.5, 0.1, 0.9, 0.01, 0.99, 0.3, 0.7, 0.2, 0.8, 0.05, 0.95, 0.4, 0.6)
"""Marks of the last line, those to label first in front."""
UP, DOWN, HIGHER = 0.13, -0.14, 0.38
"""Where a label stands against its line, in lines."""
Mark = tuple[float, str]
"""Where a label belongs, in points of the drawing, and what it says."""


def drawn(nomogram: Nomogram, threshold: float, positive: str, title: str, note: str) -> Figure:
    """The nomogram as a figure; ``threshold`` is marked on the last line where it lies there."""
    names = [fill(plain(predictor.name), 32) for predictor in nomogram.predictors]
    rows = ["Points", *names, "Total points", f"Probability of\n{positive}"]
    figure = headed(title, note, WIDTH, PITCH * (len(rows) + 1) + 0.7)
    axis = figure.subplots()
    letters = max(len(line) for row in rows for line in row.splitlines())
    letter = LETTER * (FULL + 7) / (WIDTH - 0.5 - LETTER * letters)  # in points of the drawing
    places = [-float(row) for row in range(len(rows))]
    places[-2:] = [places[-2] - 0.35, places[-1] - 0.35]  # the sum stands apart from what it adds up
    _frame(axis, rows, places)
    axis.vlines(_every(10.0, FULL), places[-3] - 0.3, places[0], color=RULE, linewidth=0.7, zorder=0)
    tens = _every(10.0, FULL)
    _line(axis, places[0], tens, _every(2.0, FULL))
    _labels(axis, places[0], [(value, shortest(value)) for value in tens], UP)
    for place, predictor in zip(places[1:-2], nomogram.predictors, strict=True):
        if isinstance(predictor, Scale):
            _scale(axis, place, predictor, letter)
        else:
            _choice(axis, place, predictor, letter)
    _sum(axis, places[-2], places[-1], nomogram, threshold, letter)
    return figure


def spaced(marks: Sequence[Mark], letter: float) -> bool:
    """Whether the labels of ``marks`` stand side by side without touching, a letter being ``letter`` wide.

    >>> spaced([(0.0, "10"), (5.0, "20")], letter=1.0), spaced([(0.0, "10"), (2.0, "20")], letter=1.0)
    (True, False)
    """
    ends = [(at - letter * len(word) / 2, at + letter * len(word) / 2) for at, word in sorted(marks)]
    return all(left[1] + 0.7 * letter <= right[0] for left, right in pairwise(ends))


def thinned(scale: Scale, letter: float) -> list[Mark]:
    """The round numbers of a scale that have room for a label: all, or each second, fifth, ...; none if not even two.

    >>> scale = Scale("age", 10.0, 100.0, 10.0, 50.0, slope=0.2)
    >>> [word for _, word in thinned(scale, letter=0.7)]
    ['20', '40', '60', '80', '100']
    """
    for every in (1, 2, 5, 10):
        kept = [value for value in scale.ticks if round(value / scale.step) % every == 0]
        marks = [(scale.slope * (value - scale.zero), shortest(value)) for value in kept]
        if len(marks) > 1 and spaced(marks, letter):
            return marks
    return []


def _frame(axis: Axes, rows: Sequence[str], places: Sequence[float]) -> None:
    axis.set(xlim=(-4, FULL + 3), ylim=(places[-1] - 0.75, 0.5))
    axis.set_yticks(places, rows)
    axis.set_xticks([])
    axis.grid(visible=False)
    axis.tick_params(axis="y", labelsize=8.3, labelcolor=INK)
    for label in (axis.get_yticklabels()[0], *axis.get_yticklabels()[-2:]):
        label.set_fontweight("bold")
    for side in axis.spines.values():
        side.set_visible(False)


def _line(axis: Axes, place: float, ticks: Sequence[float], minor: Sequence[float] = (), down: bool = False) -> None:
    side = -1 if down else 1
    axis.plot([min(ticks), max(ticks)], [place, place], color=INK, linewidth=1.1, solid_capstyle="butt")
    axis.vlines(minor, place, place + side * 0.06, color=INK, linewidth=0.6)
    axis.vlines(ticks, place, place + side * 0.11, color=INK, linewidth=0.9)


def _labels(axis: Axes, place: float, marks: Sequence[Mark], offset: float) -> None:
    stands = "bottom" if offset > 0 else "top"
    for at, word in marks:
        axis.text(at, place + offset, word, ha="center", va=stands, fontsize=7.6, color=INK)


def _scale(axis: Axes, place: float, scale: Scale, letter: float) -> None:
    ticks = [scale.slope * (value - scale.zero) for value in scale.ticks]
    _line(axis, place, ticks)
    marks = thinned(scale, letter)
    _labels(axis, place, marks, UP)
    if not marks:  # a short line: its ends are named beside it
        light, heavy = (scale.low, scale.high) if scale.slope >= 0 else (scale.high, scale.low)
        ends = f"{shortest(light)} to {shortest(heavy)}"
        axis.text(scale.most + 0.8, place, ends, ha="left", va="center", fontsize=7.6)


def _choice(axis: Axes, place: float, choice: Choice, letter: float) -> None:
    """Levels over the line and, where two would touch, under it; levels with the same points share a label."""
    _line(axis, place, list(choice.levels.values()))
    shared: dict[float, list[str]] = {}
    for level, points in sorted(choice.levels.items(), key=lambda own: own[1]):
        near = next((at for at in shared if abs(at - points) < 0.3), points)
        shared.setdefault(near, []).append(level)
    sides: dict[float, list[Mark]] = {UP: [], DOWN: [], HIGHER: []}
    for at, levels in shared.items():
        mark = (at, " or ".join(levels))
        free = (side for side, marks in sides.items() if spaced([*marks[-1:], mark], letter))
        sides[next(free, HIGHER)].append(mark)
    for side, marks in sides.items():
        _labels(axis, place, marks, side)


def _sum(axis: Axes, place: float, last: float, nomogram: Nomogram, threshold: float, letter: float) -> None:
    _, top, step = round_range(0.0, nomogram.most)
    shown, ticks = FULL / top, _every(step, top)
    _line(axis, place, [tick * shown for tick in ticks], [tick * shown for tick in _every(step / 5, top)])
    _labels(axis, place, [(tick * shown, shortest(tick)) for tick in ticks], UP)
    inside = [own for own in PROBABILITIES if 0 <= nomogram.total(own) <= top] or _between(nomogram, top)
    marks: list[Mark] = []
    for own in inside:
        mark = (nomogram.total(own) * shown, odds_word(own))
        marks += [mark] if spaced([*marks, mark], letter) else []
    axis.vlines([at for at, _ in marks], last, place, color=RULE, linewidth=0.7, zorder=0)
    _line(axis, last, [nomogram.total(own) * shown for own in inside], down=True)
    _labels(axis, last, marks, DOWN)
    if 0 < threshold < 1 and 0 <= (at := nomogram.total(threshold) * shown) <= FULL:
        axis.plot(at, last, marker="v", color=POSITIVE, markersize=6, zorder=4, markeredgewidth=0)
        beside = 1 if at < FULL / 2 else -1
        axis.text(at + beside * 1.2, last + 0.12, f"threshold {threshold:.3f}", color=POSITIVE, fontsize=7.6,
                  ha="left" if beside > 0 else "right", va="bottom")  # fmt: skip


def _every(step: float, top: float) -> list[float]:
    """The multiples of ``step`` from 0 to ``top``."""
    return [clean(place * step) for place in range(round(top / step) + 1)]


def _between(nomogram: Nomogram, top: float) -> list[float]:
    """Probabilities at both ends, where no round one lies between."""
    return [round(float(own), 3) for own in nomogram.probability(np.array([0.0, top]))]
