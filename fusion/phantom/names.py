"""Names of cases and patients, which say nothing."""

import json
import zlib

import numpy as np
from numpy.random import default_rng

from fusion.config.cohort import MriPhantom, Phantom


def names(spec: Phantom | MriPhantom) -> list[str]:
    """Distinct random hexadecimal names; another spec gives other names, so its files are never taken for this one's.

    The first digit is a letter, so that no table reader takes a name for a number.
    """
    text = json.dumps(spec.model_dump(), sort_keys=True)
    rng = default_rng([spec.seed, zlib.crc32(text.encode())])
    found: dict[str, None] = {}
    while len(found) < 2 * spec.cases:
        name = np.array(list("abcdef"))[rng.integers(6)] + rng.bytes(5).hex()
        found[str(name)] = None
    return list(found)
