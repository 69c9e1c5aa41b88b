"""Features of grey-level co-occurrence matrices, averaged over directions.

Haralick 1973, doi:10.1109/TSMC.1973.4309314; definitions as in PyRadiomics 3.0.1 and IBSI 1,
doi:10.1148/radiol.2020191145.
"""

from typing import no_type_check

import numpy as np
from jaxtyping import Float, Integer
from numba import njit
from numpy import ndarray

from fusion.config.names import FEATURES
from fusion.features.radiomics.classes.correlation import maximal_correlation
from fusion.features.radiomics.matrices.cooccurrence import count_pairs

NAMES = FEATURES["glcm"]
EPSILON = np.spacing(1)
"""Added to a probability before its logarithm, as PyRadiomics does."""
SMALL = 16
"""Up to this many ranks a joint entropy is summed cell by cell: Imc2 is a root of a difference that may vanish."""


def glcm(
    rank: Integer[ndarray, " box"],
    start: Integer[ndarray, " row"],
    length: Integer[ndarray, " row"],
    steps: Integer[ndarray, " angle"],
    grey: Integer[ndarray, " rank"],
    *,
    symmetrical: bool = True,
    weights: Float[ndarray, " angle"] | None = None,
) -> Float[ndarray, "24"]:
    """The 24 features of ``NAMES``.

    Args:
        rank: the region's ranks in its flattened box (``Layout.fill``).
        start, length: the region's rows.
        steps: one offset a direction; a direction without any pair is left out of the mean.
        grey: grey level of each rank.
        symmetrical: count every pair both ways.
        weights: weight of each direction; the matrices are then added up before the features are taken.

    Returns:
        NaN where no direction has a pair.
    """
    weighting = np.zeros(0) if weights is None else weights
    return _mean(by_direction(rank, start, length, steps, grey.astype(np.float64), symmetrical, weighting))


def from_counts(
    counts: Integer[ndarray, "angle rank rank"],
    grey: Integer[ndarray, " rank"],
    *,
    symmetrical: bool = True,
    weights: Float[ndarray, " angle"] | None = None,
) -> Float[ndarray, "24"]:
    """The features of ``glcm`` from pairs that are counted already, by direction."""
    pairs = counts + counts.transpose(0, 2, 1) if symmetrical else counts
    tables = pairs.astype(np.float64) if weights is None else np.tensordot(weights, pairs, 1)[None]
    there = [table for table in tables if table.any()]
    level, nothing = grey.astype(np.float64), np.zeros((0, len(NAMES)))
    return _mean(np.stack([of_matrix(own / own.sum(), level, symmetrical) for own in there]) if there else nothing)


def _mean(found: Float[ndarray, "angle 24"]) -> Float[ndarray, "24"]:
    """Mean over the directions that have a pair; NaN where none has."""
    known = ~np.isnan(found)
    with np.errstate(invalid="ignore"):
        return np.where(known, found, 0.0).sum(axis=0) / known.sum(axis=0)


@no_type_check
@njit(cache=True, nogil=True)
def by_direction(rank, start, length, steps, grey, symmetrical, weights):
    """Features by direction, or of the weighted sum of all; NaN rows where there is no pair."""
    ranks = grey.size
    out = np.full((1 if weights.size else steps.size, len(NAMES)), np.nan)
    summed = np.zeros((ranks, ranks))
    for angle in range(steps.size):
        table = np.zeros((ranks + 1) * (ranks + 1), np.int32)
        count_pairs(rank, start, length, steps[angle], table)
        pairs = table.reshape(ranks + 1, ranks + 1)[1:, 1:].astype(np.float64)
        if symmetrical:
            pairs = pairs + pairs.T
        if weights.size:
            summed += weights[angle] * pairs
            if angle < steps.size - 1:
                continue
            pairs = summed
        if pairs.sum() > 0:
            out[0 if weights.size else angle] = of_matrix(pairs / pairs.sum(), grey, symmetrical)
    return out


@no_type_check
@njit(cache=True, nogil=True, error_model="numpy")
def of_matrix(p, grey, symmetrical):
    """The features of one matrix of probabilities ``p[rank, rank]`` with grey levels ``grey`` (float64)."""
    ranks, most = grey.size, int(grey[grey.size - 1])
    px, py, joint, energy, largest, auto = p.sum(axis=1), p.sum(axis=0), 0.0, 0.0, 0.0, 0.0
    ux, uy = _means(p, grey)
    difference, total, covariance, vx, vy = np.zeros(most), np.zeros(2 * most + 1), 0.0, 0.0, 0.0
    for i in range(ranks):
        for j in range(ranks):
            cell = p[i, j]
            if cell > 0:
                joint -= cell * np.log2(cell + EPSILON)
                energy += cell * cell
                largest = max(largest, cell)
                auto += cell * grey[i] * grey[j]
                covariance += cell * (grey[i] - ux) * (grey[j] - uy)
                vx += cell * (grey[i] - ux) ** 2
                vy += cell * (grey[j] - uy) ** 2
                difference[int(abs(grey[i] - grey[j]))] += cell
                total[int(grey[i] + grey[j])] += cell
    k, s = np.arange(most).astype(np.float64), np.arange(2 * most + 1) - ux - uy
    average = (k * difference).sum()
    deviations = np.sqrt(vx) * np.sqrt(vy)
    imc1, imc2 = _information(p, px, py, joint)
    return np.array([
        auto, (total * s**4).sum(), (total * s**3).sum(), (total * s**2).sum(), (difference * k**2).sum(),
        covariance / (deviations + EPSILON) if deviations > 0 else 1.0,
        average, _entropy(difference), (difference * (k - average) ** 2).sum(),
        (difference / (1 + k)).sum(), (difference / (1 + k**2)).sum(),
        (difference / (1 + k**2 / most**2)).sum(), (difference / (1 + k / most)).sum(),
        imc1, imc2, (difference[1:] / k[1:] ** 2).sum(), ux, energy, joint,
        maximal_correlation(p, px, py, symmetrical), largest,
        (total * np.arange(2 * most + 1)).sum(), _entropy(total), vx,
    ])  # fmt: skip


@no_type_check
@njit(cache=True, nogil=True)
def _means(p, grey):
    """Mean grey level of rows and columns, cell by cell: whether a deviation is 0 hangs on the order of sums."""
    ux, uy = 0.0, 0.0
    for i in range(grey.size):
        for j in range(grey.size):
            ux += p[i, j] * grey[i]
            uy += p[i, j] * grey[j]
    return ux, uy


@no_type_check
@njit(cache=True, nogil=True)
def _entropy(p):
    found = 0.0
    for value in p:
        if value > 0:
            found -= value * np.log2(value + EPSILON)
    return found


@no_type_check
@njit(cache=True, nogil=True)
def _information(p, px, py, joint):
    """First and second measure of information correlation."""
    hx, hy = _entropy(px), _entropy(py)
    first, second = hx + hy, hx + hy
    if px.size <= SMALL:
        first, second = 0.0, 0.0
        for i in range(px.size):
            for j in range(py.size):
                logarithm = np.log2(px[i] * py[j] + EPSILON)
                first -= p[i, j] * logarithm
                second -= px[i] * py[j] * logarithm
    most = max(hx, hy)
    imc1 = (joint - first) / most if most != 0 else 0.0
    imc2 = np.sqrt(1 - np.exp(-2 * (second - joint))) if second != joint else 0.0
    return imc1, imc2
