import importlib.util
import io
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fusion.config import load
from fusion.data import cohort
from fusion.data.case import load as load_case
from fusion.errors import CohortError
from fusion.roi.region import regions

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "experiments/lidc/build.py"
DATA = ROOT.parent / "shared/data/lidc_nodules"
spec = importlib.util.spec_from_file_location("lidc_build", SCRIPT)
lidc = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lidc)
real = pytest.mark.skipif(not DATA.is_dir(), reason=f"the LIDC patches are not at {DATA}")


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def nodule(slices, readers=3, size=64):
    """Slice k has grey value k; every reader draws a disc in all slices."""
    y, x = np.ogrid[:size, :size]
    disc = np.uint8(255) * ((y - size / 2) ** 2 + (x - size / 2) ** 2 < 36)
    files = {f"images/slice-{k}.png": png(np.full((size, size), k, np.uint8)) for k in range(slices)}
    for reader in range(4):
        drawn = disc if reader < readers else np.zeros_like(disc)
        files |= {f"mask-{reader}/slice-{k}.png": png(drawn) for k in range(slices)}
    return files


def label(case, slices, **changes):
    row = {"patient": case, "nodule": "nodule-0", "label": "benign", "n_slices": slices, "n_annotators": 3,
           "eq_diam_mm": 8.0, "voxel_volume_mm3_est": 1.225}  # fmt: skip
    return row | changes


def source(folder, nodules, labels):
    folder.mkdir()
    pd.DataFrame(labels).to_csv(folder / "labels.csv", index=False)
    with tarfile.open(folder / "lidc_nodules.tar.gz", "w:gz") as tar:
        for case, files in nodules.items():
            for name, content in files.items():
                member = tarfile.TarInfo(f"LIDC-IDRI-slices/{case}/nodule-0/{name}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return folder


@pytest.fixture
def two(tmp_path):
    labels = [label("a", 12), label("b", 1, label="malignant")]
    return source(tmp_path / "in", {"a": nodule(12), "b": nodule(1)}, labels)


@given(st.floats(0.096, 4.8))
def test_spacing_has_the_voxel_volume_and_lengths_that_lidc_has(volume):
    z, y, x = lidc.spacing_mm(volume)
    assert z * y * x == pytest.approx(volume, rel=1e-4)
    assert 0.45 <= z <= 5.0
    assert 0.459 <= y == x <= 0.981


@pytest.mark.parametrize(
    ("votes", "kept"),
    [([1, 1, 0, 0], False), ([1, 0, 1, 0], False), ([1, 1, 0], True), ([1, 0, 0], False), ([1, 0], False), ([1], True)],
)
def test_consensus_asks_for_two_and_half_of_those_who_drew(votes, kept):
    masks = np.zeros((4, 1, 2, 4), dtype=bool)
    masks[: len(votes), 0, 0, 0] = True  # every reader drew something
    masks[: len(votes), 0, 1, 1] = np.array(votes, dtype=bool)
    assert bool(lidc.consensus(masks)[0, 1, 1]) is (kept or sum(votes) >= 2)


def test_no_reader_draws_nothing():
    assert not lidc.consensus(np.zeros((4, 2, 3, 3), dtype=bool)).any()


@given(st.integers(1, 5), st.floats(0.45, 5.0))
def test_edge_slices_repeat_the_image_and_not_the_mask(slices, slice_mm):
    image = np.arange(slices * 4, dtype=np.uint8).reshape(slices, 2, 2)
    padded, mask = lidc.with_edges(image, np.ones(image.shape, dtype=bool), slice_mm)
    more = (len(padded) - slices) // 2
    assert more * slice_mm >= 8
    assert (padded[:more] == image[0]).all()
    assert (padded[-more:] == image[-1]).all()
    assert mask.any(axis=(1, 2)).nonzero()[0].tolist() == list(range(more, more + slices))


def test_slices_are_stacked_in_numeric_order(two, tmp_path):
    run = load(ROOT / "configs/lidc.yaml", [f"cohort.table={lidc.build(two, tmp_path / 'out')}"])
    case = load_case(cohort.read(run.cohort, run.seed).files[0], run.cohort, run.roi.resample_mask)
    inside = case.image[case.tumour.any(axis=(1, 2))]
    assert inside[:, 0, 0].tolist() == list(range(12))


def test_the_config_reads_every_row_and_finds_both_regions(two, tmp_path):
    run = load(ROOT / "configs/lidc.yaml", [f"cohort.table={lidc.build(two, tmp_path / 'out')}"])
    table = cohort.read(run.cohort, run.seed)
    found = [regions(load_case(files, run.cohort, False), run.roi) for files in table.files]
    assert table.rows["event"].tolist() == [0, 1]
    assert [bool((each["tumour"] & each["external2"]).any()) for each in found] == [False, False]


def test_the_table_has_no_opinion_of_a_reader_but_the_outcome(two, tmp_path):
    table = pd.read_csv(lidc.build(two, tmp_path / "out"))
    assert list(table) == ["case", "patient", "ct", "tumour", "label", "diameter_mm", "n_slices"]


def test_every_fault_of_every_nodule_comes_at_once_and_nothing_is_written(tmp_path):
    nodules = {case: nodule(3) for case in "abcdef"}
    del nodules["a"]["images/slice-1.png"]
    nodules["b"]["images/slice-0.png"] = b"no picture"
    nodules["c"]["mask-1/slice-2.png"] = png(np.zeros((64, 60), np.uint8))
    nodules["d"]["mask-0/slice-0.png"] = nodules["d"]["mask-0/slice-0.png"][:-20]
    nodules["e"]["mask-2/slice-1.png"] = png(np.full((64, 64), 7, np.uint8))
    labels = [label(case, 3) for case in "abcde"] + [label("f", 3, n_annotators=4), label("g", 2)]
    with pytest.raises(CohortError) as error:
        lidc.build(source(tmp_path / "in", nodules, labels), tmp_path / "out")
    assert [fault.case[0] for fault in error.value.faults] == list("abcdefgg")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"label": "unsure"}, "label 'unsure'"),
        ({"voxel_volume_mm3_est": 40.0}, "voxel_volume_mm3_est 40"),
        ({"n_slices": "three"}, "n_slices nan"),
        ({"patient": "../../a"}, "an id that cannot name a file"),
    ],
)
def test_a_row_of_the_labels_that_cannot_be_used_is_named(tmp_path, changes, word):
    with pytest.raises(CohortError, match=word):
        lidc.build(source(tmp_path / "in", {"a": nodule(3)}, [label("a", 3, **changes)]), tmp_path / "out")


def test_a_cut_archive_is_a_fault(two, tmp_path):
    archive = two / "lidc_nodules.tar.gz"
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(CohortError, match="unreadable archive"):
        lidc.build(two, tmp_path / "out")


def test_the_command_line_ends_with_a_message_and_no_traceback(tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, tmp_path, tmp_path / "out"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "labels.csv" in done.stderr
    assert "Traceback" not in done.stderr


@real
def test_the_thinnest_real_nodules_have_both_regions(tmp_path):
    (tmp_path / "in").mkdir()
    labels = pd.read_csv(DATA / "labels.csv").sort_values("n_slices").groupby("label").head(8)
    labels.to_csv(tmp_path / "in/labels.csv", index=False)
    (tmp_path / "in/lidc_nodules.tar.gz").symlink_to(DATA / "lidc_nodules.tar.gz")
    run = load(ROOT / "configs/lidc.yaml", [f"cohort.table={lidc.build(tmp_path / 'in', tmp_path / 'out')}"])
    files = cohort.read(run.cohort, run.seed).files
    assert len([regions(load_case(own, run.cohort, False), run.roi) for own in files]) == 16


@real
@pytest.mark.slow
def test_all_real_nodules_are_built(tmp_path):
    table = pd.read_csv(lidc.build(DATA, tmp_path))
    assert table["label"].value_counts().to_dict() == {"malignant": 126, "benign": 107}
    assert table["patient"].nunique() == 157
