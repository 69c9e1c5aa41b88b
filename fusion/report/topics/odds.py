"""Odds ratios: which clinical variables go with the positive class, alone and beside the others (Shen 2026, T3)."""

import pandas as pd
from matplotlib.figure import Figure

from fusion.config.odds import ByP, Named
from fusion.evaluate.logistic_fit import FIRTH
from fusion.evaluate.odds import SIGNIFICANT, OddsTables, odds
from fusion.report.blocks import Block, Folded, Listing, Plot, Prose, Rows, Section
from fusion.report.forest import forest, spanned
from fusion.report.odds_cautions import cautions
from fusion.report.results import Results
from fusion.report.topic import Topic
from fusion.report.words import number, p_value, percent

READ = (
    "An odds ratio above 1 goes with {positive}, below 1 with {negative}; an interval that spans 1 leaves the "
    "direction open. A category's ratio is for the level against the reference level that is named, a number's for one "
    "unit more. Univariable: each variable alone. Multivariable: those shown together in one model, so that each ratio "
    "holds with the others equal. All is of the training set; association is not cause."
)
MARK = "†"


def topic(results: Results) -> Topic | None:
    """Univariable and multivariable logistic regression of the clinical variables in the training set."""
    if not results.run.cohort.clinical:
        return None
    train = results.cohort[results.cohort["set"] == "train"]
    found = odds(train, results.run.cohort.clinical, results.run.evaluate.odds, results.run.evaluate.confidence)
    names = results.run.cohort
    warnings = cautions(found, train, results)
    blocks: list[Block] = [
        Prose(says(found, results), faint=False),
        Prose(READ.format(positive=names.positive_name, negative=names.negative_name)),
        Plot("odds_forest", "Odds ratios with intervals, univariable and multivariable"),
        *([Listing(warnings, "Be careful")] if warnings else []),
        Folded(
            "The same as a table, with the variance inflation",
            [Rows.of(printed(found, results), 2, None, _note(found))],
        ),
        *_per_sd(found, results),
    ]
    section = Section("odds", "Clinical variables and the outcome", blocks, "Odds ratios")
    tables = {"odds_univariable": found.univariable, "odds_multivariable": found.multivariable}
    return Topic(section, tables, {"odds_forest": lambda: drawn(found, results)})


def says(found: OddsTables, results: Results) -> str:
    """Which variables are associated alone, and which stay so beside the others."""
    positive, count = results.run.cohort.positive_name, len(results.run.cohort.clinical)
    rows = found.univariable
    alone = list(dict.fromkeys(rows["variable"][rows["p_variable"] < SIGNIFICANT]))
    where = f"In the training set ({found.n} cases, {found.events} {positive})"
    are = f"{len(alone)} of {count} variables {'is' if len(alone) == 1 else 'are'} associated with {positive}"
    one = f"{where} {are} at P < 0.05 when each is taken alone" + (f": {', '.join(alone)}." if alone else ".")
    if not found.entered:
        return f"{one} {_choice(results)} none entered a multivariable model."
    entered = f"{_choice(results)} {len(found.entered)} entered the multivariable model ({', '.join(found.entered)})"
    return f"{one} {entered}; {_stay(found)}."


def printed(found: OddsTables, results: Results) -> pd.DataFrame:
    """Both tables side by side as a paper prints them; a variable of several levels has a line with its own P."""
    level = percent(results.run.evaluate.confidence)
    together = {(row["variable"], row["level"]): row for _, row in found.multivariable.iterrows()}
    rows = []
    for name, own in found.univariable.groupby("variable", sort=False):
        lines = [(row, together.get((name, row["level"]))) for _, row in own.iterrows()]
        if len(lines) > 1:
            rows.append(_whole(str(name), *lines[0]))
        rows += [_single("" if len(lines) > 1 else str(name), *line) for line in lines]
    ratios = [f"{kind} OR ({level} CI)" for kind in ("Univariable", "Multivariable")]
    return pd.DataFrame(rows, columns=["Variable", "Level", "n (events)", ratios[0], "P", ratios[1], "P ", "VIF"])


def drawn(found: OddsTables, results: Results) -> Figure:
    """The forest plot of both tables."""
    positive, level = results.run.cohort.positive_name, percent(results.run.evaluate.confidence)
    title = f"Odds ratios of {positive}, training set: n = {found.n}, {found.events} {positive} (positive)"
    note = f"Squares: odds ratios. Lines: {level} intervals. Behind a level: its cases and, in brackets, events."
    panels = {"Univariable": found.univariable, "Multivariable": found.multivariable}
    return forest(title, note, found.univariable, panels)


def _stay(found: OddsTables) -> str:
    if found.multivariable["p"].isna().all():
        return "it has no estimate"
    if not found.independent:
        return "no P stays below 0.05 beside the others"
    return f"independent predictors (P < 0.05 beside the others): {', '.join(found.independent)}"


def _choice(results: Results) -> str:
    variables = results.run.evaluate.odds.variables
    if isinstance(variables, ByP):
        return f"Of those with a univariable P below {variables.below:g},"
    return "Of those named beforehand," if isinstance(variables, Named) else "Of all variables,"


def _whole(name: str, row: "pd.Series", beside: "pd.Series | None") -> list[str]:
    """A line for all levels of a variable at once."""
    p = "" if beside is None else p_value(beside["p_variable"])
    return [name, f"any level vs {row['reference']}", "", "", p_value(row["p_variable"]), "", p, ""]


def _single(name: str, row: "pd.Series", beside: "pd.Series | None") -> list[str]:
    level = f"{row['level']} vs {row['reference']}" if row["reference"] else row["level"]
    more = ["", "", ""] if beside is None else [*_cells(beside), number(beside["vif"], 2)]
    return [name, level, f"{row['n']} ({row['events']})", *_cells(row), *more]


def _cells(row: "pd.Series") -> tuple[str, str]:
    return spanned(row) + (MARK if row["method"] == FIRTH else ""), p_value(row["p"])


def _note(found: OddsTables) -> str:
    methods = [*found.univariable["method"], *found.multivariable["method"]]
    firth = f" {MARK} Firth's penalised likelihood with profile intervals." if FIRTH in methods else ""
    return f"Maximum likelihood with Wald intervals and P.{firth} VIF: variance inflation factor."


def _per_sd(found: OddsTables, results: Results) -> list[Block]:
    """Numbers on a common scale."""
    names = ["or", "low", "high"]
    rows = []
    for _, row in found.univariable[found.univariable["reference"] == ""].iterrows():
        scaled = pd.Series({name: row[f"{name}_per_sd"] for name in names})
        rows.append([row["variable"], number(row["sd"], 2), spanned(scaled)])
    if not rows:
        return []
    head = ["Variable", "SD", f"Univariable OR per SD ({percent(results.run.evaluate.confidence)} CI)"]
    return [Folded("Numbers for one standard deviation more", [Rows(head, rows)])]
