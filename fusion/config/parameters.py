"""A PyRadiomics parameter file (YAML or JSON) as a radiomics section."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fusion.config.images import log_names
from fusion.config.places import Where, values_of
from fusion.config.radiomics import Radiomics, made_by_lbp3d, made_by_wavelet
from fusion.config.translate import KINDS, SECTIONS, Place, Trouble, class_troubles, converted, target, troubles
from fusion.errors import ConfigError, Fault

Values = dict[str, Any]


def read_parameters(path: Path) -> Radiomics:
    """The settings that PyRadiomics would read from ``path``, with its own defaults where the file is silent.

    Raises:
        ConfigError: every name and value that is unknown, does nothing where it stands, or cannot be honoured.
    """
    where: Where = {}
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise ConfigError(Fault(reason, "a PyRadiomics parameter file", "check the path", file=str(path))) from error
    file = values_of(text, str(path), f"a mapping with {', '.join(SECTIONS)}", where)
    values = _values(file)
    read, refused = _validated({**values, "images": ("original",)}, file)
    found = [*_troubles(file), *refused]
    if read and not found:
        read, found = _validated({**values, "images": tuple(_images(file, read))}, file)
    if read is None or found:
        raise ConfigError([_fault(trouble, where, str(path)) for trouble in dict.fromkeys(found)])
    return read


def _section(file: Values, name: str) -> Values:
    """A section of the file; empty where it is not given, or is no mapping."""
    found = file.get(name)
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}


def _settings(file: Values) -> Iterator[tuple[Place, Any]]:
    """Every setting with its place, those of known image types included."""
    for section in ("setting", "voxelSetting"):
        yield from (((section, name), value) for name, value in _section(file, section).items())
    images = _section(file, "imageType")
    for image in images:
        if image in KINDS:
            yield from ((("imageType", image, name), value) for name, value in _section(images, image).items())


def _troubles(file: Values) -> Iterator[Trouble]:
    """What is wrong with names, sections and sigmas."""
    images = _section(file, "imageType")
    mappings: dict[Place, Any] = {(str(name),): value for name, value in file.items()}
    mappings.update({("imageType", image): value for image, value in images.items()})
    for place, value in mappings.items():
        if place[-1] not in SECTIONS and place[-1] not in KINDS:
            yield from troubles(place, value)
        elif not isinstance(value, dict | None):
            yield place, f"{'.'.join(place)} = {value!r}", "a mapping", f"write {place[-1]}: {{}}"
    for place, value in _settings(file):
        yield from troubles(place, value)
    for name, value in _section(file, "featureClass").items():
        yield from class_troubles(name, value)
    if "LoG" in images:
        sigmas = _sigmas_mm(file)
        if not isinstance(sigmas, tuple) or not sigmas or not all(type(s) in (int, float) and s > 0 for s in sigmas):
            yield ("imageType", "LoG"), f"sigma = {sigmas!r}", "widths in mm, as sigma: [1.0, 2.0]", "give LoG sigmas"


def _values(file: Values) -> Values:
    """Fields of ``Radiomics`` that the file describes, all but ``images``; PyRadiomics' defaults are filled in."""
    values: Values = {"spacing_mm": None}
    for place, value in _settings(file):
        if found := target(place):
            inner = values
            for name in found[:-1]:
                inner = inner.setdefault(name, {})
            inner[found[-1]] = converted(place[-1], value)
    if values.get("interpolator", "given") is None:  # switches resampling off
        del values["interpolator"]
        values["spacing_mm"] = None
    if classes := _section(file, "featureClass"):
        values["classes"] = {name: tuple(some) if isinstance(some, list) and some else some or None
                             for name, some in classes.items()}  # fmt: skip
    elif values.get("force_2d") is True:  # shape2D is among PyRadiomics' defaults, and fails in 3-D with a log line
        values["classes"] = {"shape": None, "shape2D": None, **Radiomics().classes}
    return values


def _images(file: Values, read: Radiomics) -> Iterator[str]:
    """Names of the images, in PyRadiomics' order: the file's image types, each with the images that it makes."""
    for image in _section(file, "imageType") or ("Original",):
        kind = KINDS[image]
        if kind == "log":
            yield from log_names(_sigmas_mm(file))
        elif kind == "wavelet":
            yield from made_by_wavelet(read)
        elif kind == "lbp3d":
            yield from made_by_lbp3d(read)
        else:
            yield "lbp-2D" if kind == "lbp2d" else kind


def _sigmas_mm(file: Values) -> Any:
    own = _section(_section(file, "imageType"), "LoG")
    return converted("sigma", {**_section(file, "setting"), **own}.get("sigma"))


def _validated(values: Values, file: Values) -> tuple[Radiomics | None, list[Trouble]]:
    """The section, or what it refuses, told with the file's own names."""
    try:
        return Radiomics.model_validate(values, strict=True), []
    except ValidationError as error:
        places = {target(place): place for place, _ in _settings(file)}
        errors = [item for item in error.errors() if item["loc"][:1] != ("classes",)]  # told by ``_troubles``
        return None, [_refusal(item, places) for item in errors]


def _refusal(item: Any, places: dict[Place | None, Place]) -> Trouble:
    location = tuple(str(part) for part in item["loc"])
    expected = item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    place = next((places[location[:end]] for end in range(len(location), 0, -1) if location[:end] in places), ())
    if not place:
        return (), "an impossible combination", expected, "change one of them"
    if item["type"] == "missing":
        return place, f"too few values of {'.'.join(place)}", "one an axis", "give them all"
    return place, f"{'.'.join(place)} = {item['input']!r}", expected, "change it"


def _fault(trouble: Trouble, where: Where, source: str) -> Fault:
    place, found, expected, remedy = trouble
    return Fault(found, expected, remedy, file=where.get(place, source))
