"""Sentences that differ in numbers and names alone, told as one, and without the names."""

import re
from collections.abc import Iterable

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w])")
NAME = re.compile(r"""(?<!\w)'[^']*'(?!\w)|"[^"]*"|(?<!\S)~?/\S+""")
"""What a file or a person may be called by: words in quotes, and paths."""


def alike(told: Iterable[tuple[str, str]]) -> list[tuple[str, int]]:
    """Each kind of sentence with how many cases it is told of, most first; numbers that differ as a range.

    Names are left out, as the page names no case, and paths hold them.

    Args:
        told: case and sentence.

    >>> alike([("a", "tilt of 3 degrees"), ("b", "tilt of 12.5 degrees"), ("b", "no tilt")])
    [('tilt of 3 to 12.5 degrees', 2), ('no tilt', 1)]
    >>> alike([("a", "no reader for '/data/a.nii' (.nii); the mask's grid is not the image's")])
    [("no reader for … (.nii); the mask's grid is not the image's", 1)]
    """
    cases: dict[str, set[str]] = {}
    numbers: dict[str, list[list[str]]] = {}
    for case, full in told:
        sentence = NAME.sub("…", full)
        kind = NUMBER.sub("\0", sentence)
        cases.setdefault(kind, set()).add(case)
        numbers.setdefault(kind, []).append(NUMBER.findall(sentence))
    every = [(_filled(kind, numbers[kind]), len(cases[kind])) for kind in cases]
    return sorted(every, key=lambda own: -own[1])


def _filled(kind: str, numbers: list[list[str]]) -> str:
    first, *rest = kind.split("\0")
    spans = [_span(values) for values in zip(*numbers, strict=True)]
    return first + "".join(span + part for span, part in zip(spans, rest, strict=True))


def _span(values: Iterable[str]) -> str:
    order = sorted(set(values), key=float)
    return order[0] if len(order) == 1 else f"{order[0]} to {order[-1]}"
