"""Figshare's builder on made-up slices, the parts of the experiment on tiny cohorts, README against expected.json."""

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from experiments.kaba2025 import figshare, run, tables
from fusion.config import load
from fusion.data import cohort
from fusion.data.slice import read_scan
from fusion.data.split import split
from fusion.errors import CohortError
from tests.unrendered import unrendered

ROOT = Path(__file__).parents[2]
HERE = ROOT / "experiments/kaba2025"
DATA = ROOT.parent / "shared/data/brain_mri_figshare"
real = pytest.mark.skipif(not DATA.is_dir(), reason=f"figshare's slices are not at {DATA}")
CLASSES = ("meningioma", "glioma", "pituitary")
APART = arrays.arrays(float, st.integers(19, 120), elements=st.floats(0, 2))


def jpeg(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="JPEG")
    return file.getvalue()


def source(folder, each=20, patient=4, changed=None, jpegs=None):
    """Three runs of ``each`` slices; the slices of one made-up patient are alike, ``patient`` at a time."""
    rng, rows, files = np.random.default_rng(0), [], {}
    for start, name in enumerate(CLASSES):
        for number in range(each):
            if number % patient == 0:
                base = rng.integers(0, 255, (8, 8))
            index, file = 1000 * start + number, f"{name}/{1000 * start + number}.jpg"
            files[file] = jpeg(np.kron(base, np.ones((6, 6))).astype(np.uint8))
            rows.append({"file": file, "class": name, "figshare_index": index, "index_run": f"{name}_run"})
    folder.mkdir()
    table = pd.DataFrame(rows).assign(plane_of_run="axial", box_xc=0.5, box_yc=0.4, box_w=0.4, box_h=0.2)
    (table if changed is None else changed(table)).to_csv(folder / "labels.csv", index=False)
    with tarfile.open(folder / "images.tar", "w") as tar:
        for file, content in reversed((files | (jpegs or {})).items()):  # not in the labels' order
            member = tarfile.TarInfo(file)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return folder


@given(APART, st.integers(1, 6))
def test_borders_part_a_series_into_blocks_of_near_equal_size(apart, parts):
    edges = figshare.borders(apart, parts)
    sizes = np.diff([0, *edges, len(apart) + 1])
    even = (len(apart) + 1) / parts
    assert len(sizes) == parts
    assert sizes.min() >= even / 3 - 1
    assert sizes.max() <= even * 5 / 3 + 1


@given(APART, st.integers(2, 5))
def test_no_place_within_reach_has_neighbours_less_alike_than_a_border(apart, parts):
    slices = len(apart) + 1
    reach = slices // (3 * parts)
    for number, edge in enumerate(figshare.borders(apart, parts), 1):
        even = round(number * slices / parts)
        assert apart[edge - 1] == apart[even - reach - 1 : even + reach].max()


def test_no_made_up_patient_is_in_two_folds_and_every_fold_has_every_class(tmp_path):
    table = pd.read_csv(figshare.build(source(tmp_path / "in"), tmp_path / "out"))
    folds = table.merge(pd.read_csv(tmp_path / "out/splits.csv").drop(columns="patient"), on="case")
    folds["made"] = folds["index"] // 4
    assert (folds.groupby("made")["fold"].nunique() == 1).all()
    assert (folds.groupby("fold")["class"].nunique() == 3).all()
    assert (folds.groupby("series")["fold"].apply(lambda own: own.is_monotonic_increasing)).all()


def test_random_folds_part_made_up_patients(tmp_path):
    table = pd.read_csv(figshare.build(source(tmp_path / "in"), tmp_path / "out"))
    folds = table.merge(pd.read_csv(tmp_path / "out/splits_random.csv").drop(columns="patient"), on="case")
    assert (folds.groupby(folds["index"] // 4)["fold"].nunique() > 1).mean() > 0.9


def test_a_gap_leaves_out_slices_on_both_sides_of_every_border(tmp_path):
    whole = pd.read_csv(figshare.build(source(tmp_path / "in"), tmp_path / "whole"))
    less = pd.read_csv(figshare.build(tmp_path / "in", tmp_path / "less", gap=1))
    folds = pd.read_csv(tmp_path / "whole/splits.csv")["fold"].to_numpy()
    border = (np.diff(folds) != 0) & (whole["series"].to_numpy()[1:] == whole["series"].to_numpy()[:-1])
    beside = np.concatenate([border, [False]]) | np.concatenate([[False], border])
    assert less["case"].tolist() == whole["case"][~beside].tolist()
    assert len(less) == len(pd.read_csv(tmp_path / "less/splits.csv")) == len(whole) - 24


@pytest.mark.parametrize("words", [[], ["cohort.patient=case", "split.file={out}/splits_random.csv"]])
def test_the_config_reads_pictures_masks_and_both_fold_files(tmp_path, words):
    table = figshare.build(source(tmp_path / "in"), tmp_path / "out")
    given = [f"cohort.table={table}", f"split.file={tmp_path / 'out/splits.csv'}"]
    own = load(ROOT / "configs/brain_mri.yaml", [*given, *(word.format(out=tmp_path / "out") for word in words)])
    found = cohort.read(own.cohort, own.seed)
    assert not found.faults
    assert sorted(split(found.rows, own.split, own.seed)["fold"].unique()) == [0, 1, 2, 3, 4]
    scan = found.files[0].scans[0]
    read = read_scan(scan, own.cohort.sequences["T1c"], own.cohort, found.files[0].case)
    assert read.mask.any(axis=1).nonzero()[0].tolist() == list(range(14, 24))  # .4 -+ .1 of 48 rows
    assert (read.mask.any(axis=0).nonzero()[0] == np.arange(14, 34)).all()  # .5 -+ .2 of 48 columns


@given(*(st.floats(0.2, 0.6),) * 2, *(st.floats(0.1, 0.5),) * 2)
def test_an_ellipse_has_its_area_and_lies_inside_its_box(x, y, width, height):
    inside = figshare.ellipse((200, 100), np.array([x, y, width, height]))
    shown = (min(x + width / 2, 1) - max(x - width / 2, 0)) / width * (min(y + height / 2, 1) - max(y - height / 2, 0))
    if shown == pytest.approx(height):
        assert inside.mean() == pytest.approx(np.pi / 4 * width * height, rel=0.1)
    rows, columns = inside.nonzero()
    assert abs((columns + 0.5) / 100 - x).max() <= width / 2
    assert abs((rows + 0.5) / 200 - y).max() <= height / 2


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        (lambda table: table.drop(columns="box_w"), "no column box_w"),
        (lambda table: table.drop(index=[3, 30]), "index without holes"),
        (lambda table: table.assign(box_h=0.0), "a box beyond the picture"),
        (lambda table: table.assign(box_h="tall"), "box_h with cells that are no number"),
    ],
)
def test_labels_that_cannot_be_used_are_named_and_nothing_is_written(tmp_path, changed, word):
    with pytest.raises(CohortError, match=word):
        figshare.build(source(tmp_path / "in", changed=changed), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_every_unreadable_picture_is_named(tmp_path):
    spoilt = {"glioma/1001.jpg": b"no picture", "pituitary/2003.jpg": b""}
    with pytest.raises(CohortError) as error:
        figshare.build(source(tmp_path / "in", jpegs=spoilt), tmp_path / "out")
    assert [fault.case for fault in error.value.faults] == list(spoilt)


def test_the_command_line_ends_with_a_message_and_no_traceback(tmp_path):
    script = HERE / "figshare.py"
    done = subprocess.run([sys.executable, script, tmp_path, tmp_path / "out"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "labels.csv" in done.stderr
    assert "Traceback" not in done.stderr


def metrics(models, judge, seed=0, **changes):
    rng = np.random.default_rng(seed)
    rows = [{"model": model, "set": judge, "n": 30, "cases": 30, "patients": 29,
             **{name: rng.uniform(0.5, 1) for name in run.FIGURES}, **changes} for model in models]  # fmt: skip
    return pd.DataFrame([*rows, {**rows[0], "set": "test"}])


def finished(out, literal, seed=0, config="kaba2025", **changes):
    """A run folder as a finished run leaves it, as far as the tables read it."""
    own = load(ROOT / f"configs/{config}.yaml", [f"output={out}"] + ([] if literal else ["literal=null"]))
    out.mkdir(parents=True)
    metrics(own.models, "train_oof", seed, **changes).to_csv(out / "metrics.csv", index=False)
    networks = [model for model in own.models if model.partition("/")[2] in own.used_sequences]
    metrics(networks, "validation", seed).to_csv(out / "metrics_paper_literal.csv", index=False)
    return own


def phantom_rows(tmp_path, arms=("modern",), literal=True, seeds=2, **changes):
    parts = []
    for arm in arms:
        for seed in range(seeds):
            own = finished(tmp_path / f"{arm}-{seed}", literal, seed, **changes)
            parts += [run.judged(own, protocol, arm, seed) for protocol in ("honest", "literal")[: 1 + literal]]
    return pd.concat(parts)


def given_words(monkeypatch, *words):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["run.py", *map(str, words)])


def test_figures_hold_every_seed_in_order_and_only_the_judging_set(tmp_path):
    rows = phantom_rows(tmp_path)
    found = run.figures(rows)["modern"]
    one = rows[(rows["model"] == "all/ADC") & (rows["protocol"] == "literal")].sort_values("seed")
    assert found["literal"]["all/ADC"]["auc"] == one["auc"].round(4).tolist()
    assert len(found["honest"]["all/RAD"]["accuracy"]) == 2


def test_the_table_of_bands_tells_what_the_leak_adds_and_how_far_a_task_is_from_its_band(tmp_path):
    rows = phantom_rows(tmp_path, accuracy=0.9)
    lines = tables.bands(run.figures(rows)).splitlines()
    literal = rows[(rows["model"] == "all/T2-w") & (rows["protocol"] == "literal")]["accuracy"].mean()
    row = next(line for line in lines if line.startswith("| all/T2-w |")).split(" | ")
    assert row[1] == ".900 (.900-.900)"
    assert float(row[5]) == pytest.approx(literal - 0.9, abs=1e-3)
    assert [line.rpartition(": ")[2] for line in lines if line.startswith("| **")] == [
        "+.050 |", "inside |", "+.050 |", "+.200 |"
    ]  # fmt: skip


def test_the_table_of_recipes_has_networks_alone_and_their_mean(tmp_path):
    found = run.figures(phantom_rows(tmp_path, arms=("printed", "modern"), literal=False))
    lines = tables.recipes(found).splitlines()
    assert len(lines) == 2 + 24 + 1
    networks = [m for m in found["modern"]["honest"] if m.partition("/")[2] not in tables.NOT_NETWORKS]
    mean = np.mean([found["modern"]["honest"][model]["auc"] for model in networks])
    assert float(lines[-1].split("|")[-2].strip(" *")) == pytest.approx(mean, abs=1e-3)


def test_keep_fills_the_page_and_a_second_time_changes_nothing(tmp_path, monkeypatch):
    found = {"figshare": run.figures(run.judged(finished(tmp_path / "f", False, config="brain_mri"), "honest", "a", 0)),
             "noise": run.figures(phantom_rows(tmp_path))}  # fmt: skip
    for part, own in found.items():
        run.write_json(tmp_path / f"{part}.json", own)
    (tmp_path / "README.md").write_text((HERE / "README.md").read_text())
    run.keep(tmp_path, tmp_path)
    page = (tmp_path / "README.md").read_text()
    assert all(run.TABLES[part](own) in page for part, own in found.items())
    run.keep(tmp_path, tmp_path)
    assert (tmp_path / "README.md").read_text() == page


def test_the_tables_of_the_page_are_those_of_its_figures():
    page = (HERE / "README.md").read_text()
    expected = json.loads((HERE / "expected.json").read_text())
    assert run.with_tables(page, expected) == page
    for part in run.PARTS:
        inside = page.partition(f"<!-- {part} -->")[2].partition(f"<!-- end of {part} -->")[0]
        assert bool(inside.strip()) is (part in expected)


@pytest.mark.parametrize("recipe", run.RECIPES)
def test_a_recipe_keeps_what_the_command_line_says(monkeypatch, recipe):
    given_words(
        monkeypatch, "bands", "runs/x", "--pixels", "64", "--tasks", "all", "--epochs", "7", "--weights", "none"
    )
    given = run._words().parse_args()
    own = load(given.config, run.words(given, "noise", recipe, 2, literal=False))
    assert own.network.preset == {"printed": "kaba2025", "modern": "default"}[recipe]
    assert (own.network.backbone, own.network.weights, own.network.epochs) == ("mobilenetv3_small_100", "none", 7)
    assert (own.roi.slice.shape, own.tasks, own.cohort.phantom.preset, own.literal) == (
        (64, 64),
        ("all",),
        "noise",
        None,
    )


SMALL = ["split.folds=2", "network.epochs=1", "network.warmup_epochs=0", "network.batch=8", "network.weights=none",
         "network.backbone=test_resnet", "network.drop_path=0",
         "heads.lasso_folds=2", "heads.top=3", "evaluate.bootstrap=200", "jobs=1"]  # fmt: skip


@pytest.fixture
def no_pages():
    """Reports without pictures, as the tables come from metrics."""
    with unrendered():
        yield


@pytest.mark.usefixtures("no_pages")
def test_figshare_ends_with_a_table_of_three_arms(tmp_path, monkeypatch, capsys):
    figshare.build(source(tmp_path / "in"), tmp_path / "data", folds=2)
    small = [*SMALL, "roi.slice.shape=[32, 32]"]
    given_words(monkeypatch, "figshare", tmp_path, "--data", tmp_path / "data", "--override", *small)
    run.main()
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 2 + 3 * 2
    assert set(json.loads((tmp_path / "figshare.json").read_text())) == {line.split(" | ")[0][2:] for line in lines[2:]}


@pytest.mark.usefixtures("no_pages")
@pytest.mark.parametrize("part", ["bands", "noise", "recipes"])
def test_a_part_on_the_phantom_ends_with_its_table(tmp_path, monkeypatch, capsys, part):
    small = [*SMALL, "cohort.phantom.cases=40", "literal.copies=2", "cohort.tasks.PA-Warthin.images=null"]
    if part == "recipes":
        small.remove("literal.copies=2")
    given_words(monkeypatch, part, tmp_path, "--seeds", 1, "--pixels", 32, "--phantom-pixels", 64, "--tasks",
                "PA-Warthin", "--sequences", "T2-w,ADC", "--weights", "none", "--override", *small)  # fmt: skip
    run.main()
    table = capsys.readouterr().out
    assert table.strip().endswith(tables.TABLES[part](json.loads((tmp_path / f"{part}.json").read_text())))
    rows = pd.read_csv(tmp_path / f"{part}.csv")
    assert set(rows["protocol"]) == ({"honest"} if part == "recipes" else {"honest", "literal"})
    assert {"PA-Warthin/T2-w", "PA-Warthin/ADC"} <= set(rows["model"])


@real
def test_all_real_slices_are_placed_and_borders_are_where_slices_change(tmp_path):
    table = pd.read_csv(figshare.build(DATA, tmp_path))
    folds = pd.read_csv(tmp_path / "splits.csv")["fold"]
    assert table["class"].value_counts().to_dict() == {"meningioma": 209, "glioma": 203, "pituitary": 178}
    assert table["patient"].nunique() == 62
    assert (pd.crosstab(table["series"], folds) >= 5).to_numpy().all()
    apart = []
    for name in table["series"].unique():
        own = table[table["series"] == name]
        small = [Image.open(tmp_path / path).resize((32, 32), Image.Resampling.BOX) for path in own["image"]]
        jumps = figshare.differences(np.stack([np.asarray(picture, float) for picture in small]))
        apart += jumps[np.diff(folds[own.index]) != 0].tolist()
    assert len(apart) == 36
    assert min(apart) > 0.14
    assert np.median(apart) > 0.45
