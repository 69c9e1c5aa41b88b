"""The papers' figures: ROC, calibration, decision curve and confusion matrices of every set, and the features kept."""

from collections.abc import Callable
from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from fusion.config.run import Run
from fusion.evaluate import calibration, decision, predictions, threshold
from fusion.report.results import Results, read
from fusion.report.style import FAINT, INK, NEGATIVE, POSITIVE, headed, line, look, save
from fusion.report.words import SETS, interval, number, percent

WIDTH = 10.4
"""Inches; the page's column."""
COLUMNS = 4
THRESHOLDS = np.linspace(0.01, 0.99, 99)
CELLS = LinearSegmentedColormap.from_list("cells", ["#f7f9fb", "#7fb0dc"])


def draw(folder: Path, run: Run) -> list[Path]:
    """figures/NAME.svg and .png of a finished run; returns their paths.

    Raises:
        RunError: the run is not finished.
    """
    results, paths = read(folder, run), []
    for name, drawn in plan(results).items():
        with look(name):
            paths += save(drawn(), folder / "figures", name)
    return paths


def plan(results: Results) -> dict[str, Callable[[], Figure]]:
    """The figures of a run by file name, in the order of the page; each is drawn when called."""
    kinds = {"roc": roc, "calibration": calibrated, "decision": decided, "confusion": confused}
    made: dict[str, Callable[[], Figure]] = {
        f"{kind}_{set_}": lambda drawn=drawn, set_=set_: drawn(results, set_)  # type: ignore[misc]
        for kind, drawn in kinds.items()
        for set_ in results.sets
    }
    if selected_models(results):
        made["selected_features"] = lambda: selected(results)
    return made


def selected_models(results: Results) -> list[str]:
    """Radiomics models with a final selection."""
    return [model for model in results.models if model.endswith("_RAD") and len(results.final(model))]


def roc(results: Results, set_: str) -> Figure:
    """Three panels, as in Shen 2026, Figs 2-5: radiomics, deep learning, fused with clinical and combined."""
    families = {
        "Radiomics": ("_RAD",),
        "Deep learning": ("_DL",),
        "Fused and clinical": ("+DL", "Clinical", "Combined"),
    }
    rows = results.rows(set_)
    panels = {
        title: own for title, ends in families.items() if (own := [name for name in rows.index if name.endswith(ends)])
    }
    level = percent(results.run.evaluate.confidence)
    note = f"Legend: AUC ({level} bootstrap interval). Dot: the model's threshold, {_rule(results)}."
    figure = headed(_title("ROC curves", results, set_), note, WIDTH * len(panels) / 3, 5.0)
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axis, (title, names) in zip(axes, panels.items(), strict=True):
        for name in names:
            _roc_line(axis, results, set_, name)
        _diagonal(axis, title, "1 − specificity", "sensitivity")
        axis.legend(loc="upper left", bbox_to_anchor=(-0.06, -0.14), fontsize=7, handlelength=2)
    return figure


def calibrated(results: Results, set_: str) -> Figure:
    """Observed against predicted in groups of cases, with the logistic recalibration line, one panel a model."""
    note = "Points: groups of cases with 95% Wilson interval. Line: logistic recalibration. Grey: perfect calibration."
    rows = results.rows(set_)
    figure, axes = _panels(_title("Calibration", results, set_), note, len(rows), 2.55)
    for axis, name in zip(axes, rows.index, strict=True):
        _calibration_panel(axis, *_cases(results, name, set_), name)
    return figure


def decided(results: Results, set_: str) -> Figure:
    """Net benefit of the fullest model of each family, against treating all and none."""
    note = f"Net benefit when cases at or above the threshold count as {results.run.cohort.positive_name}."
    figure = headed(_title("Decision curves", results, set_), note, WIDTH * 0.74, 4.1)
    axis = figure.subplots()
    for name in fullest(results.models):
        probability, events = _cases(results, name, set_)
        style = line(name)
        benefit = decision.net_benefit(probability, events, THRESHOLDS)
        axis.plot(THRESHOLDS, benefit, color=style.colour, linestyle=style.dash, linewidth=style.width, label=name)
    axis.plot(THRESHOLDS, decision.treat_all(events, THRESHOLDS), color="#b4bac2", linewidth=1.3, label="treat all")
    axis.axhline(0, color=FAINT, linewidth=1, label="treat none")
    top = float(events.mean())
    axis.set(xlim=(0, 1), ylim=(-0.25 * top, 1.1 * top), xlabel="threshold probability", ylabel="net benefit")
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1.02), fontsize=8)
    return figure


def confused(results: Results, set_: str) -> Figure:
    """Counts of truth (rows) against call (columns) at the model's threshold, one matrix a model."""
    note = f"Rows: truth. Columns: call. Colour: share of the row. Threshold: {_rule(results)}."
    rows = results.rows(set_)
    figure, axes = _panels(_title("Confusion matrices", results, set_), note, len(rows), 2.3)
    cohort = results.run.cohort
    for axis, (name, cut) in zip(axes, rows["threshold"].items(), strict=True):
        counts = threshold.confusion(*_cases(results, str(name), set_), cut)
        _matrix(axis, counts, [cohort.positive_name, cohort.negative_name])
        axis.set_title(f"{name}\n", fontsize=8)
        axis.text(0, 1.04, f"accuracy {number(counts.accuracy)}, threshold {number(cut)}",
                  transform=axis.transAxes, fontsize=7.4, color=FAINT)  # fmt: skip
    return figure


def selected(results: Results) -> Figure:
    """Standardised coefficients of the features that each final radiomics model kept (Shen 2026, Suppl. Fig. 2)."""
    tables = {model: results.final(model) for model in selected_models(results)}
    heights = [len(table) + 2.5 for table in tables.values()]
    train = results.cohort[results.cohort["set"] == "train"]
    cohort = results.run.cohort
    title = f"Selected features, training set: n = {len(train)}, {train['event'].sum()} {cohort.positive_name}"
    note = f"Log-odds of {cohort.positive_name} for one standard deviation more; fitted on the whole training set."
    figure = headed(title, note, WIDTH * 0.8, 0.17 * sum(heights) + 0.6)
    axes = figure.subplots(len(tables), 1, squeeze=False, sharex=True, gridspec_kw={"height_ratios": heights})[:, 0]
    for axis, (model, table) in zip(axes, tables.items(), strict=True):
        colours = [POSITIVE if value > 0 else NEGATIVE for value in table["coefficient"]]
        axis.barh(table["feature"], table["coefficient"], color=colours, height=0.62)
        axis.axvline(0, color=FAINT, linewidth=0.8)
        axis.invert_yaxis()
        axis.grid(visible=False, axis="y")
        axis.tick_params(axis="y", labelsize=6.8, labelcolor=INK)
        axis.set_title(model)
    axes[-1].set_xlabel("coefficient")
    return figure


def fullest(models: list[str]) -> list[str]:
    """The last model of each family in Table 1's order: what Shen 2026, Fig. 6 compares.

    >>> fullest(["Tumor_RAD", "Tumor+External2_RAD", "Clinical", "Combined"])
    ['Tumor+External2_RAD', 'Clinical', 'Combined']
    """
    return list({model.rpartition("_")[2]: model for model in models}.values())


def _title(what: str, results: Results, set_: str) -> str:
    row = results.rows(set_).iloc[0]
    return (
        f"{what}, {SETS[set_]}: n = {row['n']:.0f}, {row['events']:.0f} {results.run.cohort.positive_name} (positive)"
    )


def _rule(results: Results) -> str:
    return threshold.describe(results.run.evaluate.threshold)


def _cases(results: Results, model: str, set_: str) -> tuple[np.ndarray, np.ndarray]:
    own = predictions.of(results.predictions, model, set_)
    return own["probability"].to_numpy(), own["event"].to_numpy()


def _panels(title: str, note: str, count: int, side: float) -> tuple[Figure, list[Axes]]:
    columns = min(COLUMNS, count)
    lines = -(-count // columns)
    figure = headed(title, note, WIDTH * max(columns, 2) / COLUMNS, side * lines + (0.6 if lines > 1 else 1.0))
    axes = list(figure.subplots(lines, columns, squeeze=False).flat)
    for axis in axes[count:]:
        axis.set_visible(False)
    return figure, axes[:count]


def _roc_line(axis: Axes, results: Results, set_: str, model: str) -> None:
    probability, events = _cases(results, model, set_)
    rows, style = results.rows(set_), line(model)
    area, low, high, cut = (float(rows[name][model]) for name in ("auc", "auc_low", "auc_high", "threshold"))
    x, y, _ = roc_curve(events, probability)
    label = f"{model}  {number(area)} ({interval(low, high)})"
    axis.plot(x, y, color=style.colour, linestyle=style.dash, linewidth=style.width, label=label)
    counts = threshold.confusion(probability, events, cut)
    axis.plot(1 - counts.specificity, counts.sensitivity, "o", color=style.colour, markersize=4.5, zorder=4)


def _diagonal(axis: Axes, title: str, x: str, y: str) -> None:
    axis.axline((0, 0), slope=1, color="#c5cbd3", linewidth=1, zorder=0.5)
    axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal", xlabel=x, ylabel=y, title=title)
    axis.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", ".25", ".5", ".75", "1"])
    axis.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", ".25", ".5", ".75", "1"])


def _calibration_panel(axis: Axes, probability: np.ndarray, events: np.ndarray, model: str) -> None:
    table, found = calibration.groups(probability, events), calibration.recalibrate(probability, events)
    colour = line(model).colour
    spread = np.abs(table[["low", "high"]].to_numpy().T - table["observed"].to_numpy())
    axis.errorbar(table["predicted"], table["observed"], spread, fmt="o", color=colour, markersize=4, elinewidth=1)
    if found.reason is None:
        x = np.linspace(max(probability.min(), 1e-6), min(probability.max(), 1 - 1e-6), 100)
        axis.plot(x, found.curve(x), color=colour, linewidth=1.4)
    _diagonal(axis, model, "predicted", "observed")
    axis.title.set_fontsize(8)
    text = f"slope {number(found.slope, 2)}\nintercept {number(found.intercept, 2)}"
    axis.text(0.03, 0.97, text, transform=axis.transAxes, va="top", fontsize=7.4, color=FAINT)


def _matrix(axis: Axes, counts: threshold.Confusion, names: list[str]) -> None:
    cells = np.array([[counts.tp, counts.fn], [counts.fp, counts.tn]])
    shares = cells / cells.sum(axis=1, keepdims=True)
    axis.pcolormesh(shares, cmap=CELLS, vmin=0, vmax=1, edgecolors="white", linewidth=3)
    axis.invert_yaxis()
    for (row, column), count in np.ndenumerate(cells):
        axis.text(column + 0.5, row + 0.44, str(count), ha="center", va="center", fontsize=13, color=INK)
        axis.text(column + 0.5, row + 0.74, f"{100 * shares[row, column]:.0f}%", ha="center", va="center",
                  fontsize=7.4, color="#3c4652")  # fmt: skip
    names = [fill(name, 11) for name in names]
    axis.set_xticks([0.5, 1.5], names)
    axis.set_yticks([0.5, 1.5], names, rotation=90, va="center", ma="center")
    axis.tick_params(labelsize=7.6)
    axis.grid(visible=False)
    for side in axis.spines.values():
        side.set_visible(False)
