"""Confusion matrices: what each model would have called."""

from matplotlib.figure import Figure

from fusion.evaluate import threshold
from fusion.report.blocks import Prose, Section
from fusion.report.figures import cases, each_set, panels, rule, shown_by_set, titled
from fusion.report.matrix import matrix
from fusion.report.results import Results
from fusion.report.style import FAINT
from fusion.report.topic import Topic
from fusion.report.words import SETS, number

READ = "What each model would have called, at a threshold found in training predictions alone."


def topic(results: Results) -> Topic:
    """Confusion matrices of every model in every set."""
    blocks = [
        Prose(found(results), faint=False),
        Prose(READ),
        *shown_by_set("confusion", "Confusion matrices", results),
    ]
    section = Section("confusion", "Confusion matrices", blocks, "Confusion")
    return Topic(section, plots=each_set("confusion", results, confused))


def found(results: Results) -> str:
    """What the reference model misses and calls in vain in the main set."""
    set_, model, names = results.sets[0], results.reference, results.run.cohort
    cut = float(results.rows(set_)["threshold"][model])
    counts = threshold.confusion(*cases(results, model, set_), cut)
    return (
        f"In the {SETS[set_]} {model} at its threshold, {number(cut)}, misses {counts.fn} of {counts.fn + counts.tp} "
        f"{names.positive_name} cases and calls {counts.fp} of {counts.fp + counts.tn} {names.negative_name} cases "
        f"{names.positive_name}."
    )


def confused(results: Results, set_: str) -> Figure:
    """Counts of truth (rows) against call (columns) at the model's threshold, one matrix a model."""
    note = f"Rows: truth. Columns: call. Colour: share of the row. Threshold: {rule(results)}."
    rows = results.rows(set_)
    figure, axes = panels(titled("Confusion matrices", results, set_), note, len(rows), 2.3)
    cohort = results.run.cohort
    for axis, (name, cut) in zip(axes, rows["threshold"].items(), strict=True):
        counts = threshold.confusion(*cases(results, str(name), set_), cut)
        matrix(axis, counts, [cohort.positive_name, cohort.negative_name])
        axis.set_title(f"{name}\n", fontsize=8)
        axis.text(0, 1.04, f"accuracy {number(counts.accuracy)}, threshold {number(cut)}",
                  transform=axis.transAxes, fontsize=7.4, color=FAINT)  # fmt: skip
    return figure
