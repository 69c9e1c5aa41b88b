"""Intervals by drawing patients: all of a patient's cases or images count together, however many they are."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from fusion.evaluate.classes import Weights
from fusion.types import Indices

Measures = dict[str, ndarray]
"""Values by name, the first axis a sample."""


def intervals(
    measure: Callable[[Weights], Measures],
    patient: ndarray,
    label: Indices,
    generator: np.random.Generator,
    samples: int = 2000,
    confidence: float = 0.95,
) -> dict[str, Float[ndarray, "2 *what"]]:
    """Low and high of everything that ``measure`` makes of the weights of cases.

    Percentile bootstrap over patients, drawn within the patient's first class (Davison & Hinkley 1997,
    doi:10.1017/CBO9780511802843, 3.8). Without an error every sample is faultless too, and the interval is (1, 1),
    which is too narrow. Where a class has one patient its spread is unknown, and so is every interval: nan.

    Args:
        measure: from weights of cases by sample to values by name.
        patient: whose each case is.
        label: place of each case's class.
        generator: of the draws.
        samples: bootstrap samples.
        confidence: of the intervals.
    """
    _, first = _patients(patient, label)
    found = measure(weights(patient, label, generator, samples))
    if np.unique(first, return_counts=True)[1].min() < 2:
        return {name: np.full((2, *values.shape[1:]), np.nan) for name, values in found.items()}
    return {name: percentiles(values, confidence) for name, values in found.items()}


def weights(patient: ndarray, label: Indices, generator: np.random.Generator, samples: int) -> Weights:
    """How often each case counts in each sample: as often as its patient was drawn, with replacement.

    Of each class as many patients are drawn as there are; a patient belongs to the first class, in the task's order,
    among the patient's cases.
    """
    place, first = _patients(patient, label)
    times = np.empty((len(first), samples))
    for kind in np.unique(first):
        own = np.flatnonzero(first == kind)
        times[own] = generator.multinomial(len(own), np.full(len(own), 1 / len(own)), size=samples).T
    return times[place]


def percentiles(values: Float[ndarray, "sample *what"], confidence: float = 0.95) -> Float[ndarray, "2 *what"]:
    """The middle ``confidence`` of the samples; nan where more than the rest of them say nothing (are nan).

    >>> percentiles(np.arange(101.0), 0.9).round(6).tolist()
    [5.0, 95.0]
    """
    unknown = np.isnan(values).mean(axis=0) > 1 - confidence
    known = np.where(unknown, 0.0, values)
    ends = np.nanquantile(known, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return np.where(unknown, np.nan, ends)


def _patients(patient: ndarray, label: Indices) -> tuple[Indices, ndarray]:
    """The place of each case's patient, and the first class of each patient."""
    names, place = np.unique(patient.astype(str), return_inverse=True)
    first = np.full(len(names), label.max())
    np.minimum.at(first, place, label)
    return place, first
