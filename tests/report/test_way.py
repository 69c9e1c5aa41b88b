"""What happened before the cohort, in the report: rules, lost cases, acquisition, rings, notes; made-up run folders."""

import pandas as pd
import pytest

from fusion.report import way
from fusion.report.blocks import Folded, Prose, Rows
from fusion.report.checklists import data_facts
from fusion.report.results import read
from fusion.report.tasks import flow as task_flow
from fusion.report.tasks.results import TaskResults
from fusion.report.topics import acquisition, failures, flow, notes, rings
from tests.report import made_task_run

RULES = (
    "cohort.eligibility=[{name: preoperative contrast CT, include: {kind: one_of, column: phase, values: [arterial]}},"
    "{name: 'largest axial diameter < 10 mm', exclude: {kind: diameter, below_mm: 10}}]"
)
LEFT = {"preoperative contrast CT": 30, "largest axial diameter < 10 mm": 12}


def excluded(folder, cases: int) -> None:
    """eligibility.csv and excluded.csv: 30 cases without the phase, 12 with a small tumour, each third malignant."""
    counts = [0, *LEFT.values()]
    table = pd.DataFrame({"rule": ["table", *LEFT], "left": counts, "remaining": cases - pd.Series(counts).cumsum()})
    table.to_csv(folder / "eligibility.csv", index=False)
    rows = [(f"hidden{rule[:5]}{n}", rule, "phase = venous", str(int(n % 3 == 0)))
            for rule, count in LEFT.items() for n in range(count)]  # fmt: skip
    pd.DataFrame(rows, columns=["case", "rule", "why", "outcome"]).to_csv(folder / "excluded.csv", index=False)


def lost(folder) -> None:
    rows = [
        ("hidden90", "train", "check", "3 voxels in tumour (expected at least 20)"),
        ("hidden91", "train", "check", "11 voxels in tumour (expected at least 20)"),
        ("hidden92", "test", "radiomics", "a feature that is no number (expected a finite number)"),
    ]
    columns = ["case", "set", "stage", "reason"]
    pd.DataFrame(rows, columns=columns).assign(data_sha256="ab").to_csv(folder / "lost.csv", index=False)


def prose(topic) -> str:
    return " ".join(block.text for block in topic.section.blocks if isinstance(block, Prose))


def words(figure) -> list[str]:
    return [text.get_text() for axis in figure.axes for text in axis.texts]


@pytest.fixture(scope="module")
def eligible(make_run):
    folder, run = make_run("network=null", RULES)
    excluded(folder, 402)
    lost(folder)
    return read(folder, run)


def test_the_flow_begins_at_the_table_and_every_case_of_it_is_counted_once(eligible):
    table = flow.topic(eligible).tables["flow"].set_index("Part")
    assert list(table.index[:5]) == [
        "Table", "Not met: preoperative contrast CT", "Excluded: largest axial diameter < 10 mm",
        "Could not be read or measured", "Cohort",
    ]  # fmt: skip
    assert table["Cases"].tolist()[:5] == [402, 30, 12, 3, 357]
    assert table["Cases"]["Table"] == table["Cases"].iloc[1:5].sum()
    assert table["malignant"].iloc[1:3].tolist() == [10, 4]
    assert table["malignant"].iloc[[0, 3]].isna().all()


def test_the_chart_has_a_box_for_every_reason_to_leave(eligible):
    told = words(flow.drawn(eligible))
    assert "n = 402 cases" in told
    assert [text for text in told if "\n" in text] == [
        "Not met: preoperative contrast CT\nn = 30", "Excluded: largest axial diameter < 10 mm\nn = 12",
        "Could not be read or measured\nn = 3",
    ]  # fmt: skip
    assert "n = 357 cases of 357 patients" in told


def test_the_section_tells_the_way_and_why_cases_were_lost_without_naming_one(eligible):
    told = flow.topic(eligible)
    assert "Of 402 cases in the table 45 are not in the cohort (30 not met: preoperative contrast CT; 12" in prose(told)
    (reasons,) = [block for block in told.section.blocks if isinstance(block, Folded) and "Why" in block.title]
    assert list(reasons.blocks[0].rows) == [
        ["check", "3 to 11 voxels in tumour (expected at least 20)", "2"],
        ["radiomics", "a feature that is no number (expected a finite number)", "1"],
    ]
    assert "hidden" not in repr(told)
    doubts = failures.topic(eligible).tables["failures"]["Doubt"]
    assert doubts[0].startswith("3 cases that were in the cohort are in no figure, as they could not be read or")
    assert "(check 2, radiomics 1)" in doubts[0]
    assert "Of 402 cases in the table" in data_facts.flow(eligible).text


def test_without_rules_and_losses_nothing_is_said(make_run):
    results = read(*make_run("network=null"))
    assert flow.way_of(results) is None
    assert way.says(None) == ""
    for topic in (acquisition, notes, rings):
        assert topic.topic(results) is None
    assert failures.lost(results) == []


def test_a_run_that_lost_cases_without_any_rule_tells_them(make_run):
    folder, run = make_run("network=null")
    lost(folder)
    table = flow.counts(read(folder, run))
    assert table[["Part", "Cases"]].head(3).to_numpy().tolist() == [
        ["Table", 360], ["Could not be read or measured", 3], ["Cohort", 357],
    ]  # fmt: skip


def test_tumours_of_a_task_run_leave_on_the_same_chart(tmp_path):
    run = made_task_run.write(tmp_path, RULES)
    excluded(tmp_path, 159)
    told = task_flow.topic(TaskResults.read(tmp_path, run))
    assert told.tables["way"][["Part", "Tumours"]].to_numpy().tolist() == [
        ["Table", 159], ["Not met: preoperative contrast CT", 30], ["Excluded: largest axial diameter < 10 mm", 12],
        ["Cohort", 117],
    ]  # fmt: skip
    drawn = words(told.plots["flow_chart"]())
    assert "n = 159 tumours" in drawn
    assert any(text.endswith("\nn = 12") for text in drawn)


SHEN = {"Discovery CT750 HD": (100, 120, 0.6), "SOMATOM Force": (100, 100, 0.28)}


def acquired(folder, results, scanner: str = "") -> None:
    rows = []
    for n, case in enumerate(results.cohort["case"][:40]):
        model = list(SHEN)[n % 2]
        low, high, rotation = SHEN[model]
        rows.append(
            {"case": case, "scanner": scanner, "manufacturer": "", "model": model, "pitch": None,
             "tube_voltage_kv": high if n % 4 < 2 else low, "rotation_time_s": rotation,
             "slice_thickness_mm": 5 if n else None, "tube_current_ma": "80-300" if n % 5 else "120.0",
             "kernel": "B30f" if n % 3 else "B20f"}
        )  # fmt: skip
    pd.DataFrame(rows).to_csv(folder / "acquisition.csv", index=False)


def test_acquisition_has_a_row_a_scanner_with_value_range_or_most_common(make_run):
    folder, run = make_run("network=null")
    acquired(folder, read(folder, run))
    told = acquisition.topic(read(folder, run))
    table = told.tables["acquisition"].set_index("Scanner")
    assert list(table.index) == list(SHEN)
    assert list(table.columns) == [
        "Cases", "Tube voltage, kV", "Rotation time, s", "Slice thickness, mm", "Tube current, mA", "Kernel",
    ]  # fmt: skip
    assert table.loc["Discovery CT750 HD"].tolist() == [
        "20", "100–120 (median 110)", "0.6", "5; 1 not given", "80–300 (median 190)", "B30f, 13 (65.0%); 1 other",
    ]  # fmt: skip
    assert table["Tube voltage, kV"]["SOMATOM Force"] == "100"
    (rows,) = [block for block in told.section.blocks if isinstance(block, Rows)]
    assert list(rows.head) == ["Parameter", *SHEN]
    assert "40 of 357 cases tell in their headers how they were acquired, on 2 scanners" in prose(told)


def test_the_cohorts_name_of_a_scanner_goes_before_the_makers(make_run):
    folder, run = make_run("network=null")
    acquired(folder, read(folder, run), "room 2")
    assert acquisition.topic(read(folder, run)).tables["acquisition"]["Scanner"].tolist() == ["room 2"]


def test_rings_are_counted_by_how_they_came_about_with_their_overlap(make_run):
    folder, run = make_run("network=null")
    cases = read(folder, run).cohort["case"]
    how = ["edited"] * 3 + ["given"] * 2 + ["automatic"] * (len(cases) - 5)
    table = pd.DataFrame({"case": cases, "ring": how, "dice": 1.0, "voxels": 100, "automatic_voxels": 100})
    table.loc[:4, "dice"], table.loc[:4, "voxels"] = [0.9, 0.7, 0.95, 0.6, 0.8], [90, 150, 100, 100, 100]
    (folder / "regions").mkdir()
    table.to_csv(folder / "regions/rings.csv", index=False)
    told = rings.topic(read(folder, run))
    assert (
        "External2 rings, 357 in all: 352 (98.6%) automatic, 3 (0.8%) edited by hand, 2 (0.6%) given with the cohort"
        in prose(told)
    )
    assert "Rings edited by hand overlap with the automatic one by a median Dice of 0.900 (0.700 to 0.950)" in prose(
        told
    )
    assert told.tables["rings"].iloc[:2].to_numpy().tolist() == [
        ["given with the cohort", "0.600", "100", "100", "0%"], ["edited by hand", "0.700", "150", "100", "+50%"],
    ]  # fmt: skip
    assert "secret" not in repr(told)


def test_notes_are_counted_by_what_was_decided(make_run):
    folder, run = make_run("network=null")
    cases = read(folder, run).cohort["case"]
    rows = [(case, f"gantry tilt of {n + 3} degrees, resampled to an upright grid") for n, case in enumerate(cases[:4])]
    rows += [(cases[0], "the mask of 2 was taken"), ("hidden1", "not in the cohort")]
    pd.DataFrame(rows, columns=["case", "note"]).to_csv(folder / "notes.csv", index=False)
    told = notes.topic(read(folder, run))
    assert told.tables["notes"].to_numpy().tolist() == [
        ["gantry tilt of 3 to 6 degrees, resampled to an upright grid", 4], ["the mask of 2 was taken", 1],
    ]  # fmt: skip
    assert "In 4 (1.1%) of 357 cases something had to be decided" in prose(told)
    assert "secret" not in repr(told)
