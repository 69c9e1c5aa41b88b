"""One case as the run saw it, so that a radiologist can check what was outlined; the case is not named."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fusion.data import cohort
from fusion.data.case import Case, Files, load
from fusion.errors import CohortError
from fusion.report.blocks import Plot, Prose, Section
from fusion.report.figures import WIDTH
from fusion.report.results import Results
from fusion.report.style import headed
from fusion.report.topic import Topic
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
    blocks = [Prose(text), Plot("example_case", "Slices through one case with tumour and External2 outlined")]
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
    volume, tumour, ring = _upright(case)
    centre = _centre(tumour)
    for axis, across in zip(axes, range(3), strict=True):
        _slice(axis, across, centre, (volume, tumour, ring), case.geometry.spacing_mm, window)
    for axis, name in zip(axes, _names(case), strict=True):
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
    ring = results.folder / f"regions/{name}_external2.nii.gz"
    if files is None or not all(path.is_file() for path in (files.image, files.tumour, ring)):
        raise _Absent("its image or its outline is no longer where the run found it")
    return load(Files(name, files.image, files.tumour, external2=ring), run.cohort, run.roi.resample_mask)


def _names(case: Case) -> tuple[str, str, str]:
    """What the three cuts are called; anatomy is named only where the grid is the patient's."""
    cosines = np.abs(np.reshape(case.geometry.direction, (3, 3)))
    if np.allclose(cosines, np.eye(3), atol=0.2):
        return "Axial", "Coronal", "Sagittal"
    return "In the slice plane", "Across slices, along rows", "Across slices, along columns"


def _upright(case: Case) -> tuple[Volume, Mask, Mask]:
    """Volumes turned so that z runs to the head, y to the back and x to the left, where the grid is the patient's."""
    signs = np.sign(np.diag(np.reshape(case.geometry.direction, (3, 3))))[::-1]
    turn = tuple(slice(None, None, -1) if sign < 0 else slice(None) for sign in signs)
    ring = case.external2 if case.external2 is not None else np.zeros_like(case.tumour)
    return case.image[turn], case.tumour[turn], ring[turn]


def _centre(tumour: Mask) -> tuple[int, int, int]:
    """The slice with most tumour, and the tumour's middle in it."""
    z = int(tumour.sum(axis=(1, 2)).argmax())
    y, x = np.argwhere(tumour[z]).mean(axis=0)
    return z, round(float(y)), round(float(x))


def _slice(
    axis: Axes, across: int, centre: tuple[int, int, int], layers: tuple[Volume, Mask, Mask],
    spacing_mm: tuple[float, ...], window: tuple[float, float],
) -> None:  # fmt: skip
    grey, tumour, ring = (np.take(layer, centre[across], axis=across) for layer in layers)
    down, right = (spacing_mm[side] for side in range(3) if side != across)
    box = _box(layers[1] | layers[2], across, (down, right))
    grey, tumour, ring = grey[box], tumour[box], ring[box]
    height, width = grey.shape[0] * down, grey.shape[1] * right
    upwards = across != 0  # z runs to the head
    axis.imshow(
        grey, cmap="gray", vmin=window[0], vmax=window[1], interpolation="none",
        extent=(0, width, 0, height) if upwards else (0, width, height, 0), origin="lower" if upwards else "upper",
    )  # fmt: skip
    rows, columns = (np.arange(grey.shape[0]) + 0.5) * down, (np.arange(grey.shape[1]) + 0.5) * right
    for mask, colour, strength in ((ring, RING, 0.22), (tumour, TUMOUR, 0.0)):
        if mask.any() and not mask.all() and min(mask.shape) > 1:
            axis.contour(columns, rows, mask.astype(float), levels=[0.5], colors=[colour], linewidths=1.1)
            if strength:
                axis.contourf(columns, rows, mask.astype(float), levels=[0.5, 1.5], colors=[colour], alpha=strength)
    _bar(axis, width, height, upwards)
    axis.set(xticks=[], yticks=[], aspect="equal")
    axis.grid(visible=False)
    axis.set_axis_off()


def _box(region: Mask, across: int, spacing_mm: tuple[float, float]) -> tuple[slice, slice]:
    """Rows and columns of the regions' shadow with room around it."""
    index = np.argwhere(region.any(axis=across))
    room = np.ceil(ROOM_MM / np.asarray(spacing_mm)).astype(int)
    low, high = np.maximum(index.min(axis=0) - room, 0), index.max(axis=0) + room + 1
    return slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1]))


def _bar(axis: Axes, width: float, height: float, upwards: bool) -> None:
    foot = 0.05 * height if upwards else 0.95 * height
    axis.plot([0.05 * width, 0.05 * width + 10], [foot, foot], color="white", linewidth=2.2, solid_capstyle="butt")
