"""The whole audit of printed results: rows, their order, AUCs, P values, odds ratios, characteristics, counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fusion.errors import Fault
from fusion.evaluate.audit import area, baseline, characteristics, copies, delong, odds, table
from fusion.evaluate.audit.confusion import possible
from fusion.evaluate.audit.permute import Repair, repair
from fusion.evaluate.audit.printed import Printed, Rounding, number
from fusion.evaluate.audit.rows import Judged, judge
from fusion.evaluate.audit.sheet import AuditError
from fusion.evaluate.audit.smallest import LIMIT


@dataclass(frozen=True)
class Text:
    """A number that is printed a second time, outside the table."""

    model: str
    column: str
    printed: str
    place: str


@dataclass(frozen=True)
class Request:
    """What to audit.

    Attributes:
        table: CSV of the results, as in ``table.read``.
        positive: cases of the positive class; a row's own column goes before.
        negative: cases of the other.
        reference: the model that every P compares with; default: the one row without a P.
        odds: CSV of odds ratios, as in ``odds.read``.
        baseline: CSV of characteristics, as in ``baseline.read``.
        counts: CSV of images and lesions, as in ``copies.read``.
        odds_group: the group of ``baseline`` that the odds ratios come from; default: the first.
        odds_events: events in that group; without it the odds ratios' errors have nothing to be compared with.
        rounding: how the metrics may have been rounded.
        limit: the most cases to try where class counts are not known.
        search: seek the fewest cases also where they are known.
        title: what is audited.
        positive_class: in words.
        texts: numbers printed a second time.
        notes: what the reader should know of the table, in words.
    """

    table: Path
    positive: int | None = None
    negative: int | None = None
    reference: str | None = None
    odds: Path | None = None
    baseline: Path | None = None
    counts: Path | None = None
    odds_group: str | None = None
    odds_events: int | None = None
    rounding: Rounding = "nearest"
    limit: int = LIMIT
    search: bool = False
    title: str = ""
    positive_class: str = ""
    texts: tuple[Text, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Audit:
    """What was found, part by part; an empty part was not asked for or has nothing to check."""

    request: Request
    percentages: tuple[str, ...]
    rows: tuple[Judged, ...]
    repair: Repair | None
    areas: tuple[area.Area, ...]
    reference: str | None
    implied: tuple[delong.Implied, ...]
    gaps: dict[float, float]
    odds: tuple[odds.Checked, ...]
    baseline: tuple[characteristics.Compared, ...]
    counts: tuple[copies.Copies, ...]
    said_twice: tuple[tuple[Text, str], ...]
    exchanged: bool
    """Whether impossible rows, and all others, are possible with the two class counts exchanged."""


def audit(request: Request) -> Audit:
    """Every check that the printed values allow.

    Raises:
        AuditError: every fault of every file; or a reference or a group that is not in its file.
    """
    faults: list[Fault] = []
    results = _collected(faults, table.read, request.table, request.rounding)
    ratios = _collected(faults, odds.read, request.odds) if request.odds else []
    variables = _collected(faults, baseline.read, request.baseline) if request.baseline else []
    counted = _collected(faults, copies.read, request.counts) if request.counts else []
    rows = [row.counted(request.positive, request.negative) for row in results.rows] if results else []
    reference = request.reference or delong.reference_of(rows)
    faults += _names(request, rows, variables or [])
    if faults:
        raise AuditError(faults)
    return Audit(
        request, results.percentages, tuple(judge(row, request.limit, request.search) for row in rows), repair(rows),
        tuple(found for row in rows if (found := area.area(row)) is not None), reference,
        tuple(delong.implied(rows, reference)) if reference else (), _gaps(rows, reference),
        _odds(request, ratios, variables), tuple(map(characteristics.compare, variables)), tuple(copies.check(counted)),
        _said_twice(request, rows), _exchanged(rows),
    )  # fmt: skip


def _collected(faults: list[Fault], read, *arguments):  # type: ignore[no-untyped-def]
    """What a reader gives; its faults join the others, so that all files are told at once."""
    try:
        return read(*arguments)
    except AuditError as error:
        faults += error.faults
        return None


def _names(request: Request, rows: Sequence[table.Row], variables: Sequence[baseline.Variable]) -> list[Fault]:
    models = [row.model for row in rows]
    faults = []
    if rows and request.reference is not None and request.reference not in models:
        found = f"no row {request.reference}"
        faults.append(Fault(found, f"one of {', '.join(models)}", "set --reference", file=str(request.table)))
    if variables and request.odds_group is not None and request.odds_group not in variables[0].groups:
        found, groups = f"no group {request.odds_group}", ", ".join(variables[0].groups)
        faults.append(Fault(found, f"one of {groups}", "set --odds-group", file=str(request.baseline)))
    elif request.odds_events is not None:
        sizes = [one.sizes[_place(request, one)] for one in variables if one.sizes]
        if sizes and request.odds_events >= max(sizes):
            found = f"{request.odds_events} events in a group of {max(sizes)}"
            faults.append(Fault(found, "fewer events than cases", "set --odds-events", file=str(request.baseline)))
    return faults


def _gaps(rows: Sequence[table.Row], reference: str | None) -> dict[float, float]:
    """How far below the reference an AUC has to be to be found, by correlation of the two."""
    base = next((row for row in rows if row.model == reference), None)
    if base is None or base.positive is None or base.negative is None or "auc" not in base.areas:
        return {}
    own = float(base.areas["auc"].value)
    gaps = {r: delong.gap_needed(own, base.positive, base.negative, r) for r in delong.CORRELATIONS}
    return {r: gap for r, gap in gaps.items() if gap is not None}


def _exchanged(rows: Sequence[table.Row]) -> bool:
    sizes = [(row, row.positive, row.negative) for row in rows if row.positive is not None and row.negative is not None]
    wrong = any(not possible(row.metrics, positive, negative).runs for row, positive, negative in sizes)
    return wrong and all(possible(row.metrics, negative, positive).runs for row, positive, negative in sizes)


def _odds(
    request: Request, ratios: Sequence[odds.Odds], variables: Sequence[baseline.Variable]
) -> tuple[odds.Checked, ...]:
    """Each odds ratio; those called univariable beside the error of one variable alone, where its spread is known."""
    events = request.odds_events
    spreads = {
        one.name: (sd, one.sizes[_place(request, one)])
        for one in variables
        if events is not None
        and one.sizes
        and events < one.sizes[_place(request, one)]
        and (sd := characteristics.spread(one, one.groups[_place(request, one)]))
    }
    return tuple(
        odds.check(row, odds.null_error(spreads[row.variable][0], spreads[row.variable][1], events)
                   if events is not None and row.variable in spreads and row.model.lower().startswith("uni") else None)
        for row in ratios
    )  # fmt: skip


def _place(request: Request, variable: baseline.Variable) -> int:
    """Where the group that the odds ratios come from stands among the groups."""
    return variable.groups.index(request.odds_group) if request.odds_group is not None else 0


def _said_twice(request: Request, rows: Sequence[table.Row]) -> tuple[tuple[Text, str], ...]:
    """Numbers that the text prints otherwise than the table, with the table's."""
    cells = {(row.model, name): printed for row in rows for name, printed in {**row.metrics, **row.areas}.items()}
    return tuple(
        (text, cells[text.model, text.column].text)
        for text in request.texts
        if (text.model, text.column) in cells and not _agree(text, cells[text.model, text.column])
    )


def _agree(text: Text, cell: Printed) -> bool:
    other = number(text.printed)
    return other is not None and other.low <= cell.high and cell.low <= other.high
