"""What a file says of its size, read before its voxels are: a few bytes may announce more than any memory holds.

Headers that name another file for their voxels are refused: they could name any file of the server.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

from fusion.data import nifti
from fusion.errors import Fault

MOST_VOXELS = 2**27
"""512 x 512 x 512."""
MOST_PIXELS = 2**26
"""Of a picture: 8192 x 8192."""
TEXT_BYTES = 2**16
"""Room for the header of a text format."""
SLACK_BYTES = 2**20
"""Beyond its voxels, which a NIfTI file may have."""
AGAIN = "export or copy the file again"


def refuse_size(path: Path) -> Fault | None:
    """Why ``path`` is not to be read; None where its header announces a size that can be.

    A file whose header makes no sense is left to its reader, which says so better.
    """
    name = path.name.lower()
    if nifti.is_nifti(path):
        return _nifti(path)
    if name.endswith(".nrrd"):
        return _text(path, b"\n\n", ":", "sizes", ("data file", "datafile"))
    if name.endswith(".mha"):
        return _text(path, None, "=", "DimSize", ())
    if name.endswith((".png", ".jpg", ".jpeg")):
        return _picture(path)
    return None


def too_many(count: int, most: int = MOST_VOXELS, what: str = "voxels") -> Fault | None:
    """The fault of an image of ``count`` voxels, where that is too many."""
    if count <= most:
        return None
    return Fault(f"a header that announces {count:.3g} {what}", f"{most:,} at most", "crop it round the tumour")


def _nifti(path: Path) -> Fault | None:
    packed = path.name.lower().endswith(".gz")
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            head = file.read(544)
            if head[344:347] == b"ni1":
                return Fault("a NIfTI header whose voxels lie in another file", "one file", "save it as .nii.gz")
            _, offset, voxels, bits = nifti.header(head)
            if (fault := too_many(voxels)) is not None:
                return fault
            if not 0 <= offset <= SLACK_BYTES or not 0 <= bits <= 128:
                return Fault("a NIfTI header of no sense", "a volume", AGAIN)
            room = offset + voxels * bits // 8 + SLACK_BYTES - len(head)
            while room >= 0 and (chunk := file.read(2**20)):
                room -= len(chunk)
            return None if room >= 0 else Fault("a file longer than its header announces", "its voxels alone", AGAIN)
    except (OSError, EOFError, zlib.error, struct.error, OverflowError):
        return None


def _text(path: Path, end: bytes | None, sign: str, size: str, elsewhere: tuple[str, ...]) -> Fault | None:
    """NRRD, whose header ends in an empty line; MHA, whose header ends in the line that says where the voxels lie."""
    with path.open("rb") as file:
        head = file.read(TEXT_BYTES).replace(b"\r", b"")
    fields, voxels_follow = _fields(head, end, sign)
    if not voxels_follow:
        return Fault("a header that does not end", f"{TEXT_BYTES} bytes at most", AGAIN)
    if any(name in fields for name in elsewhere):
        return Fault("a header whose voxels lie in another file", "one file", "save it with its voxels inside")
    skipped = [fields.get(name, "0") for name in ("byte skip", "byteskip", "line skip", "lineskip")]
    if any(words not in ("0", "-1") for words in skipped):
        return Fault("a header that skips bytes", "voxels right behind it", "save it again")
    try:
        sizes = [int(word) for word in fields.get(size, "").split()]
    except ValueError:
        return None
    channels = fields.get("ElementNumberOfChannels", "1")
    return too_many(math.prod(max(own, 1) for own in sizes) * (int(channels) if channels.isdigit() else 1))


def _fields(head: bytes, end: bytes | None, sign: str) -> tuple[dict[str, str], bool]:
    """The header's fields, and whether its voxels follow it; the larger of two that have one name."""
    own, found, _ = head.partition(end) if end else (head, b"", b"")
    fields: dict[str, str] = {}
    for line in own.decode("latin-1").split("\n"):
        name, _, words = line.partition(sign if sign in line else ":")
        name, words = name.strip(), words.strip()
        name = name.lower() if sign == ":" else name
        if name == "ElementDataFile":
            return fields, words == "LOCAL"
        fields[name] = max(words, fields.get(name, words), key=len)
    return fields, bool(found)


def _picture(path: Path) -> Fault | None:
    from PIL import Image, UnidentifiedImageError

    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # its own check warns; this one refuses
    try:
        with Image.open(path) as picture:
            width, height = picture.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, struct.error, zlib.error):
        return None
    finally:
        Image.MAX_IMAGE_PIXELS = limit
    return too_many(width * height, MOST_PIXELS, "pixels")
