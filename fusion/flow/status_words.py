"""A status in words: one line, and a table, for the terminal and for files of a scheduler."""

from collections.abc import Iterator, Sequence

from fusion.flow.status_run import RunStatus
from fusion.flow.status_sweep import CellStatus, SweepStatus

Row = tuple[str, ...]
SWEEP_HEAD: Row = ("cell", "jobs", "running", "failed", "AUC", "state")
RUN_HEAD: Row = ("what", "state", "time", "more")
FIRST = ("running", "failed", "stopped", "waiting", "done")
"""Cells in this order where not all have room."""
MINUTE_S, HOUR_S = 60, 3600


def line(own: RunStatus | SweepStatus) -> str:
    """The whole in one line, such as `sweep: 12 of 40 jobs done, 1 failed, 2 running, about 3 min left`."""
    return _sweep_line(own) if isinstance(own, SweepStatus) else _run_line(own)


def text(own: RunStatus | SweepStatus) -> str:
    """Everything: the line, who is at work, the table, failures and damage."""
    head, rows = table(own)
    return "\n".join([line(own), _at_work(own), *_aligned([head, *rows]), *notes(own)])


def table(own: RunStatus | SweepStatus, room: int | None = None) -> tuple[Row, list[Row]]:
    """Head and rows; of a sweep with more than ``room`` cells, those that run or failed first."""
    if isinstance(own, SweepStatus):
        fields = tuple(next((cell.values for cell in own.cells if cell.values), {}))
        return (SWEEP_HEAD[0], *fields, *SWEEP_HEAD[1:]), _cells(own, fields, room)
    return RUN_HEAD, list(_run_rows(own))[:room]


def notes(own: RunStatus | SweepStatus) -> list[str]:
    """What failed in a sweep, and files that could not be read."""
    if isinstance(own, RunStatus):
        damaged = [*own.damaged, *(file for each in own.rounds.values() for file in each.damaged)]
        return [f"damaged: {file}" for file in damaged]
    return [f"failed: {one}" for one in own.failures] + [f"damaged: {file}" for file in own.damaged]


def span(seconds: float | None) -> str:
    """A time as one reads it.

    >>> span(42.4), span(200.0), span(7300.0)
    ('42 s', '3 min', '2.0 h')
    """
    if seconds is None:
        return ""
    if seconds < 2 * MINUTE_S:
        return f"{seconds:.0f} s"
    return f"{seconds / MINUTE_S:.0f} min" if seconds < 2 * HOUR_S else f"{seconds / HOUR_S:.1f} h"


def _sweep_line(own: SweepStatus) -> str:
    parts = [f"{own.done} of {own.in_all} jobs done" if own.in_all else "no job yet"]
    parts += [f"{count} {name}" for name, count in _counts(own) if count]
    if own.left_s is not None and own.done < own.in_all:
        parts.append(f"about {span(own.left_s)} left (by {own.left_from} done jobs)")
    elif not own.in_all:
        parts += [_run_line(shared).removeprefix("run: ") for shared in own.shared.values() if shared.stages]
    return "sweep: " + ", ".join(parts)


def _counts(own: SweepStatus) -> list[tuple[str, int]]:
    return [("failed", own.failed), ("running", own.running), ("stopped", own.stopped)]


def _run_line(own: RunStatus) -> str:
    parts = []
    jobs = [job for each in (own, *own.rounds.values()) for job in each.jobs]
    if in_all := own.jobs_in_all + sum(each.jobs_in_all for each in own.rounds.values()):
        parts.append(f"{sum(job.state == 'done' for job in jobs)} of {in_all} jobs done")
        parts += [f"{count} {state}" for state in FIRST[:3] if (count := sum(job.state == state for job in jobs))]
    if own.stages and own.stages[-1].state != "done":
        stage = own.stages[-1]
        parts.append(f"{stage.name} {stage.state}")
    elif own.stages and not own.finished:
        parts.append(f"{own.stages[-1].name} done")
    return "run: " + (", ".join(parts) or ("finished" if own.finished else "nothing done yet"))


def _at_work(own: RunStatus | SweepStatus) -> str:
    if own.at_work:
        return f"at work: yes, in {own.folder}"
    seen = "nobody seen in" if own.at_work is False else "cannot be told of"
    return f"at work: {seen} {own.folder}; a lock that another machine holds may not show here"


def _cells(own: SweepStatus, fields: Sequence[str], room: int | None) -> list[Row]:
    cells = list(own.cells)
    if room is not None and len(cells) > room:
        cells = sorted(cells, key=lambda cell: FIRST.index(cell.state))[: max(room - 1, 1)]
    rows = [_cell(cell, fields) for cell in cells]
    more = len(own.cells) - len(cells)
    return [*rows, (f"and {more} more", *[""] * (len(fields) + len(SWEEP_HEAD) - 1))] if more else rows


def _cell(cell: CellStatus, fields: Sequence[str]) -> Row:
    auc = "" if cell.auc is None else f"{cell.auc:.3f}"
    return (
        cell.cell, *(cell.values.get(field, "") for field in fields), f"{cell.done}/{cell.in_all}",
        str(cell.running or ""), str(cell.failed or ""), auc, cell.state,
    )  # fmt: skip


def _run_rows(own: RunStatus, where: str = "") -> Iterator[Row]:
    for stage in own.stages:
        yield f"{where}{stage.name}", stage.state, span(stage.seconds), ""
    for job in own.jobs:
        yield f"{where}job {job.name}", job.state, span(job.seconds), job.message
    for net in own.training:
        loss = "" if net.loss is None else f", loss {net.loss:.4g}"
        yield f"{where}network {net.network}", "", "", f"{net.epochs} epochs{loss}"
    if own.networks:
        yield f"{where}networks", "", "", f"{own.networks} trained"
    for name, each in own.rounds.items():
        yield from _run_rows(each, f"{name} ")


def _aligned(rows: Sequence[Row]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows]
