"""What the rounds say together, what such a split means, and what it does not."""

from collections.abc import Iterator

import pandas as pd

from fusion.config.split import LeaveOneScannerOut, Nested, Repeated
from fusion.data.split_rounds import OTHERS
from fusion.evaluate.rounds import MEAN
from fusion.report.blocks import Block, Heading, Listing, Prose, Section, Tiles
from fusion.report.results import Results
from fusion.report.rounds.read import RoundResults
from fusion.report.words import interval, number, percent

FEW_ROUNDS = 5
"""Scanners below which nothing can be said of how much scanners differ."""


def section(results: RoundResults) -> Section:
    """The first thing a reader sees."""
    blocks: list[Block] = [Prose(sentence, faint=False) for sentence in sentences(results)]
    blocks += [_tiles(results, results.reference(task)) for task in results.tasks]
    blocks += [Heading("What this split means"), Prose(meaning(results))]
    return Section("says", "What the rounds say", [*blocks, Listing(limits(results), "What it does not say")],
                   "What they say")  # fmt: skip


def banners(results: RoundResults) -> list[str]:
    """What a reader must see before any number."""
    found = ["The outcome was shuffled (cohort.shuffle_outcome): every model must score chance here."]
    return found if results.run.cohort.shuffle_outcome else []


def sentences(results: RoundResults) -> Iterator[str]:
    """How each task's reference did over all rounds, and how far the rounds are apart."""
    level = percent(results.run.evaluate.confidence)
    for task in results.tasks:
        model = results.reference(task)
        row, each = results.row(model), results.of(model)["auc"]
        ends = f"go from {number(each.min())} ({each.idxmin()}) to {number(each.max())} ({each.idxmax()})"
        ends = f"all have {number(each.min())}" if number(each.min()) == number(each.max()) else ends
        area = f"{model}: AUC {number(row['auc'])} ({level} CI {interval(row['auc_low'], row['auc_high'])})"
        if isinstance(results.split, Repeated):
            yield f"{area}, the mean of {len(each)} repeats over the same {int(row['n'])} cases; the repeats {ends}."
        else:
            yield (
                f"{area} over {int(row['n'])} cases, each tested once by models that never saw its patient. "
                f"The mean of the {len(each)} rounds' own AUCs is {number(row[MEAN])}; the rounds {ends}."
            )


def meaning(results: RoundResults) -> str:
    """What was estimated, in the words of the split's kind."""
    sizes = _sizes(results)
    networks = "networks, " if results.run.network is not None else ""
    learned = f"scaling, selection, {networks}stacking, calibration and the threshold"
    match results.split:
        case Nested():
            return (
                f"The patients were dealt into {len(results.names)} parts, stratified by outcome. Each part was tested "
                f"by models that learned everything ({learned}) from the other parts, in {results.split.folds} folds "
                "of their own. The figures estimate how a model made by this recipe from about "
                f"{sizes} cases does on new patients like these."
            )
        case LeaveOneScannerOut():
            return (
                f"Each round leaves out the patients of one {_place(results)} and tests them by models that learned "
                f"everything ({learned}) on the others. The figures estimate how a model made by this recipe from "
                f"{sizes} cases does on patients of a {_place(results)} that it has never met."
            )
    return (
        f"All patients were dealt into {results.split.folds} folds, {len(results.names)} times over with other draws. "
        "Every case is judged in each repeat by models that were not fitted on its fold. A figure is the mean over the "
        "repeats' own figures, not that of averaged probabilities, which would judge an ensemble that nobody trains. "
        "The calls of a fold use the threshold of the other folds."
    )


def limits(results: RoundResults) -> list[str]:
    """What readers of such figures often believe and should not."""
    return [*_by_kind(results), *_always(results)]


def _by_kind(results: RoundResults) -> Iterator[str]:
    together = (
        "The AUC over all cases also compares cases of different rounds, whose models and thresholds differ; the mean "
        "of the rounds' own AUCs does not. Far apart, they say that the rounds' probabilities do not share a scale."
    )
    match results.split:
        case Nested():
            yield together
        case LeaveOneScannerOut():
            yield together
            yield from _of_scanners(results)
        case Repeated():
            yield (
                "There is no test set. Whoever looked at these figures to choose a recipe has used them up: nested "
                "rounds (split.kind=nested), or a sweep that chooses in the inner loop, judge a choice."
            )
            yield (
                "Repeats are no more patients. Their spread is the luck of the draw of folds and seeds; the interval, "
                "which is that of the patients, does not shrink with their number."
            )
            if isinstance(results.first, Results) and results.first.leaning:
                yield (
                    f"Out-of-fold AUCs of {', '.join(results.first.leaning)} lean upwards a little: their last "
                    "regression reads scores of models that saw the fold it is judged on."
                )


def _of_scanners(results: RoundResults) -> Iterator[str]:
    place, names = _place(results), results.names
    if len(names) < FEW_ROUNDS:
        yield (
            f"{len(names)} rounds are few: they show whether the models travel between these, and little of how they "
            f"would do on the next {place}."
        )
    if OTHERS in names:
        yield f"The round {OTHERS} joins every {place} with too few patients of a class for a round of its own."
    yield (
        f"A {place} often stands for a hospital, a period and a kind of patient too; a round that does worse does not "
        "say which of them it was. All come from one cohort table, read by the same people: this is no external "
        "validation."
    )


def _always(results: RoundResults) -> Iterator[str]:
    count = len(results.names) * (results.split.folds if isinstance(results.split, Repeated) else 1)
    yield (
        f"No one model was judged here: {count} were, and none of them is kept as a bundle. The model to "
        "use is fitted once on everyone (split.kind=holdout, split.test_fraction=0); these figures are its estimate."
    )
    yield (
        "Intervals draw patients and keep the models as they are: that other patients would have trained other models "
        "is not in them, though the spread of the rounds shows a part of it."
    )
    if any(results.row(results.reference(task))["auc"] == 1 for task in results.tasks):
        yield "An AUC of 1 has an interval of 1 to 1 by any draw of these patients, which is too narrow."
    yield "Research use only: not a medical device, and not for decisions about patients."


def _place(results: RoundResults) -> str:
    split = results.split
    return f"value of {split.column!r}" if isinstance(split, LeaveOneScannerOut) and split.column else "scanner"


def _sizes(results: RoundResults) -> str:
    sizes = sorted({int((own["set"] == "train").sum()) for own in results.cohorts.values()})
    return str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"


def _tiles(results: RoundResults, model: str) -> Tiles:
    row, each = results.row(model), results.of(model)["auc"]
    level = percent(results.run.evaluate.confidence)
    at = "at own thresholds" if not pd.isna(row["threshold"]) else "mean over the classes"
    ends = f"{number(each.min())}–{number(each.max())}"
    mean = ("Mean of rounds", number(row[MEAN]), f"AUCs {ends}")
    if isinstance(results.split, Repeated):
        mean = ("Repeats", ends, "AUC: the luck of the draw")
    return Tiles(
        f"{model}, all rounds",
        [
            ("AUC", number(row["auc"]), f"{level} CI {interval(row['auc_low'], row['auc_high'])}"),
            mean,
            ("Sensitivity", number(row["sensitivity"]), at),
            ("Specificity", number(row["specificity"]), at),
            ("Brier score", number(row["brier"]), "0 is best"),
        ],
    )
