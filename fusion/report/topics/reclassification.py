"""Reclassification: which way does the newer model move each case's probability?"""

from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.evaluate import predictions, reclassification
from fusion.evaluate.metrics import stream
from fusion.evaluate.reclassification import Bootstrap, Improvement, categories
from fusion.report.blocks import Block, Folded, Heading, Plot, Prose, Rows, Section
from fusion.report.caution import few
from fusion.report.figures import WIDTH, titled
from fusion.report.results import Results
from fusion.report.style import NEGATIVE, POSITIVE, headed
from fusion.report.topic import Topic
from fusion.report.words import SETS, number, p_value, percent, share

READ = (
    "IDI is the mean rise of the probability in events plus its mean fall in non-events (Pencina 2008). NRI is the net "
    "share of events moved up plus the net share of non-events moved down: across the categories, or, category-free, "
    "by any amount (Pencina 2008, 2011). With one cut the two parts are the changes of sensitivity and of specificity "
    "at it. Read the two parts; their sum is no share of patients and weighs the classes "
    "alike, however common they are."
)
DISTRUST = (
    "What this is not: proof that the newer model is better. A useless marker can give a positive NRI, in fresh cases "
    "too, and the category-free one most of all; a miscalibrated model gains IDI by extreme probabilities (Kerr 2014, "
    "Pepe 2015, Hilden & Gerds 2014). P values are the authors' asymptotic ones, which are too small for a model that "
    "holds the older one. The difference of the AUCs and of the net benefit above are the firmer ground."
)


def topic(results: Results) -> Topic | None:
    """IDI and NRI in the main set; None where a run lacks one of the two models."""
    asked, set_ = results.run.evaluate.reclassification, results.sets[0]
    if not {asked.old, asked.new} <= set(results.rows(set_).index):
        return None
    old, new, events = _pair(results, set_)
    cutoffs = _cutoffs(results)
    measured = _measured(results, set_)
    table = pd.DataFrame([_numbers(name, one, set_, results) for name, one in measured.items()])
    blocks: list[Block] = [
        *(Prose(sentence, faint=False) for sentence in found(measured, results, set_)),
        *few(results, set_),
        Prose(READ),
        Prose(DISTRUST),
        _rows(measured, results),
        Plot(f"reclassification_{set_}", f"Probabilities of {asked.old} and {asked.new}, {SETS[set_]}"),
        Folded("Who moves where", list(_moves(old, new, events, cutoffs, results))),
    ]
    title = f"Reclassification: {asked.old} to {asked.new}"
    plots = {f"reclassification_{set_}": lambda: moved(results, set_)}
    moves = _long(old, new, events, cutoffs)
    tables = {"reclassification": table, "reclassification_categories": moves}
    return Topic(Section("reclassification", title, blocks, "Reclassification"), tables, plots)


def found(measured: dict[str, Improvement], results: Results, set_: str) -> list[str]:
    """What moved in events and in non-events, in words."""
    asked, cohort = results.run.evaluate.reclassification, results.run.cohort
    free, gain = measured["NRI, category-free"], measured["IDI"]
    events, others = free.events, free.others
    still_events = int(results.rows(set_)["events"][asked.new]) - events.right - events.wrong
    moved = (
        f"In the {SETS[set_]} {asked.new} gives {events.right} {cohort.positive_name} cases a higher and "
        f"{events.wrong} a lower probability than {asked.old}"
        + (f" ({still_events} the same)" if still_events else "")
        + ", and "
        f"{others.right} {cohort.negative_name} cases a lower and {others.wrong} a higher one."
    )
    level = percent(results.run.evaluate.confidence)
    apart = gain.low > 0 or gain.high < 0
    clear = "which excludes 0" if apart else "which holds 0, so this may be chance"
    doubt = ", though the asymptotic P is " + p_value(gain.p) if apart and gain.p >= 0.05 else ""
    return [
        moved,
        f"IDI {number(gain.total)} ({level} interval {number(gain.low)} to {number(gain.high)}, {clear}{doubt}): the "
        f"mean probability changes by {_signed(gain.events.value)} in {cohort.positive_name} and by "
        f"{_signed(-gain.others.value)} in {cohort.negative_name} cases.",
    ]


def moved(results: Results, set_: str) -> Figure:
    """Each case's probability by the newer model against the older, events and non-events apart."""
    asked, cohort = results.run.evaluate.reclassification, results.run.cohort
    note = (
        "Above the diagonal the newer model gives more. Lines: cuts between categories. Coloured: moved the right way."
    )
    figure = headed(titled("Reclassification", results, set_), note, WIDTH * 0.72, 4.0)
    old, new, events = _pair(results, set_)
    names = {1: cohort.positive_name, 0: cohort.negative_name}
    for axis, kind in zip(figure.subplots(1, 2), (1, 0), strict=True):
        _scatter(axis, old[events == kind], new[events == kind], kind, _cutoffs(results))
        axis.set(xlabel=asked.old, ylabel=asked.new, title=f"{names[kind]}, n = {(events == kind).sum()}")
    return figure


def _scatter(axis: Axes, old: np.ndarray, new: np.ndarray, kind: int, cutoffs: tuple[float, ...]) -> None:
    right = (new > old) if kind else (new < old)
    for chosen, colour in ((right, (NEGATIVE, POSITIVE)[kind]), (~right, "#b4bac2")):
        axis.plot(old[chosen], new[chosen], "o", color=colour, markersize=3.6, alpha=0.75, markeredgewidth=0)
    axis.axline((0, 0), slope=1, color="#c5cbd3", linewidth=1, zorder=0.5)
    for cut in cutoffs:
        axis.axvline(cut, color="#8a93a0", linewidth=0.6)
        axis.axhline(cut, color="#8a93a0", linewidth=0.6)
    axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")


def _pair(results: Results, set_: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    asked = results.run.evaluate.reclassification
    old, new = (predictions.of(results.predictions, name, set_) for name in (asked.old, asked.new))
    return old["probability"].to_numpy(), new.loc[old.index, "probability"].to_numpy(), old["event"].to_numpy()


def _cutoffs(results: Results) -> tuple[float, ...]:
    """The stated cutoffs, or the training set's share of events (Pencina 2017, Stat Med 36:4455)."""
    asked = results.run.evaluate.reclassification.cutoffs
    train = results.cohort[results.cohort["set"] == "train"]["event"]
    return (float(train.mean()),) if asked is None else asked


def _measured(results: Results, set_: str) -> dict[str, Improvement]:
    evaluate = results.run.evaluate
    old, new, events = _pair(results, set_)
    cutoffs = _cutoffs(results)

    def drawn(name: str) -> Bootstrap:
        generator = stream(results.run.seed, set_, "reclassification", name)
        return Bootstrap(generator, evaluate.bootstrap, evaluate.confidence)

    at = ", ".join(number(cut, 2) for cut in cutoffs)
    return {
        "IDI": reclassification.idi(old, new, events, drawn("idi")),
        f"NRI, cut at {at}": reclassification.nri(old, new, events, drawn("nri"), cutoffs),
        "NRI, category-free": reclassification.nri(old, new, events, drawn("free")),
    }


def _rows(measured: dict[str, Improvement], results: Results) -> Rows:
    level, cohort = percent(results.run.evaluate.confidence), results.run.cohort
    rows = [
        {
            "Measure": name,
            f"{cohort.positive_name} ({level} CI)": _ends(one.events),
            f"{cohort.negative_name} ({level} CI)": _ends(one.others),
            f"Sum ({level} CI)": f"{number(one.total)} ({number(one.low)} to {number(one.high)})",
            "P": p_value(one.p),
            f"{cohort.positive_name}: up, down": f"{one.events.right}, {one.events.wrong}",
            f"{cohort.negative_name}: down, up": f"{one.others.right}, {one.others.wrong}",
        }
        for name, one in measured.items()
    ]
    return Rows.of(pd.DataFrame(rows))


def _numbers(name: str, one: Improvement, set_: str, results: Results) -> dict[str, object]:
    asked = results.run.evaluate.reclassification
    made: dict[str, object] = {"set": set_, "old": asked.old, "new": asked.new, "measure": name}
    for kind, part in (("events", one.events), ("others", one.others)):
        made |= {kind: part.value, f"{kind}_low": part.low, f"{kind}_high": part.high}
        made |= {f"{kind}_right": part.right, f"{kind}_wrong": part.wrong}
    return made | {"sum": one.total, "low": one.low, "high": one.high, "z": one.z, "p": one.p}


def _moves(
    old: np.ndarray, new: np.ndarray, events: np.ndarray, cutoffs: tuple[float, ...], results: Results
) -> list[Block]:
    """The reclassification tables of events and of non-events."""
    asked, cohort, heads = results.run.evaluate.reclassification, results.run.cohort, _names(cutoffs)
    blocks: list[Block] = []
    for kind, name in ((1, cohort.positive_name), (0, cohort.negative_name)):
        counts = reclassification.table(old[events == kind], new[events == kind], cutoffs)
        rows = [
            [head, *(share(int(count), int(counts.sum())) for count in line)]
            for head, line in zip(heads, counts, strict=True)
        ]
        blocks += [Heading(f"{name}, n = {counts.sum()}"), Rows([f"{asked.old}, then {asked.new}", *heads], rows)]
    return blocks


def _long(old: np.ndarray, new: np.ndarray, events: np.ndarray, cutoffs: tuple[float, ...]) -> pd.DataFrame:
    heads = np.array(_names(cutoffs))
    table = pd.DataFrame(
        {"event": events, "old": heads[categories(old, cutoffs)], "new": heads[categories(new, cutoffs)]}
    )
    return table.groupby(["event", "old", "new"], sort=True).size().rename("n").reset_index()


def _names(cutoffs: tuple[float, ...]) -> list[str]:
    """The categories in words.

    >>> _names((0.1, 0.3))
    ['under 0.10', '0.10 to 0.30', '0.30 or more']
    """
    ends = [number(cut, 2) for cut in cutoffs]
    between = [f"{low} to {high}" for low, high in pairwise(ends)]
    return [f"under {ends[0]}", *between, f"{ends[-1]} or more"]


def _ends(part: reclassification.Part) -> str:
    return f"{number(part.value)} ({number(part.low)} to {number(part.high)})"


def _signed(value: float) -> str:
    return f"{round(value, 3) + 0.0:+.3f}"
