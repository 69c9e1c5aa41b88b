"""Features that were measured before, kept by everything they depend on."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from fusion.config.radiomics import Radiomics
from fusion.data.image import Geometry
from fusion.store import whole
from fusion.types import Vector, Volume

LIBRARIES = ("numpy", "scipy", "SimpleITK", "PyWavelets", "trimesh", "numba")


@dataclass(frozen=True)
class Kept:
    """A region's features in the order of ``columns``, and its warnings."""

    features: Vector
    warnings: tuple[str, ...]


def keys(
    image: Volume, masks: dict[str, Bool[ndarray, "_ _ _"]], geometry: Geometry, radiomics: Radiomics
) -> dict[str, str]:
    """A digest for each region of voxels, grid, settings, libraries and the engine's own code.

    Nothing in it names a patient. With ``crop: shared`` a region's features depend on the other regions, too.
    """
    settings = {
        "radiomics": radiomics.model_dump(mode="json"),
        "versions": _versions(),
        "engine": _engine() if radiomics.engine == "fusion" else version("pyradiomics"),
        "geometry": [geometry.size, geometry.spacing_mm, geometry.origin_mm, geometry.direction],
    }
    common = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    common.update(np.ascontiguousarray(image).data)
    own = {region: hashlib.sha256(np.packbits(mask).data).digest() for region, mask in masks.items()}
    if radiomics.crop == "shared":
        common.update(b"".join(own.values()))
    found = {}
    for region, mask in own.items():
        digest = common.copy()
        digest.update(mask)
        found[region] = digest.hexdigest()
    return found


def recall(folder: Path, key: str) -> Kept | None:
    """What ``remember`` left under ``key``, or None."""
    path = folder / f"{key}.npz"
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as kept:
        return Kept(kept["features"], tuple(str(warning) for warning in kept["warnings"]))


def remember(folder: Path, key: str, kept: Kept) -> None:
    """Keep ``kept`` under ``key``."""
    with whole(folder / f"{key}.npz") as part, part.open("wb") as file:
        np.savez(file, features=kept.features, warnings=np.array(kept.warnings, dtype=np.str_))


@cache
def _versions() -> dict[str, str]:
    """Looked up once: that takes as long as to measure a slice."""
    return {name: version(name) for name in LIBRARIES}


@cache
def _engine() -> str:
    """Digest of the engine's source: features measured by other code are measured again."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
