"""Norm of a binary pattern's part of degree 1, to the last bit what PyRadiomics' numpy expressions give.

Patterns that are rotations of each other have one norm in theory and neighbouring numbers in practice; percentiles that
fall among them decide on the last bit which voxels belong to a robust mean. So the order of sums and the rounding of
products are numpy's, which
fuses a complex product's second multiplication with its subtraction where the processor can.
"""

from functools import cache
from typing import Any, no_type_check

import numpy as np
from jaxtyping import Complex, Float, UInt64
from numba import njit, types
from numba.extending import intrinsic
from numpy import ndarray

LANES = 128
"""Patterns that are summed side by side."""


def norms(pattern: UInt64[ndarray, "voxel word"], harmonics: Complex[ndarray, "vertex m"]) -> Float[ndarray, " voxel"]:
    """Root of the sum over vertices of (sum over m of c_m Y_m)^2, with c_m = sum of Y_m where the pattern is set.

    Args:
        pattern: bit v of a voxel's words is set where vertex v is.
        harmonics: Y_m at each vertex; not conjugated, as in PyRadiomics, so the sum is complex and its root's real part
            is taken.
    """
    totals = np.empty(len(pattern), np.complex128)
    real, imaginary = np.ascontiguousarray(harmonics.real.T), np.ascontiguousarray(harmonics.imag.T)
    _totals(pattern, real, imaginary, fuses(), totals)
    return np.sqrt(totals).real


@cache
def fuses() -> bool:
    """Whether numpy multiplies complex numbers with fused operations on this machine."""
    a, b = np.full(16, 1 + 2.0**-30 + 1j), np.full(16, 1 + 2.0**-30 + 1j)
    exact = 2.0**-29 + 2.0**-60  # of (1 + 2^-30)^2 - 1, whose last part is lost when the square is rounded first
    return bool(((a * b).real == exact).all())


@intrinsic
def _fma(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """a * b + c, rounded once."""
    double = types.float64
    return double(double, double, double), lambda context, builder, signature, arguments: builder.fma(*arguments)


@no_type_check
@njit(cache=True, nogil=True)
def _totals(pattern, real, imaginary, fused, totals):
    """The sums under the root, for as many patterns side by side as there are lanes."""
    orders, vertices = real.shape
    c, d = np.empty((orders, LANES)), np.empty((orders, LANES))
    x, y = np.empty((orders, LANES)), np.empty((orders, LANES))
    total, rest, one = np.empty(LANES), np.empty(LANES), np.empty(LANES)
    for first in range(0, len(pattern), LANES):
        count = min(LANES, len(pattern) - first)
        c[:], d[:], total[:], rest[:], one[:] = 0, 0, 0, 0, 0
        for v in range(vertices):
            for i in range(count):
                one[i] = pattern[first + i, v // 64] >> np.uint64(v % 64) & np.uint64(1)
            for m in range(orders):
                _add_where(one, real[m, v], c[m])
                _add_where(one, imaginary[m, v], d[m])
        for v in range(vertices):
            for m in range(orders):
                _multiply(c[m], d[m], real[m, v], imaginary[m, v], fused, x[m], y[m])
            _add_up(x)
            _add_up(y)
            _add_square(x[0], y[0], total, rest)
        for i in range(count):
            totals[first + i] = complex(total[i], rest[i])


@no_type_check
@njit(cache=True, nogil=True)
def _add_where(one, value, total):
    for i in range(LANES):
        total[i] += one[i] * value


@no_type_check
@njit(cache=True, nogil=True)
def _multiply(c, d, a, b, fused, x, y):
    if fused:
        for i in range(LANES):
            x[i] = _fma(c[i], a, -(d[i] * b))
            y[i] = _fma(c[i], b, d[i] * a)
    else:
        for i in range(LANES):
            x[i] = c[i] * a - d[i] * b
            y[i] = c[i] * b + d[i] * a


@no_type_check
@njit(cache=True, nogil=True)
def _add_square(x, y, total, rest):
    for i in range(LANES):
        total[i] += x[i] * x[i] - y[i] * y[i]
        rest[i] += x[i] * y[i] + y[i] * x[i]


@no_type_check
@njit(cache=True, nogil=True)
def _add_up(x):
    """Leave the sums of ``x`` over its rows in the first, in numpy's order for a few complex numbers."""
    orders, vertices = x.shape
    whole = orders // 4 * 4
    for m in range(4, whole):  # four side by side where there are as many
        for v in range(vertices):
            x[m % 4, v] += x[m, v]
    if whole:
        for v in range(vertices):
            x[0, v] = (x[0, v] + x[1, v]) + (x[2, v] + x[3, v])
    for m in range(max(whole, 1), orders):
        for v in range(vertices):
            x[0, v] += x[m, v]
