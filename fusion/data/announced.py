"""What a volume's header announces, against what its file can hold: ITK takes the memory first and reads then."""

import math
from pathlib import Path

import SimpleITK as sitk

DEFLATE = 1032
"""Bytes that one packed byte stands for at most: 258 of a match in two bits (RFC 1951)."""
ELSEWHERE = (".nhdr", ".mhd")
"""Headers of voxels that lie in another file."""


def refuse_empty_promise(path: Path) -> None:
    """Raise OSError where the file cannot hold as many voxels as its header announces, even of a byte each.

    RuntimeError is what ITK raises of a header that it cannot read.
    """
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    name, held = path.name.lower(), path.stat().st_size
    if name.endswith(ELSEWHERE) or _lie_elsewhere(path):
        return
    announced = math.prod(reader.GetSize()) * reader.GetNumberOfComponents()
    if announced > held * (1 if name.endswith(".nii") else DEFLATE):
        raise OSError(f"its header announces {announced:,} voxels, and it has {held:,} bytes")


def _lie_elsewhere(path: Path) -> bool:
    """Of an NRRD or MHA file that names another one."""
    with path.open("rb") as file:
        head = file.read(4096).lower()
    return b"\ndata file:" in head or b"\ndatafile:" in head or (b"elementdatafile" in head and b"local" not in head)
