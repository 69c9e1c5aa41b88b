"""What networks see of one box, without torch, which takes longer to load than a case to answer."""

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from fusion.config.network import Picture, SliceMean, Slices, WholeVolume
from fusion.config.roi import Roi
from fusion.roi.patch import STEP_MM, TOLERANCE_MM, WIDE, CasePatch, margin

Input = Slices | SliceMean | WholeVolume | Picture


def seen(patch: CasePatch, roi: Roi, kind: Input) -> Float32[ndarray, "1 2 channel z y x"]:
    """Tumour and ring, as ``fusion.models.inputs.centred`` gives them to the networks, to the last bit.

    Args:
        patch: the case's box.
        roi: as trained.
        kind: of input, as trained.
    """
    within = tuple(slice(m, m + n) for m, n in zip(margin(roi.patch), roi.patch.shape, strict=True))
    grey = patch.grey[within].astype(np.float32)
    inside = _regions(patch, within, grey, roi).astype(np.float32)[:, None]
    low, high = roi.patch.window
    scaled = (grey - np.float32((low + high) / 2)) / np.float32((high - low) / 4)
    soft = np.clip(scaled, -2, 2) * inside
    if not isinstance(kind, SliceMean):
        return soft[None]
    wide = np.clip(scaled / np.float32(WIDE), -2, 2) * inside
    return np.concatenate([soft, wide, inside], axis=1)[None]


def _regions(
    patch: CasePatch, within: tuple[slice, ...], grey: Float32[ndarray, "z y x"], roi: Roi
) -> Bool[ndarray, "2 z y x"]:
    """Tumour and ring by the regions' own rules, from the distance; a hand-refined ring as drawn."""
    ring = roi.external2
    distance = patch.distance[within].astype(np.float32) * np.float32(STEP_MM)
    tumour = distance < -TOLERANCE_MM
    if patch.drawn is not None:
        return np.stack([tumour, patch.drawn[within] > 0])
    near = ~tumour & (distance <= np.float32(ring.thickness_mm) + np.float32(TOLERANCE_MM))
    if ring.hu_range is not None:
        lowest, highest = (np.float32(end) for end in ring.hu_range)
        near &= (grey >= lowest) & (grey <= highest)
    return np.stack([tumour, near | tumour if ring.shape == "filled" else near])
