"""The cohort before any pixel: histologies shuffled first, then patients, then one independent seed a tumour."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator, SeedSequence, default_rng

from fusion.config.cohort import MriPhantom
from fusion.phantom.mri.anatomy import Anatomy, draw_anatomy
from fusion.phantom.mri.law import HISTOLOGIES, LAWS
from fusion.phantom.mri.lesion import Lesion, draw_lesion
from fusion.phantom.mri.person import Person, draw_person
from fusion.phantom.names import names

LEAST = 2
"""Tumours of a histology, so that each can be in two folds."""
TWICE = 4 / 117
"""Patients with two tumours, a tumour: Kaba 2025 has 117 tumours of 113 patients."""
MISSING = {"dwi_b2000": 0.12, "adc": 0.02}
"""Share of the tumours that lack a sequence."""


@dataclass(frozen=True)
class Plan:
    """Everything drawn for one tumour but its random fields, for which the seeds are left.

    ``looks`` is the histology whose law the tumour follows: ``histology`` itself, or, without a signal, another one.
    Two tumours of one patient share ``anatomy``, ``person`` and ``background``.
    """

    case: str
    patient: str
    histology: str
    looks: str
    lesion: Lesion
    anatomy: Anatomy
    person: Person
    left: bool
    missing: frozenset[str]
    background: tuple[int, ...]
    seed: tuple[int, ...]


def plan_cohort(spec: MriPhantom) -> list[Plan]:
    """The plans of all tumours in the order of the table, a function of ``spec`` alone.

    >>> len({plan.patient for plan in plan_cohort(MriPhantom())})
    113
    """
    order, *seeds = SeedSequence(spec.seed).spawn(2 * spec.cases + 1)
    rng = default_rng(order)
    histologies = rng.permutation([name for name, n in counts(spec.cases).items() for _ in range(n)]).tolist()
    other = rng.permutation(histologies).tolist()
    looks = histologies if spec.preset == "default" else other
    first = _first_tumour(histologies, rng)
    lacking = {name: set(_some(share, spec.cases, rng)) for name, share in MISSING.items()}
    named = names(spec)
    patients = [seed.spawn(3) for seed in seeds[: spec.cases]]
    return [
        _plan(histologies[i], looks[i], looks[own], (named[2 * i], named[2 * own + 1]), patients[own], seed,
              frozenset(name for name, rows in lacking.items() if i in rows))
        for i, (own, seed) in enumerate(zip(first, seeds[spec.cases :], strict=True))
    ]  # fmt: skip


def counts(cases: int) -> dict[str, int]:
    """Tumours of each histology: exact shares of Kaba 2025 by largest remainder, and never under two.

    >>> counts(117)
    {'PA': 43, 'Warthin': 45, 'other benign': 10, 'MEC': 9, 'other malignant': 10}
    >>> counts(10)
    {'PA': 2, 'Warthin': 2, 'other benign': 2, 'MEC': 2, 'other malignant': 2}
    """
    share = np.array([law.count for law in LAWS.values()])
    exact = cases * share / share.sum()
    found = np.floor(exact).astype(int)
    found[np.argsort(found - exact, kind="stable")[: cases - found.sum()]] += 1
    while found.min() < LEAST:
        found[found.argmax()] -= 1
        found[found.argmin()] += 1
    return dict(zip(HISTOLOGIES, found.tolist(), strict=True))


def _plan(
    histology: str,
    looks: str,
    patient_looks: str,
    named: tuple[str, str],
    patient: list[SeedSequence],
    tumour: SeedSequence,
    missing: frozenset[str],
) -> Plan:
    anatomy, person, background = patient
    lesion, side, pixels = tumour.spawn(3)
    return Plan(
        case=named[0],
        patient=named[1],
        histology=histology,
        looks=looks,
        lesion=draw_lesion(LAWS[looks], default_rng(lesion)),
        anatomy=draw_anatomy(default_rng(anatomy)),
        person=draw_person(LAWS[patient_looks], default_rng(person)),
        left=bool(default_rng(side).random() < 0.5),
        missing=missing,
        background=tuple(background.generate_state(4).tolist()),
        seed=tuple(pixels.generate_state(4).tolist()),
    )


def _first_tumour(histologies: list[str], rng: Generator) -> list[int]:
    """For every tumour the index of its patient's first one.

    Two tumours of a patient share their histology. One tumour is drawn from all, its fellow from those like it, so
    that every tumour is as likely to have a fellow, whatever its histology.
    """
    first = list(range(len(histologies)))
    free = set(first)
    for _ in range(round(TWICE * len(histologies))):
        alike = Counter(histologies[i] for i in free)
        one = int(rng.choice([i for i in sorted(free) if alike[histologies[i]] > 1]))
        fellow = int(rng.choice([i for i in sorted(free) if histologies[i] == histologies[one] and i != one]))
        first[max(one, fellow)] = min(one, fellow)
        free -= {one, fellow}
    return first


def _some(share: float, cases: int, rng: Generator) -> list[int]:
    """A share of the rows, drawn without the label."""
    return rng.permutation(cases)[: round(share * cases)].tolist()
