import json

import numpy as np
import pandas as pd
import pytest

from fusion.report.blocks import Listing, Prose
from fusion.report.results import read
from fusion.report.topics import failures, flow


def doubts(results) -> str:
    return "\n".join(failures.topic(results).tables["failures"]["Doubt"])


def test_wrong_calls_are_those_of_the_metrics(make_run):
    results = read(*make_run())
    row = results.rows("test").loc["Combined"]
    table = failures.wrong_calls(results)
    own = table[table["Set"] == "test set"]
    wrong = sum(int(cell.split()[0]) for cell in own["Cases"])
    assert wrong == round((1 - row["accuracy"]) * row["n"])
    assert [cell.split(" of ")[1] for cell in own["Cases"]] == ["27", "78"]


def test_a_sure_call_on_the_wrong_side_is_counted(make_run):
    folder, run = make_run("network=null")
    table = pd.read_csv(folder / "predictions.csv")
    mine = (table["model"] == "Combined") & (table["set"] == "test")
    missed = table.index[mine & (table["event"] == 1)][:3]
    table.loc[missed, "probability"] = [0.01, 0.02, 0.1]
    table.to_csv(folder / "predictions.csv", index=False)
    row = failures.wrong_calls(read(folder, run)).iloc[0]
    assert row["Wrong call"] == "malignant, missed"
    assert int(row["Sure (0.9 or more)"]) >= 3
    assert row["Lowest to highest"].startswith("0.010 to ")


def test_a_plain_run_has_lost_nothing(make_run):
    results = read(*make_run())
    told = failures.topic(results).section.blocks[0]
    assert isinstance(told, Prose)
    assert "Nothing was lost" in told.text


def test_warnings_are_counted_by_kind_without_cases(make_run):
    folder, run = make_run("network=null")
    (folder / "features").mkdir()
    rows = [
        (f"secret{n:04d}", region, f"scaled by a voxel ({n}.5; inside 3)") for n in range(4) for region in ("tumour",)
    ]
    pd.DataFrame(rows, columns=["case", "region", "warning"]).to_csv(
        folder / "features/radiomics_warnings.csv", index=False
    )
    told = failures.topic(read(folder, run))
    assert told.section.blocks[0].text.endswith(" doubtful.")
    assert isinstance(told.section.blocks[1], Listing)
    assert "Radiomics of tumour, 4 of 357 cases: scaled by a voxel." in doubts(read(folder, run))
    assert "secret" not in str(told)


def test_small_regions_are_counted_in_voxels_of_the_features_grid(make_run):
    folder, run = make_run("network=null", "radiomics.spacing_mm=[2, 1, 1]")
    (folder / "features").mkdir()
    volume = np.where(np.arange(357) < 5, 2 * 699.0, 2 * 700.0)
    pd.DataFrame({"original_shape_VoxelVolume": volume}).to_parquet(folder / "features/radiomics_external2.parquet")
    assert "5 of 357 cases have fewer than 700 voxels in external2 (the smallest 699)" in doubts(read(folder, run))


def test_models_absent_or_without_calibration_or_features_are_told(make_run):
    folder, run = make_run("network=null")
    table = pd.read_csv(folder / "predictions.csv")
    table.loc[table["model"] == "Clinical", "probability"] = 0.3
    table.to_csv(folder / "predictions.csv", index=False)
    chosen = pd.read_csv(folder / "selection.csv", dtype={"fold": str})
    chosen[(chosen["model"] != "Tumor_RAD") | ~chosen["fold"].isin(["1", "final"])].to_csv(
        folder / "selection.csv", index=False
    )
    told = doubts(read(folder, run))
    assert "No calibration slope of Clinical in the test set: all probabilities are equal" in told
    assert "as there are no networks (network: null): Tumor_DL" in told
    assert "Tumor_RAD kept no feature in fold 2, the final fit." in told


@pytest.mark.parametrize(("ends", "told"), [(1, True), (2, False)])
def test_a_stage_that_broke_off_is_told_and_this_report_is_not(make_run, ends, told):
    folder, run = make_run("network=null")
    lines = [("radiomics", "started")] * 2 + [("radiomics", "done")] * ends + [("report", "started")]
    text = "".join(json.dumps({"stage": stage, "what": what}) + "\n" for stage, what in lines)
    (folder / "log.jsonl").write_text(text)
    found = doubts(read(folder, run))
    assert ("The stage radiomics broke off once" in found) == told
    assert "stage report" not in found


def test_the_flow_counts_every_case_once(make_run):
    results = read(*make_run())
    table = flow.counts(results).set_index("Part")
    assert list(table.index[:3]) == ["Cohort", "Training set", "Test set"]
    for name in ("Cases", "malignant", "benign"):
        folds = table.loc[[part for part in table.index if part.startswith("Fold")], name].sum()
        assert table.loc["Training set", name] == folds
        assert table.loc["Cohort", name] == folds + table.loc["Test set", name]


@pytest.mark.parametrize("sets", [("train",), ("train", "test"), ("train", "external")])
def test_the_flow_chart_has_a_box_a_part(make_run, sets):
    results = read(*make_run("network=null", sets=sets))
    words = [text.get_text() for axis in flow.drawn(results).axes for text in axis.texts]
    assert sum(word.startswith("n = ") for word in words) == 1 + len(sets) + 5
    assert "n = 357 cases of 357 patients" in words
