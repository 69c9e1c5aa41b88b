"""The cohort: clinical variables by set and outcome, and whether sets and classes differ (Shen 2026, Suppl. T2)."""

import numpy as np

from fusion.evaluate.standardised import IMBALANCE
from fusion.report.blocks import Block, Folded, Heading, Prose, Rows, Section
from fusion.report.cohort_table import Comparison, cohort, comparisons, distance, repeated, shown
from fusion.report.results import Results
from fusion.report.topic import Topic
from fusion.report.words import SETS

SIGNIFICANT = 0.05
READ = (
    "Numbers: Student's t (mean ± SD) where both groups pass Shapiro-Wilk's test, Welch's t where Levene's test finds "
    "variances that differ, else Mann-Whitney's U (median and quartiles). Categories: Pearson's chi-square without "
    "Yates's correction; where an expected count is below 5, Fisher's exact test, for more than two levels Freeman and "
    "Halton's. P values are not corrected for the number of variables. SMD, the standardised mean difference, does "
    "not depend on the number of cases; above {imbalance:g} it is commonly called an imbalance (Austin 2009)."
)
SPLIT = (
    "Where the split is random, as it is unless the cohort's table fixes it, these P values test nothing: any "
    "difference is chance by construction (Senn 1994, doi:10.1002/sim.4780131703). Papers print them, so they are "
    "here; the SMD says how large a difference is."
)


def topic(results: Results) -> Topic:
    """Cases, patients and clinical variables by set and outcome, with tests."""
    compared = comparisons(results)
    table = cohort(results, compared)
    groups = [name for name in table.columns[2:] if ": " in name]
    plain = table[["Variable", "Level", *groups]]
    named_once = plain.assign(Variable=plain["Variable"].mask(plain["Variable"].duplicated(), ""))
    every = Rows.of(named_once, words=2)
    if not results.run.cohort.clinical:
        return Topic(Section("table_one", "The cohort", [every], "Cohort"), {"cohort": table})
    blocks: list[Block] = [Prose(" ".join(found(own, results) for own in compared), faint=False)]
    blocks.append(Prose(READ.format(imbalance=IMBALANCE)))
    blocks += [Prose(SPLIT)] if any(own.name == "train vs test" for own in compared) else []
    for own in compared:
        rows = Rows.of(shown(results, own), words=2)
        blocks += (
            [Folded(titled(own, results), [rows])] if own.second in SETS else [Heading(titled(own, results)), rows]
        )
    blocks += [Prose(line, faint=False) for line in repeated(results.cohort)]
    blocks.append(Folded("All cases by set and outcome", [every]))
    return Topic(Section("table_one", "The cohort", blocks, "Cohort"), {"cohort": table})


def titled(own: Comparison, results: Results) -> str:
    """What is compared, as a heading."""
    if own.second in SETS:
        return f"{SETS[own.first].capitalize()} and {SETS[own.second]}"
    return f"{own.first.capitalize()} and {own.second}, training set"


def found(own: Comparison, results: Results) -> str:
    """How many variables differ between two groups, and the largest difference, in one sentence."""
    low = [name for name, difference in own.differences.items() if difference.p < SIGNIFICANT]
    sizes = {name: difference.smd for name, difference in own.differences.items() if not np.isnan(difference.smd)}
    largest = max(sizes, key=lambda name: sizes[name], default=None)
    count = len(own.differences)
    said = f"{len(low)} of {count} variables differ at P < 0.05: {', '.join(low)}"
    what = said if low else f"none of {count} variables differs at P < 0.05"
    size = f"; the largest SMD is {distance(sizes[largest])} ({largest})" if largest is not None else ""
    return f"{titled(own, results)}: {what}{size}."
