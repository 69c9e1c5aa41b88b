"""One setting of a PyRadiomics parameter file: where it goes here, what its value becomes, what is wrong with it."""

import difflib
from collections.abc import Iterator
from typing import Any

from fusion.config.images import TYPES, Kind
from fusion.config.names import FEATURES, fault
from fusion.config.pyradiomics import ELSEWHERE, FLOATS, INTERPOLATORS, NUMBERLESS, PER_IMAGE, VOXEL, WHOLE
from fusion.config.radiomics import FILTERS

KINDS: dict[str, Kind] = {name: kind for kind, name in TYPES.items()}
SETTINGS = (*WHOLE, *PER_IMAGE, *ELSEWHERE, "sigma", "additionalInfo")
SECTIONS = {
    "imageType": tuple(KINDS), "featureClass": (), "setting": SETTINGS, "voxelSetting": (*VOXEL, "voxelBatch"),
}  # fmt: skip
"""Sections of a parameter file, and the names that may stand in each."""
Place = tuple[str, ...]
"""Path of a name in the parameter file, or of a field in ``Radiomics``."""
Trouble = tuple[Place, str, str, str]
"""A fault whose line is not known yet: place, found, expected, remedy."""


def target(place: Place) -> Place | None:
    """The field of ``Radiomics`` for the setting at ``place``; None where it has none.

    >>> target(("setting", "binWidth")), target(("imageType", "LoG", "binWidth"))
    (('bin_width',), ('per_image', 'log', 'bin_width'))
    """
    match place:
        case ("setting", name) if name in WHOLE or name in PER_IMAGE:
            return ({**WHOLE, **PER_IMAGE}[name],)
        case ("voxelSetting", name) if name in VOXEL:
            return (VOXEL[name],)
        case ("imageType", image, name) if name in PER_IMAGE:
            own, kind = PER_IMAGE[name], KINDS[image]
            return ("per_image", kind, own) if FILTERS.get(own, kind) == kind else None
    return None


def converted(name: str, value: Any) -> Any:
    """A value as ``Radiomics`` has it: axes (z, y, x), tuples, interpolators by name, numbers as numbers.

    >>> converted("resampledPixelSpacing", [1, 1, 3])
    (3, 1, 1)
    """
    if isinstance(value, list):
        value = tuple(converted("", item) if name not in FLOATS else _number(item) for item in value)
    elif name in FLOATS:
        value = _number(value)
    if name == "interpolator" and type(value) is int:
        return INTERPOLATORS.get(value, value)
    if name == "resampledPixelSpacing" and isinstance(value, tuple):
        return value[::-1]
    if name == "resegmentRange" and isinstance(value, tuple) and all(isinstance(end, int | float) for end in value):
        return tuple(sorted(value))
    return value


def troubles(place: Place, value: Any) -> Iterator[Trouble]:
    """What is wrong with the setting at ``place``, apart from a value that ``Radiomics`` itself would refuse."""
    *sections, name = place
    shown = ".".join(place)
    if target(place) or place in (("setting", "sigma"), ("imageType", "LoG", "sigma")):
        return
    if name in ELSEWHERE and sections:
        nothing, remedy = ELSEWHERE[name]
        if value != nothing:
            yield place, f"{shown} = {value!r}", f"{nothing!r}, as this is no radiomics setting here", remedy
    elif len(sections) == 2 and name in SETTINGS:
        remedy = "move it to setting, or delete it"
        yield place, f"{shown}, which does nothing there", f"a setting of {sections[1]} images", remedy
    elif not (sections and name in NUMBERLESS and name in SECTIONS[sections[0]]):
        known = (tuple(SECTIONS), SECTIONS.get(place[0], ()), tuple(PER_IMAGE))[len(sections)]
        close = difflib.get_close_matches(name, known, n=1)
        remedy = f"did you mean {'.'.join((*sections, close[0]))}?" if close else "delete it"
        yield place, f"unknown name {shown}", f"one of {', '.join(known)}", remedy


def class_troubles(name: str, features: Any) -> Iterator[Trouble]:
    """What is wrong with a feature class and the features named in it."""
    place = ("featureClass", name)
    if name not in FEATURES:
        yield place, f"unknown name featureClass.{name}", f"one of {', '.join(FEATURES)}", "delete it"
    elif not isinstance(features, list | None):
        yield place, f"featureClass.{name} = {features!r}", "a list of features, or nothing for all", "write a list"
    else:
        for why in filter(None, (fault(name, str(feature)) for feature in features or ())):
            yield place, why, "features that PyRadiomics computes", "name others"


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value
