"""The cohort before any voxel: labels shuffled first, then one independent seed a case."""

from dataclasses import dataclass

from numpy.random import Generator, SeedSequence, default_rng

from fusion.config.cohort import Phantom
from fusion.phantom.anatomy import Anatomy, draw_anatomy
from fusion.phantom.clinical import Person, draw_person
from fusion.phantom.latent import LAWS, Latent, draw_latent, radiologist
from fusion.phantom.lesion import Lesion, draw_lesion
from fusion.phantom.names import names
from fusion.phantom.scanner import Acquisition, draw_acquisition

ICC_CASES = 20


@dataclass(frozen=True)
class Plan:
    """Everything drawn for one case but its random fields, for which ``seed`` is left."""

    case: str
    patient: str
    event: int
    latent: Latent
    lesion: Lesion
    anatomy: Anatomy
    person: Person
    acquisition: Acquisition
    read_twice: bool
    radiologist: int
    seed: tuple[int, ...]


def plan_cohort(spec: Phantom) -> list[Plan]:
    """The plans of all cases in the order of the table, a function of ``spec`` alone.

    >>> sum(plan.event for plan in plan_cohort(Phantom()))
    89
    """
    law = LAWS[spec.preset]
    order, *seeds = SeedSequence(spec.seed).spawn(spec.cases + 1)
    events = _shuffled(spec, default_rng(order))
    named = names(spec)
    streams = [seed.spawn(6) for seed in seeds]
    latents = [draw_latent(event, law, default_rng(s[0])) for event, s in zip(events, streams, strict=True)]
    calls = radiologist(latents, events, law)
    return [
        Plan(
            case=named[2 * i],
            patient=named[2 * i + 1],
            event=events[i],
            latent=latents[i],
            lesion=draw_lesion(events[i], latents[i], law, spec.prevalence, default_rng(s[1])),
            anatomy=draw_anatomy(default_rng(s[2])),
            person=draw_person(default_rng(s[3])),
            acquisition=draw_acquisition(default_rng(s[4])),
            read_twice=i < min(ICC_CASES, spec.cases // 3),
            radiologist=calls[i],
            seed=tuple(s[5].generate_state(4).tolist()),
        )
        for i, s in enumerate(streams)
    ]


def _shuffled(spec: Phantom, rng: Generator) -> list[int]:
    malignant = min(max(round(spec.cases * spec.prevalence), 1), spec.cases - 1)
    return rng.permutation([1] * malignant + [0] * (spec.cases - malignant)).tolist()
