"""Series of real scanners: each read as its twin, or refused for the reason that its source tells."""

import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from scipy.ndimage import map_coordinates

from fusion.config.cohort import Cohort
from fusion.config.dicom import Dicom
from fusion.data.case import Files, load
from fusion.data.dicom.acquisition import acquisition
from fusion.data.dicom.rtstruct import read_structure
from fusion.data.dicom.seg import read_segment
from fusion.data.image import Image, Labels, read_image, read_labels, regrid, to_sitk
from fusion.data.roi_name import TUMOUR
from fusion.errors import CohortError

SHARED = Path(__file__).parents[3] / "shared/data"
EDGE, STS = SHARED / "dicom_edge_cases/dicom_edge_cases.tar.gz", SHARED / "sts/dicom.tar.gz"

READ = {
    "dicom2nifti/generic/compressed/001": "dicom2nifti/generic/compressed/001_ground_truth.nii.gz",
    "dicom2nifti/generic/compressed_j2k/001": "dicom2nifti/generic/compressed_j2k/001_ground_truth.nii.gz",
    "dicom2nifti/generic/compressed_jpeg/001": "dicom2nifti/generic/compressed_jpeg/001_ground_truth.nii.gz",
    "dicom2nifti/generic/compressed_jpegls/001": "dicom2nifti/generic/compressed_jpegls/001_ground_truth.nii.gz",
    "dicom2nifti/generic/compressed_rle/001": "dicom2nifti/generic/compressed_rle/001_ground_truth.nii.gz",
    "dicom2nifti/hyperfine/anatomical/001": "dicom2nifti/hyperfine/anatomical/001_ground_truth.nii.gz",
    "dicom2nifti/failing/slicecount/001": "dicom2nifti/failing/slicecount/001_ground_truth.nii.gz",
    "ibsi/ibsi_1_ct_radiomics_phantom/dicom/image": "ibsi/ibsi_1_ct_radiomics_phantom/nifti/image/phantom.nii.gz",
    "dcmqi/23x38x3/image": "dcmqi/23x38x3/multiframe",
    "dcmqi/24x38x3/image": "dcmqi/24x38x3/multiframe",
    "mirp/seg_dicom4qi/data_5/image": "dcmqi/23x38x3/multiframe",
    "dcmqi/ct-3slice": None,
    "dicom2nifti/generic/anatomical/001": None,
    "dicom2nifti/generic/anatomical/002_non_isotropic": None,
    "dicom2nifti/ge/anatomical/001_implicit": None,
    "dicom2nifti/philips_enhanced/anatomical/001": None,
    "rt-utils/tests/mock_data": None,
    "rt-utils/tests/oriented_data": None,
}
"""Series and twin; without one, ITK's reader, which sorts and scales by itself, is the twin."""
FILLED = Dicom(missing_slices="interpolate")
MENDED = {
    ("dicom2nifti/failing/gantrytilting/001", Dicom()): ("a gantry tilt of 14 degrees",),
    ("dicom2nifti/failing/sliceincrement/001", FILLED): ("1 of 5 slices made",),
    ("dicom2nifti/failing/sliceincrement/002", FILLED): ("a gantry tilt of 15.5 degrees", "1 of 5 slices made"),
}
"""Series and config, and what is told; their twin is scipy's, as dicom2nifti's own twin of the last has an empty slice
and slices 0.778 mm apart, which is the table's step and not the one between tilted planes (0.750 mm).
"""
REFUSED = {
    "dicom2nifti/failing/notavolume/001": "several images at one position",
    "dicom2nifti/failing/sliceincrement/001": "from 5 to 10 mm: 1 slice missing",
    "dicom2nifti/failing/sliceincrement/002": "1 slice missing",
    "dicom2nifti/failing/sliceorientation/001": "several orientations",
    "dicom2nifti/ge/anatomical/001_single_slice": "a single slice",
    "dicom2nifti/generic/rgb/001": "no CT, MR or PET series (1: secondary captures",
    "rt-utils/tests/one_slice_data": "a single slice",
    "rt-utils/tests/empty": "no CT, MR or PET series (1: RT structures",
    "dcmqi/23x38x3/seg": "no CT, MR or PET series (1: a segmentation",
    "highdicom": "no readable DICOM (no DICOM file)",
}
UNMENDED = {
    ("dicom2nifti/failing/gantrytilting/001", Dicom(tilt="refuse")): "a gantry tilt of 14 degrees: slices are stacked",
    ("dicom2nifti/failing/sliceincrement/002", FILLED.model_copy(update={"tilt": "refuse"})): "set cohort.dicom.tilt",
    ("dicom2nifti/failing/notavolume/001", FILLED): "which differ in acquisition",
    ("dicom2nifti/failing/sliceorientation/001", FILLED): "several orientations",
}
"""Series that a config does not mend, and the reason."""
SEGMENTS = {
    ("dcmqi/liver.dcm", None): ("dcmqi/ct-3slice", "dcmqi/liver_seg.nrrd", 1),
    ("dcmqi/partial_overlaps.dcm", "GREEN"): ("dcmqi/ct-3slice", "dcmqi/partial_overlaps-1.nrrd", 1),
    ("dcmqi/partial_overlaps.dcm", "LIGHT_BLUE"): ("dcmqi/ct-3slice", "dcmqi/partial_overlaps-1.nrrd", 4),
    ("dcmqi/partial_overlaps.dcm", "ORANGE"): ("dcmqi/ct-3slice", "dcmqi/partial_overlaps-2.nrrd", 2),
    ("dcmqi/partial_overlaps.dcm", "PURPLE"): ("dcmqi/ct-3slice", "dcmqi/partial_overlaps-3.nrrd", 3),
    ("dcmqi/23x38x3/seg/label.seg", None): ("dcmqi/23x38x3/image", "dcmqi/23x38x3/nrrd/label.nrrd", 1),
    ("dcmqi/24x38x3/seg/label.seg", None): ("dcmqi/24x38x3/image", "dcmqi/24x38x3/nrrd/label.nrrd", 1),
    ("dcmqi/sparse-labelmap-noppv.dcm", None): ("dcmqi/24x38x3/image", "dcmqi/sparse_labelmap_noppv_seg.nrrd", 1),
    ("mirp/seg_dicom4qi/data_5/mask/mask.dcm", None): (
        "mirp/seg_dicom4qi/data_5/image", "dcmqi/23x38x3/nrrd/label.nrrd", 1),
}  # fmt: skip


@pytest.fixture(scope="module")
def edge(tmp_path_factory) -> Path:
    return _unpacked(EDGE, tmp_path_factory.mktemp("edge"))


@pytest.fixture(scope="module")
def sts(tmp_path_factory) -> Path:
    return _unpacked(STS, tmp_path_factory.mktemp("sts"))


def _unpacked(archive: Path, folder: Path) -> Path:
    if not archive.is_file():
        pytest.skip("the environment's shared data are not here")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder


@pytest.mark.parametrize("name", READ)
def test_a_series_is_its_twin(edge, name):
    own = read_image(edge / name)
    twin = _by_itk(edge / name) if READ[name] is None else _on(own, read_image(edge / READ[name]))
    assert np.abs(own.values - twin).max() <= 1e-4 * max(1.0, float(np.abs(twin).max()))


def _on(own: Image, other: Image) -> np.ndarray:
    """``other``, which may have its axes turned, on the grid of ``own``; nothing of it may be lost."""
    assert own.values.size == other.values.size
    moved = sitk.Resample(to_sitk(other.values, other.geometry), own.geometry.blank(), sitk.Transform(),
                          sitk.sitkNearestNeighbor, -1e6)  # fmt: skip
    return sitk.GetArrayFromImage(moved)


def _by_itk(folder: Path) -> np.ndarray:
    reader = sitk.ImageSeriesReader()
    (series,) = reader.GetGDCMSeriesIDs(str(folder))
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder), series))
    values = sitk.GetArrayFromImage(reader.Execute())
    return values.reshape(values.shape[-3:])


@pytest.mark.parametrize(("name", "dicom"), MENDED)
def test_slices_aslant_or_missing_lie_where_other_arithmetic_puts_them(edge, name, dicom):
    own = read_image(edge / name, dicom)
    assert all(any(told in note for note in own.notes) for told in MENDED[name, dicom])
    twin = _by_scipy(edge / name, own)
    assert np.isnan(twin).mean() < 0.02
    assert np.allclose(own.values, np.where(np.isnan(twin), -1024, twin), atol=0.05)
    assert "" in own.reference.instances


def _by_scipy(folder: Path, own: Image) -> np.ndarray:
    """The pictures of a folder at the voxels of ``own``: each looked up at a voxel's foot point on it, the two next to
    the voxel weighted by their distances; NaN outside.
    """
    slices = [pydicom.dcmread(path) for path in folder.rglob("*.dcm")]
    row, column = np.reshape(np.array(slices[0].ImageOrientationPatient, float), (2, 3))
    normal = np.cross(row, column)
    slices.sort(key=lambda one: float(np.array(one.ImagePositionPatient, float) @ normal))
    z, y, x = np.indices(own.values.shape)
    steps = np.stack([x, y, z], -1) * own.geometry.spacing_mm[::-1]
    places = steps @ np.reshape(own.geometry.direction, (3, 3)).T + own.geometry.origin_mm

    def looked_up(one):
        offset = places - np.array(one.ImagePositionPatient, float)
        index = (offset @ column / one.PixelSpacing[0], offset @ row / one.PixelSpacing[1])
        grey = one.pixel_array * float(one.RescaleSlope) + float(one.RescaleIntercept)
        held = [np.where(np.abs(at - np.round(at)) < 1e-4, np.round(at), at) for at in index]
        return map_coordinates(grey, held, order=1, mode="constant", cval=np.nan)

    heights = np.array([np.array(one.ImagePositionPatient, float) @ normal for one in slices])
    at = np.interp((places @ normal)[:, 0, 0], heights, np.arange(len(slices)))
    at = np.where(np.abs(at - np.round(at)) < 1e-3, np.round(at), at)
    every = [looked_up(one) for one in slices]
    return np.stack([
        every[int(one)][n] if one % 1 == 0 else (1 - one % 1) * every[int(one)][n] + one % 1 * every[int(one) + 1][n]
        for n, one in enumerate(at)
    ])  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_volume_is_refused_for_its_reason(edge, name):
    with pytest.raises(CohortError) as caught:
        read_image(edge / name)
    assert REFUSED[name] in str(caught.value)


@pytest.mark.parametrize(("name", "dicom"), UNMENDED)
def test_what_a_config_does_not_mend_is_refused_for_its_reason(edge, name, dicom):
    with pytest.raises(CohortError) as caught:
        read_image(edge / name, dicom)
    assert UNMENDED[name, dicom] in str(caught.value)


def test_real_series_as_zips_are_their_folders(edge, tmp_path):
    for name in ("dcmqi/ct-3slice", "dicom2nifti/generic/compressed_j2k/001"):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
            for path in (edge / name).iterdir():
                packed.writestr(path.name, path.read_bytes())
        assert (read_image(tmp_path / "a.zip").values == read_image(edge / name).values).all()


def test_what_a_scanner_did_is_told_of_one_file_and_of_frames(edge):
    ct = acquisition(edge / "rt-utils/tests/mock_data", Dicom())
    assert ct["model"] == "Discovery MI"
    assert (ct["tube_voltage_kv"], ct["collimation_mm"], ct["rotation_time_s"], ct["kernel"]) == (
        120, "64 x 0.625", 1.0, "STANDARD")  # fmt: skip
    mr = acquisition(edge / "dicom2nifti/philips_enhanced/anatomical/001", Dicom())
    assert (mr["repetition_time_ms"], mr["echo_time_ms"], mr["flip_angle_deg"]) == (6.7702, 3.133, 9)
    assert (mr["matrix"], mr["interval_mm"]) == ("256 x 256", 1.2)


def test_every_series_stands_in_a_table(edge):
    folders = {path.parent for path in edge.rglob("*") if path.suffix in ("", ".dcm", ".DCM") and path.is_file()}
    names = (*READ, *REFUSED, *filter(None, READ.values()), *(name for name, _ in MENDED))
    known = {edge / name for name in names}
    beside = {edge / name for name in ("dcmqi", "dcmqi/24x38x3/seg", "mirp/seg_dicom4qi/data_5/mask", "dicom2nifti",
                                       "ibsi/ibsi_1_ct_radiomics_phantom/dicom/mask", "rt-utils",
                                       "ibsi/ibsi_1_digital_phantom/dicom_deprecated/image")}  # fmt: skip
    assert folders - known - beside == set()


@pytest.mark.parametrize(("name", "roi"), SEGMENTS)
def test_a_segment_is_its_twin(edge, name, roi):
    image, twin, label = SEGMENTS[name, roi]
    own = read_segment(edge / name, read_image(edge / image), roi, TUMOUR)
    assert ((own.values > 0) == (_labels(edge / twin, own) == label)).all()


def test_fractions_and_overlaps_are_those_of_another_reader(edge):
    import highdicom as hd

    for name, numbers in (("ct_binary_fractional", [1]), ("ct_true_fractional", [1]), ("ct_binary_overlap", [1, 2])):
        path = edge / f"highdicom/seg_image_{name}.dcm"
        for number in numbers:
            other = hd.seg.segread(path).get_volume(segment_numbers=[number], combine_segments=False).array[..., 0]
            own = read_segment(path, None, f"#{number}", TUMOUR).values > 0
            assert (own == (other[::-1] >= 0.5)).all()  # its slices run against the normal, ours along it


def test_the_ibsi_structure_is_the_ibsi_mask(edge):
    folder = edge / "ibsi/ibsi_1_ct_radiomics_phantom"
    own = read_image(folder / "dicom/image")
    mask = read_structure(next((folder / "dicom/mask").iterdir()), own, None, TUMOUR).values > 0
    twin = _labels(folder / "nifti/mask/mask.nii.gz", Labels(mask.astype(np.uint8), own.geometry)) > 0
    assert mask.sum() == 125256
    assert (mask == twin).all()


def test_structures_of_other_frames_or_more_slices_are_refused(edge):
    folder = edge / "rt-utils/tests/mock_data"
    own = read_image(folder)
    with pytest.raises(CohortError, match="another frame of reference"):
        read_structure(folder / "rt.dcm", own, None, TUMOUR)
    with pytest.raises(CohortError, match="1 of 3 contours outside the image"):
        read_structure(folder / "invalid_reference_rt.dcm", own, "ROI-2", TUMOUR)


def _labels(path: Path, on: Labels) -> np.ndarray:
    return regrid(read_labels(path), on.geometry).values


@pytest.mark.parametrize("patient", ["STS_001", "STS_008"])
@pytest.mark.parametrize("kind", ["CT", "MR_T1", "PET"])
def test_sarcomas_in_dicom_are_their_nifti_twins(sts, patient, kind):
    nifti = SHARED / "sts/nifti" / patient
    cohort = Cohort(table=Path("table.csv"))
    own = load(Files("a", sts / patient / kind / "image", sts / patient / kind / "mask"), cohort, False)
    twin = load(Files("a", nifti / f"{kind}_image.nii.gz", nifti / f"{kind}_mask.nii.gz"), cohort, False)
    assert np.allclose(own.image, twin.image, rtol=1e-6, atol=1e-5)
    assert (own.tumour == twin.tumour).all()
    assert own.geometry.difference(twin.geometry, 1e-3, 1e-4) == []


def test_a_real_pet_turned_back_into_activity_is_its_suv_again(sts, tmp_path):
    """By its header's 71 kg, 388.8 MBq and half-life of 6588 s; injected at 10:35:00, scanned at 11:20:11."""
    left = 388_777_472 * 2 ** (-(45 * 60 + 11) / 6588)
    for path in (sts / "STS_001/PET/image").iterdir():
        own = pydicom.dcmread(path)
        own.Units, own.DecayCorrection = "BQML", "START"
        own.RescaleSlope = f"{float(own.RescaleSlope) * left / 71_000:.9g}"
        own.save_as(tmp_path / path.name)
    own = read_image(tmp_path)
    twin = read_image(SHARED / "sts/nifti/STS_001/PET_image.nii.gz")
    assert np.allclose(own.values, _on(own, twin), rtol=1e-5, atol=1e-6)
    assert "45.2 minutes of decay" in " ".join(own.notes)
