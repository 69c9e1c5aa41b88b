"""Rings edited in ITK-SNAP or 3D Slicer and saved as these do: found by the next start, used, and recorded."""

import shutil

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from fusion.data.image import Geometry, Labels, read_labels, to_sitk
from fusion.errors import FusionError
from fusion.flow.run import EXTRACT, REGIONS, part
from fusion.roi.refined import dice
from tests import toy
from tests.data.slicer_made import segmentation


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """A cohort, and a run over it whose rings are written."""
    folder = tmp_path_factory.mktemp("cohort")
    toy.cohort(folder)
    own = toy.run(folder)
    part(own, REGIONS)
    return own


@pytest.fixture
def begun(cohort, tmp_path):
    """A run of one's own whose rings are written."""
    folder = shutil.copytree(cohort.folder, tmp_path / "run")
    return cohort.model_copy(update={"output": folder})


def written(run, case: str) -> Labels:
    return read_labels(run.folder / f"regions/{case}_external2.nii.gz")


def edited(labels: Labels) -> np.ndarray:
    """The ring without its right part."""
    ring = labels.values > 0
    ring[:, :, 20:] = False
    return ring


def saved_as(run, case: str, name: str) -> np.ndarray:
    """Edit the ring of ``case`` and save it under ``name`` in the way of the program that would name it so."""
    labels = written(run, case)
    ring, path = edited(labels), run.folder / f"regions/{name}"
    if name.endswith(".seg.nrrd"):
        low, high = np.argwhere(ring).min(axis=0), np.argwhere(ring).max(axis=0) + 1
        box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        step = np.asarray(labels.geometry.spacing_mm)
        origin = np.asarray(labels.geometry.origin_mm) + (low * step)[::-1]
        crop = Geometry(ring[box].shape, labels.geometry.spacing_mm, tuple(origin.tolist()), labels.geometry.direction)
        segmentation(path, [ring[box] * 1], [("Segment_1", 1, 0)], crop)
    elif name.endswith(".nrrd"):
        turned = sitk.Flip(to_sitk(ring.astype(np.uint8), labels.geometry), [True, True, False])
        sitk.WriteImage(sitk.PermuteAxes(turned, [2, 0, 1]), str(path))
    else:
        sitk.WriteImage(to_sitk(ring.astype(np.uint8), labels.geometry), str(path))
    return ring


NAMES = {"c0": "c0_external2.nii.gz", "c1": "c1_external2.nii.gz.seg.nrrd", "c2": "c2_external2_edited.nrrd",
         "c3": "c3_external2.mha"}  # fmt: skip


def test_rings_saved_by_either_program_are_used_and_recorded(begun):
    before = {case: written(begun, case).values > 0 for case in NAMES}
    rings = {case: saved_as(begun, case, name) for case, name in NAMES.items()}
    part(begun, EXTRACT)
    table = pd.read_csv(begun.folder / "regions/rings.csv").set_index("case")
    assert (table["ring"].drop(list(NAMES)) == "automatic").all()
    assert (table["dice"].drop(list(NAMES)) == 1).all()
    volume = pd.read_parquet(begun.folder / "features/radiomics_external2.parquet")["original_shape_VoxelVolume"]
    for case, ring in rings.items():
        assert table.loc[case, "ring"] == "edited"
        assert table.loc[case, "dice"] == pytest.approx(dice(ring, before[case]))
        assert (table.loc[case, "voxels"], table.loc[case, "automatic_voxels"]) == (ring.sum(), before[case].sum())
        assert volume[case] == ring.sum() * 3.0


def test_labels_for_both_programs_lie_beside_the_rings(begun):
    names = {path.name for path in (begun.folder / "regions").iterdir()}
    assert {"labels_itksnap.txt", "labels_slicer.ctbl", "README.txt", "rings.csv"} <= names


def test_what_cannot_be_used_is_told_with_case_and_file_at_once(begun):
    folder = begun.folder / "regions"
    labels = written(begun, "c4")
    over = np.maximum(labels.values, read_labels(begun.cohort.table.parent / "c4_tumour.nii.gz").values)
    sitk.WriteImage(to_sitk(over, labels.geometry), str(folder / "c4_external2_edited.nii.gz"))
    sitk.WriteImage(to_sitk(over * 0, labels.geometry), str(folder / "c5_external2.nii.gz"))
    far = to_sitk(labels.values, labels.geometry)
    far.SetOrigin((500.0, 0.0, 0.0))
    sitk.WriteImage(far, str(folder / "c6_external2.mha"))
    saved_as(begun, "c7", "c77_external2_edited.nii.gz")
    with pytest.raises(FusionError) as caught:
        part(begun, REGIONS)
    told = str(caught.value).splitlines()
    assert len(told) == 4
    for case, file, reason in (
        ("case c4: ", "c4_external2_edited.nii.gz", "found a ring over the tumour"),
        ("case c5: ", "c5_external2.nii.gz", "found no voxel with label 1 (labels: 0)"),
        ("case c6: ", "c6_external2.mha", "found 100% of the mask outside the image"),
        ("", "c77_external2_edited.nii.gz", "found a ring of 'c77', which is no case"),
    ):
        assert any(line.startswith(f"{case}{folder / file}: {reason}") for line in told), (file, told)


def test_two_edited_rings_of_a_case_are_not_chosen_from(begun):
    for name in ("c0_external2.mha", "c0_external2_edited.nrrd"):
        saved_as(begun, "c0", name)
    with pytest.raises(FusionError, match=r"2 edited rings \(c0_external2.mha, c0_external2_edited.nrrd\)"):
        part(begun, REGIONS)


def test_a_ring_given_in_the_table_is_given_until_it_is_edited(cohort, tmp_path):
    source, labels = cohort.cohort.table.parent, written(cohort, "c0")
    sitk.WriteImage(to_sitk(edited(labels).astype(np.uint8), labels.geometry), str(tmp_path / "ring.nii.gz"))
    table = pd.read_csv(source / "table.csv").assign(external2=[str(tmp_path / "ring.nii.gz")] + [""] * 15)
    for column in ("ct", "tumour"):
        table[column] = [str(source / name) for name in table[column]]
    table.to_csv(tmp_path / "table.csv", index=False)
    own = toy.run(tmp_path)
    for _ in range(2):
        part(own, REGIONS)
        assert pd.read_csv(own.folder / "regions/rings.csv").set_index("case").loc["c0", "ring"] == "given"
    ring = edited(labels)
    ring[np.flatnonzero(ring.any(axis=(1, 2)))[0]] = False
    sitk.WriteImage(to_sitk(ring.astype(np.uint8), labels.geometry), str(own.folder / "regions/c0_external2.nii.gz"))
    part(own, REGIONS)
    row = pd.read_csv(own.folder / "regions/rings.csv").set_index("case").loc["c0"]
    assert (row["ring"], row["voxels"]) == ("edited", ring.sum())
