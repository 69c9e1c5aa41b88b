"""Several finished runs side by side: what differs in config and cohort, and whether their scores do."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations
from string import ascii_uppercase
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from fusion.report import contrasts
from fusion.report.blocks import Block, Heading, Listing, Plot, Prose, Report, Rows, Section
from fusion.report.figures import WIDTH, cases, diagonal
from fusion.report.pairs import Pair, corrected, paired, same_cases
from fusion.report.results import Results
from fusion.report.style import headed
from fusion.report.words import SETS, interval, number, p_value, percent

FREE = {"output", "cache", "jobs", "compute"}
"""Fields that do not change a number."""
HUES = ("#17529b", "#cc6c0c", "#158f7f", "#a0559b", "#111111", "#8a6d00")
DASHES = ("solid", (0.0, (5.0, 1.6)), (0.0, (7.0, 1.6, 1.4, 1.6)), (0.0, (1.2, 1.2)))


def compare(results: Sequence[Results]) -> tuple[Report, dict[str, Callable[[], Figure]]]:
    """The page that compares the runs, and its plots by name."""
    runs = lettered(results)
    pairs = paired(runs)
    plots: dict[str, Callable[[], Figure]] = {f"roc_{set_}": partial(overlaid, runs, set_) for set_ in sets(runs)}
    sections = [_says(runs, pairs), _configs(runs), _cohorts(runs), _models(runs), _tests(runs, pairs), _roc(runs)]
    report = Report(
        title="Comparison of " + ", ".join(runs), eyebrow="fusion report",
        subtitle=f"{len(runs)} finished runs, each judged as it judged itself", banners=_banners(runs),
        sections=sections,
    )  # fmt: skip
    return report, plots


def lettered(results: Sequence[Results]) -> dict[str, Results]:
    """The runs by a letter and their name; by that of their folder where all have the same."""
    folders = len({own.run.name for own in results}) == 1
    letters = [ascii_uppercase[place % 26] * (1 + place // 26) for place in range(len(results))]
    return {
        f"{letter} {own.folder.resolve().name if folders else own.run.name}": own
        for letter, own in zip(letters, results, strict=True)
    }


def sets(runs: Mapping[str, Results]) -> list[str]:
    """Sets that any of the runs has, the one that counts most first."""
    return [name for name in ("test", "external", "train_oof") if any(name in own.sets for own in runs.values())]


def differences(runs: Mapping[str, Results]) -> pd.DataFrame:
    """Fields of the configs that are not the same in every run, a row a field."""
    whole = {name: own.run.model_dump(mode="json", exclude=FREE) for name, own in runs.items()}
    rows = [
        {"Field": field, **{name: _word(value) for name, value in values.items()}} for field, values in _apart(whole)
    ]
    return pd.DataFrame(rows, columns=["Field", *runs])


def scores(runs: Mapping[str, Results], set_: str) -> pd.DataFrame:
    """Every model of every run in one set: n, events, AUC with interval, Brier, calibration slope."""
    order = list(dict.fromkeys(model for own in runs.values() for model in own.models))
    rows = [
        _scored(name, own, set_, model)
        for model in order
        for name, own in runs.items()
        if set_ in own.sets and model in own.rows(set_).index
    ]
    return pd.DataFrame(rows).fillna("–")


def _scored(name: str, own: Results, set_: str, model: str) -> dict[str, str]:
    row, level = own.scores(set_, model), percent(own.run.evaluate.confidence)
    return {
        "Model": model, "Run": name, "n": f"{row['n']:.0f}", "Events": f"{row['events']:.0f}",
        "AUC": number(row["auc"]), f"{level} CI": interval(row["auc_low"], row["auc_high"]),
        "Brier": number(row["brier"]), "Slope": number(row["calibration_slope"], 2),
    }  # fmt: skip


def overlaid(runs: Mapping[str, Results], set_: str) -> Figure:
    """ROC curves of every run's reference model in one set."""
    own = {name: run for name, run in runs.items() if set_ in run.sets}
    counts = {name: run.scores(set_, run.reference) for name, run in own.items()}
    n = ", ".join(
        f"{counts[name]['n']:.0f} ({counts[name]['events']:.0f} {run.run.cohort.positive_name})"
        for name, run in own.items()
    )
    note = "Legend: the run's reference model and its AUC with bootstrap interval. Positive class in brackets."
    figure = headed(f"ROC curves, {SETS[set_]}: n = {n}", note, WIDTH * 0.6, 5.2)
    axis = figure.subplots()
    for place, (name, run) in enumerate(own.items()):
        probability, events = cases(run, run.reference, set_)
        row = counts[name]
        x, y, _ = roc_curve(events, probability)
        label = f"{name}, {run.reference}  {number(row['auc'])} ({interval(row['auc_low'], row['auc_high'])})"
        colour, dash = HUES[place % len(HUES)], DASHES[place % len(DASHES)]
        axis.plot(x, y, color=colour, linestyle=dash, linewidth=1.9, label=label)
    diagonal(axis, "", "1 − specificity", "sensitivity")
    axis.legend(loc="upper left", bbox_to_anchor=(-0.06, -0.12), fontsize=8)
    return figure


def _says(runs: Mapping[str, Results], pairs: list[Pair]) -> Section:
    blocks: list[Block] = [Prose(sentence, faint=False) for sentence in contrasts.sentences(runs, pairs)]
    blocks.append(Listing(contrasts.cautions(runs), "How far to trust it"))
    return Section("says", "What the comparison says", blocks, "What it says")


def _banners(runs: Mapping[str, Results]) -> list[str]:
    phantoms = [name for name, own in runs.items() if own.run.cohort.phantom]
    shuffled = [name for name, own in runs.items() if own.run.cohort.shuffle_outcome]
    told = [f"Synthetic cohort, a digital phantom and not patients: {', '.join(phantoms)}."] if phantoms else []
    return told + (
        [f"Outcome shuffled, so that every model must score chance: {', '.join(shuffled)}."] if shuffled else []
    )


def _configs(runs: Mapping[str, Results]) -> Section:
    table = differences(runs)
    told = f"{len(table)} field{'s differ' if len(table) != 1 else ' differs'}; all others are the same in every run."
    blocks: list[Block] = [Prose(told)]
    if len(table):
        blocks.append(Rows.of(table, words=len(table.columns)))
    return Section("configs", "What differs in the configs", blocks, "Configs")


def _cohorts(runs: Mapping[str, Results]) -> Section:
    rows = [
        {"Run": name, "Folder": own.folder.resolve().name, "Cases": str(len(own.cohort)),
         "Patients": str(own.cohort["patient"].nunique()), "Positive": str(int(own.cohort["event"].sum())),
         **{SETS[set_].capitalize(): _counts(own.cohort, set_) for set_ in ("train", "test", "external")},
         "Data (SHA-256)": own.environment["data_sha256"][:12], "fusion": own.environment["fusion"]}
        for name, own in runs.items()
    ]  # fmt: skip
    told = [f"{one} and {two}: {_same(runs[one], runs[two])}." for one, two in combinations(runs, 2)]
    note = "Sets: cases, with those of the positive class in brackets."
    return Section("cohorts", "Cohorts", [Listing(told), Rows.of(pd.DataFrame(rows), words=2, note=note)])


def _same(one: Results, two: Results) -> str:
    data = "the same" if one.environment["data_sha256"] == two.environment["data_sha256"] else "not the same"
    patients = "the same cases wherever they share a name" if same_cases(one, two) else "different cases"
    return f"{data} data (table, images and masks), {patients}"


def _counts(cohort: pd.DataFrame, set_: str) -> str:
    rows = cohort[cohort["set"] == set_]
    return f"{len(rows)} ({rows['event'].sum()})" if len(rows) else "–"


def _models(runs: Mapping[str, Results]) -> Section:
    blocks: list[Block] = [
        Prose("AUC with bootstrap interval; a calibration slope of 1 and a Brier score of 0 are ideal.")
    ]
    for set_ in sets(runs):
        blocks += [Heading(f"{SETS[set_][0].upper()}{SETS[set_][1:]}"), Rows.of(scores(runs, set_), words=2)]
    return Section("models", "Every model of every run", blocks, "Models")


def _tests(runs: Mapping[str, Results], pairs: list[Pair]) -> Section:
    text = (
        "DeLong's paired test of the same model in two runs, over the cases that both have in the set; the difference "
        "is the first run's AUC minus the second's. Holm's correction runs over the comparisons of a set."
    )
    if not pairs:
        none = Prose("No two runs have a model over the same cases.")
        return Section("tests", "Runs against each other", [none], "Tests")
    order = sets(runs)
    rows = [
        [pair.model, f"{pair.first} − {pair.second}", SETS[pair.set], str(pair.n), str(pair.events),
         number(pair.test.difference), interval(pair.test.low, pair.test.high, " to "), p_value(pair.test.p),
         p_value(p)]
        for pair, p in sorted(zip(pairs, corrected(pairs), strict=True), key=lambda own: order.index(own[0].set))
    ]  # fmt: skip
    level = percent(next(iter(runs.values())).run.evaluate.confidence)
    head = ["Model", "Runs", "Set", "n", "Events", "Difference", f"{level} CI", "P", "P (Holm)"]
    return Section("tests", "Runs against each other", [Prose(text), Rows(head, rows, words=3)], "Tests")


def _roc(runs: Mapping[str, Results]) -> Section:
    plots = [Plot(f"roc_{set_}", f"ROC curves of the runs, {SETS[set_]}") for set_ in sets(runs)]
    return Section("roc", "ROC curves of the reference models", [Prose("Further towards the upper left is better; "
                   "curves over different cases are not to be compared by eye."), *plots], "ROC")  # fmt: skip


def _apart(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Fields whose values differ, as far down as every run describes them."""
    if not all(isinstance(value, dict) for value in values.values()):
        if len({_word(value) for value in values.values()}) > 1:
            yield path, values
        return
    for field in dict.fromkeys(field for value in values.values() for field in value):
        inner = {name: value.get(field, "–") for name, value in values.items()}
        yield from _apart(inner, f"{path}.{field}" if path else field)


def _word(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{field} {_word(part)}" for field, part in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(_word(part) for part in value) or "none"
    return "null" if value is None else str(value)
