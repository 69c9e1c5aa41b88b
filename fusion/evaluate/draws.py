"""Draws of patients: with copies, fewer, or with another's outcome. A patient's cases never part."""

import numpy as np
import pandas as pd
from jaxtyping import Int
from numpy import ndarray

from fusion.types import Events

Places = Int[ndarray, " _"]
"""Positions in the cohort."""


def bootstrap(cohort: pd.DataFrame, generator: np.random.Generator) -> Places:
    """Training cases of patients drawn with replacement, as many event patients and others as there are.

    Drawing within the outcome loses fewer resamples to a missing class (Efron & Tibshirani 1993, stratified bootstrap).

    Args:
        cohort: columns patient, set, event.
        generator: of the draw.
    """
    cases, outcome = _patients(cohort)
    drawn = [generator.choice(np.flatnonzero(outcome == kind), int((outcome == kind).sum())) for kind in (0, 1)]
    return np.concatenate([cases[patient] for patient in np.concatenate(drawn)])


def subset(cohort: pd.DataFrame, share: float, generator: np.random.Generator) -> Places:
    """Training cases of a ``share`` of the patients of each outcome, drawn without replacement, in cohort order."""
    cases, outcome = _patients(cohort)
    chosen = [
        generator.choice(own, max(1, round(share * len(own))), replace=False)
        for own in (np.flatnonzero(outcome == kind) for kind in (0, 1))
    ]
    return np.sort(np.concatenate([cases[patient] for patient in np.concatenate(chosen)]))


def permuted(cohort: pd.DataFrame, generator: np.random.Generator) -> Events:
    """The cohort's events with those of the training patients exchanged inside each fold.

    Folds were stratified by the outcome, so only exchanges inside a fold leave what was drawn as likely as before; and
    only patients with equally many cases can be exchanged whole (Winkler 2015, doi:10.1016/j.neuroimage.2015.05.092).
    """
    events = cohort["event"].to_numpy().copy()
    cases, _ = _patients(cohort)
    fold = cohort["fold"].to_numpy()
    blocks: dict[tuple[int, int], list[Places]] = {}
    for own in cases:
        blocks.setdefault((int(fold[own[0]]), len(own)), []).append(own)
    for alike in blocks.values():
        table = np.stack(alike)
        events[table] = events[table][generator.permutation(len(table))]
    return events


def _patients(cohort: pd.DataFrame) -> tuple[list[Places], ndarray]:
    """Positions of each training patient's cases, and whether one of them is an event."""
    train = np.flatnonzero(cohort["set"] == "train")
    events = cohort["event"].to_numpy()
    cases = [train[own] for own in cohort.iloc[train].groupby("patient", sort=True).indices.values()]
    return cases, np.array([int(events[own].max()) for own in cases])
