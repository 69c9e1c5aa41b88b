"""What each tissue gives in each sequence, and how a signal becomes a grey value.

A signal is relative to muscle's, which is 1, or muscle's in b0 for b2000; z is its distance from muscle in halves.
"""

from dataclasses import dataclass

import numpy as np

from fusion.phantom.mri.anatomy import Plane, Tissue

SEQUENCES = ("t2w", "t1w", "t1c", "dwi_b0", "dwi_b2000", "adc")
Z_STEP = 0.5
"""Of muscle's signal, a unit of z."""
B = 2.0
"""b = 2000 s/mm2, in the reciprocal of ADC's unit."""


def table(**value: float) -> np.ndarray:
    """One number a tissue, in the order of ``Tissue``; 0 for those not named."""
    return np.array([value.get(tissue.name.lower(), 0.0) for tissue in Tissue], np.float32)


TISSUES = {
    "t2w": table(air=-2.0, skin=-0.2, fat=2.3, gland=1.3, muscle=0.0, cortex=-1.7, marrow=1.6, vein=-1.5, artery=-1.7,
                 mucosa=1.9),
    "t1w": table(air=-2.0, skin=0.4, fat=2.9, gland=1.4, muscle=0.0, cortex=-1.7, marrow=2.2, vein=-1.4, artery=-1.6,
                 mucosa=0.1),
    "t1c": table(air=-2.0, skin=0.3, fat=-1.0, gland=0.7, muscle=0.0, cortex=-1.8, marrow=-1.0, vein=2.4, artery=-1.2,
                 mucosa=1.8),
    "dwi_b0": table(air=-2.0, skin=-1.0, fat=-1.7, gland=0.8, muscle=0.0, cortex=-1.9, marrow=-1.5, vein=-1.7,
                    artery=-1.8, mucosa=2.0),
    "adc": table(air=0.0, skin=0.9, fat=0.3, gland=1.05, muscle=1.35, cortex=0.1, marrow=0.4, vein=0.6, artery=0.4,
                 mucosa=1.6),
}  # fmt: skip
"""z against muscle, and ADC in 1e-3 mm2/s. Fat is bright in T2 and T1 and suppressed in T1c and DWI; vessels are flow
voids but for veins after contrast."""


@dataclass(frozen=True)
class Display:
    """A sequence's fixed window: signals (for ADC, 1e-3 mm2/s) that become 0 and 255; noise as an SD of the same."""

    low: float
    high: float
    noise: float
    blur_mm: float
    shaded: bool = True
    distorted: bool = False


DISPLAY = {
    "t2w": Display(0.0, 3.0, 0.06, 0.35),
    "t1w": Display(0.0, 2.8, 0.06, 0.35),
    "t1c": Display(0.0, 2.8, 0.06, 0.35),
    "dwi_b0": Display(0.0, 3.0, 0.05, 0.9, distorted=True),
    "dwi_b2000": Display(0.0, 0.45, 0.016, 0.9, distorted=True),
    "adc": Display(0.0, 2.8, 0.12, 0.9, shaded=False, distorted=True),
}
"""The window is tied to muscle, not to the picture, so that contrasts between patients survive as grey values."""


def signal(z: Plane) -> Plane:
    """The signal of a z against muscle, never negative."""
    return np.maximum(1 + np.float32(Z_STEP) * z, 0)


def diffusion_weighted(b0: Plane, adc: Plane) -> Plane:
    """The signal at b = 2000 s/mm2 of a b0 signal and an ADC in 1e-3 mm2/s: b0 exp(-b ADC)."""
    return b0 * np.exp(-np.float32(B) * adc)


def grey(value: Plane, display: Display) -> np.ndarray:
    """8-bit grey values through a fixed window."""
    share = (value - display.low) / (display.high - display.low)
    return np.rint(255 * np.clip(share, 0, 1)).astype(np.uint8)
