"""What networks see of one case's slices, without torch, which takes longer to load than a case to answer."""

import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from fusion.roi.slice import Slices
from fusion.serve.score import Scorer


class Units(NamedTuple):
    """What is taken from red, green and blue (0..1), and what they are then divided by."""

    mean: Sequence[float]
    deviation: Sequence[float]


def seen_slices(
    slices: Slices, branches: Sequence[int], units: Units
) -> Float32[ndarray, "1 branch 3 1 y x"]:  # fmt: skip
    """The sequences ``branches``, as ``fusion.models.planes.plain`` gives them to the networks, to the last bit.

    Args:
        slices: the case alone.
        branches: numbers of the sequences; 0 everywhere in what the case lacks.
        units: of the networks' weights.
    """
    grey = slices.grey[0, list(branches)].astype(np.float32)[:, None] / np.float32(255)
    mean, deviation = (np.array(own, np.float32)[:, None, None] for own in units)
    there = slices.there[0, list(branches)].astype(np.float32)[:, None, None, None]
    return ((grey - mean) / deviation * there)[None, :, :, None]


def noted_units(scorer: Scorer, question: str, source: str) -> Units:
    """As the file of the source's first network notes them."""
    session = next(net for own, net in scorer.networks if (own.question, own.source) == (question, source))
    notes = json.loads(session.get_modelmeta().custom_metadata_map["fusion"])["pictures"]
    return Units(notes["mean"], notes["deviation"])
