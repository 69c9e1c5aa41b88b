"""Maximal correlation coefficient of a co-occurrence matrix (Haralick 1973, feature 14)."""

from typing import no_type_check

import numpy as np
from numba import njit

EPSILON = np.spacing(1)
SMALL, LARGE = 1e-7, 1e-3
"""The epsilon's share of the smallest product of marginals: below the one it changes nothing, above the other too much
for a first-order correction."""
NEAR = 0.05
"""Eigenvalues this near the second are corrected together with it."""


@no_type_check
@njit(cache=True, nogil=True)
def maximal_correlation(p, px, py, symmetrical):
    """Root of the second largest eigenvalue of Q(i, j) = sum over k of p(i, k) p(j, k) / (px(i) py(k) + epsilon).

    Without the epsilon Q is similar to A A' with A = p / sqrt(px py'), whose largest eigenvalue is 1; where the epsilon
    matters its effect on the second is added to first order, and where that is not enough Q itself is solved.
    1 for a single grey level.
    """
    if px.size < 2:
        return 1.0
    rows, columns = np.flatnonzero(px > 0), np.flatnonzero(py > 0)
    if rows.size < 2:
        return 0.0
    x, y, a = px[rows], py[columns], np.zeros((rows.size, columns.size))
    for i in range(rows.size):
        for k in range(columns.size):
            a[i, k] = p[rows[i], columns[k]] / np.sqrt(x[i] * y[k])
    share = EPSILON / (x.min() * y.min())
    if share > LARGE:
        return _directly(p, px, py)
    if share < SMALL and symmetrical:
        return np.sort(np.abs(np.linalg.eigvalsh(a)))[rows.size - 2]
    values, vectors = np.linalg.eigh(a @ a.T)
    if share < SMALL:
        return np.sqrt(max(values[rows.size - 2], 0.0))
    first = np.searchsorted(values, values[rows.size - 2] - NEAR)
    return _corrected(a, x, y, values[first:], np.ascontiguousarray(vectors[:, first:]))


@no_type_check
@njit(cache=True, nogil=True)
def _corrected(a, x, y, values, vectors):
    """The same with the epsilon's effect within the space of a few eigenvectors of A A'."""
    lost = a * EPSILON / (np.outer(x, y) + EPSILON)
    change = vectors.T @ (lost @ (a.T @ vectors))
    return _second((np.diag(values) - change).astype(np.complex128))


@no_type_check
@njit(cache=True, nogil=True)
def _directly(p, px, py):
    """The same from Q's own eigenvalues."""
    return _second(((p / (np.outer(px, py) + EPSILON)) @ p.T).astype(np.complex128))


@no_type_check
@njit(cache=True, nogil=True)
def _second(matrix):
    """Square root of the second largest eigenvalue; complex, as rounding may turn two equal ones into a pair."""
    return np.sqrt(max(np.sort(np.linalg.eigvals(matrix).real)[-2], 0.0))
