"""What was asked, what the run says, and what to distrust."""

from fusion.config.run import MODELS
from fusion.report import findings
from fusion.report.blocks import Block, Listing, Prose, Section, Terms, Tiles
from fusion.report.figures import rule
from fusion.report.results import Results
from fusion.report.topic import Topic
from fusion.report.words import SETS, interval, number, percent


def topic(results: Results) -> Topic:
    """The first thing a reader sees."""
    blocks: list[Block] = [
        *(Prose(sentence, faint=False) for sentence in findings.sentences(results)),
        _tiles(results),
        Listing(findings.cautions(results), "How far to trust it"),
        Terms(_asked(results)),
    ]
    return Topic(Section("says", "What this run says", blocks, "What it says"))


def _asked(results: Results) -> list[tuple[str, str]]:
    cohort, rows = results.run.cohort, results.cohort
    names = {"test": "test set", "external": "external set"}
    held = [
        f"{(rows['set'] == set_).sum()} in the {name}" for set_, name in names.items() if (rows["set"] == set_).any()
    ]
    cases = f"{len(rows)} cases of {rows['patient'].nunique()} patients, {rows['event'].sum()} {cohort.positive_name}"
    train = (rows["set"] == "train").sum()
    return [
        ("Question", f"Is the tumour {cohort.positive_name} (the positive class) or {cohort.negative_name}?"),
        ("Cases", f"{cases}: {', '.join([f'{train} in the training set', *held])}"),
        ("Judged in", f"the {SETS[results.sets[0]]}"),
        (
            "Models",
            f"{len(results.models)} of the {len(MODELS)} of Shen 2026, Table 1; each compared with {results.reference}",
        ),
        ("Threshold", rule(results)),
    ]


def _tiles(results: Results) -> Tiles:
    """The reference model in the chief set, in five numbers."""
    set_, model = results.sets[0], results.reference
    row = results.scores(set_, model)
    level = percent(results.run.evaluate.confidence)
    return Tiles(
        f"{model}, {SETS[set_]}",
        [
            ("AUC", number(row["auc"]), f"{level} CI {interval(row['auc_low'], row['auc_high'])}"),
            ("Sensitivity", number(row["sensitivity"]), f"at threshold {number(row['threshold'])}"),
            ("Specificity", number(row["specificity"]), f"at threshold {number(row['threshold'])}"),
            ("Brier score", number(row["brier"]), "0 is best"),
            ("Calibration slope", number(row["calibration_slope"], 2), "1 is best"),
        ],
    )
