"""Read PNG and JPEG pictures as grey values, refusing what is no grey slice: colours, transparency, several pages."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from jaxtyping import Shaped
from numpy import ndarray
from PIL import Image

from fusion.errors import CohortError, Fault

SUFFIXES = (".png", ".jpg", ".jpeg")
TINT = 8
"""Grey levels of 255 by which the channels of a grey picture may differ: what JPEG makes of equal ones."""
BANDS = {"1": 1, "L": 1, "I;16": 1, "I;16B": 1, "I": 1, "P": 1, "LA": 2, "PA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}
"""Channels of a picture by Pillow's mode; other modes are refused by their name."""


@dataclass(frozen=True)
class Picture:
    """Grey values as the file stores them (0..255 or 0..65535), and how many bits each has."""

    values: Shaped[ndarray, "y x"]
    bits: int


def read_picture(path: Path) -> Picture:
    """The grey picture in ``path``; 24-bit grey is taken by the mean of its channels, 16 bits are kept.

    Raises:
        CohortError: unreadable, no PNG or JPEG, several pages, CMYK, transparent, or channels that differ.
    """
    image = _opened(path)
    if image.mode not in BANDS or image.mode == "CMYK":
        found = f"{BANDS.get(image.mode, len(image.getbands()))} channels ({image.mode})"
        raise _refused(path, found, "grey, with 1 or 3 equal channels", "export it as a grey PNG")
    deep = _deep(path)
    _refuse_transparent(image, path)
    if image.mode in ("L", "I;16", "I;16B", "I", "1"):
        values = np.asarray(image)
        return Picture(values, 1 if image.mode == "1" else 16 if deep else 8)
    channels = _deep_channels(path) if deep else np.asarray(image.convert("RGB"))
    return Picture(_grey(channels, 257 if deep else 1, path), 16 if deep else 8)


def read_indices(path: Path) -> Shaped[ndarray, "y x"]:
    """The values of a PNG mask: a palette's indices, or grey values.

    Raises:
        CohortError: as ``read_picture``, or a JPEG, which blurs the outline.
    """
    image = _opened(path)
    if image.format != "PNG":
        raise _refused(path, f"a {image.format} mask, whose values its compression changes", "a PNG", "export it again")
    return np.asarray(image) if image.mode == "P" else read_picture(path).values


def _opened(path: Path) -> Any:
    """The whole picture, decoded."""
    try:
        with path.open("rb") as file:
            image = Image.open(file)
            if image.format not in ("PNG", "JPEG", "MPO"):
                raise _refused(path, f"a {image.format} file", "PNG or JPEG, as its name says", "export it as PNG")
            frames = getattr(image, "n_frames", 1)
            if frames > 1:
                raise _refused(path, f"{frames} pictures in one file", "a single picture", "export the slice alone")
            image.load()
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        reason = re.sub(r" <.*>", "", str(error)).strip() or type(error).__name__
        raise _refused(path, f"an unreadable file ({reason})", "a picture", "export or copy the file again") from error
    return image


def _deep(path: Path) -> bool:
    """Whether a PNG's header says 16 bits a channel; Pillow drops 8 of them where there are several channels."""
    with path.open("rb") as file:
        header = file.read(25)
    return header[1:4] == b"PNG" and header[24] == 16


def _refuse_transparent(image: Any, path: Path) -> None:
    if "A" not in image.mode and "transparency" not in image.info:
        return
    if image.mode in ("I;16", "I;16B", "I"):
        opaque = np.asarray(image) != image.info["transparency"]
    else:
        opaque = np.asarray(image.convert("RGBA"))[..., 3] == 255
    if not opaque.all():
        found = f"a transparent picture ({1 - opaque.mean():.0%} of its pixels)"
        raise _refused(path, found, "every pixel opaque", "export it without transparency")


def _deep_channels(path: Path) -> Shaped[ndarray, "y x channel"]:
    """The colour channels in 16 bits, without an alpha that has been found opaque."""
    channels = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    return channels[..., :1] if channels.shape[-1] == 2 else channels[..., :3]


def _grey(channels: Shaped[ndarray, "y x channel"], step: int, path: Path) -> Shaped[ndarray, "y x"]:
    spread = int((channels.max(axis=-1).astype(int) - channels.min(axis=-1)).max())
    if spread > TINT * step:
        found = f"a colour picture (channels differ by up to {spread} of {255 * step})"
        raise _refused(path, found, "a grey slice, whose channels are equal", "export the slice without colours")
    return channels.mean(axis=-1, dtype=np.float32)


def _refused(path: Path, found: str, expected: str, remedy: str) -> CohortError:
    return CohortError(Fault(found, expected, remedy, file=str(path)))
