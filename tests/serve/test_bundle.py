"""A bundle is read as it was written, to the byte, or refused by the name of what is wrong."""

import io
import json
import os
import pickle
import random
import shutil
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from fusion import store
from fusion.config import parse
from fusion.errors import BundleError
from fusion.heads.plain import Calibrated, Question
from fusion.serve import bundle as bundles
from fusion.serve import manifest
from fusion.serve.bundle import Bundle
from fusion.serve.parts import Card, Deployed, Judgement, Manifest, Metric, NetworkFile, Range, Ranges

PLACE = "/home/somebody/secret"
RUN = f"""
name: small
output: {PLACE}/run
cache: {PLACE}/cache
jobs: 7
cohort: {{table: {PLACE}/table.csv, positive_name: cancer}}
split: {{file: {PLACE}/splits.csv}}
network: {{weights: {PLACE}/w.safetensors}}
"""


def write(folder: Path) -> Bundle:
    """A bundle that is quick to read: its networks are no networks."""
    stem = "networks/-/tumour_DL_fold0_seed0"
    net = NetworkFile(question="", source="tumour_DL", fold=0, seed=0, branches=(0,), onnx=f"{stem}.onnx",
                      weights=f"{stem}.safetensors")  # fmt: skip
    models = {"Tumor_DL": Calibrated(source="tumour_DL", factor=0.5, offsets=(0.1,))}
    question = Question(name="", classes=("benign", "cancer"), radiomics={}, networks=("tumour_DL",), models=models)
    judgement = Judgement(threshold=0.5, rule="fixed", calibration={"benign": (0.1,), "cancer": (0.9,)}, error=0.1)
    card = Card(name="small", intended_use="To test.", headline="Tumor_DL", data=("2 cases.",), limits=("Few.",),
                metrics=(Metric(model="Tumor_DL", set="test", values={"n": 2, "auc": None}),),
                versions={"fusion": "1"})  # fmt: skip
    ranges = Ranges(features={}, clinical={"age": Range(low=1, high=2, n=2)}, hu={}, spacing_mm={})
    made = folder.parent / f"{folder.name}_networks"
    made.mkdir(parents=True)
    noise = random.Random(0)
    for name, size in (("onnx", 5000), ("safetensors", 300)):
        (made / name).write_bytes(noise.randbytes(size))
    deployed = Deployed(questions=(question,), networks=(net,), judgements={"Tumor_DL": judgement})
    files = {net.onnx: made / "onnx", net.weights: made / "safetensors"}
    return bundles.write(folder, deployed, ranges, card, parse(RUN), files)


@pytest.fixture
def small(tmp_path) -> Path:
    return write(tmp_path / "small").contents.where


@pytest.fixture
def packed(small, tmp_path) -> Path:
    bundles.pack(bundles.read(small), tmp_path / "small.zip")
    return tmp_path / "small.zip"


def refused(path: Path) -> str:
    """What is said of a bundle that is refused."""
    with pytest.raises(BundleError) as error:
        bundles.read(path)
    return str(error.value)


def sealed(folder: Path) -> None:
    """The manifest of what is in ``folder`` now, by someone who knows how to write one."""
    known = Manifest.model_validate_json((folder / "manifest.json").read_bytes())
    found = {path: store.sha256(folder / path) for path in known.files}
    told = known.model_copy(update={"files": found})
    (folder / "manifest.json").write_bytes(manifest.written(told))


def listing(folder: Path, path: str) -> None:
    """A well-formed manifest that lists ``path`` too."""
    known = Manifest.model_validate_json((folder / "manifest.json").read_bytes())
    told = known.model_copy(update={"files": {**known.files, path: "0" * 64}})
    (folder / "manifest.json").write_bytes(manifest.written(told))


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def flipped(content: bytes, place: int, bit: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]


def test_what_was_written_is_read_back(small):
    own = bundles.read(small)
    assert (own.name, own.manifest.kind, own.deployed.networks[0].source) == ("small", "regions", "tumour_DL")
    assert own.bytes(own.deployed.networks[0].weights) == (small.parent / "small_networks/safetensors").read_bytes()
    assert own.ranges.clinical["age"].high == 2
    assert own.run.cohort.positive_name == "cancer"
    assert len(own.digest) == 64


def test_equal_bundles_are_equal_bytes_as_folders_and_packed(small, packed, tmp_path):
    again = write(tmp_path / "other/small")
    for path in files(small):
        assert path.read_bytes() == (again.contents.where / path.relative_to(small)).read_bytes()
    bundles.pack(again, tmp_path / "other.zip")
    bundles.pack(bundles.read(packed), tmp_path / "third.zip")
    assert packed.read_bytes() == (tmp_path / "other.zip").read_bytes() == (tmp_path / "third.zip").read_bytes()
    assert bundles.read(packed).digest == again.digest


def test_nothing_of_the_machine_is_in_it(packed):
    content, own = packed.read_bytes(), bundles.read(packed).run
    assert b"secret" not in content
    assert b"somebody" not in content
    assert (own.output, own.cache, own.jobs, own.split.file) == (None, None, 0, None)
    assert own.network is not None
    assert (str(own.cohort.table), own.network.weights) == ("cohort.csv", "w.safetensors")


def test_any_changed_byte_of_any_file_is_refused(small):
    draw = random.Random(1)
    for path in files(small):
        content = path.read_bytes()
        for place in {0, len(content) - 1, *draw.choices(range(len(content)), k=40)}:
            path.write_bytes(flipped(content, place, draw.randrange(8)))
            told = refused(small)
            assert "manifest.json" in told if path.name == "manifest.json" else path.name in told
        path.write_bytes(content)
    bundles.read(small)


def test_every_byte_of_the_manifest_counts(small):
    path, draw = small / "manifest.json", random.Random(2)
    content = path.read_bytes()
    for place in range(len(content)):
        with pytest.raises(BundleError):
            manifest.read(flipped(content, place, draw.randrange(8)), "manifest.json")
    for other in (
        content + b"\n",
        content.replace(b"\n", b"\r\n"),
        content.replace(b": ", b":"),
        b"",
        b"{}",
        b"[" * 9999,
    ):
        path.write_bytes(other)
        refused(small)


def test_any_changed_byte_of_a_zip_is_refused(packed):
    content, draw = packed.read_bytes(), random.Random(3)
    directory = content.index(b"PK\x01\x02")
    for place in [*range(directory, len(content), 3), *draw.choices(range(directory), k=150)]:
        packed.write_bytes(flipped(content, place, draw.randrange(8)))
        assert packed.name in refused(packed)
    for end in draw.choices(range(len(content)), k=100):
        packed.write_bytes(content[:end])
        assert packed.name in refused(packed)
    for other in (content + b"\0", b"\0" + content, content + content):
        packed.write_bytes(other)
        refused(packed)


def test_truncated_files_are_refused_by_name(small):
    for path in files(small):
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        assert path.name in refused(small)
        path.write_bytes(content)


def test_every_fault_is_told_at_once(small):
    (small / "heads.json").write_text("{}")
    (small / "card.md").unlink()
    (small / "notes.txt").write_text("mine")
    told = refused(small).splitlines()
    assert len(told) == 3
    assert sum("heads.json: found changed bytes" in line for line in told) == 1
    assert sum("card.md: found no such file" in line for line in told) == 1
    assert sum("notes.txt: found a file that the manifest does not list" in line for line in told) == 1


class Planted:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark: str) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (self.mark,)


@pytest.mark.parametrize("name", ["heads.pkl", "networks/-/weights.pt", "heads.npy", "heads.joblib", "__init__.py"])
def test_a_planted_pickle_is_refused_and_not_opened(small, tmp_path, name):
    (small / name).write_bytes(pickle.dumps(Planted(str(tmp_path / "mark"))))
    assert f"{name}: found a file that the manifest does not list" in refused(small)
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("name", ["heads.json", "run.yaml", "networks/-/tumour_DL_fold0_seed0.safetensors"])
def test_a_pickle_in_the_place_of_a_file_is_refused_and_not_opened(small, tmp_path, name):
    (small / name).write_bytes(pickle.dumps(Planted(str(tmp_path / "mark"))))
    assert f"{name}: found changed bytes" in refused(small)
    sealed(small)
    if not name.endswith(".safetensors"):
        assert name in refused(small)
    assert not (tmp_path / "mark").exists()


def test_a_listed_pickle_is_no_file_that_a_bundle_has(small, tmp_path):
    (small / "heads.pkl").write_bytes(pickle.dumps(Planted(str(tmp_path / "mark"))))
    listing(small, "heads.pkl")
    assert "the path heads.pkl" in refused(small)


def test_a_newer_format_is_refused_by_its_number(small):
    raw = json.loads((small / "manifest.json").read_text())
    (small / "manifest.json").write_text(json.dumps({**raw, "format": 3, "signature": "what is not known yet"}))
    assert "format 3, written by a newer fusion" in refused(small)


@pytest.mark.parametrize("format_", [True, "1", 0, -1, None, 1.5])
def test_a_format_that_is_none_is_refused(small, format_):
    raw = json.loads((small / "manifest.json").read_text())
    (small / "manifest.json").write_text(json.dumps({**raw, "format": format_}, indent=1) + "\n")
    refused(small)


def test_unknown_names_are_refused_even_with_a_new_seal(small):
    for name in ("heads.json", "ranges.json", "card.json"):
        content = (small / name).read_text()
        (small / name).write_text(json.dumps({**json.loads(content), "more": 1}))
        sealed(small)
        assert f"{name}: found more" in refused(small)
        (small / name).write_text(content)
    sealed(small)
    bundles.read(small)


@pytest.mark.parametrize(
    "path", ["../outside", "/etc/passwd", "networks/../../outside", "networks//x", "C:\\x", "networks/.x", "other.json"]
)
def test_paths_that_no_bundle_has_are_refused(small, path):
    listing(small, path)
    assert "expected paths of a bundle" in refused(small)


def test_links_are_refused(small, tmp_path):
    card, elsewhere = small / "card.md", tmp_path / "card.md"
    shutil.move(card, elsewhere)
    card.symlink_to(elsewhere)
    assert "card.md: found a symbolic link" in refused(small)
    card.unlink()
    shutil.move(elsewhere, card)
    shutil.move(small / "networks", tmp_path / "networks")
    (small / "networks").symlink_to(tmp_path / "networks", target_is_directory=True)
    assert "networks: found a symbolic link" in refused(small)


def test_what_is_no_plain_file_is_refused_and_not_waited_for(small):
    (small / "card.md").unlink()
    os.mkfifo(small / "card.md")
    assert "card.md: found no plain file" in refused(small)


def test_what_changes_after_the_reading_is_not_used(small):
    own = bundles.read(small)
    path = own.deployed.networks[0].onnx
    (small / path).write_bytes(b"\0" + (small / path).read_bytes()[1:])
    with pytest.raises(BundleError, match="changed bytes"):
        own.bytes(path)
    with pytest.raises(BundleError, match="does not list"):
        own.bytes("../small_networks/onnx")


def entries(packed: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(packed) as archive:
        return {own.filename: archive.read(own) for own in archive.infolist()}


def entry(name: str, attributes: int = 0o644 << 16, how: int = zipfile.ZIP_STORED) -> zipfile.ZipInfo:
    own = zipfile.ZipInfo(name)
    own.external_attr, own.compress_type = attributes, how
    return own


ATTACKS = {
    "twice": (entry("heads.json"), b"{}", "heads.json: found a file that is there twice"),
    "absolute": (entry("/x"), b"x", "found an absolute path"),
    "windows": (entry("C:\\x"), b"x", "found an absolute path"),
    "upwards": (entry("networks/../../x"), b"x", "found a path that leads out of the bundle"),
    "link": (entry("networks/x", (stat.S_IFLNK | 0o777) << 16), b"/etc/passwd", "found a symbolic link"),
    "bomb": (entry("networks/x", how=zipfile.ZIP_DEFLATED), bytes(10**7), "say they unpack to 10000000"),
    "folder": (entry("networks/"), b"", "differs from what"),
    "hidden": (entry("networks/x\0.onnx"), b"x", "found"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")  # zipfile's own, of the attack
@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_by_zip_are_refused_by_name(packed, attack):
    own, content, told = ATTACKS[attack]
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr(own, content, compress_type=own.compress_type)
    assert told in refused(packed)


def test_a_zip_that_lies_about_sizes_is_refused(packed):
    content = bytearray(packed.read_bytes())
    central = content.index(b"PK\x01\x02")
    for size in (0, 1, 2**31, 2**32 - 1):
        struct.pack_into("<I", content, central + 24, size)  # of the first file, as it would be unpacked
        packed.write_bytes(content)
        refused(packed)


def test_a_zip_with_more_than_it_may_hold_is_refused(packed, monkeypatch):
    monkeypatch.setattr("fusion.serve.contents.LARGEST_GB", 1e-6)
    assert "GB at most" in refused(packed)


def test_a_zip_of_another_packer_is_told_what_to_do(packed, tmp_path):
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
        for name, content in entries(packed).items():
            archive.writestr(name, content)
    assert "unpack it and name the folder, or pack it with `fusion bundle DIR --zip FILE`" in refused(
        tmp_path / "own.zip"
    )


def test_an_encrypted_or_foreign_file_is_refused(packed, tmp_path):
    for content in (b"", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"GIF89a", io.BytesIO(b"x" * 10**5).getvalue()):
        (tmp_path / "x.zip").write_bytes(content)
        refused(tmp_path / "x.zip")
    content = bytearray(packed.read_bytes())
    struct.pack_into("<H", content, content.index(b"PK\x01\x02") + 8, 1)
    packed.write_bytes(content)
    assert "encrypted" in refused(packed)


def test_folders_without_a_bundle_say_how_to_get_one(tmp_path):
    assert "no such file or folder" in refused(tmp_path / "nowhere")
    assert "no manifest.json" in refused(tmp_path)
    (tmp_path / "run.yaml").write_text("name: a")
    assert f"`fusion bundle {tmp_path}`" in refused(tmp_path)


def test_a_bundle_is_never_written_over_another(small):
    with pytest.raises(FileExistsError):
        write(small)
    bundles.read(small)
