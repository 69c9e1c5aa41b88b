"""What ITK keeps to itself about a NIfTI file: bytes that are missing, voxels that are not numbers.

ITK fills a cut-off file with whatever memory holds, and turns NaN and infinite voxels into zeros, both without a word.
"""

import gzip
import math
import struct
from pathlib import Path

import numpy as np

FLOATS = {16: "f4", 64: "f8"}
"""NIfTI datatype codes of floating-point voxels."""


def is_nifti(path: Path) -> bool:
    """Whether the name says NIfTI."""
    return path.name.lower().endswith((".nii", ".nii.gz"))


def refuse_cut_off(path: Path) -> None:
    """Raise OSError or EOFError where the file holds fewer voxels than its header announces."""
    content = _content(path)
    _, offset, voxels, bits = header(content)
    needed = offset + voxels * bits // 8
    if len(content) < needed:
        raise OSError(f"{len(content)} of {needed} bytes: the file is cut off")


def not_finite(path: Path) -> int:
    """Number of voxels that are NaN or infinite."""
    content = _content(path)
    code, offset, voxels, _ = header(content)
    if abs(code) not in FLOATS:
        return 0
    kind = np.dtype(FLOATS[abs(code)]).newbyteorder("<" if code > 0 else ">")
    stored = np.frombuffer(content, kind, voxels, offset)
    return int(voxels - np.isfinite(stored).sum())


def _content(path: Path) -> bytes:
    raw = path.read_bytes()
    return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw


def header(content: bytes) -> tuple[int, int, int, int]:
    """Datatype code (negative where big-endian), offset of the first voxel, number of voxels, bits a voxel."""
    if len(content) < 348:
        raise OSError(f"{len(content)} bytes: no room for a header")
    order = "<" if struct.unpack_from("<i", content)[0] in (348, 540) else ">"
    if struct.unpack_from(f"{order}i", content)[0] == 540:  # NIfTI-2
        dim = struct.unpack_from(f"{order}8q", content, 16)
        code, bits = struct.unpack_from(f"{order}2h", content, 12)
        offset = struct.unpack_from(f"{order}q", content, 168)[0]
    else:
        dim = struct.unpack_from(f"{order}8h", content, 40)
        code, bits = struct.unpack_from(f"{order}2h", content, 70)
        offset = struct.unpack_from(f"{order}f", content, 108)[0]
    if not 0 <= offset < 2**63:  # NaN neither
        raise OSError("a header that does not say where its voxels begin")
    voxels = math.prod(max(size, 1) for size in dim[1 : dim[0] + 1])
    return (code if order == "<" else -code), int(offset), voxels, bits
