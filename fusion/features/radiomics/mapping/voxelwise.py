"""The texture features of the window round each voxel of a region, class by class."""

from typing import no_type_check

import numpy as np
from jaxtyping import Float
from numba import njit
from numpy import ndarray

from fusion.features.radiomics.classes.glcm import NAMES, by_direction
from fusion.features.radiomics.classes.ngtdm import ngtdm as tone_differences
from fusion.features.radiomics.classes.sizes import AS_GLDM, AS_GLRLM, AS_GLSZM, sizes, zone_table
from fusion.features.radiomics.mapping.firstorder import firstorder
from fusion.features.radiomics.mapping.windows import Neighbourhoods, joins, look, room, windows
from fusion.features.radiomics.matrices.layout import count_inside
from fusion.features.radiomics.matrices.likeness import find_likeness
from fusion.features.radiomics.matrices.neighbourhood import count_dependences, count_near_dependences, sum_differences
from fusion.features.radiomics.matrices.runs import count_runs
from fusion.features.radiomics.matrices.zones import label_zones, representatives
from fusion.features.radiomics.plan import Texture
from fusion.features.radiomics.texture import direction_weights

Values = Float[ndarray, " looked"]
Found = Float[ndarray, "voxel feature"]
JOINT_AVERAGE, MCC = NAMES.index("JointAverage"), NAMES.index("MCC")


def glcm(own: Neighbourhoods, values: Values, texture: Texture) -> Found:
    """The 24 features of each window, means over the directions that have a pair in it.

    As in PyRadiomics, JointAverage is NaN where a direction that has pairs elsewhere has none: it takes the plain mean,
    the others leave NaN out. PyRadiomics fails on the whole map of MCC if there is one such window; here it has values.
    """
    at = windows(own, values, texture)
    weights = direction_weights(at.pairs, own.spacing_mm, texture.weighting, squared=True)
    out, paired = np.empty((len(at.corners), len(NAMES))), np.zeros((len(at.corners), len(at.pairs)), np.bool_)
    _glcms(at.ranks, at.corners, at.shape, at.pad, at.grey.astype(np.float64), at.steps(at.pairs),
           texture.symmetrical, np.zeros(0) if weights is None else weights, out, paired)  # fmt: skip
    if weights is None:
        out[paired.sum(axis=1) < paired.any(axis=0).sum(), JOINT_AVERAGE] = np.nan
    if len(at.grey) == 1:
        out[:, MCC] = 1.0  # with pairs or without
    return out


def glrlm(own: Neighbourhoods, values: Values, texture: Texture) -> Found:
    """The 16 features of each window, means over the directions in which it has two voxels on a line."""
    at = windows(own, values, texture)
    weights = direction_weights(at.near, own.spacing_mm, texture.weighting, squared=False)
    return _glrlms(at.ranks, at.corners, at.shape, at.pad, at.grey.astype(np.float64), at.near, at.steps(at.near),
                   np.zeros(0) if weights is None else weights)[:, AS_GLRLM]  # fmt: skip


def glszm(own: Neighbourhoods, values: Values, texture: Texture) -> Found:
    """The 16 features of each window."""
    at = windows(own, values, texture)
    few, steps = representatives(tuple(map(tuple, at.near.tolist()))), at.steps(at.near)
    return _glszms(at.ranks, at.corners, at.shape, at.pad, at.grey.astype(np.float64), steps, few)[:, AS_GLSZM]


def gldm(own: Neighbourhoods, values: Values, texture: Texture) -> Found:
    """The 14 features of each window."""
    at = windows(own, values, texture)
    around = at.steps(np.concatenate([at.pairs, -at.pairs]))
    near = at.steps(at.near) if texture.gldm_alpha == 0 and texture.distances == (1,) else np.zeros(0, np.int64)
    return _gldms(at.ranks, at.corners, at.shape, at.pad, at.grey, near, around, texture.gldm_alpha)[:, AS_GLDM]


def ngtdm(own: Neighbourhoods, values: Values, texture: Texture) -> Found:
    """The five features of each window."""
    at = windows(own, values, texture)
    return _ngtdms(at.ranks, at.corners, at.shape, at.pad, at.grey, at.steps(np.concatenate([at.pairs, -at.pairs])))


CLASSES = {"firstorder": firstorder, "glcm": glcm, "glrlm": glrlm, "glszm": glszm, "gldm": gldm, "ngtdm": ngtdm}


@no_type_check
@njit(cache=True, nogil=True)
def _glcms(ranks, corners, shape, pad, grey, steps, symmetrical, weights, out, paired):
    space, own = room(ranks, shape, pad), np.empty(grey.size + 1)
    for v in range(len(corners)):
        box, start, length, seen = look(ranks, corners[v], shape, pad, space)
        found = by_direction(box, start, length, steps, _with_highest(grey, seen, own), symmetrical, weights)
        for feature in range(out.shape[1]):
            total, count = 0.0, 0
            for angle in range(len(found)):
                if not np.isnan(found[angle, feature]):
                    total += found[angle, feature]
                    count += 1
            out[v, feature] = total / count if count else np.nan
        for angle in range(len(found)):
            paired[v, angle] = not np.isnan(found[angle, 0])


@no_type_check
@njit(cache=True, nogil=True)
def _with_highest(grey, seen, own):
    """Grey levels of a window and, without a voxel, the region's highest: Idn and Idmn are scaled by it.

    A second level also tells MCC that the region is not flat: then a flat window has 0, not 1.
    """
    own[: seen.size], own[seen.size] = grey[seen - 1], grey[-1]
    flat = seen.size == 1 and grey.size > 1
    return own[: seen.size + 1] if own[seen.size - 1] < grey[-1] or flat else own[: seen.size]


@no_type_check
@njit(cache=True, nogil=True)
def _glrlms(ranks, corners, shape, pad, grey, offsets, steps, weights):
    space, longest = room(ranks, shape, pad), max(shape)
    size, so_far = np.arange(1, longest + 1).astype(np.float64), np.zeros(space[0].size, np.uint16)
    out = np.zeros((len(corners), 16))
    for v in range(len(corners)):
        box, start, length, seen = look(ranks, corners[v], shape, pad, space)
        own, likeness = grey[seen - 1], find_likeness(box, start, length, steps)
        summed, lines = np.zeros((seen.size, longest)), 0
        for bit in range(steps.size):
            if joins(box, shape, pad, offsets[bit]):
                lines += 1
                counts = count_runs(box, likeness, start, length, steps[bit], bit, longest, seen.size, so_far)
                if weights.size:
                    summed += weights[bit] * counts.astype(np.float64)
                else:
                    out[v] += sizes(counts.astype(np.float64), own, size)
        if lines == 0:
            out[v] = np.nan
        elif weights.size:
            out[v] = sizes(summed, own, size)
        else:
            out[v] /= lines
    return out


@no_type_check
@njit(cache=True, nogil=True)
def _glszms(ranks, corners, shape, pad, grey, steps, few):
    space, out = room(ranks, shape, pad), np.empty((len(corners), 16))
    for v in range(len(corners)):
        box, start, length, seen = look(ranks, corners[v], shape, pad, space)
        likeness = find_likeness(box, start, length, steps)
        rank, size = label_zones(box, likeness, start, length, steps, few)
        table, sizes_found = zone_table(rank, size, seen.size)
        out[v] = sizes(table, grey[seen - 1], sizes_found)
    return out


@no_type_check
@njit(cache=True, nogil=True)
def _gldms(ranks, corners, shape, pad, grey, near, around, alpha):
    space, out = room(ranks, shape, pad), np.empty((len(corners), 16))
    level = np.zeros(space[0].size, np.uint16)
    for v in range(len(corners)):
        box, start, length, seen = look(ranks, corners[v], shape, pad, space)
        own = grey[seen - 1]
        if near.size:
            likeness = find_likeness(box, start, length, near)
            table = count_dependences(box, likeness, start, length, seen.size)
        else:
            _raise(box, own, level)
            table = count_near_dependences(level, box, start, length, around, alpha, seen.size)
        size = np.arange(1, table.shape[1] + 1).astype(np.float64)
        out[v] = sizes(table.astype(np.float64), own.astype(np.float64), size)
    return out


@no_type_check
@njit(cache=True, nogil=True)
def _ngtdms(ranks, corners, shape, pad, grey, around):
    space, out = room(ranks, shape, pad), np.empty((len(corners), 5))
    level, inside = np.zeros(space[0].size, np.uint16), np.zeros(space[0].size, np.uint16)
    for v in range(len(corners)):
        box, start, length, seen = look(ranks, corners[v], shape, pad, space)
        own = grey[seen - 1]
        _raise(box, own, level)
        for c in range(box.size):
            inside[c] = box[c] > 0
        neighbours = count_inside(inside, start, length, around, np.zeros(length.sum(), np.uint16))
        voxels, differences = sum_differences(level, box, start, length, around, neighbours, seen.size, True)
        out[v] = tone_differences(voxels, differences, own.astype(np.float64))
    return out


@no_type_check
@njit(cache=True, nogil=True)
def _raise(box, grey, level):
    """Ranks of a window to its grey levels."""
    for c in range(box.size):
        level[c] = grey[box[c] - 1] if box[c] > 0 else 0
