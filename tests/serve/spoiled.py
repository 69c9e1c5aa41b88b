"""Uploads that are none: seeded mutations of files that can be read, and forms of attack on whoever reads them."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from PIL import Image

from tests import toy
from tests.data import dicom_made

Rng = np.random.Generator
Files = dict[str, tuple[str, bytes]]


@dataclass(frozen=True)
class Spoiled:
    """One request that must be refused."""

    what: str
    files: Files
    path: str = "/api/predict"
    bundle: str = "toy_ct"
    is_attack: bool = True
    """Not a random mutation, which may leave a file whole."""


@dataclass(frozen=True)
class Whole:
    """What can be read, in every format."""

    volume: dict[str, bytes]
    """By suffix."""
    mask: dict[str, bytes]
    series: dict[str, bytes]
    """DICOM slices by name."""
    slice: dict[str, bytes]
    slice_mask: bytes


def whole(folder: Path) -> Whole:
    """Files of a case of the toy cohorts."""
    image, tumour = toy.volume(1, np.random.default_rng(5))
    suffixes = (".nii", ".nii.gz", ".nrrd", ".mha")
    volume = {own: toy.write(folder / f"a{own}", image).read_bytes() for own in suffixes}
    mask = {own: toy.write(folder / f"m{own}", tumour).read_bytes() for own in suffixes}
    series = dicom_made.series(folder / "series", image, origin=(0.0, 0.0, 0.0), spacing=toy.SPACING)
    files = {path.name: path.read_bytes() for path in series.iterdir()}
    grey = (60 + 80 * tumour[4] + np.random.default_rng(6).integers(0, 20, tumour[4].shape)).astype(np.uint8)
    slices = {".png": picture(grey, "PNG"), ".jpg": picture(grey, "JPEG"), ".dcm": next(iter(files.values()))}
    return Whole(volume, mask, files, slices, picture(tumour[4] * 1, "PNG"))


def picture(values: np.ndarray, kind: str) -> bytes:
    content = io.BytesIO()
    Image.fromarray(values).save(content, kind)
    return content.getvalue()


def zipped(files: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", packing) as own:
        for name, data in files.items():
            own.writestr(name, data)
    return content.getvalue()


def uploads(good: Whole, seed: int, count: int) -> Iterator[Spoiled]:
    """``count`` requests: every attack once, then every kind of mutation in turn, as the seed has it."""
    rng = np.random.default_rng(seed)
    made = list(attacks(good))
    yield from made[:count]
    mutations = (flipped, cut, noise, swapped, filled, stretched)
    for number in range(count - len(made)):
        own = mutated(good, mutations[number % len(mutations)], number, rng)
        yield replace(own, is_attack=False)


def mutated(good: Whole, verb: Callable[[bytes, Rng], bytes], number: int, rng: Rng) -> Spoiled:
    """One file of a good request spoiled by ``verb``."""
    kind = ("image", "mask", "series", "slice", "zip", "table")[(number // 6) % 6]
    suffix = list(good.volume)[(number // 36 + number) % 4]
    what = f"{kind} {suffix} {verb.__name__} {number}"
    if kind in ("image", "mask"):
        files = {"image": (f"a{suffix}", good.volume[suffix]), "mask": (f"m{suffix}", good.mask[suffix])}
        name, content = files[kind]
        return Spoiled(what, {**files, kind: (name, verb(content, rng))})
    if kind == "slice":
        suffix = list(good.slice)[number % 3]
        files = {"image_T2-w": (f"a{suffix}", verb(good.slice[suffix], rng)), "mask_T2-w": ("m.png", good.slice_mask)}
        return Spoiled(f"{what} {suffix}", files, bundle="toy_mri")
    if kind == "series":
        spoilt = {name: verb(data, rng) if n % 2 == 0 else data for n, (name, data) in enumerate(good.series.items())}
        return Spoiled(what, {"image": ("a.zip", zipped(spoilt)), "mask": ("m.nii.gz", good.mask[".nii.gz"])})
    if kind == "zip":
        archive = zipped({"ct.nii.gz": good.volume[".nii.gz"], "mask.nii.gz": good.mask[".nii.gz"]})
        return Spoiled(what, {"archive": ("a.zip", verb(archive, rng))})
    table = f"case,ct,tumour\n{'x' * 40},a.nii.gz,m.nii.gz\n".encode()
    files = {"table.csv": verb(table, rng), "a.nii.gz": good.volume[".nii.gz"], "m.nii.gz": good.mask[".nii.gz"]}
    return Spoiled(what, {"archive": ("a.zip", zipped(files))}, "/api/cohort")


def flipped(content: bytes, rng: Rng) -> bytes:
    """Some bytes of its beginning are others."""
    own = np.frombuffer(content, np.uint8).copy()
    at = rng.integers(0, min(len(own), 512), 24)
    own[at] ^= rng.integers(1, 256, 24, dtype=np.uint8)
    return own.tobytes()


def cut(content: bytes, rng: Rng) -> bytes:
    return content[: int(rng.integers(0, max(len(content) - 64, 1)))]


def noise(content: bytes, rng: Rng) -> bytes:
    return bytes(rng.integers(0, 256, int(rng.integers(1, 5000)), dtype=np.uint8))


def swapped(content: bytes, rng: Rng) -> bytes:
    """Every two bytes the other way round: the other endianness of 16-bit words."""
    even = content[: len(content) // 2 * 2]
    return np.frombuffer(even, np.uint16).byteswap().tobytes()


def filled(content: bytes, rng: Rng) -> bytes:
    """Its beginning stays, then one byte for ever."""
    kept = int(rng.integers(1, 200))
    return content[:kept] + bytes([int(rng.choice([0, 255]))]) * max(len(content) - kept, 64)


def stretched(content: bytes, rng: Rng) -> bytes:
    """A part of it stands where another stood."""
    at, size = int(rng.integers(0, max(len(content) // 2, 1))), 200
    return content[:at] + content[-size:] * 3 + content[at:][: len(content) // 3]


def attacks(good: Whole) -> Iterator[Spoiled]:
    """Each named for what it tries."""
    mask, image = ("m.nii.gz", good.mask[".nii.gz"]), ("a.nii.gz", good.volume[".nii.gz"])
    for what, name, content in [*huge(good), *bad_volumes(good), *elsewhere(), *strange(good)]:
        yield Spoiled(f"image: {what}", {"image": (name, content), "mask": mask})
    for what, name, content in [*huge(good), *elsewhere(), *strange(good)][::3]:
        yield Spoiled(f"mask: {what}", {"image": image, "mask": (name, content)})
    for what, content in archives(good):
        yield Spoiled(f"zip: {what}", {"archive": ("a.zip", content)})
        yield Spoiled(f"zip as image: {what}", {"image": ("a.zip", content), "mask": mask})
    for what, table in tables():
        files = {"table.csv": table, "a.nii.gz": image[1], "m.nii.gz": mask[1]}
        yield Spoiled(f"table: {what}", {"archive": ("a.zip", zipped(files))}, "/api/cohort")
    for what, name, content in pictures(good):
        files = {"image_T2-w": (name, content), "mask_T2-w": ("m.png", good.slice_mask)}
        yield Spoiled(f"slice: {what}", files, bundle="toy_mri")
    yield Spoiled("no mask", {"image": image})
    yield Spoiled("mask of another size", {"image": image, "mask": ("m.nrrd", small_volume())})
    yield Spoiled("role with a path", {"image": image, "../../mask": mask})


def small_volume() -> bytes:
    header = b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 4 4 4\nencoding: raw\nspace: left-posterior-superior\n"
    return header + b"space directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\n\n" + b"\1" * 64


def huge(good: Whole) -> Iterator[tuple[str, str, bytes]]:
    """A few bytes that announce more than any memory holds."""
    nifti = bytearray(good.volume[".nii"])
    struct.pack_into("<8h", nifti, 40, 3, 32767, 32767, 32767, 1, 1, 1, 1)
    yield "huge NIfTI", "a.nii", bytes(nifti)
    yield "huge NIfTI, packed", "a.nii.gz", gzip.compress(bytes(nifti))
    struct.pack_into("<8h", nifti, 40, 7, *[32767] * 7)
    yield "NIfTI of seven huge dimensions", "a.nii", bytes(nifti)
    struct.pack_into("<8h", nifti, 40, 3, -5, 0, -32768, 1, 1, 1, 1)
    yield "negative NIfTI", "a.nii", bytes(nifti)
    far = bytearray(good.volume[".nii"])
    struct.pack_into("<f", far, 108, 3e38)
    yield "NIfTI whose voxels lie far away", "a.nii", bytes(far)
    yield "gzip bomb", "a.nii.gz", gzip.compress(good.volume[".nii"] + bytes(2**25), 9)
    size = b"99999999999999999999 99999999999999999999 9"
    yield "huge NRRD", "a.nrrd", b"NRRD0004\ntype: short\ndimension: 3\nsizes: " + size + b"\nencoding: raw\n\nxx"
    packed = b"NRRD0004\ntype: short\ndimension: 3\nsizes: 60000 60000 60000\nencoding: gzip\n\n"
    yield "huge packed NRRD", "a.nrrd", packed + gzip.compress(bytes(2**20))
    yield "NRRD without end", "a.nrrd", b"NRRD0004\n" + b"# comment\n" * 20_000
    meta = b"ObjectType = Image\nNDims = 3\nDimSize = %s\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    yield "huge MHA", "a.mha", meta % b"1000000 1000000 1000000"
    yield "MHA of huge words", "a.mha", meta % (b"9" * 5000)
    yield "MHA of 1000 dimensions", "a.mha", (meta % b"2 2 2").replace(b"NDims = 3", b"NDims = 1000") + bytes(16)
    yield "huge DICOM", "a.dcm", dicom(Rows=65535, Columns=65535)
    yield "DICOM of huge frames", "a.dcm", dicom(NumberOfFrames="2147483647")


def dicom(**tags: object) -> bytes:
    own = dicom_made.header(dicom_made.CLASSES["CT"])
    own.Modality, own.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    own.ImageOrientationPatient, own.PixelSpacing = list(dicom_made.AXIAL), [1, 1]
    own.ImagePositionPatient, own.SliceThickness = [0, 0, 0], 1
    dicom_made.picture(own, np.zeros((8, 8), np.int16))
    own.RescaleSlope, own.RescaleIntercept = 1, 0
    for name, value in tags.items():
        setattr(own, name, value)
    content = io.BytesIO()
    dicom_made.write(content, own)  # type: ignore[arg-type]
    return content.getvalue()


def bad_volumes(good: Whole) -> Iterator[tuple[str, str, bytes]]:
    """Well-formed, and no picture of a patient."""
    shape = toy.SHAPE
    for what, values in {
        "NaN": np.full(shape, np.nan), "infinite": np.full(shape, np.inf), "colours": np.zeros((*shape, 3), np.uint8),
        "one value": np.zeros(shape, np.int16), "two dimensions": np.zeros(shape[1:], np.int16),
        "four dimensions": np.zeros((2, *shape), np.int16), "one voxel": np.zeros((1, 1, 1), np.int16),
        "huge values": np.full(shape, 1e300),
    }.items():  # fmt: skip
        image = sitk.GetImageFromArray(values, isVector=what == "colours")
        if what == "NaN":
            image.SetSpacing(toy.SPACING[::-1])
        yield f"{what}", "a.nii.gz", written(image)
    spoilt = sitk.GetImageFromArray(np.zeros(shape, np.int16))
    spoilt.SetSpacing((1e-30, 1e30, 1.0))
    yield "absurd spacing", "a.nii.gz", written(spoilt)


def written(image: sitk.Image) -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.nii.gz"
        sitk.WriteImage(image, str(path))
        return path.read_bytes()


def elsewhere() -> Iterator[tuple[str, str, bytes]]:
    """Headers that name other files of the server, and names that lead there."""
    nrrd = b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 10 10 10\nencoding: raw\n%s: %s\n\n"
    for field in (b"data file", b"datafile", b"Data File"):
        yield "NRRD with voxels in another file", "a.nrrd", nrrd % (field, b"/etc/passwd")
    yield "NRRD with a list of files", "a.nrrd", nrrd % (b"data file", b"LIST\n/etc/passwd")
    meta = b"ObjectType = Image\nNDims = 3\nDimSize = 10 10 10\nElementType = MET_UCHAR\nElementDataFile %s %s\n"
    for sign, file in ((b"=", b"/etc/passwd"), (b":", b"/etc/passwd"), (b"=", b"LIST"), (b"=", b"%03d 1 3 1")):
        yield "MHA with voxels in another file", "a.mha", meta % (sign, file)
    yield "MHD", "a.mhd", meta % (b"=", b"/etc/passwd")
    yield "NHDR", "a.nhdr", nrrd % (b"data file", b"/etc/passwd")
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 3, 4, 4, 4, 1, 1, 1, 1)
    struct.pack_into("<2h", head, 70, 2, 8)
    head[344:348] = b"ni1\0"
    yield "NIfTI pair", "a.nii", bytes(head)
    yield "name with a path", "../../../tmp/evil.nii.gz", b"\x1f\x8b"


def strange(good: Whole) -> Iterator[tuple[str, str, bytes]]:
    """Other files under these names, these files under other names, nothing."""
    yield "empty", "a.nii.gz", b""
    for name in ("a.tif", "a.exe", "a", "a.pkl", "a.svg", "a.npz", "a.csv", "a.vti"):
        yield f"named {name}", name, good.volume[".nii"]
    for suffix in (".nrrd", ".mha", ".nii.gz", ".png", ".dcm", ".zip"):
        yield f"NIfTI named {suffix}", f"a{suffix}", good.volume[".nii"]
    yield "TIFF with huge sizes", "a.tif", b"II*\0\x08\0\0\0\2\0" + struct.pack("<HHII", 256, 4, 1, 2**31) * 2
    yield "picture as volume", "a.png", good.slice[".png"]
    yield "pickle", "a.nii", b"\x80\x04cos\nsystem\n(S'touch evil'\ntR."
    yield "gzip of nothing", "a.nii.gz", gzip.compress(b"")
    yield "big-endian header, little-endian size", "a.nii", b"\0\0\1\x5c" + good.volume[".nii"][4:]
    deep = good.series[next(iter(good.series))]
    yield "DICOM without pixels", "a.dcm", deep[: deep.find(b"\xe0\x7f\x10\x00")]
    nested = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\xff\xff\xff\xff"
    yield "DICOM of nested sequences", "a.dcm", deep[:400] + nested * 3000
    yield "DICOM of a huge length", "a.dcm", deep[:400] + b"\x10\0\x10\0UN\0\0\xfe\xff\xff\xff" + b"x" * 50


def archives(good: Whole) -> Iterator[tuple[str, bytes]]:
    """Zips that unpack to elsewhere, to too much, or to nothing of use."""
    volume = good.volume[".nii.gz"]
    for name in ("../../evil.nii.gz", "/evil.nii.gz", "..\\evil.nii.gz", "a/../../../evil.nii.gz"):
        yield f"traversal {name}", zipped({"ct.nii.gz": volume, name: volume})
    link = zipfile.ZipInfo("mask.nii.gz")
    link.external_attr = 0o120777 << 16
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as own:
        own.writestr(link, "/etc/passwd")
        own.writestr("ct.nii.gz", volume)
    yield "symlink", content.getvalue()
    yield "bomb", zipped({"ct.nii": good.volume[".nii"] + bytes(2**25)})
    yield "many bombs", zipped({f"{n}.nii": good.volume[".nii"] + bytes(2**20) for n in range(32)})
    yield "nested", zipped({"a.zip": zipped({"b.zip": zipped({"ct.nii.gz": volume})})})
    yield "zip named as volume inside", zipped({"ct.nii.gz": zipped({"ct.nii.gz": volume})})
    yield "too many files", zipped({f"{n}.dcm": b"x" for n in range(200)})
    yield "empty", zipped({})
    yield "unknown files", zipped({"a.exe": b"MZ", "readme.txt": b"hello"})
    yield "two images", zipped({"ct.nii.gz": volume, "ct2/ct.nii.gz": volume})
    yield "LZMA", zipped({"ct.nii.gz": volume}, zipfile.ZIP_LZMA)
    locked = bytearray(zipped({"ct.nii.gz": volume}))
    locked[6] |= 1
    locked[locked.find(b"PK\1\2") + 8] |= 1
    yield "password", bytes(locked)
    wrong = bytearray(zipped({"ct.nii.gz": volume}, zipfile.ZIP_STORED))
    wrong[60] ^= 255
    yield "wrong checksum", bytes(wrong)
    two = dict(list(good.series.items())[:2])
    yield "DICOM with a hole", zipped(two)
    yield "masks alone", zipped({"mask.nii.gz": volume})


def pictures(good: Whole) -> Iterator[tuple[str, str, bytes]]:
    """PNG, JPEG and DICOM slices that are none."""
    png = good.slice[".png"]
    yield "huge PNG", "a.png", chunk_changed(png, 60_000, 60_000)
    yield "PNG of no size", "a.png", chunk_changed(png, 0, 0)
    yield "cut PNG", "a.png", png[:60]
    yield "JPEG of noise", "a.jpg", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4
    frame = good.slice[".jpg"]
    at = frame.find(b"\xff\xc0") + 5
    yield "huge JPEG", "a.jpg", frame[:at] + b"\xff\xff\xff\xff" + frame[at + 4 :]
    yield "colours", "a.png", picture(np.random.default_rng(1).integers(0, 255, (40, 40, 3)).astype(np.uint8), "PNG")
    yield "one pixel", "a.png", picture(np.zeros((1, 1), np.uint8), "PNG")
    yield "one value", "a.png", picture(np.full((40, 40), 7, np.uint8), "PNG")
    yield "zip", "a.zip", zipped({"a.png": png})
    yield "huge DICOM", "a.dcm", dicom(Rows=65535, Columns=65535)
    text = b"tEXt" + b"k\0" + b"x" * 100
    bomb = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    yield "PNG of endless notes", "a.png", png[:33] + bomb * 2000 + png[33:60]


def chunk_changed(png: bytes, width: int, height: int) -> bytes:
    """The PNG with another size in its first chunk, whose checksum is right."""
    head = b"IHDR" + struct.pack(">II", width, height) + png[24:29]
    return png[:12] + head + struct.pack(">I", zlib.crc32(head)) + png[33:]


def tables() -> Iterator[tuple[str, bytes]]:
    """Tables that name nothing, or what they should not."""
    row = b"x,a.nii.gz,m.nii.gz\n"
    yield "no columns", b"\n\n\n"
    yield "other columns", b"a,b\n1,2\n"
    yield "no rows", b"case,ct,tumour\n"
    yield "no text", bytes(range(128, 256)) * 3
    yield "column twice", b"case,ct,ct,tumour\n" + row
    yield "too many rows", b"case,ct,tumour\n" + row * 1000
    yield "ragged", b"case,ct,tumour\n1,2,3,4,5,6\n"
    yield "NUL", b"case,ct,tumour\n\0\0\0\n\0"
