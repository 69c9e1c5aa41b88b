"""Features that were measured before, kept by everything they depend on."""

import hashlib
import json
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from fusion.config.radiomics import Radiomics
from fusion.data.image import Geometry
from fusion.store import sweep, whole
from fusion.types import Vector, Volume

SUFFIX = ".kept"
"""A file's bytes: the SHA-256 of its key and all that follows; the warnings as a line of JSON; features as float64."""
SEAL_BYTES = 32
IDLE_S = 3600.0
"""No writer is alive that touched its file this long ago: to write one takes milliseconds."""
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
    """What ``remember`` left under ``key``, or None.

    A file that is damaged, cut off or another's is told on stderr and deleted, so that it is measured again.
    """
    path = folder / f"{key}{SUFFIX}"
    try:
        stored = path.read_bytes()
    except FileNotFoundError:
        return None
    seal, content = stored[:SEAL_BYTES], stored[SEAL_BYTES:]
    if seal != _seal(key, content):
        print(f"{path}: damaged, so it is deleted and measured again", file=sys.stderr, flush=True)
        path.unlink(missing_ok=True)  # another run may have done so meanwhile
        return None
    warnings, _, features = content.partition(b"\n")
    return Kept(np.frombuffer(features, "<f8").astype(np.float64), tuple(json.loads(warnings)))


def remember(folder: Path, key: str, kept: Kept) -> None:
    """Keep ``kept`` under ``key``; two runs that share a folder may do so at the same time."""
    content = json.dumps(kept.warnings).encode() + b"\n" + kept.features.astype("<f8").tobytes()
    with whole(folder / f"{key}{SUFFIX}", lasting=False) as part:  # the seal tells what a power cut left of it
        part.write_bytes(_seal(key, content) + content)


def tidy(folder: Path) -> None:
    """Delete what killed runs left half done in a cache that others may be writing to."""
    sweep(folder, idle_s=IDLE_S)


def _seal(key: str, content: bytes) -> bytes:
    return hashlib.sha256(key.encode() + content).digest()


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
