"""DICOM series, structures and segmentations with tags lost, doubled or changed; files lost or foreign."""

import shutil
import struct
from pathlib import Path

from tests.mutated import Rng, Spoil, Words, one_of

TAGS = {
    (0x0002, 0x0010): b"UI",
    (0x0008, 0x0008): b"CS",
    (0x0008, 0x0016): b"UI",
    (0x0008, 0x0018): b"UI",
    (0x0008, 0x0060): b"CS",
    (0x0018, 0x0050): b"DS",
    (0x0020, 0x000E): b"UI",
    (0x0020, 0x0013): b"IS",
    (0x0020, 0x0032): b"DS",
    (0x0020, 0x0037): b"DS",
    (0x0020, 0x0052): b"UI",
    (0x0028, 0x0002): b"US",
    (0x0028, 0x0004): b"CS",
    (0x0028, 0x0008): b"IS",
    (0x0028, 0x0010): b"US",
    (0x0028, 0x0011): b"US",
    (0x0028, 0x0030): b"DS",
    (0x0028, 0x0100): b"US",
    (0x0028, 0x0101): b"US",
    (0x0028, 0x0103): b"US",
    (0x0028, 0x1052): b"DS",
    (0x0028, 0x1053): b"DS",
    (0x0062, 0x0001): b"CS",
    (0x0062, 0x0004): b"US",
    (0x0062, 0x0005): b"LO",
    (0x0062, 0x000B): b"US",
    (0x3006, 0x0022): b"IS",
    (0x3006, 0x0026): b"LO",
    (0x3006, 0x0042): b"CS",
    (0x3006, 0x0046): b"IS",
    (0x3006, 0x0050): b"DS",
    (0x3006, 0x0084): b"IS",
}
VALUES = (
    b"",
    b"0",
    b"-1",
    b"nan",
    b"abc",
    b"1e300",
    b"1\\1",
    b"0\\0\\0\\0\\0\\0",
    b"1\\0\\0\\1\\0\\0",
    b"9" * 60,
    b"\xff\xfe\0\1",
    b"1.2.3.4",
    b"MR",
    b"a\\b\\c\\d",
    b"-0.5",
    b"5000000000",
)


def spoiled(verb):
    """A mutation of some files of a DICOM case: its images, or its mask."""

    def spoil(folder: Path, rng: Rng) -> Words:
        case = one_of(rng, "c10", "c11")
        slices = sorted((folder / f"{case}_ct").iterdir())
        some = one_of(
            rng, slices, [one_of(rng, *slices)], [folder / f"{case}_tumour.dcm"], [folder / f"{case}_tumour.dcm"]
        )
        state = rng.integers(2**31)
        for path in some:
            path.write_bytes(verb(path.read_bytes(), type(rng)(type(rng.bit_generator)(state))))
        return ["check", str(folder / "a.yaml")]

    return spoil


def tag_lost(content: bytes, rng: Rng) -> bytes:
    at, end = _element(content, rng)
    return content[:at] + content[end:]


def tag_doubled(content: bytes, rng: Rng) -> bytes:
    at, end = _element(content, rng)
    return content[:end] + content[at:end] + content[end:]


def value_changed(content: bytes, rng: Rng) -> bytes:
    """Another value, half the time as long as the one before."""
    at, end = _element(content, rng)
    if content[at + 4 : at + 6] == b"US":
        value = struct.pack("<H", one_of(rng, 0, 1, 7, 8, 15, 16, 32, 64, 29, 65535))
    else:
        value = one_of(rng, *VALUES)
    if one_of(rng, True, False):
        value = value[: end - at - 8].ljust(end - at - 8)
    value += b" " * (len(value) % 2)
    return content[: at + 6] + struct.pack("<H", len(value)) + value + content[end:]


def bytes_changed(content: bytes, rng: Rng) -> bytes:
    own = bytearray(content)
    for at in rng.integers(0, min(len(own), 2500), int(rng.integers(1, 12))):
        own[int(at)] ^= int(rng.integers(1, 256))
    return bytes(own)


def cut_off(content: bytes, rng: Rng) -> bytes:
    return content[: int(rng.integers(0, len(content)))]


def _element(content: bytes, rng: Rng) -> tuple[int, int]:
    """Where one of the tags that are there begins and ends, at any depth."""
    found = []
    for (group, element), kind in TAGS.items():
        at = content.find(struct.pack("<HH", group, element) + kind)
        if at >= 0:
            found.append((at, at + 8 + struct.unpack_from("<H", content, at + 6)[0]))
    return one_of(rng, *found)


def files_changed(folder: Path, rng: Rng) -> Words:
    """A slice gone, doubled, foreign or put into another folder; another file between them; an empty folder."""
    case = one_of(rng, "c10", "c11")
    series = folder / f"{case}_ct"
    slices = sorted(series.iterdir())
    one, other = one_of(rng, *slices), folder / f"{'c11' if case == 'c10' else 'c10'}_ct"
    deeds = {
        "gone": lambda: one.unlink(),
        "first gone": lambda: slices[0].unlink(),
        "doubled": lambda: shutil.copy(one, series / "copy"),
        "foreign": lambda: shutil.copy(next(other.iterdir()), series / "foreign"),
        "the other mask": lambda: shutil.copy(folder / f"{other.name[:3]}_tumour.dcm", folder / f"{case}_tumour.dcm"),
        "mask in series": lambda: shutil.copy(folder / f"{case}_tumour.dcm", series / "mask"),
        "text": lambda: (series / "notes.txt").write_text("hello"),
        "empty": lambda: [own.unlink() for own in slices],
        "one left": lambda: [own.unlink() for own in slices[1:]],
        "no folder": lambda: shutil.rmtree(series),
        "folder in folder": lambda: shutil.move(str(one), str(_made(series / "deeper"))),
        "broken link": lambda: (series / "link").symlink_to("nowhere"),
        "mask a folder": lambda: ((folder / f"{case}_tumour.dcm").unlink(), _made(folder / f"{case}_tumour.dcm")),
    }
    deeds[one_of(rng, *deeds)]()
    return ["check", str(folder / "a.yaml")]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


KINDS: dict[str, tuple[int, Spoil]] = {
    "DICOM: a tag lost": (16, spoiled(tag_lost)),
    "DICOM: a tag doubled": (6, spoiled(tag_doubled)),
    "DICOM: a value": (32, spoiled(value_changed)),
    "DICOM: bytes": (16, spoiled(bytes_changed)),
    "DICOM: cut off": (8, spoiled(cut_off)),
    "DICOM: files": (16, files_changed),
}
