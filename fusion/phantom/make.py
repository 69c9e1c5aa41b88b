"""The cohort on disk: images and masks without a word about the label, and one table that holds it, written last."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from fusion.config.cohort import MriPhantom, Phantom
from fusion.phantom import files
from fusion.phantom.mri import files as mri_files
from fusion.phantom.mri.plan import plan_cohort as plan_mri
from fusion.phantom.plan import plan_cohort
from fusion.progress import each
from fusion.store import write_csv, write_json

Row = dict[str, object]


def make(table: Path, spec: Phantom | MriPhantom, jobs: int = 0) -> Path:
    """Write the phantom cohort of ``spec``: ``table``, and beside it ``images/`` and ``phantom.json``.

    A case whose files are there is not made again. Equal specs give equal bytes, whatever ``jobs``.

    Args:
        table: CSV to write; the only file that holds the label.
        spec: what to make.
        jobs: worker processes; 0 for every core.

    Returns:
        ``table``.
    """
    images = table.parent / "images"
    if isinstance(spec, MriPhantom):
        tumours = plan_mri(spec)
        work = partial(mri_files.case, images=images, spec=spec)
        return _write(table, tumours, work, mri_files.about(tumours, spec), jobs)
    plans = plan_cohort(spec)
    return _write(table, plans, partial(files.case, images=images, spec=spec), files.about(plans, spec), jobs)


def _write(table: Path, plans: list[Any], work: Callable[[Any], Row], about: Row, jobs: int) -> Path:
    rows = {plan.case: row for plan, row in each(work, plans, "phantom", jobs)}
    write_json(table.parent / "phantom.json", about)
    write_csv(table, pd.DataFrame([rows[plan.case] for plan in plans]))
    return table
