"""Image types by PyRadiomics' names: which exist, of which kind one is, which of them a filter's settings give."""

import itertools
import re
from collections.abc import Sequence
from typing import Literal

Kind = Literal[
    "original", "log", "wavelet", "square", "squareroot", "logarithm", "exponential", "gradient", "lbp2d", "lbp3d"
]
IMAGES = (
    "original",
    "log-sigma-1-0-mm-3D", "log-sigma-2-0-mm-3D", "log-sigma-3-0-mm-3D",
    "wavelet-LLH", "wavelet-LHL", "wavelet-LHH", "wavelet-HLL",
    "wavelet-HLH", "wavelet-HHL", "wavelet-HHH", "wavelet-LLL",
    "square", "squareroot", "logarithm", "exponential", "gradient",
    "lbp-3D-m1", "lbp-3D-m2", "lbp-3D-k",
)  # fmt: skip
"""The twenty image types behind 14 + 20 x 93 = 1874 features (Shen 2026 names the count, not the types)."""
TYPES: dict[Kind, str] = {
    "original": "Original", "log": "LoG", "wavelet": "Wavelet", "square": "Square", "squareroot": "SquareRoot",
    "logarithm": "Logarithm", "exponential": "Exponential", "gradient": "Gradient", "lbp2d": "LBP2D",
    "lbp3d": "LBP3D",
}  # fmt: skip
"""Kinds of image, and what PyRadiomics calls each in its parameters."""
NAMES: dict[Kind, str] = {
    **{kind: kind for kind in TYPES if kind not in ("log", "wavelet", "lbp2d", "lbp3d")},
    "log": r"log-sigma-(\d+(?:-\d+)?)-mm-3D",
    "wavelet": r"wavelet(?:[2-9]|[1-9]\d+)?-[LH]{2,3}",
    "lbp2d": r"lbp-2D",
    "lbp3d": r"lbp-3D-(?:m[1-9]\d*|k)",
}
"""What the names of a kind look like, as regular expressions."""
KNOWN = (
    "original, square, squareroot, logarithm, exponential, gradient, log-sigma-<mm>-mm-3D (as log-sigma-1-0-mm-3D), "
    "wavelet-<three of L and H> (wavelet2-... on the second level; two letters in 2-D), lbp-2D, lbp-3D-m1, "
    "lbp-3D-m2, ..., lbp-3D-k"
)


def kind_of(name: str) -> Kind:
    """The kind of the image ``name``: a key of ``TYPES``.

    >>> kind_of("log-sigma-2-5-mm-3D"), kind_of("wavelet2-LLH"), kind_of("lbp-3D-k")
    ('log', 'wavelet', 'lbp3d')

    Raises:
        ValueError: no image has this name.
    """
    for found, pattern in NAMES.items():
        if re.fullmatch(pattern, name) and (found != "log" or _writes_back(name)):
            return found
    raise ValueError(f"one of {KNOWN}")


def sigma_mm(name: str) -> int | float:
    """Width of the Gaussian behind a Laplacian-of-Gaussian image, in mm, as it was written.

    >>> sigma_mm("log-sigma-2-5-mm-3D"), sigma_mm("log-sigma-3-mm-3D")
    (2.5, 3)
    """
    found = re.fullmatch(NAMES["log"], name)
    assert found, name
    return float(found[1].replace("-", ".")) if "-" in found[1] else int(found[1])


def log_names(sigmas_mm: Sequence[int | float]) -> tuple[str, ...]:
    """Names of Laplacian-of-Gaussian images: 1 and 1.0 are written as given, as PyRadiomics does.

    >>> log_names([1, 2.5])
    ('log-sigma-1-mm-3D', 'log-sigma-2-5-mm-3D')
    """
    return tuple(f"log-sigma-{str(sigma).replace('.', '-')}-mm-3D" for sigma in sigmas_mm)


def wavelet_names(levels: int, axes: int) -> tuple[str, ...]:
    """Names of the decompositions on every level and of the last level's approximation, in PyRadiomics' order.

    >>> wavelet_names(2, axes=2)
    ('wavelet-LH', 'wavelet-HL', 'wavelet-HH', 'wavelet2-LH', 'wavelet2-HL', 'wavelet2-HH', 'wavelet2-LL')
    """
    approximation, *details = ["".join(letters) for letters in itertools.product("LH", repeat=axes)]
    prefixes = ["wavelet" if level == 1 else f"wavelet{level}" for level in range(1, levels + 1)]
    return (*[f"{prefix}-{detail}" for prefix in prefixes for detail in details], f"{prefixes[-1]}-{approximation}")


def lbp3d_names(levels: int) -> tuple[str, ...]:
    """Names of the three-dimensional local binary patterns: one a level, and the kurtosis.

    >>> lbp3d_names(2)
    ('lbp-3D-m1', 'lbp-3D-m2', 'lbp-3D-k')
    """
    return (*[f"lbp-3D-m{level}" for level in range(1, levels + 1)], "lbp-3D-k")


def _writes_back(name: str) -> bool:
    return sigma_mm(name) > 0 and log_names([sigma_mm(name)]) == (name,)
