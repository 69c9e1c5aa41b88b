"""One case as the run saw it, so that a radiologist can check what was outlined; the case is not named."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.data import cohort
from fusion.data.case import Case, Files, load
from fusion.errors import CohortError
from fusion.report.blocks import Block, Plot, Prose, Section
from fusion.report.figures import WIDTH
from fusion.report.results import Results
from fusion.report.style import headed
from fusion.report.topic import Topic
from fusion.roi.ring_files import rings_in
from fusion.roi.upright import upright_case
from fusion.types import Mask, Volume

VOLUME = "original_shape_VoxelVolume"
ROOM_MM = 14.0
"""Shown round the tumour on every side."""
TUMOUR, RING = "#ffb000", "#35d0ba"


def topic(results: Results) -> Topic:
    """The training case with the median tumour volume, with tumour and External2."""
    title = "An example case"
    try:
        case, volume_ml = _median(results)
    except _Absent as reason:
        return Topic(Section("example", title, [Prose(f"No example case can be shown here: {reason}.")], "Example"))
    text = (
        f"The training case with the median tumour volume ({volume_ml:.1f} mL), as the run saw it: the tumour as drawn "
        "(yellow) and External2, the ring around it (green). Check that both lie where they should."
    )
    window = results.run.roi.patch.window
    blocks: list[Block] = [
        Prose(text, faint=False),
        Plot("example_case", "Slices through one case with tumour and External2 outlined"),
    ]
    return Topic(
        Section("example", title, blocks, "Example"), plots={"example_case": lambda: shown(case, window, volume_ml)}
    )


def shown(case: Case, window: tuple[float, float], volume_ml: float) -> Figure:
    """Three slices through the tumour, across z, y and x, with a scale bar."""
    low, high = (f"{end:g}".replace("-", "−") for end in window)
    title = f"One training case (n = 1), tumour {volume_ml:.1f} mL"
    note = (
        f"Grey values {low} to {high}. Yellow: tumour. Green: External2. Bar: 10 mm. No outcome and no name is shown."
    )
    figure = headed(title, note, WIDTH, 4.2)
    axes = figure.subplots(1, 3)
    own = upright_case(case)
    ring = own.external2 if own.external2 is not None else np.zeros_like(own.tumour)
    centre = _centre(own.tumour)
    for axis, across in zip(axes, range(3), strict=True):
        _slice(axis, across, centre, (own.image, own.tumour, ring), own.geometry.spacing_mm, window)
    for axis, name in zip(axes, _names(own), strict=True):
        axis.set_title(name)
    return figure


class _Absent(Exception):
    """Why there is no example, in words without a path or a name."""


def _median(results: Results) -> tuple[Case, float]:
    """The training case whose tumour has the median volume (the lower of two), and that volume in mL."""
    path = results.folder / "features/radiomics_tumour.parquet"
    if not path.is_file():
        raise _Absent("the run has no radiomics to order cases by volume")
    table = pd.read_parquet(path)
    if VOLUME not in table:
        raise _Absent("tumour volume is not among the run's features")
    train = results.cohort.loc[results.cohort["set"] == "train", "case"]
    volumes = table[VOLUME].rename(index=str).reindex(train).sort_values(kind="stable")
    place = (len(volumes) - 1) // 2
    try:
        return _loaded(results, str(volumes.index[place])), float(volumes.iloc[place]) / 1000
    except CohortError as error:
        raise _Absent("its image or its outline is no longer where the run found it") from error


def _loaded(results: Results, name: str) -> Case:
    run = results.run
    files = next((own for own in cohort.read(run.cohort, run.seed).files if own.case == name), None)
    ring = rings_in(results.folder / "regions").get(name)
    if files is None or ring is None or not all(path.exists() for path in (files.image, files.tumour)):
        raise _Absent("its image or its outline is no longer where the run found it")
    return load(Files(name, files.image, files.tumour, external2=ring), run.cohort, run.roi.resample_mask)


def _names(case: Case) -> tuple[str, str, str]:
    """What the three cuts are called; anatomy is named only where the grid is the patient's."""
    cosines = np.abs(np.reshape(case.geometry.direction, (3, 3)))
    if np.allclose(cosines, np.eye(3), atol=0.2):
        return "Axial", "Coronal", "Sagittal"
    return "In the slice plane", "Across slices, along rows", "Across slices, along columns"


def _centre(tumour: Mask) -> tuple[int, int, int]:
    """The slice with most tumour, and the tumour's middle in it."""
    z = int(tumour.sum(axis=(1, 2)).argmax())
    y, x = np.argwhere(tumour[z]).mean(axis=0)
    return z, round(float(y)), round(float(x))


def _slice(
    axis: Axes, across: int, centre: tuple[int, int, int], layers: tuple[Volume, Mask, Mask],
    spacing_mm: tuple[float, ...], window: tuple[float, float],
) -> None:  # fmt: skip
    """One cut; all three show the same square of millimetres, black where the image ends."""
    grey, tumour, ring = (np.take(layer, centre[across], axis=across) for layer in layers)
    down, right = (spacing_mm[side] for side in range(3) if side != across)
    middle = [place * step for place, step in zip(np.delete(centre, across), (down, right), strict=True)]
    half = _half_mm(layers[1] | layers[2], spacing_mm)
    rows, columns = (
        slice(max(int((at - half) / step), 0), int((at + half) / step) + 2)
        for at, step in zip(middle, (down, right), strict=True)
    )
    seen = grey[rows, columns]
    top, left = (rows.start - 0.5) * down, (columns.start - 0.5) * right
    extent = (left, left + seen.shape[1] * right, top + seen.shape[0] * down, top)
    axis.imshow(seen, cmap="gray", vmin=window[0], vmax=window[1], interpolation="none", extent=extent)
    lines = np.arange(grey.shape[1]) * right, np.arange(grey.shape[0]) * down
    for mask, colour, strength in ((ring, RING, 0.22), (tumour, TUMOUR, 0.0)):
        if mask.any() and not mask.all() and min(mask.shape) > 1:
            axis.contour(*lines, mask.astype(float), levels=[0.5], colors=[colour], linewidths=1.1)
            if strength:
                axis.contourf(*lines, mask.astype(float), levels=[0.5, 1.5], colors=[colour], alpha=strength)
    vertical = (middle[0] + half, middle[0] - half) if across == 0 else (middle[0] - half, middle[0] + half)
    axis.set(xlim=(middle[1] - half, middle[1] + half), ylim=vertical, xticks=[], yticks=[], aspect="equal")
    axis.set_facecolor("black")
    axis.grid(visible=False)
    axis.plot([0.06, 0.06 + 10 / (2 * half)], [0.06, 0.06], color="white", linewidth=2.2, solid_capstyle="butt",
              transform=axis.transAxes)  # fmt: skip


def _half_mm(region: Mask, spacing_mm: tuple[float, ...]) -> float:
    """Half a side of what is shown: the larger half of the regions, with room around."""
    index = np.argwhere(region)
    return float(((np.ptp(index, axis=0) + 1) * spacing_mm).max()) / 2 + ROOM_MM
