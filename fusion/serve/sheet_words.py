"""What a result sheet says of one case, in words and in shares of a bar's width."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fusion.report.words import SETS, UNKNOWN, interval, number
from fusion.serve.answer import Answer, Contribution, ModelAnswer, RegionShare
from fusion.serve.parts import Card, Deployed, Metric

MOST = 8
"""Bars of a chart; the others are summed up in one line."""
MODELS = "model", "called", "probability", "95% interval", "threshold", "cannot be left out"


@dataclass(frozen=True)
class Bar:
    """A row of a chart; ``start`` and ``width`` are shares of the chart's width, its zero at one half."""

    name: str
    value: str
    mean: str
    log_odds: str
    start: float
    width: float
    towards: bool
    """The class that the chart speaks of, not against it."""


@dataclass(frozen=True)
class Chart:
    """What moves a score from that of mean values to the case's."""

    title: str
    towards: str
    against: str
    bars: tuple[Bar, ...]
    rest: str
    """Of the predictors without a bar; empty where there is none."""
    note: str


@dataclass(frozen=True)
class Scale:
    """The probability on a line from 0 to 1."""

    probability: float
    threshold: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Words:
    """The whole sheet but its pictures."""

    case: str
    model: str
    called: str
    tiles: tuple[tuple[str, str, str], ...]
    """Label, value, note."""
    scale: Scale | None
    """Of two classes."""
    chances: tuple[tuple[str, str, float], ...]
    """Class, probability in words and as a number; of more than two classes."""
    refer: bool
    set: str
    warnings: tuple[str, ...]
    charts: tuple[Chart, ...]
    regions: tuple[tuple[str, str, str, str], ...]
    """Source, region, log-odds, how."""
    models: tuple[tuple[str, ...], ...]
    """Rows of ``MODELS``."""
    not_answered: tuple[str, ...]
    card: tuple[tuple[str, str], ...]
    bundle: str
    note: str
    head: tuple[str, ...] = MODELS


def words(answer: Answer, deployed: Deployed, card: Card) -> Words:
    """``answer`` as its sheet tells it.

    Args:
        answer: of one case.
        deployed: how the bundle's models are read.
        card: who may use the bundle, and how well it does.
    """
    own = answer.of(answer.model)
    return Words(
        case=answer.case,
        model=own.model,
        called=own.label,
        tiles=tuple(_tiles(own)),
        scale=_scale(own),
        chances=() if own.positive else tuple((name, chance(p), p) for name, p in own.probabilities.items()),
        refer=own.refer,
        set=_set(own, deployed.judgements[own.model].error),
        warnings=answer.warnings,
        charts=tuple(_charts(own)),
        regions=tuple(_region(share) for share in own.regions),
        models=tuple(_row(each) for each in answer.answers),
        not_answered=tuple(f"{name}: {why}" for name, why in answer.not_answered.items()),
        card=tuple(_card(card, own.model)),
        bundle=answer.bundle,
        note=answer.note,
    )


def chance(probability: float) -> str:
    """A probability to three decimals, never as 0 or 1.

    >>> chance(0.8312), chance(0.0001), chance(0.99999)
    ('0.831', '<0.001', '>0.999')
    """
    if probability < 0.001:
        return "<0.001"
    return ">0.999" if probability > 0.999 else number(probability)


def _tiles(own: ModelAnswer) -> Iterable[tuple[str, str, str]]:
    shown = own.positive or own.label
    between = f"95% interval {_ends(own)}" if own.interval else "no interval: nothing was refitted for it"
    yield f"probability of {shown}", chance(own.probabilities[shown]), between
    if own.threshold is None:
        yield "called", own.label, "the likeliest class"
    else:
        yield (
            "called",
            own.label,
            "at the threshold or above it" if own.label == own.positive else "below the threshold",
        )
        yield "threshold", number(own.threshold), own.threshold_rule
    yield "cannot be left out", _names(own.set), "a human decides" if own.refer else "one class"


def _ends(own: ModelAnswer) -> str:
    return f"{chance(own.interval[0])} to {chance(own.interval[1])}" if own.interval else UNKNOWN


def _names(names: Sequence[str]) -> str:
    return " or ".join(names) or "none"


def _set(own: ModelAnswer, error: float) -> str:
    """What the conformal set means, in a sentence."""
    wronged = f"a class is wrongly left out in at most {error:.0%} of its cases"
    if not own.set:
        return f"Refer: the case is unlike the training cases of every class. A human has to decide ({wronged})."
    if own.refer:
        return f"Refer: {' and '.join(own.set)} cannot be told apart here. A human has to decide ({wronged})."
    return f"Only {own.set[0]} cannot be left out ({wronged})."


def _scale(own: ModelAnswer) -> Scale | None:
    if own.probability is None or own.threshold is None:
        return None
    low, high = own.interval or (None, None)
    return Scale(own.probability, own.threshold, low, high)


def _charts(own: ModelAnswer) -> Iterable[Chart]:
    against = (
        next((name for name in own.probabilities if name != own.positive), "") if own.positive else "other classes"
    )
    towards = own.positive or own.label
    if own.contributions:
        note = "coefficient × (value − training mean)"
        yield _chart("What made this probability", own.contributions, towards, against, note)
    if own.features:
        note = "coefficient × (scaled feature − that of the training mean), in the log-odds of the radiomics score"
        yield _chart("Features behind the radiomics score", own.features, towards, against, note)


def _chart(title: str, parts: Sequence[Contribution], towards: str, against: str, note: str) -> Chart:
    shown, left = parts[:MOST], parts[MOST:]
    longest = max(abs(own.log_odds) for own in shown) or 1.0
    rest = f"{len(left)} more, together {_signed(sum(own.log_odds for own in left))}" if left else ""
    return Chart(title, towards, against, tuple(_bar(own, longest) for own in shown), rest, note)


def _bar(own: Contribution, longest: float) -> Bar:
    width = 0.5 * abs(own.log_odds) / longest
    start = 0.5 if own.log_odds >= 0 else 0.5 - width
    return Bar(own.predictor, f"{own.value:.3g}", f"{own.mean:.3g}", _signed(own.log_odds), round(start, 4),
               round(width, 4), own.log_odds >= 0)  # fmt: skip


def _signed(log_odds: float) -> str:
    return f"{round(log_odds, 2) + 0.0:+.2f}"


def _region(share: RegionShare) -> tuple[str, str, str, str]:
    return share.source, share.region, _signed(share.log_odds), share.how


def _row(own: ModelAnswer) -> tuple[str, ...]:
    shown = own.positive or own.label
    threshold = UNKNOWN if own.threshold is None else number(own.threshold)
    told = f"{chance(own.probabilities[shown])} {shown}"
    return own.model, own.label, told, _ends(own), threshold, _names(own.set)


def _card(card: Card, model: str) -> Iterable[tuple[str, str]]:
    yield "Intended use", card.intended_use
    own = [metric for metric in card.metrics if metric.model == model]
    for metric in own:
        yield f"{model} in the {SETS.get(metric.set, metric.set)}", _performance(metric)
    if not own:
        yield model, "its performance is not on the card"
    if card.limits:
        yield "Limits", " ".join(card.limits)


def _performance(metric: Metric) -> str:
    """Of a row of metrics.csv: n, events, AUC with its interval."""
    n, events, auc, low, high = (
        float("nan") if (value := metric.values.get(name)) is None else value
        for name in ("n", "events", "auc", "auc_low", "auc_high")
    )
    of = "" if events != events else f", {number(events, 0)} of the positive class"
    return f"AUC {number(auc)} ({interval(low, high)}), n = {number(n, 0)}{of}"
