"""Seeded mutations of a small sound cohort, its config and its run: what a user may one day hand in."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

Rng = np.random.Generator
Words = list[str]
Spoil = Callable[[Path, Rng], Words]
"""Spoils the cohort in a folder and gives the command to type."""


@dataclass(frozen=True)
class Mutant:
    """One thing that is wrong, or harmless by chance."""

    number: int
    kind: str
    spoil: Callable[[Path], Words]


def mutants(seed: int, count: int, with_run: bool) -> Iterator[Mutant]:
    """``count`` of them, every kind as often as its weight, each by its own seed.

    Args:
        seed: of all of them.
        count: how many.
        with_run: those of a finished run too.
    """
    from tests.mutated import configs, dicoms, folders, tables, volumes

    kinds: dict[str, tuple[int, Spoil]] = {**volumes.KINDS, **dicoms.KINDS, **tables.KINDS, **configs.KINDS}
    if with_run:
        kinds |= folders.KINDS
    names = [name for name, (weight, _) in kinds.items() for _ in range(weight)]
    order = np.random.default_rng(seed).permutation(len(names))
    for number in range(count):
        name = names[order[number % len(names)]]
        yield Mutant(number, name, _bound(kinds[name][1], seed, number))


def _bound(spoil: Spoil, seed: int, number: int) -> Callable[[Path], Words]:
    return lambda folder: spoil(folder, np.random.default_rng([seed, number]))


def one_of(rng: Rng, *choices):
    """One of ``choices``, as it is."""
    return choices[int(rng.integers(len(choices)))]
