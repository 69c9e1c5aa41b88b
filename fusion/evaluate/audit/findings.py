"""What an audit found, in sentences: the impossible, the doubtful, and what is worth knowing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from fusion.evaluate.audit import delong
from fusion.evaluate.audit.conflict import listed
from fusion.evaluate.audit.findings_tables import of_baseline, of_counts, of_odds
from fusion.evaluate.audit.permute import ROWS
from fusion.evaluate.audit.whole import Audit

Level = Literal["impossible", "doubtful", "remark"]
LEVELS: tuple[Level, ...] = ("impossible", "doubtful", "remark")
NARROW = 0.95
"""Intervals whose median width is below this share of Hanley & McNeil's are called narrow; above its inverse, wide."""


@dataclass(frozen=True)
class Finding:
    """One sentence: impossible for any data, doubtful, or a remark; its part of the audit, and what it is about."""

    level: Level
    part: str
    about: str
    words: str


def findings(audit: Audit) -> list[Finding]:
    """Every finding, the gravest first."""
    found = [*_rows(audit), *_repair(audit), *_exchange(audit), *_texts(audit), *_areas(audit), *_delong(audit)]
    ratios = of_odds(audit.odds, audit.request.odds_events)
    found += [Finding(*one) for one in (*ratios, *of_baseline(audit.baseline), *of_counts(audit.counts))]
    found += [Finding("remark", "table", "", words) for words in _readings(audit)]
    return sorted(found, key=lambda one: LEVELS.index(one.level))


def _rows(audit: Audit) -> Iterator[Finding]:
    for judged in audit.rows:
        if judged.possible is False:
            yield Finding("impossible", "rows", judged.row.model, judged.reason)
        for words in judged.readings:
            yield Finding("remark", "rows", judged.row.model, f"possible with {words}")


def _repair(audit: Audit) -> Iterator[Finding]:
    own = audit.repair
    if own is None:
        if sum(judged.possible is False for judged in audit.rows) > ROWS:
            yield Finding("remark", "permutation", "", f"more than {ROWS} rows are impossible: no order was sought")
        return
    by_model = {judged.row.model: judged.row.metrics for judged in audit.rows}

    def values(model: str) -> str:
        return ", ".join(by_model[model][name].text for name in own.moved if name in by_model[model])

    told = [f"{row} has those printed at {giver} ({values(giver)})" for row, giver in own.mapping.items()]
    ways = "more than can be counted" if own.count is None else f"{own.count}"
    yield Finding(
        "impossible" if own.count == 1 else "doubtful", "permutation", listed(own.moved),
        f"{ways} of the {own.arrangements} orders of {len(own.mapping)} rows' {listed(own.moved)} "
        f"{'makes' if own.count == 1 else 'make'} every row possible, all else staying: {'; '.join(told)}. "
        f"Which side is out of order, {listed(own.moved)} or the rest, the table cannot tell.",
    )  # fmt: skip


def _exchange(audit: Audit) -> Iterator[Finding]:
    if audit.exchanged:
        words = "with the two class counts exchanged every row is possible: was the positive class the other one?"
        yield Finding("doubtful", "rows", "", words)


def _texts(audit: Audit) -> Iterator[Finding]:
    for text, cell in audit.said_twice:
        words = f"{text.column} is {cell} in the table and {text.printed} in {text.place}"
        yield Finding("impossible", "text", text.model, words)


def _areas(audit: Audit) -> Iterator[Finding]:
    for own in audit.areas:
        if own.outside:
            yield Finding("impossible", "auc", own.model, own.outside)
        for words in own.faults:
            yield Finding("doubtful", "auc", own.model, f"{words}; unless it is a mean over folds or a fitted curve's")
    ratios = sorted(own.error / own.expected_error for own in audit.areas if own.error and own.expected_error)
    if ratios and not NARROW <= (median := ratios[len(ratios) // 2]) <= 1 / NARROW:
        which = "narrower" if median < 1 else "wider"
        words = (f"intervals are {which} than Hanley & McNeil's at these AUCs and class counts: standard errors "
                 f"{ratios[0]:.2f} to {ratios[-1]:.2f} times theirs")  # fmt: skip
        yield Finding("remark", "auc", "", words)
    yield from _asymmetry(audit)


def _asymmetry(audit: Audit) -> Iterator[Finding]:
    reach = {judged.row.model: sum(float(one.reach) for one in judged.row.areas.values()) for judged in audit.rows}
    sides = [own.asymmetry for own in audit.areas if own.asymmetry is not None]
    skewed = [own for own in audit.areas if own.asymmetry is not None and abs(own.asymmetry) > reach[own.model]]
    if skewed:
        words = (f"{len(skewed)} of {len(sides)} intervals are not symmetric about their AUC, so not Wald's; a "
                 "bootstrap or a log-odds interval may be")  # fmt: skip
        yield Finding("remark", "auc", "", words)


def _delong(audit: Audit) -> Iterator[Finding]:
    doubted = [own for own in audit.implied if own.unlikely]
    if doubted:
        told = [f"{own.model} P {own.p}: {_r(own)}" for own in doubted]
        yield Finding(
            "doubtful", "delong", "P values",
            f"{len(doubted)} of {len(audit.implied)} printed P against {audit.reference} imply that the AUC estimates "
            f"correlate below {_point(delong.UNLIKELY)}: {'; '.join(told)}. Models of the same patients, nested ones "
            "above all, correlate above .5 as a rule: the P values are hard to reconcile with a paired DeLong test on "
            "these AUCs and intervals (standard errors read off the interval widths, so approximate)",
        )  # fmt: skip
    yield from _holm(audit)
    yield from _power(audit)


def _r(own: delong.Implied) -> str:
    if own.correlation is not None and not own.impossible:
        return f"r = {_point(own.correlation, signed=True)}"
    if own.low is not None and own.low > 1:
        return "r above 1, which no data give"
    return f"r at most {_point(own.high or 0.0, signed=True)}"


def _holm(audit: Audit) -> Iterator[Finding]:
    below = [own for own in audit.implied if _printed_p(audit, own.model) < 0.05]
    if len(audit.implied) < 2 or not below:
        return
    kept = [f"{own.model} ({_point(own.p_holm, 3)})" for own in below if own.p_holm < 0.05]
    stay = f"{len(kept)} {'stays' if len(kept) == 1 else 'stay'} below it after Holm's correction"
    words = f"of {len(below)} P below .05 among {len(audit.implied)} comparisons, {stay}"
    words += f": {listed(kept)}" if kept else ""
    yield Finding("remark", "delong", "", words)


def _power(audit: Audit) -> Iterator[Finding]:
    base = next((judged.row for judged in audit.rows if judged.row.model == audit.reference), None)
    if base is None or not audit.gaps:
        return
    told = listed(f"{_point(gap, 3)} (r = {_point(r)})" for r, gap in audit.gaps.items())
    yield Finding(
        "remark", "delong", "",
        f"with {base.positive} and {base.negative} cases a test against {base.areas['auc'].text} finds a gap of {told} "
        "with 80 % power (Hanley & McNeil's errors); a smaller gap that is not significant says little",
    )  # fmt: skip


def _printed_p(audit: Audit, model: str) -> float:
    p = next(judged.row.p for judged in audit.rows if judged.row.model == model)
    return 1.0 if p is None else p.middle if not p.bound else p.high


def _readings(audit: Audit) -> Iterable[str]:
    if audit.percentages:
        yield f"read as percentages: {', '.join(audit.percentages)}"
    yield from audit.request.notes


def _point(value: float, decimals: int = 2, signed: bool = False) -> str:
    """A number below 1 as this field prints it, without the leading zero."""
    return f"{value:{'+' if signed else ''}.{decimals}f}".replace("0.", ".", 1)
