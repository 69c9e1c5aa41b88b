"""A volume written by SimpleITK, whole or not at all, also where ITK would not tell that it was not."""

import errno
import gzip
import zlib
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from fusion.store import to_disk, whole


def write_volume(path: Path, image: Any, compressed: bool = True) -> None:
    """Write a SimpleITK image, whole or not at all; the suffix of ``path`` chooses the format.

    Raises:
        OSError: the machine's, also where ITK (2.5) keeps it to itself: of a NIfTI file on a full disk it writes what
            fits, and says nothing.
    """
    with whole(path) as part:
        try:
            sitk.WriteImage(image, str(part), useCompression=compressed)
        except RuntimeError:
            _let_the_system_say(part, image)
            raise
        if path.name.endswith((".nii", ".nii.gz")) and _length(part) < _voxel_bytes(image):
            _let_the_system_say(part, image)
            raise OSError(errno.EIO, "written short", str(part))


def _let_the_system_say(part: Path, image: Any) -> None:
    """Write as many bytes as ``image`` has, so that whatever hindered a library comes as the system's own error."""
    with part.open("wb") as file:
        file.write(bytes(_voxel_bytes(image)))
    to_disk(part)


def _voxel_bytes(image: Any) -> int:
    return int(image.GetNumberOfPixels() * image.GetNumberOfComponentsPerPixel() * image.GetSizeOfPixelComponent())


def _length(path: Path) -> int:
    """Bytes in a file, unpacked where it is compressed; 0 where that ends too early."""
    if not path.name.endswith(".gz"):
        return path.stat().st_size
    try:
        with gzip.open(path) as file:
            return sum(len(block) for block in iter(lambda: file.read(2**20), b""))
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return 0
