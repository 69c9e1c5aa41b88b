"""NIfTI, NRRD and MHA files with other bytes, other header fields, or other contents."""

import gzip
import struct
from pathlib import Path

import numpy as np

from tests.mutated import Rng, Spoil, Words, one_of
from tests.mutated.made import SUFFIXES

CASES = 10
"""Cases c0 to c9 are volumes; the suffix goes by the number."""
NIFTI = {
    "sizeof_hdr": (0, "i"),
    "dim": (40, "h"),
    "intent_code": (68, "h"),
    "datatype": (70, "h"),
    "bitpix": (72, "h"),
    "pixdim": (76, "f"),
    "vox_offset": (108, "f"),
    "scl_slope": (112, "f"),
    "scl_inter": (116, "f"),
    "units": (123, "b"),
    "qform_code": (252, "h"),
    "sform_code": (254, "h"),
    "quatern": (256, "f"),
    "qoffset": (268, "f"),
    "srow": (280, "f"),
    "magic": (344, "b"),
}
"""Where a field stands, and its type."""
REPEATED = {"dim": 5, "pixdim": 5, "quatern": 3, "qoffset": 3, "srow": 12}
EXTREMES = {
    "f": (float("nan"), float("inf"), 0.0, -1.0, 1e30, -1e-30, 3.4e38, 0.5),
    "b": (0, 127, -128, 7),
    "h": (0, -1, 1, 2, 7, 8, 32767, -32768, 2048, 1792, 300),
    "i": (0, -1, 540, 1543569408, 2**31 - 1),
}
WORDS = (
    b"",
    b"0",
    b"-1",
    b"nan",
    b"inf",
    b"99999999999",
    b"1e300",
    b"none",
    b"(1,0,0)",
    b"3 3 3",
    b"\xff\xfe",
    b"x" * 3000,
    b"float",
    b"0 0 0 0 0 0 0 0 0",
    b"1 2",
    b"(nan,0,0) (0,1,0) (0,0,1)",
    b"/etc/hosts",
    b"LIST",
    b"True",
)


def spoiled(verb):
    """A mutation of one volume's bytes; half the time of the mask, once in eight asked with `extract`."""

    def spoil(folder: Path, rng: Rng) -> Words:
        number = int(rng.integers(CASES))
        suffix = SUFFIXES[number % 4]
        path = folder / f"c{number}_{one_of(rng, 'ct', 'tumour')}{suffix}"
        content = verb(path.read_bytes(), suffix, rng)
        path.write_bytes(content)
        return ["check", str(folder / "a.yaml")]

    return spoil


def bytes_flipped(content: bytes, suffix: str, rng: Rng) -> bytes:
    """A few bytes of its header are others."""
    own = np.frombuffer(content, np.uint8).copy()
    at = rng.integers(0, min(len(own), 360), int(rng.integers(1, 20)))
    own[at] ^= rng.integers(1, 256, len(at), dtype=np.uint8)
    return own.tobytes()


def cut_off(content: bytes, suffix: str, rng: Rng) -> bytes:
    return content[: int(rng.integers(0, len(content)))]


def something_else(content: bytes, suffix: str, rng: Rng) -> bytes:
    noise = rng.integers(0, 256, 2000, dtype=np.uint8).tobytes()
    return one_of(
        rng,
        b"",
        noise,
        b"case,ct\n1,2\n",
        b"PK\3\4" + noise,
        content[::-1],
        gzip.compress(content),
        b"\0" * 4096,
        b"n+1\0" * 200,
        content + noise,
        content[:400] * 3,
        b"NRRD0005\n",
        b"ObjectType = Image\n",
    )


def field_changed(content: bytes, suffix: str, rng: Rng) -> bytes:
    """One header field holds an extreme value; of a packed file the packing is sound."""
    if suffix == ".nii.gz":
        return gzip.compress(_nifti(gzip.decompress(content), rng), 1)
    return _nifti(content, rng) if suffix == ".nii" else _text(content, suffix, rng)


def _nifti(content: bytes, rng: Rng) -> bytes:
    own, name = bytearray(content), one_of(rng, *NIFTI)
    start, kind = NIFTI[name]
    at = start + struct.calcsize(kind) * int(rng.integers(REPEATED.get(name, 1)))
    struct.pack_into(f"<{kind}", own, at, one_of(rng, *EXTREMES[kind]))
    if one_of(rng, True, False, False):
        struct.pack_into("<8h", own, 40, *one_of(rng, *_sizes()))
    return bytes(own)


def _sizes() -> tuple[tuple[int, ...], ...]:
    return (
        (3, 28, 28, 600, 1, 1, 1, 1),
        (3, 32767, 32767, 3, 1, 1, 1, 1),
        (4, 28, 28, 6, 2, 1, 1, 1),
        (2, 28, 28, 1, 1, 1, 1, 1),
        (3, 28, 28, 0, 1, 1, 1, 1),
        (3, -28, 28, 6, 1, 1, 1, 1),
        (7, *[2] * 7),
        (3, 6, 28, 28, 1, 1, 1, 1),
    )


def _text(content: bytes, suffix: str, rng: Rng) -> bytes:
    """A line of an NRRD or MHA header is another, gone, doubled, or has another value."""
    head, end = _header(content, suffix)
    lines, sign = head.split(b"\n"), b": " if suffix == ".nrrd" else b" = "
    at = int(rng.integers(0 if suffix == ".mha" else 1, len(lines)))
    name = lines[at].partition(sign.strip())[0].strip()
    changed = [name + sign + one_of(rng, *WORDS)]
    lines[at : at + 1] = one_of(rng, [], [lines[at]] * 2, [b"garbage"], changed, changed, changed, changed)
    return b"\n".join(lines) + content[end:]


def _header(content: bytes, suffix: str) -> tuple[bytes, int]:
    mark = b"\n\n" if suffix == ".nrrd" else b"ElementDataFile = LOCAL\n"
    at = content.index(mark) + (0 if suffix == ".nrrd" else len(mark) - 1)
    return content[:at], at


def voxels_changed(content: bytes, suffix: str, rng: Rng) -> bytes:
    """Bytes far behind the header are others."""
    own = np.frombuffer(content, np.uint8).copy()
    low = min(360, len(own) - 1)
    at = rng.integers(low, len(own), int(rng.integers(1, 40)))
    own[at] ^= rng.integers(1, 256, len(at), dtype=np.uint8)
    return own.tobytes()


KINDS: dict[str, tuple[int, Spoil]] = {
    "volume: bytes of the header": (30, spoiled(bytes_flipped)),
    "volume: cut off": (20, spoiled(cut_off)),
    "volume: something else": (16, spoiled(something_else)),
    "volume: a field": (70, spoiled(field_changed)),
    "volume: bytes behind the header": (8, spoiled(voxels_changed)),
}
