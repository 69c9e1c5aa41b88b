import errno
import os

import numpy as np
import pandas as pd
import pytest

from fusion.config.images import IMAGES
from fusion.config.radiomics import Radiomics
from fusion.data.cohort import read
from fusion.data.image import Geometry
from fusion.errors import Fault, FeatureError
from fusion.features.radiomics import engine, extract, oracle
from fusion.features.radiomics.preset import columns
from tests import toy

GEOMETRY = Geometry(toy.SHAPE, toy.SPACING, (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))


def test_the_preset_has_1874_columns_of_twenty_images():
    names = columns(Radiomics())
    assert len(names) == len(set(names)) == 14 + 20 * 93 == 1874
    assert {name.split("_")[0] for name in names} == set(IMAGES)


def test_all_1874_come_out_finite_with_the_installed_scipy():
    image, tumour = toy.volume(1, np.random.default_rng(0))
    values = oracle.extract(image.astype(np.float32), tumour == 1, GEOMETRY, Radiomics())
    assert values.shape == (1874,)
    assert np.isfinite(values).all()


def test_values_are_pyradiomics_own():
    import SimpleITK as sitk
    from radiomics.featureextractor import RadiomicsFeatureExtractor

    image, tumour = toy.volume(0, np.random.default_rng(1))
    ours = oracle.extract(image.astype(np.float32), tumour == 1, GEOMETRY, Radiomics(images=("original",)))
    plain = RadiomicsFeatureExtractor(binWidth=25, resampledPixelSpacing=[1, 1, 1])
    both = [sitk.GetImageFromArray(array) for array in (image.astype(np.float32), tumour)]
    for part in both:
        part.SetSpacing(toy.SPACING[::-1])
    theirs = plain.execute(*both)
    np.testing.assert_array_equal(ours, [float(theirs[name]) for name in columns(Radiomics(images=("original",)))])


def test_a_region_too_small_to_measure_is_a_message():
    region = np.zeros(toy.SHAPE, dtype=bool)
    region[4, 20, 20] = True
    with pytest.raises(FeatureError, match="found no features"):
        oracle.extract(np.zeros(toy.SHAPE, np.float32), region, GEOMETRY, Radiomics())


def test_a_vanished_image_type_is_an_error_not_fewer_columns():
    flat = Geometry((2, 40, 40), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))
    region = np.zeros(flat.size, dtype=bool)
    region[:, 10:30, 10:30] = True
    image = np.random.default_rng(0).normal(0, 50, flat.size).astype(np.float32)
    with pytest.raises(FeatureError, match=r"missing or not finite|no features"):
        oracle.extract(image, region, flat, Radiomics())


@pytest.fixture
def cohort(tmp_path):
    toy.cohort(tmp_path, cases=4)
    run = toy.run(tmp_path)
    return run, read(run.cohort, 0).files, tmp_path / "cache"


def test_an_interrupted_extraction_resumes(cohort, monkeypatch):
    run, files, cache = cohort
    extract.extract(files[:2], run, cache)
    counted = []
    plain = engine.measure
    monkeypatch.setattr(
        engine, "measure", lambda image, masks, *rest: counted.extend(masks) or plain(image, masks, *rest)
    )
    extract.extract(files, run.model_copy(update={"jobs": 1}), cache)
    assert len(counted) == 4


def test_workers_and_cache_do_not_change_a_number(cohort):
    run, files, cache = cohort
    first = extract.extract(files, run, cache)
    for again in (extract.extract(files, run, cache),
                  extract.extract(files, run.model_copy(update={"jobs": 2}), cache / "other")):  # fmt: skip
        pd.testing.assert_frame_equal(first["external2"].frame(), again["external2"].frame())


def test_a_case_that_fails_leaves_the_others_measured(cohort, monkeypatch):
    run, files, cache = cohort
    plain = engine.measure

    def failing(image, *rest):
        if len(list(cache.glob("*.kept"))) == 2:
            raise FeatureError(Fault("tumour: no features", "107", "use a larger region"))
        return plain(image, *rest)

    monkeypatch.setattr(engine, "measure", failing)
    with pytest.raises(FeatureError, match="case c1: found tumour: no features"):
        extract.extract(files, run.model_copy(update={"jobs": 1}), cache)


@pytest.mark.parametrize("jobs", [1, 2])
def test_cases_that_cannot_be_read_leave_the_others_measured(cohort, jobs):
    run, files, cache = cohort
    whole = extract.extract(files, run, cache / "whole")
    files[1].image.write_bytes(files[1].image.read_bytes()[:200])
    files[3].tumour.unlink()
    tables, faults = extract.measured(files, run.model_copy(update={"jobs": jobs}), cache)
    assert list(faults) == ["c1", "c3"]
    assert all(fault.case == case for case, own in faults.items() for fault in own)
    for region, table in tables.items():
        pd.testing.assert_frame_equal(table.frame(), whole[region].frame().loc[["c0", "c2"]], check_exact=True)
    with pytest.raises(FeatureError, match=r"(?s)case c1: .*case c3: "):
        extract.extract(files, run, cache)


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EACCES])
def test_a_drive_that_fails_under_one_case_is_that_case_s_fault(cohort, monkeypatch, number):
    run, files, cache = cohort
    failing(monkeypatch, files[2].case, OSError(number, os.strerror(number), str(files[2].image)))
    tables, faults = extract.measured(files, run, cache)
    assert list(tables["tumour"].values.index) == ["c0", "c1", "c3"]
    (fault,) = faults["c2"]
    assert fault.file == str(files[2].image)
    assert "what is done stays done" in fault.remedy


def test_a_case_too_large_for_the_memory_is_that_case_s_fault(cohort, monkeypatch):
    run, files, cache = cohort
    failing(monkeypatch, files[2].case, MemoryError())
    assert "too little memory" in extract.measured(files, run, cache)[1]["c2"][0].found


def test_a_disk_that_is_full_stops_all(cohort, monkeypatch):
    run, files, cache = cohort
    failing(monkeypatch, files[0].case, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(OSError, match="No space left"):
        extract.measured(files, run, cache)


def test_where_no_case_can_be_measured_the_tables_are_empty(cohort):
    run, files, cache = cohort
    for own in files:
        own.image.unlink()
    tables, faults = extract.measured(files, run, cache)
    assert len(faults) == 4
    assert tables["external2"].values.shape == (0, len(columns(run.radiomics)))


def failing(monkeypatch, case, error):
    """Reading ``case`` raises ``error``."""
    plain = extract.load

    def load(files, *rest):
        if files.case == case:
            raise error
        return plain(files, *rest)

    monkeypatch.setattr(extract, "load", load)


def test_a_changed_setting_or_voxel_is_measured_again(cohort):
    run, files, cache = cohort
    extract.extract(files[:1], run, cache)
    wider = run.model_copy(update={"radiomics": run.radiomics.model_copy(update={"bin_width": 10.0})})
    extract.extract(files[:1], wider, cache)
    assert len(list(cache.glob("*.kept"))) == 4


def test_the_table_says_how_it_was_made(cohort):
    run, _, _ = cohort
    assert {"engine", "mode", "padding", "input_type", "crop", "ring", "settings"} <= set(extract.metadata(run))
