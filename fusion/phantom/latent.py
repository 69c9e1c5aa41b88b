"""The only channel from the label to the data: two latents, three clinical flags, and what an ideal observer sees.

Flag prevalences solve the pooled marginals of Shen 2026, Suppl. T2 (58, 48 and 29 of 357) together with its
multivariable odds ratios, with ln OR x 0.60 (``default``) or x 0.9 (``strong``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.random import Generator
from scipy.special import log_ndtr, ndtri

from fusion.types import Vector

FLAGS = ("symptom", "margin", "nodes")
CORRELATION = 0.25
SHARED, OWN = 0.5, 0.87
"""Weights of the infiltration latent and of an own liability in the unclear margin."""


@dataclass(frozen=True)
class Law:
    """What differs between the classes: shift of the latents, shares of the flags, and the enhancement mix."""

    shift: tuple[float, float]
    malignant: tuple[float, float, float]
    benign: tuple[float, float, float]
    separate_enhancement: bool = True


LAWS = {
    "default": Law((1.85, 1.75), (0.388, 0.412, 0.250), (0.0876, 0.0422, 0.0251)),
    "strong": Law((1.85, 1.75), (0.490, 0.494, 0.299), (0.0536, 0.0152, 0.0091)),
    "null": Law((0.0, 0.0), (58 / 357, 48 / 357, 29 / 357), (58 / 357, 48 / 357, 29 / 357), False),
}


@dataclass(frozen=True)
class Latent:
    """One case: tumour latent, peritumour latent, flags, and the noise of the radiologist's impression."""

    tumour: float
    external2: float
    symptom: bool
    unclear: bool
    nodes: bool
    impression: float


def draw_latent(event: int, law: Law, rng: Generator) -> Latent:
    """The latents of one case; the same six normal numbers are drawn for either class."""
    e = rng.standard_normal(6)
    tumour = law.shift[0] * event + e[0]
    excess = CORRELATION * e[0] + np.sqrt(1 - CORRELATION**2) * e[1]
    liability = (e[2], SHARED * excess + OWN * e[3], e[4])
    symptom, unclear, nodes = (bool(u > t) for u, t in zip(liability, _thresholds(law)[event], strict=True))
    external2 = law.shift[1] * event + excess
    return Latent(float(tumour), float(external2), symptom, unclear, nodes, impression=float(e[5]))


def clinical_log_ratio(latents: Sequence[Latent], law: Law) -> Vector:
    """Log-likelihood ratio of the three flags, which are independent within a class."""
    flags = np.array([[case.symptom, case.unclear, case.nodes] for case in latents])
    spread = np.array([1.0, np.hypot(SHARED, OWN), 1.0])
    benign, malignant = (_log_flag(flags, t / spread) for t in _thresholds(law))
    return (malignant - benign).sum(axis=1)


def image_log_ratio(latents: Sequence[Latent], law: Law) -> Vector:
    """Log-likelihood ratio of the two latents together: Gaussian, equal covariance."""
    z = np.array([[case.tumour, case.external2] for case in latents])
    weight = np.linalg.solve([[1, CORRELATION], [CORRELATION, 1]], law.shift)
    return z @ weight - weight @ np.array(law.shift) / 2


def full_log_ratio(latents: Sequence[Latent], law: Law) -> Vector:
    """Log-likelihood ratio of latents and flags; the margin is conditioned on the latent that it shares."""
    flags = np.array([[case.symptom, case.nodes] for case in latents])
    unclear = np.array([case.unclear for case in latents])
    external2 = np.array([case.external2 for case in latents])
    total = image_log_ratio(latents, law)
    for event, sign in ((1, 1.0), (0, -1.0)):
        threshold = _thresholds(law)[event]
        left = (threshold[1] - SHARED * (external2 - law.shift[1] * event)) / OWN
        total += sign * (_log_flag(flags, threshold[[0, 2]]).sum(axis=1) + _log_flag(unclear, left))
    return total


def ideal_auc(latents: Sequence[Latent], events: Sequence[int], law: Law) -> dict[str, float]:
    """AUC of the exact log-likelihood ratio on this cohort: the ceiling that no model can pass but by luck."""
    from sklearn.metrics import roc_auc_score

    alone = {"tumour": [case.tumour for case in latents], "external2": [case.external2 for case in latents]}
    ratios = {
        **{name: np.array(z) * s for (name, z), s in zip(alone.items(), law.shift, strict=True)},
        "tumour+external2": image_log_ratio(latents, law),
        "clinical": clinical_log_ratio(latents, law),
        "all": full_log_ratio(latents, law),
    }
    return {name: float(roc_auc_score(events, ratio)) for name, ratio in ratios.items()}


def radiologist(latents: Sequence[Latent], events: Sequence[int], law: Law, specificity: float = 0.85) -> list[int]:
    """A reader's call: half of both latents, 0.6 of the clinical log odds and noise, cut at ``specificity``."""
    image = np.array([(case.tumour + case.external2) / 2 + case.impression for case in latents])
    score = image + 0.6 * clinical_log_ratio(latents, law)
    cut = np.quantile(score[np.array(events) == 0], specificity)
    return [int(call) for call in score > cut]


@cache
def _thresholds(law: Law) -> np.ndarray:
    return ndtri(1 - np.array([law.benign, law.malignant]))


def _log_flag(flag: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    return np.where(flag, log_ndtr(-threshold), log_ndtr(threshold))
