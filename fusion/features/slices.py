"""2-D radiomics of slices: a table a sequence, each slice measured as a volume of one, by the same engine."""

import contextlib
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, UInt8
from numpy import ndarray

from fusion.config.radiomics import Radiomics
from fusion.config.run import Run
from fusion.data.image import Geometry
from fusion.errors import Fault, FeatureError
from fusion.features.radiomics import engine, memory, provenance
from fusion.features.radiomics.memory import Kept
from fusion.features.radiomics.preset import columns
from fusion.features.slice_preset import THICKNESS_MM, layers, on_slices
from fusion.features.slice_preset import unmet as unmet
from fusion.features.table import FeatureTable, remarks
from fusion.progress import cores, each
from fusion.roi.slice import Slices
from fusion.types import Mask, Volume

UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Tumour:
    """A case's tumour in one sequence."""

    case: str
    sequence: str
    grey: UInt8[ndarray, "y x"]
    mask: Bool[ndarray, "y x"]
    pixel_mm: tuple[float, float]
    """Pixel size along (y, x)."""

    def volume(self, radiomics: Radiomics) -> tuple[Volume, Mask, Geometry]:
        """The slice as an image of ``layers`` equal ones, of which the middle one holds the mask, and its grid."""
        deep = layers(radiomics)
        image = np.repeat(self.grey[None].astype(np.float32), deep, axis=0)
        mask = np.zeros(image.shape, dtype=bool)
        mask[deep // 2] = self.mask
        return image, mask, Geometry(image.shape, (THICKNESS_MM, *self.pixel_mm), (0.0, 0.0, 0.0), UPRIGHT)


def slice_features(slices: Slices, run: Run, cache: Path) -> dict[str, FeatureTable]:
    """One table a used sequence: index ``case``, PyRadiomics' names, the settings of ``on_slices``.

    Cases without the sequence or without a mask have no row. A slice measured before with the same pixels, settings
    and engine is read from ``cache``.

    Args:
        slices: pictures of 0..255 with their masks.
        run: its sequences, `radiomics` and `jobs` count here.
        cache: folder that keeps each slice's features by content.

    Raises:
        FeatureError: every slice that could not be measured, after all others were.
    """
    radiomics = on_slices(run.radiomics)
    memory.tidy(cache)
    tumours = [own for sequence in run.used_sequences for own in _tumours(slices, sequence)]
    if len(tumours) > 1 and cores(run.jobs) > 1:
        compile_once(radiomics)
    found: dict[tuple[str, str], Kept] = {}
    faults: list[Fault] = []
    for own, kept in each(partial(_measure, radiomics=radiomics, cache=cache), tumours, "radiomics", run.jobs):
        if isinstance(kept, Kept):
            found[own.sequence, own.case] = kept
        else:
            faults += kept
    if faults:
        raise FeatureError(sorted(faults, key=str))
    order = {name: [own.case for own in tumours if own.sequence == name] for name in run.used_sequences}
    return {name: _table(name, {case: found[name, case] for case in order[name]}, radiomics) for name in order}


def case_features(slices: Slices, radiomics: Radiomics, threads: int = 1) -> dict[str, Kept]:
    """By sequence the features of a case, in the order of ``columns``; nothing is read from or kept on a disk.

    Args:
        slices: one case's; a sequence without a mask is left out.
        radiomics: settings for slices, as ``on_slices`` makes them.
        threads: images measured at the same time; changes no number.

    Raises:
        FeatureError: every slice that could not be measured.
    """
    tumours = [own for sequence in slices.sequences for own in _tumours(slices, sequence)]
    found = {own.sequence: _measured(own, radiomics, threads) for own in tumours}
    kept = {sequence: own for sequence, own in found.items() if isinstance(own, Kept)}
    if faults := [fault for own in found.values() if not isinstance(own, Kept) for fault in own]:
        raise FeatureError(faults)
    return kept


def metadata(radiomics: Radiomics, sequence: str) -> dict[str, str]:
    """What a reader of a table has to know about how it was made."""
    grey = "0..255 of the picture, float32"
    return {**provenance.metadata(radiomics), "input_type": grey, "dimensions": "2", "sequence": sequence}


def _tumours(slices: Slices, sequence: str) -> list[Tumour]:
    n = slices.sequences.index(sequence)
    drawn = slices.there[:, n] & slices.mask[:, n].any(axis=(1, 2))
    return [
        Tumour(slices.cases[k], sequence, slices.grey[k, n], slices.mask[k, n], _pair(slices.pixel_mm[k, n]))
        for k in np.flatnonzero(drawn)
    ]


def _pair(pixel_mm: ndarray) -> tuple[float, float]:
    y, x = pixel_mm.tolist()
    return y, x


def compile_once(radiomics: Radiomics) -> None:
    """Have the engine compiled here, so that workers find its code instead of each making it.

    Args:
        radiomics: settings for slices, as ``on_slices`` makes them.
    """
    mask = np.zeros((32, 32), dtype=bool)
    mask[8:24, 6:26] = True
    noise = np.random.default_rng(0).integers(0, 256, mask.shape).astype(np.uint8)
    image, region, place = Tumour("noise", "noise", noise, mask, (0.8, 0.8)).volume(radiomics)
    with contextlib.suppress(FeatureError):  # noise need not fit every setting
        engine.measure(image, {"noise": region}, place, radiomics)


def _measure(own: Tumour, radiomics: Radiomics, cache: Path) -> Kept | tuple[Fault, ...]:
    image, mask, geometry = own.volume(radiomics)
    key = memory.keys(image, {own.sequence: mask}, geometry, radiomics)[own.sequence]
    if (kept := memory.recall(cache, key)) is not None:
        return kept
    found = _measured(own, radiomics)
    if isinstance(found, Kept):
        memory.remember(cache, key, found)
    return found


def _measured(own: Tumour, radiomics: Radiomics, threads: int = 1) -> Kept | tuple[Fault, ...]:
    image, mask, geometry = own.volume(radiomics)
    try:
        measured = engine.measure(image, {own.sequence: mask}, geometry, radiomics, threads)
    except FeatureError as error:
        return tuple(_named(fault, own) for fault in error.faults)
    return Kept(measured.features[own.sequence], measured.warnings[own.sequence])


def _named(fault: Fault, own: Tumour) -> Fault:
    """``fault`` with case and sequence; the engine tells the region where it has one at hand."""
    told = fault.found.startswith(f"{own.sequence}: ")
    return replace(fault, case=own.case, found=fault.found if told else f"{own.sequence}: {fault.found}")


def _table(sequence: str, kept: dict[str, Kept], radiomics: Radiomics) -> FeatureTable:
    index, names = pd.Index(list(kept), name="case", dtype="str"), list(columns(radiomics))
    numbers = np.array([own.features for own in kept.values()], dtype=float).reshape(len(kept), len(names))
    values = pd.DataFrame(numbers, index, names)
    warnings = pd.Series(["; ".join(own.warnings) for own in kept.values()], index, dtype="str")
    return FeatureTable(values, warnings, {**metadata(radiomics, sequence), **remarks(values)})
