"""Coefficients of the recursive Gaussian and of its second derivative, as ITK computes them.

A fourth-order recursion runs forwards and backwards: Deriche 1993, "Recursively implementing the Gaussian and its
derivatives" (INRIA RR-1893), with the constants and edge values of Farnebäck & Westin 2006, "Improving Deriche-style
recursive Gaussian filters", doi:10.1007/s10851-006-8464-z. The order of sums is ITK's: it decides the last digit.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy import ndarray

WAVES = ((0.6681, -1.3932), (2.0787, -1.3732))
"""Frequency and decay of the two damped waves, for sigma 1 (Farnebäck & Westin 2006, as ITK rounds them)."""
GAUSSIAN = (1.3530, 1.8151, -0.3531, 0.0902)
"""Cosine and sine amplitude of each wave for the Gaussian ..."""
CURVATURE = (-1.3563, 5.2318, 0.3446, -2.2355)
"""... and for its second derivative."""


class Recursion(NamedTuple):
    """Coefficients of one pass, named after the transfer function's parts."""

    forward: ndarray
    """On the input at i, i-1, i-2, i-3."""
    backward: ndarray
    """On the input at i+1, ..., i+4."""
    feedback: ndarray
    """On the four outputs before."""
    forward_edge: ndarray
    """Feedback on the edge value that is continued to infinity, forwards ..."""
    backward_edge: ndarray
    """... and backwards."""


def smoothing(sigma_mm: float, mm: float) -> Recursion:
    """The Gaussian, with unit sum."""
    forward, feedback = _numerator(sigma_mm / mm, GAUSSIAN), _denominator(sigma_mm / mm)
    alpha = 2 * _moment(forward, 0) / _moment(feedback, 0) - forward[0]
    return _recursion(forward, feedback, 1 / alpha)


def second_derivative(sigma_mm: float, mm: float) -> Recursion:
    """The Gaussian's second derivative times sigma squared: 0 for a constant, right for a parabola."""
    gaussian, curved = (_numerator(sigma_mm / mm, shape) for shape in (GAUSSIAN, CURVATURE))
    feedback = _denominator(sigma_mm / mm)
    d, d1, d2 = (_moment(feedback, k) for k in (0, 1, 2))
    beta = -(2 * _moment(curved, 0) - d * curved[0]) / (2 * _moment(gaussian, 0) - d * gaussian[0])
    forward = [c + beta * g for c, g in zip(curved, gaussian, strict=True)]
    n, n1, n2 = (_moment(curved, k) + beta * _moment(gaussian, k) for k in (0, 1, 2))
    alpha = (n2 * d * d - d2 * n * d - 2 * n1 * d1 * d + 2 * d1 * d1 * n) / (d * d * d)
    return _recursion(forward, feedback, sigma_mm * sigma_mm / alpha)


def _numerator(width: float, shape: tuple[float, float, float, float]) -> list[float]:
    """Weights of the input at i, i-1, i-2, i-3 for a sum of two damped waves; ``width`` is sigma in voxels."""
    a1, b1, a2, b2 = shape
    (sin1, cos1, exp1), (sin2, cos2, exp2) = _waves(width)
    n1 = exp2 * (b2 * sin2 - (a2 + 2 * a1) * cos2) + exp1 * (b1 * sin1 - (a1 + 2 * a2) * cos1)
    n2 = ((a1 + a2) * cos2 * cos1 - (b1 * cos2 * sin1 + b2 * cos1 * sin2)) * (2 * exp1 * exp2)
    n2 += a2 * exp1 * exp1 + a1 * exp2 * exp2
    n3 = exp2 * exp1 * exp1 * (b2 * sin2 - a2 * cos2) + exp1 * exp2 * exp2 * (b1 * sin1 - a1 * cos1)
    return [a1 + a2, n1, n2, n3]


def _denominator(width: float) -> list[float]:
    """Weights of the output at i, i-1, ..., i-4; the first is 1."""
    (_, cos1, exp1), (_, cos2, exp2) = _waves(width)
    d1 = -2 * (exp2 * cos2 + exp1 * cos1)
    d2 = 4 * cos2 * cos1 * exp1 * exp2 + (exp1 * exp1 + exp2 * exp2)
    d3 = -2 * cos1 * exp1 * exp2 * exp2 + -2 * cos2 * exp2 * exp1 * exp1
    return [1.0, d1, d2, d3, exp1 * exp1 * exp2 * exp2]


def _waves(width: float) -> list[tuple[float, float, float]]:
    return [(math.sin(w / width), math.cos(w / width), math.exp(decay / width)) for w, decay in WAVES]


def _moment(weights: list[float], power: int) -> float:
    """Sum of i**power * weights[i], from the left (``sum`` compensates since Python 3.12)."""
    total = 0.0
    for i, weight in enumerate(weights):
        total += i**power * weight
    return total


def _recursion(forward: list[float], feedback: list[float], scale: float) -> Recursion:
    """Both directions of a symmetric filter, with the edge voxel continued to infinity."""
    n, d = [weight * scale for weight in forward], feedback
    backward = [n[i] - d[i] * n[0] for i in (1, 2, 3)] + [-d[4] * n[0]]
    total = _moment(d, 0)
    edges = ([weight * _moment(side, 0) / total for weight in d[1:]] for side in (n, backward))
    return Recursion(*(np.array(weights) for weights in (n, backward, d[1:], *edges)))
