"""Calibration: do 30 of 100 cases given 30% turn out to be events?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.evaluate import calibration, curve
from fusion.evaluate.metrics import stream
from fusion.report.blocks import Block, Folded, Prose, Rows, Section
from fusion.report.caution import few
from fusion.report.figures import cases, diagonal, each_set, panels, shown_by_set, titled
from fusion.report.results import Results
from fusion.report.style import FAINT, NEGATIVE, POSITIVE, line
from fusion.report.topic import Topic
from fusion.report.words import SETS, UNKNOWN, number, p_value, percent

READ = (
    "On the grey line, about 30 of 100 cases given 30% are events. Slope 1 and intercept 0 are ideal; a slope below 1 "
    "means too extreme probabilities, an intercept above 0 too low ones. P is Spiegelhalter's test of the Brier score; "
    "the scaled Brier score is 1 for perfect probabilities and 0 for the same one for all."
)
CURVE = (
    " ICI is the mean distance between the smooth "
    "curve and the grey line over the cases, E50 and E90 its median and 90th percentile, Emax its maximum (Austin & "
    "Steyerberg 2019). As a curve wanders in few cases even where every probability is right, the column after them "
    "says what chance alone would give: the mean ICI and, in brackets, the value that 95 of 100 such samples stay "
    "under."
)
DRAWN = "Curve: lowess over {span:.0%} of the cases, with a {level} bootstrap band. "
CHANCE = "ICI by chance (95%)"
NOTE = (
    "Points: groups of cases with {level} "
    "Wilson interval. Dashed: logistic recalibration. Grey: perfect calibration. Ticks: cases, {positive} above, "
    "{negative} below."
)


def topic(results: Results) -> Topic:
    """Calibration of every model in every set."""
    table = calibrations(results)
    set_ = results.sets[0]
    shown = [(name, table[table["set"] == name]) for name in results.sets]
    first, *others = shown_by_set("calibration", "Calibration", results)
    blocks: list[Block] = [
        Prose(found(shown[0][1], results.reference, set_), faint=False),
        *few(results, set_),
        Prose(READ + _curves_read(shown[0][1])),
        first,
        _rows(shown[0][1], results),
        *others,
        *(Folded(f"Calibration in numbers, {SETS[name]}", _folded(own, results)) for name, own in shown[1:]),
    ]
    plots = each_set("calibration", results, calibrated)
    return Topic(Section("calibration", "Calibration", blocks), {"calibration": table}, plots)


def _folded(table: pd.DataFrame, results: Results) -> list[Block]:
    read = _curves_read(table)
    return [_rows(table, results), *([Prose(read.strip())] if read else [])]


def _curves_read(table: pd.DataFrame) -> str:
    """What measures of the smooth curve mean, where there are any."""
    return CURVE if table["ici"].notna().any() else ""


def calibrations(results: Results) -> pd.DataFrame:
    """Every measure of calibration by set and model, as numbers."""
    return pd.DataFrame(
        [
            {"set": set_, "model": model, **_measures(*cases(results, model, set_), results, model, set_)}
            for set_ in results.sets
            for model in results.rows(set_).index
        ]
    )


def found(table: pd.DataFrame, model: str, set_: str) -> str:
    """What the measures of one model in a set say, in words."""
    row = table[table["model"] == model].iloc[0]
    where = f"In the {SETS[set_]} (n = {row['n']:.0f}, {row['events']:.0f} events)"
    start = f"{where} {model} expects {100 * row['predicted']:.1f}% events; there are {100 * row['observed']:.1f}%."
    if np.isnan(row["ici"]):
        return f"{start} There are too few cases, or too few different probabilities, for a curve. {_slope(row)}"
    points = f"a probability is on average {100 * row['ici']:.1f} points from the smooth observed share (ICI)"
    chance = f"where perfectly calibrated ones would be {100 * row['ici_chance']:.1f} off by chance"
    apart = row["ici"] > row["ici_chance_high"]
    verdict = "more than chance explains" if apart else "no more than chance explains, which is no proof of calibration"
    return f"{start} {points[0].upper()}{points[1:]}, {chance}: {verdict}. {_slope(row)}"


def calibrated(results: Results, set_: str) -> Figure:
    """Observed against predicted: smooth curve with band, groups of cases, recalibration line; one panel a model."""
    names, level = results.run.cohort, percent(results.run.evaluate.confidence)
    rows = results.rows(set_)
    smooth = {str(name): _smooth(results, str(name), set_) for name in rows.index}
    curves = DRAWN.format(span=curve.SPAN, level=level) if any(smooth.values()) else ""
    note = curves + NOTE.format(level=level, positive=names.positive_name, negative=names.negative_name)
    figure, axes = panels(titled("Calibration", results, set_), note, len(rows), 2.65)
    for axis, (name, own) in zip(axes, smooth.items(), strict=True):
        _panel(axis, results, name, set_, own)
    return figure


def _slope(row: "pd.Series[float]") -> str:
    if np.isnan(row["slope"]):
        return "The slope cannot be estimated."
    ends = f"slope {number(row['slope'], 2)} ({number(row['slope_low'], 2)} to {number(row['slope_high'], 2)})"
    if row["slope_low"] <= 1 <= row["slope_high"]:
        return f"The {ends} is compatible with 1, the ideal."
    return f"The {ends} says that probabilities are too {'extreme' if row['slope'] < 1 else 'timid'}."


def _measures(
    probability: np.ndarray, events: np.ndarray, results: Results, model: str, set_: str
) -> dict[str, float | int]:
    confidence = results.run.evaluate.confidence
    fit = calibration.recalibrate(probability, events)
    apart = curve.distance(probability, events, stream(results.run.seed, model, set_, "calibration"))
    z, p = calibration.spiegelhalter(probability, events)
    nan = float("nan")
    ends = (*fit.slope_interval(confidence), *fit.intercept_interval(confidence))
    return {
        "n": len(events), "events": int(events.sum()),
        "predicted": float(probability.mean()), "observed": float(events.mean()),
        "slope": fit.slope, "slope_low": ends[0], "slope_high": ends[1],
        "intercept": fit.intercept, "intercept_low": ends[2], "intercept_high": ends[3],
        "brier": calibration.brier(probability, events),
        "scaled_brier": calibration.scaled_brier(probability, events),
        "ici": apart.ici if apart else nan, "e50": apart.e50 if apart else nan, "e90": apart.e90 if apart else nan,
        "emax": apart.emax if apart else nan, "ici_chance": apart.chance if apart else nan,
        "ici_chance_high": apart.chance_high if apart else nan,
        "spiegelhalter_z": z, "spiegelhalter_p": p,
    }  # fmt: skip


def _rows(table: pd.DataFrame, results: Results) -> Rows:
    level = percent(results.run.evaluate.confidence)
    words = pd.DataFrame(
        [
            {
                "Model": row["model"], f"Slope ({level} CI)": _ends(row, "slope"),
                f"Intercept ({level} CI)": _ends(row, "intercept"), "Scaled Brier": number(row["scaled_brier"]),
                "ICI": number(row["ici"]), "E50": number(row["e50"]), "E90": number(row["e90"]),
                "Emax": number(row["emax"]),
                CHANCE: UNKNOWN if np.isnan(row["ici_chance"])
                else f"{number(row['ici_chance'])} ({number(row['ici_chance_high'])})",
                "P (Brier)": UNKNOWN if np.isnan(row["spiegelhalter_p"]) else p_value(row["spiegelhalter_p"]),
            }
            for _, row in table.iterrows()
        ]
    )  # fmt: skip
    curves = [name for name in ("ICI", "E50", "E90", "Emax", CHANCE) if (words[name] == UNKNOWN).all()]
    return Rows.of(words.drop(columns=curves), mark=results.reference)


def _ends(row: "pd.Series[float]", name: str) -> str:
    if np.isnan(row[name]):
        return UNKNOWN
    return f"{number(row[name], 2)} ({number(row[f'{name}_low'], 2)} to {number(row[f'{name}_high'], 2)})"


def _smooth(results: Results, model: str, set_: str) -> curve.Curve | None:
    generator = stream(results.run.seed, model, set_, "curve")
    return curve.curve(*cases(results, model, set_), generator, confidence=results.run.evaluate.confidence)


def _panel(axis: Axes, results: Results, model: str, set_: str, smooth: curve.Curve | None) -> None:
    probability, events = cases(results, model, set_)
    confidence, colour = results.run.evaluate.confidence, line(model).colour
    if smooth is not None:
        axis.fill_between(smooth.x, smooth.low, smooth.high, color=colour, alpha=0.16, linewidth=0)
        axis.plot(smooth.x, smooth.observed, color=colour, linewidth=1.6)
    table = calibration.groups(probability, events, confidence=confidence)
    fit = calibration.recalibrate(probability, events)
    spread = np.abs(table[["low", "high"]].to_numpy().T - table["observed"].to_numpy())
    axis.errorbar(table["predicted"], table["observed"], spread, fmt="o", color=colour, markersize=3.4, elinewidth=0.8)
    if fit.reason is None:
        x = np.linspace(max(probability.min(), 1e-6), min(probability.max(), 1 - 1e-6), 100)
        axis.plot(x, fit.curve(x), color=colour, linewidth=0.9, linestyle=(0, (3, 2)))
    diagonal(axis, model, "predicted", "observed")
    for kind, place, shade in ((1, 1.0, POSITIVE), (0, 0.0, NEGATIVE)):
        axis.plot(*_ticks(probability[events == kind], place), color=shade, linewidth=0.5, alpha=0.7)
    axis.set_title(f"{model}\n", fontsize=8)
    text = f"slope {number(fit.slope, 2)}, intercept {number(fit.intercept, 2)}"
    axis.text(0, 1.04, text, transform=axis.transAxes, fontsize=7.4, color=FAINT)


def _ticks(probability: np.ndarray, place: float) -> tuple[np.ndarray, np.ndarray]:
    """A tick at each probability, all in one line, so that a drawing does not grow with the cohort."""
    x = np.unique(probability.round(3))
    ends = np.array([place - 0.018, place + 0.018, np.nan])
    return np.repeat(x, 3), np.tile(ends, len(x))
