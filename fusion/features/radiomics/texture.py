"""The texture features of one region in one image: matrices counted, features taken."""

from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from jaxtyping import Float, Integer
from numba import njit
from numpy import ndarray

from fusion.features.radiomics.classes.glcm import from_counts, glcm
from fusion.features.radiomics.classes.ngtdm import ngtdm
from fusion.features.radiomics.classes.sizes import AS_GLDM, AS_GLRLM, AS_GLSZM, sizes, zones
from fusion.features.radiomics.levels import Levels
from fusion.features.radiomics.matrices.layout import Layout, angles, layout, neighbour_counts
from fusion.features.radiomics.matrices.likeness import find_likeness
from fusion.features.radiomics.matrices.neighbourhood import count_dependences, count_near_dependences, sum_differences
from fusion.features.radiomics.matrices.runs import count_runs
from fusion.features.radiomics.matrices.zones import find_zones
from fusion.features.radiomics.plan import Texture
from fusion.types import Mask, Spacing

CLASSES = ("glcm", "glrlm", "glszm", "gldm", "ngtdm")


@dataclass(frozen=True)
class Ground:
    """What the texture of a region depends on besides its grey levels: made once, used for every image type."""

    layout: Layout
    pairs: Integer[ndarray, " pair"]
    """Steps of the co-occurrence matrices' directions."""
    pair_weights: Float[ndarray, " pair"] | None
    around: Integer[ndarray, " step"]
    """Steps to all neighbours at the distances asked for, both ways."""
    neighbours: Integer[ndarray, " voxel"]
    """How many of them belong to the region."""
    near: Integer[ndarray, "near 3"]
    """Offsets of the adjacent neighbours that come later in C order; ``likeness`` has one bit for each."""
    near_steps: Integer[ndarray, " near"]
    runs: Integer[ndarray, " run"]
    """Those of ``near`` along which two voxels of the region lie on a line; the others have no run."""
    run_weights: Float[ndarray, " run"] | None


@dataclass(frozen=True)
class Counts:
    """What the texture features of one image are taken from; ranks without the 0 outside the region."""

    pairs: Integer[ndarray, "angle rank rank"]
    runs: Integer[ndarray, "line rank length"]
    """By direction (those of ``Ground.runs``), rank and length - 1."""
    dependences: Integer[ndarray, "rank alike"]
    voxels: Integer[ndarray, " rank"]
    """Those that count among the grey-tone differences."""
    differences: Float[ndarray, " rank"]
    zones: tuple[Integer[ndarray, " zone"], Integer[ndarray, " zone"]]
    """Rank and size of each, in the order of their first voxels."""


def ground(mask: Mask, spacing_mm: Spacing, texture: Texture) -> Ground:
    """Rows, directions and weights of ``mask`` under the settings ``texture``."""
    own = layout(mask, pad=max(texture.distances))
    flat = texture.force_2d_dimension if texture.force_2d else None
    pairs, near = angles(own.box, texture.distances, flat), angles(own.box, (1,), flat)
    around = own.steps(np.concatenate([pairs, -pairs]))
    runs = _lines(own, near)
    return Ground(
        own,
        own.steps(pairs),
        direction_weights(pairs, spacing_mm, texture.weighting, squared=True),
        around,
        neighbour_counts(own, around),
        near,
        own.steps(near),
        runs,
        direction_weights(near[runs], spacing_mm, texture.weighting, squared=False),
    )


def texture(
    levels: Levels, ground: Ground, settings: Texture, with_lone: bool = True
) -> dict[str, Float[ndarray, "..."]]:
    """Features by class, each in the order of its class's names.

    Args:
        levels: grey levels of the region's voxels in C order.
        ground: of the same region.
        settings: of this image type.
        with_lone: count voxels without neighbours among the grey-tone differences; IBSI does not.
    """
    own, grey = ground.layout, levels.grey.astype(np.float64)
    rank = own.fill(levels.rank)
    level = rank if levels.level is levels.rank else own.fill(levels.level)
    likeness = find_likeness(rank, own.start, own.length, ground.near_steps)
    found_zones = find_zones(rank, likeness, own.start, own.length, ground.near, ground.near_steps)
    differences = sum_differences(
        level, rank, own.start, own.length, ground.around, ground.neighbours, len(grey), with_lone
    )
    return {
        "glcm": glcm(rank, own.start, own.length, ground.pairs, levels.grey,
                     symmetrical=settings.symmetrical, weights=ground.pair_weights),
        "glrlm": _runs(rank, likeness, ground, grey)[AS_GLRLM],
        "glszm": zones(*found_zones, levels.grey)[AS_GLSZM],
        "gldm": _dependences(level, rank, likeness, ground, settings, grey)[AS_GLDM],
        "ngtdm": ngtdm(*differences, grey),
    }  # fmt: skip


def features(counts: Counts, levels: Levels, ground: Ground, settings: Texture) -> dict[str, Float[ndarray, "..."]]:
    """What ``texture`` gives, from matrices that are counted already (``matrices.on_device``)."""
    grey = levels.grey.astype(np.float64)
    alike, length = (np.arange(1.0, table.shape[-1] + 1) for table in (counts.dependences, counts.runs))
    runs = counts.runs if ground.run_weights is None else np.tensordot(ground.run_weights, counts.runs, 1)[None]
    lines = [sizes(table, grey, length) for table in runs.astype(np.float64)]
    return {
        "glcm": from_counts(counts.pairs, levels.grey, symmetrical=settings.symmetrical, weights=ground.pair_weights),
        "glrlm": (np.mean(lines, axis=0) if len(ground.runs) else np.full(16, np.nan))[AS_GLRLM],
        "glszm": zones(*counts.zones, levels.grey)[AS_GLSZM],
        "gldm": sizes(counts.dependences.astype(np.float64), grey, alike)[AS_GLDM],
        "ngtdm": ngtdm(counts.voxels, counts.differences, grey),
    }


def _dependences(
    level: Integer[ndarray, " box"],
    rank: Integer[ndarray, " box"],
    likeness: Integer[ndarray, " voxel"],
    ground: Ground,
    settings: Texture,
    grey: Float[ndarray, " rank"],
) -> Float[ndarray, "16"]:
    own = ground.layout
    if settings.gldm_alpha == 0 and settings.distances == (1,):
        table = count_dependences(rank, likeness, own.start, own.length, len(grey))
    else:
        table = count_near_dependences(
            level, rank, own.start, own.length, ground.around, settings.gldm_alpha, len(grey)
        )
    return sizes(table.astype(np.float64), grey, np.arange(1, table.shape[1] + 1, dtype=np.float64))


def _runs(
    rank: Integer[ndarray, " box"], likeness: Integer[ndarray, " voxel"], ground: Ground, grey: Float[ndarray, " rank"]
) -> Float[ndarray, "16"]:
    own = ground.layout
    weights = np.zeros(0) if ground.run_weights is None else ground.run_weights
    longest = max(own.box)
    return _run_features(rank, likeness, own.start, own.length, ground.near_steps, ground.runs, longest, grey, weights)


@no_type_check
@njit(cache=True, nogil=True)
def _run_features(rank, likeness, start, length, steps, runs, longest, grey, weights):
    """Mean over directions, or features of the weighted sum of all directions' matrices."""
    size, summed = np.arange(1, longest + 1).astype(np.float64), np.zeros((grey.size, longest))
    found = np.zeros(16) if runs.size else np.full(16, np.nan)
    so_far = np.empty(rank.size, np.uint16)  # written before it is read
    for angle in range(runs.size):
        bit = runs[angle]
        counts = count_runs(rank, likeness, start, length, steps[bit], bit, longest, grey.size, so_far)
        table = counts.astype(np.float64)
        if weights.size:
            summed += weights[angle] * table
            if angle < runs.size - 1:
                continue
            table = summed
        found += sizes(table, grey, size) / (1 if weights.size else runs.size)
    return found


def _lines(own: Layout, offsets: Integer[ndarray, "angle 3"]) -> Integer[ndarray, " line"]:
    """Which ``offsets`` have two voxels of the region on one line, next to each other or not."""
    inside = own.fill(np.ones(int(own.length.sum()), np.uint8))
    voxels = np.flatnonzero(inside)
    touching = [bool(inside[voxels + step].any()) for step in own.steps(offsets)]
    if all(touching):
        return np.arange(len(offsets))
    places = np.stack(np.unravel_index(voxels, own.padded), axis=1)
    return np.flatnonzero([near or _on_a_line(places, own) for near, own in zip(touching, offsets, strict=True)])


def _on_a_line(places: Integer[ndarray, "voxel 3"], offset: Integer[ndarray, "3"]) -> bool:
    axis = int(np.flatnonzero(offset)[0])
    lines = places - places[:, [axis]] * offset[axis] * offset
    return len(np.unique(lines, axis=0)) < len(lines)


def direction_weights(
    offsets: Integer[ndarray, "angle 3"], spacing_mm: Spacing, norm: str | None, squared: bool
) -> Float[ndarray, " angle"] | None:
    """Weight of each direction by its length in mm: exp(-length^2) for pairs, the length itself for runs."""
    if norm is None:
        return None
    steps = np.abs(offsets) * np.asarray(spacing_mm)
    if norm == "no_weighting":
        return np.ones(len(offsets))
    lengths = {
        "infinity": steps.max(axis=1),
        "euclidean": np.sqrt((steps**2).sum(axis=1)),
        "manhattan": steps.sum(axis=1),
    }
    return np.exp(-(lengths[norm] ** 2)) if squared else lengths[norm]
