"""A CT case on disk: volumes and masks without a word about the label, and the row of the table that holds it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from threadpoolctl import threadpool_limits

from fusion.config.cohort import Phantom
from fusion.phantom.clinical import person_columns, read_columns
from fusion.phantom.latent import LAWS, ideal_auc
from fusion.phantom.plan import Plan
from fusion.phantom.scanner import SCANNERS
from fusion.phantom.volume import Scan, render
from fusion.volume_file import write_volume


def case(plan: Plan, images: Path, spec: Phantom) -> dict[str, object]:
    """One case: its files, if they are not there yet, and its row, always read from the files.

    One BLAS thread, because the last bits of a matrix product depend on their number.
    """
    with threadpool_limits(1):
        files = _files(plan, images)
        if not all(file.exists() for file in files.values()):
            _write(render(plan, spec.size), files)
    return _row(plan, files)


def about(plans: Sequence[Plan], spec: Phantom) -> dict[str, object]:
    """What is told of the cohort beside its table: how it was made, and how well an ideal observer does."""
    events = [plan.event for plan in plans]
    return {
        "spec": spec.model_dump(),
        "events": sum(events),
        "ideal_auc": ideal_auc([plan.latent for plan in plans], events, LAWS[spec.preset]),
    }


def _files(plan: Plan, images: Path) -> dict[str, Path]:
    kinds = ("ct", "tumour", "reader2", "repeat") if plan.read_twice else ("ct", "tumour")
    return {kind: images / f"{plan.case}_{kind}.nii" for kind in kinds}


def _write(scan: Scan, files: dict[str, Path]) -> None:
    arrays = {"ct": scan.hu, "tumour": scan.tumour, "reader2": scan.reader2, "repeat": scan.repeat}
    for kind, file in files.items():
        voxels = arrays[kind] if kind == "ct" else arrays[kind].astype(np.uint8)
        image = sitk.GetImageFromArray(voxels)
        image.SetSpacing(scan.spacing_mm[::-1])
        write_volume(file, image, compressed=False)


def _row(plan: Plan, files: dict[str, Path]) -> dict[str, object]:
    image = sitk.ReadImage(files["ct"])
    hu = sitk.GetArrayFromImage(image)
    tumour = sitk.GetArrayFromImage(sitk.ReadImage(files["tumour"])) > 0
    paths = {kind: f"{file.parent.name}/{file.name}" for kind, file in files.items()}
    noise = plan.acquisition.noise_hu
    return {
        "case": plan.case,
        "patient": plan.patient,
        "scanner": SCANNERS[plan.acquisition.scanner],
        "ct": paths["ct"],
        "tumour": paths["tumour"],
        "tumour_reader2": paths.get("reader2", ""),
        "tumour_repeat": paths.get("repeat", ""),
        "malignant": plan.event,
        **person_columns(plan.person, plan.lesion),
        "symptom": "yes" if plan.latent.symptom else "no",
        "margin": "unclear" if plan.latent.unclear else "clear",
        "nodes": "yes" if plan.latent.nodes else "no",
        "location": plan.anatomy.location,
        **read_columns(hu, tumour, image.GetSpacing()[0], plan.lesion, noise, plan.person),
        "radiologist": plan.radiologist,
    }
