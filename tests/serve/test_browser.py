"""A clinician's visit in a real browser, to a real server, both watched for calls to other machines."""

import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest

from fusion.config import load
from fusion.config.run import Run
from fusion.flow.run import run
from tests.serve.served import elsewhere, serve, traced, watched_environment
from tests.serve.visit import CHROMIUM, Visit, visit

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


def test_a_visit_to_page_and_viewer_gives_the_runs_answers_and_calls_nobody(ct_run, mri_run, tmp_path):
    with serve([ct_run, mri_run], tmp_path) as server, visit(server.url) as seen:
        _ct_answer_is_the_runs(seen, ct_run)
        _overlay_is_seen(seen)
        _three_slices_are_answered(seen, mri_run)
        _table_is_answered(seen, ct_run, tmp_path)
        _cards_are_told(seen)
        watched, foreign = server.watched(), server.foreign()

    assert watched >= 2, "server and worker are to be watched"
    assert server.kernel is None or server.kernel.stat().st_size > 0
    assert foreign == []
    assert any("niivue.js" in url for url in seen.requests)
    assert [url for url in seen.requests if not url.startswith((server.url, "blob:", "data:"))] == []
    assert seen.errors == []
    assert {Path(own).name.partition(".")[0] for own in seen.sent} == {"file"}, "no file's own name is sent"


@pytest.mark.slow
def test_phantoms_are_answered_too(tmp_path):
    ct_run = _finished("tiny_ct", tmp_path, [])
    three = "tasks=[benign-malignant, PA-Warthin, Warthin-malignant]"  # five classes leave a test set too little
    mri_run = _finished("tiny_mri", tmp_path, ["split.test_fraction=0.3", three])
    (tmp_path / "serve").mkdir()

    with serve([ct_run, mri_run], tmp_path / "serve") as server, visit(server.url) as seen:
        _ct_answer_is_the_runs(seen, ct_run)
        _overlay_is_seen(seen)
        _three_slices_are_answered(seen, mri_run)
        _cards_are_told(seen)
        assert server.foreign() == []


def test_a_call_elsewhere_would_be_written_down(tmp_path):
    code = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(('192.0.2.1', 9))"
    subprocess.run([sys.executable, "-c", code], env=watched_environment(tmp_path), check=False, timeout=30)

    found = elsewhere((tmp_path / "watch.txt").read_text(encoding="utf-8"))

    assert len(found) == 1
    assert "192.0.2.1" in found[0]


def test_a_call_elsewhere_is_told_from_one_to_this_machine_in_a_trace():
    line = 'connect(7, {{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("{}")}}, 16) = 0\n'
    log = line.format("127.0.0.1") + line.format("192.0.2.1") + 'connect(3, {sa_family=AF_UNIX, sun_path="/a"}, 9) = 0'

    assert ["192.0.2.1" in own for own in traced(log)] == [True]


def _ct_answer_is_the_runs(seen: Visit, folder: Path) -> None:
    """The headline's probability of a test case is that of predictions.csv, on the page within its rounding."""
    run, case = _case(folder)
    expected = _predicted(folder, str(case["case"]))
    base = run.cohort.table.parent

    seen.upload("image", base / str(case[run.cohort.image]))
    seen.page.locator("#fu-ask").click()
    seen.page.locator(".fu-fault").get_by_text("mask").first.wait_for()
    seen.picture("refused")
    seen.upload("mask", base / str(case[run.cohort.tumour]))
    seen.fill({name: case[name] for name in run.cohort.clinical})
    seen.page.locator("#fu-ask").click()
    shown = seen.page.locator("#fu-probability")
    shown.wait_for()

    assert float(shown.get_attribute("data-probability")) == pytest.approx(expected["Combined"], abs=1e-6)
    assert float(shown.inner_text().strip("<>% ")) == pytest.approx(100 * expected["Combined"], abs=0.05 + 1e-6)
    cells = seen.page.locator("tr[data-model]").all()
    table = {own.get_attribute("data-model"): float(own.locator("td").first.inner_text()) for own in cells}
    assert table == pytest.approx(expected, abs=5e-4 + 1e-6)
    names = [Path(str(case[column])).name.partition(".")[0] for column in (run.cohort.image, run.cohort.tumour)]
    assert [name for name in names if name in seen.page.content()] == []


def _overlay_is_seen(seen: Visit) -> None:
    """Three planes with the tumour; heat and tumour come and go; the patient's right is on the left."""
    planes = seen.planes()
    seen.picture("planes")
    masked = planes.pixels()
    planes.toggle("tumour", False)
    without = planes.pixels()
    planes.toggle("heat", True)
    hot = planes.pixels()
    seen.picture("page")
    planes.plane("axial")

    assert (masked.max(axis=2) > 20).mean() > 0.05
    assert (abs(masked - without).max(axis=2) > 8).mean() > 0.002
    assert (abs(hot - without).max(axis=2) > 8).mean() > 0.002
    assert planes.right_mm(0.45) > planes.right_mm(0.55)


def _three_slices_are_answered(seen: Visit, folder: Path) -> None:
    """Each slot's answer is that of predictions.csv for its task and sequence."""
    run, case = _case(folder, own=1)
    base, tasks, sequences = run.cohort.table.parent, list(run.used_tasks), list(run.used_sequences)
    pairs = [(tasks[0], sequences[0]), (tasks[-1], sequences[-1]), (tasks[-1], sequences[0])]
    seen.tab("MRI")
    for number, (task, sequence) in enumerate(pairs, 1):
        seen.choose(f"Sequence, picture {number}", sequence)
        seen.choose(f"Task, picture {number}", task)
        seen.upload(f"image{number}", base / str(case[run.cohort.sequences[sequence].column]))
        seen.upload(f"mask{number}", base / str(case[run.cohort.sequences[sequence].mask]))
    seen.page.locator("#fu-ask-slices").click()

    for number, (task, sequence) in enumerate(pairs, 1):
        slot = seen.page.locator(f"#fu-answer-{number}")
        slot.locator(".fu-label").wait_for()
        rows = slot.locator("[data-class]").all()
        told = {own.get_attribute("data-class"): float(own.get_attribute("data-probability")) for own in rows}
        assert told == pytest.approx(_chances(folder, run, task, sequence, str(case["case"])), abs=1e-6)
        picture = slot.locator("img")
        assert picture.evaluate("own => own.decode().then(() => own.naturalWidth)") > 100
    seen.picture("slices")


def _table_is_answered(seen: Visit, folder: Path, scratch: Path) -> None:
    """Two rows of the cohort's table in a zip; the page numbers them, the download names them."""
    run, case = _case(folder)
    table = pd.read_csv(run.cohort.table, dtype=str)
    two = pd.concat([table[table["case"] != case["case"]].head(1), table[table["case"] == case["case"]]])
    packed = scratch / "two.zip"
    with zipfile.ZipFile(packed, "w") as zipped:
        zipped.writestr("table.csv", two.to_csv(index=False))
        for name in [*two[run.cohort.image], *two[run.cohort.tumour]]:
            zipped.write(run.cohort.table.parent / name, name)
    seen.tab("Batch")
    seen.upload("archive", packed)
    seen.page.locator("#fu-ask-batch").click()
    seen.page.get_by_text("2 of 2 cases answered").wait_for()
    seen.picture("batch")
    with seen.page.expect_download() as download:
        seen.page.get_by_role("link", name="Download as CSV").click()
    found = pd.read_csv(download.value.path()).query("model == 'Combined'").set_index("case")["probability"]

    assert found[case["case"]] == pytest.approx(_predicted(folder, str(case["case"]))["Combined"], abs=1e-6)


def _cards_are_told(seen: Visit) -> None:
    """The cards of both bundles; "research use only" stands on every tab."""
    for tab in ("CT", "MRI", "Batch", "Model card"):
        seen.tab(tab)
        seen.page.get_by_text("Research use only: not for").and_(seen.page.locator(":visible")).first.wait_for()
    assert seen.page.locator(".fu-card").count() == 2
    assert "AUC" in seen.page.locator(".fu-card").first.inner_text()
    seen.picture("card")


def _case(folder: Path, own: int = 0) -> tuple[Run, Mapping[str, object]]:
    """A run, and a case of its test set as its table has it; each case of slices has all sequences."""
    run = load(folder / "run.yaml")
    splits = pd.read_csv(folder / "splits.csv", dtype=str)
    table = pd.read_csv(run.cohort.table, dtype=str)
    columns = [name for sequence in run.cohort.sequences.values() for name in (sequence.column, sequence.mask) if name]
    there = table.dropna(subset=columns)
    tested = there[there["case"].isin(splits.query("set == 'test'")["case"])]
    return run, tested.iloc[own].to_dict()


def _predicted(folder: Path, case: str) -> dict[str, float]:
    """Probabilities of a test case by model."""
    rows = pd.read_csv(folder / "predictions.csv", dtype={"case": str})
    return rows.query("set == 'test' and case == @case").set_index("model")["probability"].to_dict()


def _chances(folder: Path, run: Run, task: str, sequence: str, case: str) -> dict[str, float]:
    """Probabilities of a test case by class."""
    rows = pd.read_csv(folder / "predictions.csv", dtype={"case": str})
    row = rows[(rows["set"] == "test") & (rows["case"] == case) & (rows["model"] == f"{task}/{sequence}")].iloc[0]
    return {name: row[f"probability_{name}"] for name in run.used_tasks[task].names}


def _finished(name: str, folder: Path, overrides: list[str]) -> Path:
    """A run of a config that makes its phantom."""
    table, output = folder / name / "phantom" / "clinical.csv", folder / name / "run"
    run(load(Path("configs") / f"{name}.yaml", [f"cohort.table={table}", f"output={output}", *overrides]))
    return output
