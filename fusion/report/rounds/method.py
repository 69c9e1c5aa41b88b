"""How the numbers of several rounds were made: as those of each round, but for how they are put together."""

from fusion.config.split import LeaveOneScannerOut, Nested, Repeated
from fusion.report.blocks import Section, Terms
from fusion.report.method import method as of_regions
from fusion.report.results import Results
from fusion.report.rounds.read import RoundResults
from fusion.report.tasks.method import terms as of_tasks
from fusion.report.words import percent

OF_ONE = ("Cohort table", "Odds ratios", "Decision curve")
"""What the report of a single round has, and this page has not."""


def section(results: RoundResults) -> Section:
    """The recipe of a round, and the rules of the whole."""
    first = results.first
    known = dict(of_regions(first) if isinstance(first, Results) else of_tasks(first))
    known = {name: words for name, words in known.items() if name not in OF_ONE}
    return Section("method", "How the numbers were made", [Terms(list({**known, **_whole(results)}.items()))], "Method")


def _whole(results: RoundResults) -> dict[str, str]:
    evaluate = results.run.evaluate
    repeated = isinstance(results.split, Repeated)
    level = percent(evaluate.confidence)
    found = {
        "Split": _split(results),
        "Intervals": f"{level} percentile interval over {evaluate.bootstrap} bootstrap samples of patients, all cases "
                     "of one together" + (", the mean over repeats taken inside every sample" if repeated else ""),
        "Calibration": ("the mean over repeats" if repeated else "over the test cases of all rounds") + "; slope and "
                       "intercept by logistic recalibration; Brier score",
    }  # fmt: skip
    if not results.run.cohort.tasks:
        tested = "the difference of mean AUCs over its deviation in samples of patients" if repeated else (
            "DeLong's paired test over the test cases of all rounds")  # fmt: skip
        found["P values"] = f"{tested}, against {results.reference('')}, with Holm's correction over the comparisons"
        found["Validation"] = "the rounds themselves; none inside a round"
    return found


def _split(results: RoundResults) -> str:
    run, split = results.run, results.split
    drawn = f"{split.folds} folds, by patient, stratified by outcome, seed {run.seed}"
    match split:
        case Nested():
            return f"nested: {split.outer} outer folds, each tested once; in the rest of each {drawn}"
        case Repeated():
            return f"repeated: {split.repeats} times {drawn}, each draw another; no test set"
        case LeaveOneScannerOut():
            column = split.column or run.cohort.scanner
            pooled = f"; values with fewer than {split.fewest} patients of a class together" if split.pool_small else ""
            return f"a round a value of column {column!r}, tested once{pooled}; in the rest of each {drawn}"
