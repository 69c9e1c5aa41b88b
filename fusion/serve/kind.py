"""What kind of file an upload is: its name and its first bytes must agree."""

import struct
from pathlib import Path

from fusion.errors import Fault

DICOM = ".dcm"
READABLE = (".nii.gz", ".nii", ".nrrd", ".mha", ".png", ".jpg", ".jpeg", DICOM, ".zip", ".csv", ".xlsx", ".parquet")
HEADERS_ALONE = (".nhdr", ".mhd", ".hdr")
"""Formats whose header names another file for the voxels; a header could name any file of the server."""
BEGINS = {
    ".nii.gz": b"\x1f\x8b",
    ".nrrd": b"NRRD",
    ".png": b"\x89PNG\r\n\x1a\n",
    ".jpg": b"\xff\xd8\xff",
    ".jpeg": b"\xff\xd8\xff",
    ".zip": b"PK",
    ".xlsx": b"PK",
    ".parquet": b"PAR1",
}
EXPECTED = "NIfTI, NRRD, MHA, DICOM, PNG, JPEG or a zip of them"


def suffix_of(path: Path, name: str) -> str | Fault:
    """The suffix under which to store ``path``, which calls itself ``name``; or what is wrong with it.

    Neither the name nor anything from inside the file is told.
    """
    with path.open("rb") as file:
        head = file.read(352)
    if not head:
        return Fault("an empty file", EXPECTED, "export or copy the file again")
    claimed = _claimed(name)
    if claimed in HEADERS_ALONE:
        return Fault("a header whose voxels lie in another file", "one file", "save it as .nrrd, .mha or .nii.gz")
    if is_dicom(head) and claimed in ("", DICOM):
        return DICOM
    if claimed not in READABLE:
        return Fault("an unknown kind of file", EXPECTED, "convert it, and keep the suffix of its kind")
    if not _agrees(head, claimed):
        return Fault(f"a file that does not begin as {claimed} does", EXPECTED, "export or copy the file again")
    return claimed


def is_dicom(head: bytes) -> bool:
    """Whether the first bytes say DICOM, as files by the standard's part 10 do."""
    return head[128:132] == b"DICM"


def _claimed(name: str) -> str:
    """The suffix by the name; .dcm for what DICOM files are also called, empty for none."""
    lower = name.lower()
    if (known := next((own for own in (*READABLE, *HEADERS_ALONE) if lower.endswith(own)), None)) is not None:
        return known
    last = Path(lower).suffix[1:]
    return DICOM if last in ("ima", "dicom") or last.isdigit() else f".{last}" if last else ""


def _agrees(head: bytes, suffix: str) -> bool:
    if suffix == DICOM:
        return is_dicom(head)
    if suffix == ".nii":
        return len(head) >= 4 and {*struct.unpack("<i", head[:4]), *struct.unpack(">i", head[:4])} & {348, 540} != set()
    if suffix == ".mha":
        return b"=" in head.partition(b"\n")[0]
    return head.startswith(BEGINS.get(suffix, b""))
