"""What each predictor of a typical training case adds: in print it stands for the calculator."""

from textwrap import fill

import pandas as pd
from matplotlib.figure import Figure

from fusion.heads.points import Choice, Nomogram, Scale
from fusion.report.nomogram.names import plain, shortest
from fusion.report.style import RULE, headed

WIDTH = 7.6
"""Inches."""
BLUE = "#3a7dc4"


def typical(nomogram: Nomogram) -> pd.DataFrame:
    """Where the calculator starts: medians and most frequent levels of the training cases, one row."""
    return pd.DataFrame({predictor.name: [predictor.start] for predictor in nomogram.predictors})


def drawn(nomogram: Nomogram, positive: str, counts: str) -> Figure:
    """Points of the typical case by predictor, their sum and its probability; ``counts`` tells of how many it is."""
    rows = typical(nomogram)
    total = nomogram.totals(rows)
    chance = float(nomogram.probability(total)[0])
    title = f"A typical training case: {total[0]:.1f} points, probability of {positive} {100 * chance:.1f}%"
    note = (
        f"Medians and most frequent levels; {counts}. Grey: the most that a predictor adds inside the training range."
    )
    figure = headed(title, note, WIDTH, 0.36 * len(nomogram.predictors) + 1.1)
    axis = figure.subplots()
    places = [-float(row) for row in range(len(nomogram.predictors))]
    own = [float(predictor.points(rows[predictor.name])[0]) for predictor in nomogram.predictors]
    axis.barh(places, [predictor.most for predictor in nomogram.predictors], color=RULE, height=0.62)
    axis.barh(places, own, color=BLUE, height=0.62)
    for place, predictor, points in zip(places, nomogram.predictors, own, strict=True):
        axis.text(max(predictor.most, points) + 1, place, f"{points:.1f}", va="center", fontsize=7.6)
    axis.set_yticks(places, [_word(predictor) for predictor in nomogram.predictors], fontsize=7.8)
    axis.set(xlim=(0, 108), xlabel="points")
    axis.grid(visible=False, axis="y")
    return figure


def _word(predictor: Scale | Choice) -> str:
    name = plain(predictor.name)
    value = predictor.start if isinstance(predictor, Choice) else shortest(predictor.start)
    return fill(f"{name}: {value}", 52)
