"""An answer on disk: JSON, masks, maps and pictures, and on request a sheet and DICOM objects."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fusion.data.case import Case
from fusion.data.dicom.file import is_dicom_file
from fusion.data.image import Geometry, is_zip, write_mask
from fusion.errors import CohortError, Fault
from fusion.roi.back import write_map
from fusion.roi.region import REGIONS
from fusion.roi.upright import stored_slice_axis
from fusion.serve.answer import Answer
from fusion.serve.asked import Asked, Outputs
from fusion.serve.bundle import Bundle
from fusion.serve.predict import Predictor
from fusion.serve.told import Told
from fusion.store import whole, write_text
from fusion.types import Mask

ANSWER = "answer.json"
ROOM_MM = 40.0
"""What a viewer shows round the tumour, on each side in plane."""
ROOM_SLICES = 6
"""And across slices."""


def deliver(predictor: Predictor, asked: Asked, outputs: Outputs) -> Answer:
    """Answer ``asked`` and leave the files that ``outputs`` names; answer.json comes last, so it stands for all.

    Raises:
        FusionError: as ``Predictor.answer``; DICOM objects asked for of an image that is no DICOM series.
    """
    if outputs.dicom:
        _series(asked)
    told = predictor.answer(asked)
    bundle, folder = predictor.bundle, outputs.folder
    if told.case is not None:
        _write_regions(told, told.case, bundle, outputs)
    else:
        _write_slices(told, folder)
    _write_sheets(told, bundle, outputs)
    if outputs.dicom:
        _write_dicom(told, asked, bundle, folder)
    write_text(folder / ANSWER, told.answer.model_dump_json(indent=2) + "\n")
    return told.answer


def _write_regions(told: Told, case: Case, bundle: Bundle, outputs: Outputs) -> None:
    """external2.nii.gz, a heat map a region that the network sees, overlay.png, and what a viewer shows."""
    from fusion.serve import overlay

    assert told.external2 is not None
    write_mask(outputs.folder / "external2.nii.gz", told.external2, case.geometry, bundle.run.cohort.label)
    for region, heat in told.heat.items():
        write_map(outputs.folder / f"heat_{region}.nii.gz", heat, case.geometry)
    _write_picture(outputs.folder / "overlay.png", overlay.regions(told, bundle.run.roi.patch.window))
    if outputs.viewer:
        _write_view(told, case, outputs.folder)


def _write_slices(told: Told, folder: Path) -> None:
    """slice_<sequence>.png, and heat_<task>_<sequence>.png of the first model that has some."""
    from fusion.serve import overlay

    for sequence in told.pieces:
        _write_picture(folder / f"slice_{sequence}.png", overlay.slice(told, None, sequence))
    first: dict[tuple[str, str], str] = {}
    for model, sequence in told.slice_heat:
        first.setdefault((model.rpartition("/")[0], sequence), model)
    for (task, sequence), model in first.items():
        _write_picture(folder / f"heat_{task}_{sequence}.png", overlay.slice(told, model, sequence))


def _write_view(told: Told, case: Case, folder: Path) -> None:
    """view_image, view_tumour, view_external2 and view_heat.nii.gz: the case round its tumour, on a grid of its own."""
    assert told.external2 is not None
    near = _near(case.tumour, case.geometry)
    write_map(folder / "view_image.nii.gz", case.image[near.voxels], near.geometry)
    write_mask(folder / "view_tumour.nii.gz", case.tumour[near.voxels], near.geometry)
    write_mask(folder / "view_external2.nii.gz", told.external2[near.voxels], near.geometry)
    if told.heat:
        heat = np.max([told.heat[region][near.voxels] for region in REGIONS if region in told.heat], axis=0)
        write_map(folder / "view_heat.nii.gz", heat, near.geometry)


@dataclass(frozen=True)
class _Near:
    """A part of an image."""

    voxels: tuple[slice, slice, slice]
    geometry: Geometry


def _near(tumour: Mask, geometry: Geometry) -> _Near:
    index = np.argwhere(tumour)
    room = np.ceil(ROOM_MM / np.array(geometry.spacing_mm)).astype(int)
    room[stored_slice_axis(geometry)] = ROOM_SLICES
    low, high = np.maximum(index.min(0) - room, 0), np.minimum(index.max(0) + room + 1, tumour.shape)
    turned = np.reshape(geometry.direction, (3, 3))
    first = np.array(geometry.origin_mm) + turned @ (low * geometry.spacing_mm)[::-1]
    z, y, x = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    size = (z.stop - z.start, y.stop - y.start, x.stop - x.start)
    return _Near((z, y, x), replace(geometry, size=size, origin_mm=tuple(first.tolist())))


def _write_picture(path: Path, picture: Any) -> None:
    with whole(path) as part:
        picture.save(part)


def _write_sheets(told: Told, bundle: Bundle, outputs: Outputs) -> None:
    if outputs.sheet_html or outputs.sheet_pdf:
        from fusion.serve import sheet

        if outputs.sheet_html:
            write_text(outputs.folder / "sheet.html", sheet.html(told, bundle))
        if outputs.sheet_pdf:
            sheet.write_pdf(told, bundle, outputs.folder / "sheet.pdf")


def _series(asked: Asked) -> Path:
    """The case's image, which has to be a DICOM series: its folder or zip, or one of its files."""
    image = asked.files.image if asked.files else None
    if image is not None and (not image.is_file() or is_zip(image) or is_dicom_file(image)):
        return image
    remedy = "give a DICOM series as image, or leave DICOM objects out"
    expected = "a DICOM series, to which they refer"
    raise CohortError(Fault("an image without DICOM headers", expected, remedy, asked.case))


def _write_dicom(told: Told, asked: Asked, bundle: Bundle, folder: Path) -> None:
    """external2_seg.dcm and answer_sr.dcm."""
    from fusion.data.unzipped import unzipped
    from fusion.serve import dicom_out

    given, dicom = _series(asked), bundle.run.cohort.dicom
    with unzipped(given) as real:
        dicom_out.segmentation(told, real[given], folder / "external2_seg.dcm", dicom)
        dicom_out.report(told, real[given], folder / "answer_sr.dcm", dicom)
