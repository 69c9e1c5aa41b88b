"""Every case's slices, one square picture a sequence."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray

from fusion import store


@dataclass(frozen=True)
class Slices:
    """The cohort's slices, stacked."""

    cases: tuple[str, ...]
    sequences: tuple[str, ...]
    grey: UInt8[ndarray, "case sequence y x"]
    """0 where the case lacks the sequence."""
    there: Bool[ndarray, "case sequence"]
    mask: Bool[ndarray, "case sequence y x"]
    """The tumour; False everywhere without a mask."""
    pixel_mm: Float[ndarray, "case sequence 2"]
    """Pixel size along (y, x) of the picture as it is stored here; 1 where the file does not say."""

    def of(self, cases: Sequence[str]) -> "Slices":
        """The slices of ``cases``, in their order."""
        place = {case: n for n, case in enumerate(self.cases)}
        at = np.array([place[case] for case in cases], dtype=int)
        return Slices(tuple(cases), self.sequences, self.grey[at], self.there[at], self.mask[at], self.pixel_mm[at])

    def has(self, numbers: Sequence[int]) -> Bool[ndarray, " case"]:
        """Cases with one of the sequences ``numbers`` at least."""
        return np.asarray(self.there[:, list(numbers)].any(1))

    def save(self, path: Path) -> None:
        """Write an npz file, whole or not at all."""
        words = {name: np.array(getattr(self, name), dtype=np.str_) for name in ("cases", "sequences")}
        with store.whole(path) as part, part.open("wb") as file:
            np.savez_compressed(file, **{**vars(self), **words})

    @classmethod
    def load(cls, path: Path) -> "Slices":
        """Read what ``save`` wrote."""
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return cls(**{**arrays, **{name: tuple(arrays[name].tolist()) for name in ("cases", "sequences")}})
