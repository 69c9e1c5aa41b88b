"""ROC curves: how well each model ranks cases."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from fusion.evaluate import threshold
from fusion.report.blocks import Prose, Section
from fusion.report.caution import few
from fusion.report.figures import WIDTH, cases, diagonal, each_set, rule, shown_by_set, titled
from fusion.report.results import Results
from fusion.report.style import headed, line
from fusion.report.topic import Topic
from fusion.report.words import SETS, interval, number, percent

READ = "Further towards the upper left is better; the diagonal is chance."
FAMILIES = {"Radiomics": ("_RAD",), "Deep learning": ("_DL",), "Fused and clinical": ("+DL", "Clinical", "Combined")}


def topic(results: Results) -> Topic:
    """ROC curves of every model in every set."""
    blocks = [
        Prose(found(results), faint=False), *few(results, results.sets[0]), Prose(READ),
        *shown_by_set("roc", "ROC curves", results),
    ]  # fmt: skip
    return Topic(Section("roc", "ROC curves", blocks, "ROC"), plots=each_set("roc", results, roc))


def found(results: Results) -> str:
    """Which models rank better than chance by their interval, in words."""
    set_, level = results.sets[0], percent(results.run.evaluate.confidence)
    rows = results.rows(set_)
    better = [str(model) for model in rows.index[rows["auc_low"] > 0.5]]
    worse = [str(model) for model in rows.index[rows["auc_high"] < 0.5]]
    said = (
        f"In the {SETS[set_]} the {level} interval of the AUC lies above 0.5, chance, for {len(better)} of {len(rows)}"
    )
    names = f": {', '.join(better)}" if better else ""
    below = f" It lies below 0.5, ranking the wrong way, for {', '.join(worse)}." if worse else ""
    return f"{said} models{names}.{below}"


def roc(results: Results, set_: str) -> Figure:
    """Three panels, as in Shen 2026, Figs 2-5: radiomics, deep learning, fused with clinical and combined."""
    rows = results.rows(set_)
    parts = {
        title: own for title, ends in FAMILIES.items() if (own := [name for name in rows.index if name.endswith(ends)])
    }
    level = percent(results.run.evaluate.confidence)
    note = f"Legend: AUC ({level} bootstrap interval). Dot: the model's threshold, {rule(results)}."
    figure = headed(titled("ROC curves", results, set_), note, WIDTH * len(parts) / 3, 5.0)
    axes = figure.subplots(1, len(parts), squeeze=False)[0]
    for axis, (title, names) in zip(axes, parts.items(), strict=True):
        for name in names:
            _line(axis, results, set_, name)
        diagonal(axis, title, "1 − specificity", "sensitivity")
        axis.legend(loc="upper left", bbox_to_anchor=(-0.06, -0.14), fontsize=7, handlelength=2)
    return figure


def _line(axis: Axes, results: Results, set_: str, model: str) -> None:
    probability, events = cases(results, model, set_)
    rows, style = results.rows(set_), line(model)
    area, low, high, cut = (float(rows[name][model]) for name in ("auc", "auc_low", "auc_high", "threshold"))
    x, y, _ = roc_curve(events, probability)
    label = f"{model}  {number(area)} ({interval(low, high)})"
    axis.plot(x, y, color=style.colour, linestyle=style.dash, linewidth=style.width, label=label)
    counts = threshold.confusion(probability, events, cut)
    axis.plot(1 - counts.specificity, counts.sensitivity, "o", color=style.colour, markersize=4.5, zorder=4)
