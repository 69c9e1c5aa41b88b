"""What a volume's header announces, against what its file can hold: ITK takes the memory first and reads then.

Of MetaImage files its library also prints what is missing, past every message, and of NRRD files the library dies of a
long field that it cannot read; so both are looked at before.
"""

import math
from pathlib import Path

import SimpleITK as sitk

DEFLATE = 1032
"""Bytes that one packed byte stands for at most: 258 of a match in two bits (RFC 1951)."""
ELSEWHERE = (".nhdr", ".mhd")
"""Headers of voxels that lie in another file."""
META = ("ndims", "dimsize", "elementtype", "elementdatafile")
"""Names that a MetaImage header has to have."""
LOCAL = b"elementdatafile = local"
LONGEST = 900
"""Of a field in an NRRD header, in characters; quoting one of 1,000 in an error overruns the library's memory."""


def refuse_empty_promise(path: Path) -> None:
    """Raise OSError where the file cannot hold the voxels that its header announces; RuntimeError where ITK does."""
    head, name, held = _head(path), path.name.lower(), path.stat().st_size
    if name.endswith((".mha", ".mhd")) and (lost := [word for word in META if word.encode() not in head]):
        raise OSError(f"a header without {', '.join(lost)}")
    if name.endswith((".nrrd", ".nhdr")) and (long := _longest(head)) > LONGEST:
        raise OSError(f"a field of {long:,} characters in its header")
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    if name.endswith(ELSEWHERE) or _lie_elsewhere(head):
        return
    size = sitk.Image([1, 1], reader.GetPixelID()).GetSizeOfPixelComponent()
    announced = math.prod(reader.GetSize()) * reader.GetNumberOfComponents() * size
    if _packed(name, head):
        held *= DEFLATE
    elif name.endswith(".mha"):
        held -= head.find(LOCAL) + len(LOCAL) + 1
    if announced > held:
        raise OSError(f"its header announces {announced:,} bytes of voxels, and it has {path.stat().st_size:,} in all")


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(2**16).lower()


def _longest(head: bytes) -> int:
    """Length of the longest field that the library may quote: of no comment, no `name:=value` and no `content`."""
    lines = head.partition(b"\n\n")[0].replace(b"\r", b"").split(b"\n")
    return max(len(line) for line in lines if b":=" not in line and not line.startswith((b"#", b"content:")))


def _lie_elsewhere(head: bytes) -> bool:
    """Of an NRRD or MHA file that names another one."""
    return b"\ndata file:" in head or b"\ndatafile:" in head or (b"elementdatafile" in head and LOCAL not in head)


def _packed(name: str, head: bytes) -> bool:
    return name.endswith((".gz", ".nrrd")) or b"compresseddata = true" in head
