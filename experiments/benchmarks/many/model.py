"""From the costs of single jobs to those of a sweep of many cases and cells on a cluster: arithmetic alone."""

from dataclasses import asdict, dataclass
from typing import Any

CASES, CELLS, FOLDS, EPOCHS, TEST_FRACTION = 1000, 100, 5, 60, 0.3
WORKERS = (1, 10, 100)
GPU_TIMES = 30
"""How many cores' training a GPU does: assumed, not measured here."""


@dataclass(frozen=True)
class Costs:
    """CPU seconds of one thread, by job; megabytes and files that it leaves."""

    look_s_a_case: float
    measure_s_a_case: float
    """Ring, box and features of both regions."""
    train_s: float
    """Of the networks of a fold (tumour, ring, both), before their first epoch."""
    train_s_a_case_and_epoch: float
    heads_s: float
    """Of a fold, on features of ``CASES`` cases."""
    finish_s: float
    finish_s_a_case: float
    prepare_s: float
    prepare_s_a_case: float
    comparison_s_a_cell: float
    comparison_s_a_cell_and_case: float
    cell_mb: float
    cell_mb_a_case: float
    cell_files: float
    cell_files_a_case: float
    shared_mb_a_case: float
    shared_files_a_case: float
    patches_mb_a_case: float
    worker_mb: float
    """Peak of a process that did all of it, with the larger cohort."""

    @classmethod
    def of(cls, few: dict[str, Any], many: dict[str, Any]) -> "Costs":
        """From two cohorts: what a case more costs is the difference, never less than nothing."""

        def line(name: str) -> tuple[float, float]:
            more = max((many[name] - few[name]) / (many["cases"] - few["cases"]), 0.0)
            return max(many[name] - more * many["cases"], 0.0), more

        (first, few_s), (last, many_s) = (
            (int(epoch), seconds) for epoch, seconds in sorted(many["train_s"].items(), key=lambda own: int(own[0]))
        )
        epoch_s = max((many_s - few_s) / (last - first), 0.0)
        return cls(
            line("look_s")[1], line("measure_s")[1], max(few_s - first * epoch_s, 0.0), epoch_s / many["trained"],
            max(few["heads_s"], many["heads_s"]), *line("finish_s"), *line("prepare_s"), *line("comparison_s"),
            *line("cell_mb"), *line("cell_files"), line("shared_mb")[1], line("shared_files")[1],
            line("patches_mb")[1], many["peak_mb"],
        )  # fmt: skip

    def rounded(self) -> dict[str, float]:
        """Four figures of each."""
        return {name: float(f"{value:.4g}") for name, value in asdict(self).items()}


def large(
    own: Costs, cases: int = CASES, cells: int = CELLS, folds: int = FOLDS, epochs: int = EPOCHS
) -> dict[str, Any]:
    """What a sweep costs whose cells share one way of measuring, and have one round each."""
    trained = cases * (1 - TEST_FRACTION) * (1 - 1 / folds)
    measure_s = cases * (own.look_s_a_case + own.measure_s_a_case)
    train_s = own.train_s + epochs * trained * own.train_s_a_case_and_epoch
    finish_s = own.finish_s + cases * own.finish_s_a_case
    jobs_s = folds * train_s + (folds + 1) * own.heads_s + finish_s
    alone_s = cells * (own.prepare_s + cases * own.prepare_s_a_case)
    alone_s += cells * (own.comparison_s_a_cell + cases * own.comparison_s_a_cell_and_case)
    longest_s = train_s + own.heads_s + finish_s
    wall = {n: max(measure_s / min(n, cases) + cells * jobs_s / n, longest_s) + alone_s for n in WORKERS}
    on_gpu_s = cells * folds * train_s / GPU_TIMES
    return {
        "cases": cases,
        "cells": cells,
        "jobs": cells * (folds + 2),
        "cpu_hours": _hours(measure_s + cells * jobs_s + alone_s),
        "cpu_hours_of_networks": _hours(cells * folds * train_s),
        "cpu_hours_without_networks": _hours(measure_s + cells * (jobs_s - folds * train_s) + alone_s),
        "gpu_hours_assumed": _hours(on_gpu_s),
        "wall_hours": {str(n): _hours(seconds) for n, seconds in wall.items()},
        "longest_job_hours": _hours(train_s + own.heads_s),
        "shared_gb": round(cases * own.shared_mb_a_case / 1000, 2),
        "patches_mb": round(cases * own.patches_mb_a_case),
        "cells_gb": round(cells * (own.cell_mb + cases * own.cell_mb_a_case) / 1000, 1),
        "files": round(cases * own.shared_files_a_case + cells * (own.cell_files + cases * own.cell_files_a_case)),
    }


def _hours(seconds: float) -> float:
    return float(f"{seconds / 3600:.3g}")
