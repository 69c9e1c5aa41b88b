import re

import numpy as np
import pandas as pd
import pytest

from fusion.data.case import Case, Files, load
from fusion.data.image import Geometry, write_mask
from fusion.report.results import Results
from fusion.report.style import look, save
from fusion.report.topics import example
from fusion.roi.region import regions
from fusion.roi.ring_files import ring_file
from tests import toy


@pytest.fixture
def results(tmp_path) -> Results:
    """Five training cases and one test case on disk, with rings and volumes; c2 has the median training volume."""
    table, run = toy.cohort(tmp_path, cases=6), toy.run(tmp_path)
    folder = tmp_path / "run"
    cases = [
        load(Files(row.case, tmp_path / row.ct, tmp_path / row.tumour), run.cohort, False) for row in table.itertuples()
    ]
    for case in cases:
        write_mask(ring_file(folder / "regions", case.name), regions(case, run.roi)["external2"], case.geometry, 1)
    (folder / "features").mkdir()
    volumes = pd.DataFrame({example.VOLUME: [900.0, 5000.0, 2500.0, 1000.0, 6000.0, 2400.0]}, index=table["case"])
    volumes.to_parquet(folder / "features/radiomics_tumour.parquet")
    cohort = table[["case", "patient"]].assign(set=["train"] * 5 + ["test"], fold=0, event=table["malignant"])
    nothing = pd.DataFrame()
    return Results(folder, run, cohort, nothing, nothing, nothing, {})


def test_the_case_of_median_volume_in_the_training_set_is_shown(results):
    made = example.topic(results)
    assert "median tumour volume (2.5 mL)" in made.section.blocks[0].text
    assert list(made.plots) == ["example_case"]


def test_the_picture_is_small_has_a_scale_and_no_name(results, tmp_path):
    with look("example_case"):
        svg, _png = save(example.topic(results).plots["example_case"](), tmp_path, "example_case")
    text = svg.read_text()
    assert svg.stat().st_size < 300_000
    assert "Bar: 10 mm" in text
    assert text.count("data:image/png;base64,") == 3
    assert all(f">{title}<" in text for title in ("Axial", "Coronal", "Sagittal"))
    words = re.findall(r">([^<>]+)</text>", text)
    assert words
    assert not any(case in word for case in results.cohort["case"] for word in words)


def test_the_bar_is_ten_millimetres_long(results):
    figure = example.topic(results).plots["example_case"]()
    for axis in figure.axes:
        across = abs(np.diff(axis.get_xlim())[0])
        bar = axis.get_lines()[-1].get_xdata()
        assert (bar[1] - bar[0]) * across == pytest.approx(10)
        assert abs(np.diff(axis.get_ylim())[0]) == pytest.approx(across)


@pytest.mark.parametrize("lost", ["c2_ct.nii.gz", "c2_tumour.nii.gz", "run/regions/c2_external2.nii.gz", "table.csv"])
def test_a_file_that_is_gone_is_told_without_its_name(results, tmp_path, lost):
    (tmp_path / lost).unlink()
    made = example.topic(results)
    (said,) = made.section.blocks
    assert "no longer where the run found it" in said.text
    assert "c2" not in said.text
    assert made.plots == {}


def test_a_run_without_radiomics_says_so(results):
    (results.folder / "features/radiomics_tumour.parquet").unlink()
    assert "no radiomics" in example.topic(results).section.blocks[0].text


def test_a_grid_that_is_turned_is_shown_head_up_and_a_slanted_one_is_not_called_anatomy():
    values = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)
    mask = values == 0
    turned = Geometry((2, 3, 4), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), tuple(np.diag([-1.0, 1.0, -1.0]).ravel().tolist()))
    case = Case("x", values, mask, None, turned)
    seen = example.shown(case, (0.0, 24.0), 1.0).axes[0].get_images()[0].get_array()
    assert seen[0, 0] == values[0, 0, 3]  # the tumour's slice, the patient's right at the left
    half = 0.5**0.5
    slanted = Geometry((2, 3, 4), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (half, half, 0.0, -half, half, 0.0, 0.0, 0.0, 1.0))
    assert example._names(Case("x", values, mask, None, slanted))[0] == "In the slice plane"
