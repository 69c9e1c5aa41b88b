"""A tumour on disk: pictures and a mask without a word about the label, and the row of the table that holds it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_limits

from fusion.config.cohort import MriPhantom
from fusion.phantom.clinical import diameter_mm
from fusion.phantom.mri.anatomy import FIELD_MM
from fusion.phantom.mri.ideal import ideal
from fusion.phantom.mri.law import HISTOLOGIES
from fusion.phantom.mri.picture import Pictures, noise, render
from fusion.phantom.mri.plan import Plan
from fusion.phantom.mri.signal import SEQUENCES
from fusion.store import whole


def case(plan: Plan, images: Path, spec: MriPhantom) -> dict[str, object]:
    """One tumour: its files, if they are not there yet, and its row, always read from the files.

    One BLAS thread, because the last bits of a matrix product depend on their number.
    """
    files = _files(plan, images)
    with threadpool_limits(1):
        if not all(file.exists() for file in files.values()):
            _write((noise if spec.preset == "noise" else render)(plan, spec.pixels), files)
    return _row(plan, files)


def about(plans: Sequence[Plan], spec: MriPhantom) -> dict[str, object]:
    """What is told of the cohort beside its table: how it was made, and how well an ideal observer does."""
    counted = {name: sum(plan.histology == name for plan in plans) for name in HISTOLOGIES}
    return {"spec": spec.model_dump(), "tumours": counted, "patients": len({plan.patient for plan in plans}),
            "ideal": ideal(plans, spec.preset == "default")}  # fmt: skip


def _files(plan: Plan, images: Path) -> dict[str, Path]:
    kinds = (*(name for name in SEQUENCES if name not in plan.missing), "tumour")
    return {kind: images / f"{plan.case}_{kind}.png" for kind in kinds}


def _write(pictures: Pictures, files: dict[str, Path]) -> None:
    """Uncompressed PNG, because a compressed file is the larger the coarser the tumour."""
    arrays = {**pictures.grey, "tumour": pictures.tumour.astype(np.uint8) * np.uint8(255)}
    for kind, file in files.items():
        with whole(file) as part:
            Image.fromarray(np.ascontiguousarray(arrays[kind])).save(part, format="PNG", compress_level=0)


def _row(plan: Plan, files: dict[str, Path]) -> dict[str, object]:
    paths = {kind: f"{file.parent.name}/{file.name}" for kind, file in files.items()}
    tumour = np.asarray(Image.open(files["tumour"])) > 0
    return {
        "case": plan.case,
        "patient": plan.patient,
        "histology": plan.histology,
        **{kind: paths.get(kind, "") for kind in (*SEQUENCES, "tumour")},
        "age": plan.person.age,
        "sex": "F" if plan.person.female else "M",
        "smoking": "yes" if plan.person.smoking else "no",
        "side": "left" if plan.left else "right",
        "diameter_mm": round(diameter_mm(tumour[None], FIELD_MM / len(tumour)), 1),
    }
