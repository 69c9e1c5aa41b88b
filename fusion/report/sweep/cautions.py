"""What to be careful about in a sweep, and what must stand above it; computed from what is there."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import norm

from fusion.evaluate import predictions
from fusion.report import findings
from fusion.report.findings import CASES_A_CLASS, TESTABLE
from fusion.report.sweep.read import Swept
from fusion.report.sweep.words import counted, few
from fusion.report.words import SETS, number


def banners(swept: Swept) -> list[str]:
    """Synthetic or shuffled cohorts, and cells that are in no figure."""
    told: dict[str, list[str]] = {}
    for own in swept.done:
        for text in findings.banners(own):
            told.setdefault(text, []).append(own.name)
    every = len(swept.done)
    found = [text if len(names) == every else f"{few(names)}: {text}" for text, names in told.items()]
    for state, what in (("failed", "failed"), ("waiting", "not finished yet")):
        if names := swept.named(state):
            found.append(
                f"{len(names)} of {counted(len(swept.cells), 'cell')} {what}: {few(names)}. In no figure here, and not "
                "among those that could be chosen."
            )
    return found


def cautions(swept: Swept) -> list[str]:
    """Reasons not to lean on the numbers."""
    return [
        "Research use only: not a medical device, and not for decisions about patients.",
        *_many(swept), *_failed(swept), *_left_out(swept), *_same(swept), *_ties(swept), *_small(swept),
        *_families(swept), *_first(swept),
    ]  # fmt: skip


def largest_of_nothing(cells: int, events: int, others: int) -> float:
    """The AUC that the largest of ``cells`` unrelated models which know nothing has on average.

    The variance of an AUC without information is (m + n + 1) / (12 m n) (Mann & Whitney 1947,
    doi:10.1214/aoms/1177730491), the mean of the largest of k normal draws about that of Blom 1958's plotting position.

    >>> round(largest_of_nothing(20, 30, 70), 2)
    0.62
    """
    error = np.sqrt((events + others + 1) / (12 * events * others))
    return float(0.5 + error * max(norm.ppf((cells - 0.375) / (cells + 0.25)), 0.0))


def _many(swept: Swept) -> Iterator[str]:
    count, set_ = len(swept.done), swept.sets[0]
    rows = swept.of_choice[swept.of_choice["set"] == set_]
    if count < 2 or rows.empty:
        return
    n, events = rows["n"].iloc[0], rows["events"].iloc[0]
    if pd.isna(events):
        yield f"{count} cells were compared: the largest of {count} AUCs is flattered by being the largest."
        return
    nothing = largest_of_nothing(count, int(events), int(n - events))
    yield (
        f"{count} cells were compared. If none of them knew anything and their scores were unrelated, the largest of "
        f"their AUCs would still be about {number(nothing, 2)} ({SETS[set_]})."
    )


def _failed(swept: Swept) -> Iterator[str]:
    if names := swept.named("failed"):
        yield (
            f"{counted(len(names), 'cell')} failed ({few(names)}). What they would have scored is not known, and the "
            "choice was made without them."
        )


def _left_out(swept: Swept) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for name, why in swept.choice.left_out.items():
        reasons.setdefault(why, []).append(name)
    for why, names in reasons.items():
        yield f"Could not be chosen ({why}): {few(names)}."


def _same(swept: Swept) -> Iterator[str]:
    """Cells between which what was swept changed nothing."""
    alike: dict[bytes, list[str]] = {}
    for own in swept.done:
        sets = [own.scores(swept.by, set_) for set_ in predictions.SETS]
        said = b"".join(scores.probability.tobytes() for rounds in sets for scores in rounds.values())
        alike.setdefault(said, []).append(own.name)
    for said, names in alike.items():
        if said and len(names) > 1:
            yield f"{few(names)} predict the same, case by case: what was swept between them changed nothing."


def _ties(swept: Swept) -> Iterator[str]:
    table = swept.choice.table
    equal = table[table["inner_auc"] == table["runner_up_auc"]]
    if len(equal):
        where = "The choice was" if len(table) == 1 else f"In {counted(len(equal), 'round')} the choice was"
        yield f"{where} between cells of equal out-of-fold AUC; the one typed earlier was taken."


def _small(swept: Swept) -> Iterator[str]:
    rows = swept.of_choice[swept.of_choice["set"] == swept.sets[0]].dropna(subset=["events"])
    if rows.empty:
        return
    smaller = int(min(rows["events"].min(), (rows["n"] - rows["events"]).min()))
    where = SETS[swept.sets[0]]
    if smaller < TESTABLE:
        yield (
            f"The smaller class has {counted(smaller, 'case')} ({where}): DeLong's approximation fails there, and its "
            "P is too small."
        )
    elif smaller < CASES_A_CLASS:
        yield (
            f"The smaller class has {counted(smaller, 'case')} ({where}); below {CASES_A_CLASS} an AUC is imprecise "
            "(Collins 2016)."
        )


def _families(swept: Swept) -> Iterator[str]:
    made = swept.comparison.dropna(subset=["p"]).groupby(["model", "set"]).size()
    if len(made) > 1:
        yield (
            f"Holm's correction runs over the cells compared in one model and set ({int(made.max())} at most). There "
            f"are {len(made)} such families here; whoever looks through them all will find small P by chance."
        )


def _first(swept: Swept) -> Iterator[str]:
    first = str(swept.cells["cell"].iloc[0])
    if swept.done[0].name != first:
        yield f"Cells are compared with {swept.done[0].name}, as {first} is not finished."
