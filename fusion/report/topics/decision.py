"""Decision curves: is a model worth using?"""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.evaluate import decision, predictions
from fusion.evaluate.metrics import stream
from fusion.report.blocks import Block, Prose, Rows, Section
from fusion.report.caution import few
from fusion.report.figures import WIDTH, cases, each_set, fullest, shown_by_set, titled
from fusion.report.results import Results
from fusion.report.style import FAINT, headed, line
from fusion.report.topic import Topic
from fusion.report.words import SETS, number, percent

READ = (
    "A model is worth using at the thresholds where its line is above both treat all and treat none. The threshold is "
    "the probability at which one would act: at 0.20 one missed event is as bad as four needless interventions. "
    "Net benefit is counted in true positives a case; the standardised one is its share of what a perfect model would "
    "gain. Intervals are pointwise, over bootstrap samples of cases; where an interval of the gain holds 0, these "
    "cases do not tell the two models apart."
)
FINE = np.linspace(0.01, 0.99, 99)
STEPS = np.linspace(0.05, 0.95, 19)


def topic(results: Results) -> Topic:
    """Net benefit in every set."""
    set_ = results.sets[0]
    table = pd.concat([benefits(results, name) for name in results.sets], ignore_index=True)
    first, *others = shown_by_set("decision", "Decision curve", results)
    blocks: list[Block] = [
        *(Prose(sentence, faint=False) for sentence in found(results, set_)),
        *few(results, set_),
        Prose(READ),
        first,
        _rows(table[table["set"] == set_], results),
        *others,
    ]
    tables = {"decision": table}
    gains = [gain for name in results.sets if (gain := gained(results, name)) is not None]
    if gains:
        tables["decision_gain"] = pd.concat(gains, ignore_index=True)
    section = Section("decision", "Decision curve", blocks)
    return Topic(section, tables, each_set("decision", results, decided))


def benefits(results: Results, set_: str) -> pd.DataFrame:
    """Net benefit of every model in a set at thresholds 0.05 apart, as numbers; avoided is per 100 cases."""
    models = list(results.rows(set_).index)
    drawn = _resampled(results, set_, models, STEPS)
    every = decision.treat_all(cases(results, models[0], set_)[1], STEPS)
    tables = []
    for model in models:
        benefit, avoided = drawn.net_benefit(model), drawn.avoided(model)
        tables.append(
            pd.DataFrame(
                {
                    "set": set_, "model": model, "threshold": STEPS.round(2), "net_benefit": benefit.value,
                    "low": benefit.low, "high": benefit.high, "standardised": drawn.standardised(model),
                    "treat_all": every, "avoided_per_100": 100 * avoided.value,
                    "avoided_low": 100 * avoided.low, "avoided_high": 100 * avoided.high,
                }
            )
        )  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def gained(results: Results, set_: str) -> pd.DataFrame | None:
    """The newer model's net benefit minus the older's at thresholds 0.05 apart; None where the set lacks one."""
    pair = _pair(results, set_)
    if pair is None:
        return None
    gain = _resampled(results, set_, list(pair), STEPS).gain(pair[1], pair[0])
    columns = {"set": set_, "old": pair[0], "new": pair[1], "threshold": STEPS.round(2)}
    return pd.DataFrame({**columns, "gain": gain.value, "low": gain.low, "high": gain.high})


def found(results: Results, set_: str) -> list[str]:
    """Where the reference beats treating all and none, and where it beats the older model, in words."""
    model = results.reference
    probability, events = cases(results, model, set_)
    benefit = decision.net_benefit(probability, events, FINE)
    better = benefit > np.maximum(decision.treat_all(events, FINE), 0) + 1e-12
    where = f"above both treating all and treating none at thresholds {stretches(better)}" if better.any() else (
        "at no threshold above both treating all and treating none"
    )  # fmt: skip
    said = [f"In the {SETS[set_]} the net benefit of {model} is {where}."]
    pair = _pair(results, set_)
    if pair:
        gain = _resampled(results, set_, list(pair), FINE).gain(pair[1], pair[0])
        above, below = gain.low > 0, gain.high < 0
        shown = f"greater than that of {pair[0]} at thresholds {stretches(above)}" if above.any() else ""
        less = f"smaller at {stretches(below)}" if below.any() else ""
        told = " and ".join(filter(None, [shown, less])) or f"at no threshold surely different from that of {pair[0]}"
        said.append(
            f"By the {percent(results.run.evaluate.confidence)} interval the net benefit of {pair[1]} is {told}."
        )
    return said


def stretches(true: np.ndarray) -> str:
    """The stretches of ``FINE`` where ``true`` holds, in words.

    >>> stretches((FINE < 0.105) | (FINE > 0.975))
    '0.01 to 0.10, 0.98 to 0.99'
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], true, [False]]).astype(int)))
    pairs = zip(FINE[edges[::2]], FINE[edges[1::2] - 1], strict=True)
    return ", ".join(f"{low:.2f}" if low == high else f"{low:.2f} to {high:.2f}" for low, high in pairs)


def decided(results: Results, set_: str) -> Figure:
    """Net benefit of the fullest model of each family against treating all and none; the gain over the older model."""
    level, pair = percent(results.run.evaluate.confidence), _pair(results, set_)
    note = (
        f"Net benefit when cases at or above the threshold count as {results.run.cohort.positive_name}. "
        f"Bands: pointwise {level} bootstrap intervals."
    )
    figure = headed(titled("Decision curves", results, set_), note, WIDTH, 4.1)
    axes = figure.subplots(1, 2 if pair else 1, squeeze=False, width_ratios=[1.5, 1] if pair else [1])[0]
    shown = fullest([name for name in results.models if name in results.rows(set_).index])
    _curves(axes[0], results, set_, shown)
    if pair:
        _gain(axes[1], results, set_, pair)
    return figure


def _curves(axis: Axes, results: Results, set_: str, shown: list[str]) -> None:
    drawn = _resampled(results, set_, shown, FINE)
    for name in shown:
        style, benefit = line(name), drawn.net_benefit(name)
        axis.plot(FINE, benefit.value, color=style.colour, linestyle=style.dash, linewidth=style.width, label=name)
        if name == results.reference:
            axis.fill_between(FINE, benefit.low, benefit.high, color=style.colour, alpha=0.12, linewidth=0)
    events = cases(results, shown[0], set_)[1]
    axis.plot(FINE, decision.treat_all(events, FINE), color="#b4bac2", linewidth=1.3, label="treat all")
    axis.axhline(0, color=FAINT, linewidth=1, label="treat none")
    top = float(events.mean())
    axis.set(xlim=(0, 1), ylim=(-0.25 * top, 1.25 * top), xlabel="threshold probability", ylabel="net benefit")
    axis.secondary_yaxis("right", functions=(partial(np.multiply, 1 / top), partial(np.multiply, top))).set_ylabel(
        "standardised"
    )
    axis.legend(loc="upper right", fontsize=7.4)


def _gain(axis: Axes, results: Results, set_: str, pair: tuple[str, str]) -> None:
    gain, colour = _resampled(results, set_, list(pair), FINE).gain(pair[1], pair[0]), line(pair[1]).colour
    axis.fill_between(FINE, gain.low, gain.high, color=colour, alpha=0.15, linewidth=0)
    axis.plot(FINE, gain.value, color=colour, linewidth=1.6)
    axis.axhline(0, color=FAINT, linewidth=1)
    near = (FINE >= 0.05) & (FINE <= 0.8)
    reach = 1.1 * float(np.abs([gain.low[near], gain.high[near]]).max())
    title = f"{pair[1]} − {pair[0]}"
    axis.set(xlim=(0, 1), xlabel="threshold probability", ylabel="gain in net benefit", title=title)
    if reach > 0:
        axis.set_ylim(-reach, reach)


def _resampled(results: Results, set_: str, models: list[str], thresholds: np.ndarray) -> decision.Resampled:
    """The same samples of cases for every model, whatever models are asked for."""
    own = {model: predictions.of(results.predictions, model, set_) for model in models}
    order = own[models[0]].index
    evaluate = results.run.evaluate
    return decision.Resampled(
        {model: table.loc[order, "probability"].to_numpy() for model, table in own.items()},
        own[models[0]]["event"].to_numpy(),
        thresholds,
        stream(results.run.seed, set_, "decision"),
        evaluate.bootstrap,
        evaluate.confidence,
    )


def _pair(results: Results, set_: str) -> tuple[str, str] | None:
    """The older model and the newer, where the set has both."""
    asked = results.run.evaluate.reclassification
    return (asked.old, asked.new) if {asked.old, asked.new} <= set(results.rows(set_).index) else None


def _rows(table: pd.DataFrame, results: Results) -> Rows:
    """A few thresholds of the reference, as words."""
    own = table[(table["model"] == results.reference) & table["threshold"].isin([0.1, 0.2, 0.3, 0.4, 0.5])]
    level = percent(results.run.evaluate.confidence)
    words = pd.DataFrame(
        [
            {
                f"Threshold ({results.reference})": number(row["threshold"], 2),
                f"Net benefit ({level} CI)": f"{number(row['net_benefit'])} "
                f"({number(row['low'])} to {number(row['high'])})",
                "Standardised": number(row["standardised"]), "Treat all": number(row["treat_all"]),
                f"Interventions avoided per 100 ({level} CI)": f"{number(row['avoided_per_100'], 0)} "
                f"({number(row['avoided_low'], 0)} to {number(row['avoided_high'], 0)})",
            }
            for _, row in own.iterrows()
        ]
    )  # fmt: skip
    return Rows.of(words)
