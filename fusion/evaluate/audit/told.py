"""An audit as one JSON document, and as lines for a terminal."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from textwrap import fill
from typing import Any

from fusion.evaluate.audit.confusion import Counts, metrics_of
from fusion.evaluate.audit.findings import LEVELS, findings
from fusion.evaluate.audit.rows import Judged
from fusion.evaluate.audit.table import METRICS
from fusion.evaluate.audit.whole import Audit

WIDTH = 110
HEADINGS = {"impossible": "IMPOSSIBLE", "doubtful": "DOUBTFUL", "remark": "REMARKS"}


def as_json(audit: Audit) -> dict[str, Any]:
    """Everything that was found, as JSON writes it; infinities and unknowns are null.

    ``rows`` and ``permutation`` are a contract: model, possible, tables as [tp, fn, fp, tn], reason; and row -> the row
    in which its values are printed.
    """
    own = audit.repair
    said = findings(audit)
    document = {
        "title": audit.request.title or str(audit.request.table.name),
        "positive_class": audit.request.positive_class or None,
        "rounding": audit.request.rounding,
        "percentages": audit.percentages,
        "findings": [asdict(one) for one in said if one.level != "remark"],
        "rows": [_row(judged) for judged in audit.rows],
        "permutation": dict(own.mapping) if own else None,
        "classes_exchanged": audit.exchanged,
        "repair": None if own is None else asdict(own),
        "auc": [asdict(one) for one in audit.areas],
        "delong": {
            "reference": audit.reference,
            "rows": [{**asdict(one), "unlikely": one.unlikely} for one in audit.implied],
            "gap_for_80_power": {str(r): gap for r, gap in audit.gaps.items()},
        } if audit.implied or audit.gaps else None,
        "odds": [_odds(one) for one in audit.odds] or None,
        "baseline": [_baseline(one) for one in audit.baseline] or None,
        "counts": [asdict(one) for one in audit.counts] or None,
        "remarks": [one.words for one in said if one.level == "remark"],
        "faults": [],
    }  # fmt: skip
    return _plain(document)


def as_text(audit: Audit) -> str:
    """The findings, then every row with its table."""
    return "\n".join(_lines(audit))


def _lines(audit: Audit) -> Iterator[str]:
    said = findings(audit)
    yield audit.request.title or str(audit.request.table)
    judged = [row.possible for row in audit.rows]
    counts = {"possible": judged.count(True), "impossible": judged.count(False), "undecided": judged.count(None)}
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    yield f"{len(judged)} row{'s' if len(judged) > 1 else ''}: {told}"
    if audit.request.positive is not None:
        named = f" ({audit.request.positive_class})" if audit.request.positive_class else ""
        yield f"{audit.request.positive} positive{named}, {audit.request.negative} negative"
    elif audit.request.positive_class:
        yield f"positive class: {audit.request.positive_class}"
    for level in LEVELS:
        own = [one for one in said if one.level == level]
        if own:
            yield ""
            yield HEADINGS[level]
        for one in own:
            about = f"{one.about}: " if one.about and one.part != "permutation" else ""
            yield fill(f"- {about}{one.words}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    yield ""
    yield "ROWS"
    width = max(len(row.row.model) for row in audit.rows)
    yield from (f"{row.row.model:{width}}  {_verdict(row)}" for row in audit.rows)
    repaired = audit.repair.tables if audit.repair and audit.repair.count == 1 else {}
    if repaired:
        yield ""
        yield "ROWS IN THAT ORDER"
        yield from (f"{model:{width}}  {_table(tables[0], METRICS)}" for model, tables in repaired.items()
                    if len(tables) == 1)  # fmt: skip


def _table(counts: Counts, names: Iterable[str]) -> str:
    tp, fn, fp, tn = counts
    shares = metrics_of(counts)
    words = "".join(f", {name} {shares[name]:.3f}" for name in names if name in shares)
    return f"tp {tp}, fn {fn}, fp {fp}, tn {tn}{words}"


def _verdict(judged: Judged) -> str:
    if judged.possible is None:
        return f"undecided: {judged.reason}"
    if not judged.possible:
        return "impossible"
    known = judged.row.positive is not None
    if known and judged.count == 1:
        return f"possible: {_table(judged.tables[0], [name for name in METRICS if name not in judged.row.metrics])}"
    counted = f"possible: {judged.count} tables" if known else "possible"
    fewest = f"; {_fewest(judged)}" if judged.smallest and known else ""
    return f"{counted}{fewest}" + (f": {judged.reason}" if judged.reason else "")


def _fewest(judged: Judged) -> str:
    assert judged.smallest is not None
    totals = ", ".join(map(str, judged.smallest.totals))
    return f"the printed values alone allow {totals}, ... cases"


def _row(judged: Judged) -> dict[str, Any]:
    printed = {**judged.row.areas, **judged.row.metrics}
    return {
        "model": judged.row.model,
        "possible": judged.possible,
        "tables": judged.tables,
        "count": judged.count,
        "reason": judged.reason,
        "conflicts": judged.conflicts,
        "readings": judged.readings,
        "implied": {name: judged.implied[name] for name in METRICS if name in judged.implied},
        "printed": {name: one.text for name, one in printed.items()},
        "positive": judged.row.positive,
        "negative": judged.row.negative,
        "classes": judged.row.classes,
        "accuracies": judged.accuracies,
        "smallest": None if judged.smallest is None else asdict(judged.smallest),
    }


def _odds(one: Any) -> dict[str, Any]:
    own = one.odds
    return {
        "variable": own.variable, "model": own.model, "or": own.ratio.text, "or_low": own.low.text,
        "or_high": own.high.text, "p": own.p.text if own.p else None, "centre": one.centre, "symmetric": one.symmetric,
        "slips": one.slips, "error": one.error, "null_error": one.null_error, "p_low": one.p[0], "p_high": one.p[1],
        "p_agrees": one.p_agrees,
    }  # fmt: skip


def _baseline(one: Any) -> dict[str, Any]:
    printed = one.variable.p
    return {
        "variable": one.variable.name, "p": printed.text if printed else None, "by": one.by, "tests": one.p,
        "near_exact": one.near_exact, "least_expected": one.least_expected, "missing": one.missing,
        "faults": one.faults,
    }  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
