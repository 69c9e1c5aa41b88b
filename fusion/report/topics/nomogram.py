"""The nomogram of the run's fullest regression on named predictors, drawn and as a calculator."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from fusion.errors import Fault, HeadError, RunError
from fusion.evaluate import predictions
from fusion.heads.nomogram import of_run, values
from fusion.heads.points import Nomogram, Scale, round_range
from fusion.report.blocks import Block, Folded, Heading, Interactive, Plot, Prose, Rows, Section
from fusion.report.nomogram import calculator, example, figure
from fusion.report.nomogram.names import plain, shortest
from fusion.report.results import Results
from fusion.report.topic import Topic
from fusion.report.words import SETS, number

MODELS = ("Combined", "Clinical")
"""Logistic regressions on named predictors, the fullest first."""
SCORES = "features/scores.parquet"
AGREES = 1e-6
"""Largest distance from predictions.csv: more than another processor's rounding in the same fit."""
CHANCES = (0.01, 0.05, *(tenth / 10 for tenth in range(1, 10)), 0.95, 0.99)
READ = (
    "Read each value up to Points, add the points, and read the total down to the probability. Lines span the training "
    "cases, widened to round numbers; values beyond them follow the same straight line."
)
MEANT = "Points say how the model weighs what it is given, not what causes the disease."
SCORED = (
    "A score is the log-odds that the radiomics or deep-learning model gives the case; those of this run's cases stand "
    "in features/scores.parquet."
)


def shown_model(results: Results) -> str | None:
    """The model whose nomogram the report shows, if the run has one."""
    known = [model for model in MODELS if model in results.models]
    return known[0] if known and (results.folder / SCORES).is_file() else None


def topic(results: Results) -> Topic | None:
    """The nomogram of Combined, or else of Clinical; None where the run has neither.

    Raises:
        RunError: fitted again, the model gives other probabilities than predictions.csv holds.
    """
    model = shown_model(results)
    if model is None:
        return None
    scores = pd.read_parquet(results.folder / SCORES)
    try:
        made = of_run(model, scores, results.cohort, results.run)
    except HeadError as error:
        return Topic(Section("nomogram", "Nomogram", [Prose(f"There is no nomogram: {error}.", faint=False)]))
    rows = values(scores, results.cohort)
    _same(made, rows, results)
    cohort, cut = results.run.cohort, float(results.rows(results.sets[0])["threshold"][model])
    snippet = calculator.html(made, cut, cohort.positive_name, cohort.negative_name)
    blocks: list[Block] = [
        *(Prose(sentence, faint=False) for sentence in sentences(made, rows, cut, results)),
        Prose(f"{MEANT} {SCORED}" if model == "Combined" else MEANT),
        Plot("nomogram", f"Nomogram of {model}"),
        Heading("Calculator"),
        Interactive(snippet, Plot("nomogram_case", "What each predictor of a typical training case adds")),
        Folded("The same model as an equation", [_equation_rows(made, cohort.positive_name)]),
    ]
    return Topic(
        Section("nomogram", "Nomogram", blocks),
        {"nomogram": points(made), "nomogram_probability": chances(made), "nomogram_equation": equation(made)},
        {"nomogram": lambda: _drawn(made, cut, results),
         "nomogram_case": lambda: example.drawn(made, cohort.positive_name, _counts(results))},
    )  # fmt: skip


def sentences(made: Nomogram, rows: pd.DataFrame, cut: float, results: Results) -> list[str]:
    """What weighs most, what totals mean, and how many cases lie beyond the drawn lines."""
    first, *others = made.predictors
    then = ", ".join(f"{plain(own.name)} ({own.most:.0f})" for own in others)
    low, high = map(float, made.probability(np.array([0.0, made.most])))
    positive = results.run.cohort.positive_name
    reached = made.total(cut) if 0 < cut < 1 else float("nan")
    inside = f"lies at {reached:.1f} points" if 0 <= reached <= made.most else "lies outside these totals"
    told = [
        f"The heaviest predictor of {made.model} is {plain(first.name)}: up to 100 points over the training range"
        + (f"; then follow {then}." if then else "."),
        f"Totals from 0 to {made.most:.0f} points mean probabilities of {positive} from {_share(low)} to "
        f"{_share(high)}; the model's threshold, {number(cut)}, {inside}.",
    ]
    beyond = pd.Series(made.outside(rows), rows.index)
    for set_ in (name for name in ("test", "external") if name in results.sets):
        own = beyond[(results.cohort["set"] == set_).to_numpy()]
        if own.any():
            told.append(
                f"In the {SETS[set_]} {int(own.sum())} of {len(own)} cases have a value beyond the drawn lines; their "
                "points are read off the lines drawn on, and the probability is still the model's."
            )
    return told


def points(made: Nomogram) -> pd.DataFrame:
    """Points at every round number and level: tables/nomogram.csv; between two numbers they run straight."""
    rows: list[tuple[str, str, float]] = []
    for own in made.predictors:
        if isinstance(own, Scale):
            marks = [(f"{value:.12g}", float(own.slope * (value - own.zero)) + 0.0) for value in own.ticks]
        else:
            marks = list(own.levels.items())
        rows += [(plain(own.name), word, worth) for word, worth in marks]
    return pd.DataFrame(rows, columns=["predictor", "value", "points"])


def chances(made: Nomogram) -> pd.DataFrame:
    """Probability at round totals, and totals at round probabilities: tables/nomogram_probability.csv."""
    _, top, step = round_range(0.0, made.most)
    totals = [place * step for place in range(round(top / step) + 1)] + [made.total(chance) for chance in CHANCES]
    totals = sorted(total for total in totals if 0 <= total <= top)
    return pd.DataFrame({"total": totals, "probability": made.probability(np.array(totals))})


def equation(made: Nomogram) -> pd.DataFrame:
    """Intercept and coefficients on the predictors' own scales, to every digit: tables/nomogram_equation.csv."""
    return pd.DataFrame({"term": list(made.equation), "log_odds": list(made.equation.values())})


def _equation_rows(made: Nomogram, positive: str) -> Rows:
    words = [[_term(name), shortest(value)] for name, value in made.equation.items()]
    note = (
        f"Log-odds of {positive}: the intercept plus each coefficient times its value; a level counts 1 where it "
        "applies. All digits in tables/nomogram_equation.csv."
    )
    return Rows(["Term", "Log-odds"], words, note=note)


def _share(probability: float) -> str:
    return "<0.1%" if probability < 0.0005 else ">99.9%" if probability >= 0.9995 else f"{100 * probability:.1f}%"


def _term(name: str) -> str:
    variable, _, level = name.partition("=")
    return f"{plain(variable)} = {level}" if level else plain(variable)


def _drawn(made: Nomogram, cut: float, results: Results) -> Figure:
    title = f"Nomogram of {made.model}: {_counts(results)}"
    return figure.drawn(made, cut, results.run.cohort.positive_name, title, READ)


def _counts(results: Results) -> str:
    train = results.cohort[results.cohort["set"] == "train"]
    return f"n = {len(train)} training cases, {train['event'].sum()} {results.run.cohort.positive_name} (positive)"


def _same(made: Nomogram, rows: pd.DataFrame, results: Results) -> None:
    """A nomogram that does not give the run's own probabilities is not shown."""
    found = pd.Series(made.probability(made.totals(rows)), rows.index)
    for set_ in (name for name in ("test", "external") if name in results.sets):
        own = predictions.of(results.predictions, made.model, set_)["probability"]
        apart = float((found[own.index] - own).abs().max())
        if apart > AGREES:
            what = f"{made.model}, fitted again, up to {apart:.2g} away from predictions.csv ({SETS[set_]})"
            remedy = "delete predictions.csv and run again, so that scores and predictions are of one run"
            raise RunError(Fault(what, "the same probabilities", remedy, file=str(results.folder)))
