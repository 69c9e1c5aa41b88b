"""The nomogram's section on a run folder whose scores and predictions belong together."""

import json
import re
import shutil
import subprocess
from html import unescape

import numpy as np
import pandas as pd
import pytest

from fusion.errors import RunError
from fusion.evaluate.metrics import metrics
from fusion.features.clinical import encode
from fusion.heads.combine import predict
from fusion.heads.points import Choice, Nomogram, Scale
from fusion.report.blocks import Interactive, Prose
from fusion.report.nomogram import calculator, figure
from fusion.report.results import Results, read
from fusion.report.style import look, save
from fusion.report.topic import Topic
from fusion.report.topics import nomogram

SOURCES = ("tumour_RAD", "tumour+external2_RAD", "tumour+external2_DL")


@pytest.fixture(scope="module")
def results(make_run) -> Results:
    """A run whose Combined and Clinical were fitted on the scores that lie beside them."""
    folder, run = make_run(sets=("train", "test"))
    cohort = read(folder, run).cohort
    rng = np.random.default_rng(5)
    scores = pd.concat(
        [cohort[["case", "set", "fold"]].assign(
            source=source, score=rng.normal(-1.5, 1.5, len(cohort)) + cohort["event"]) for source in SOURCES],
        ignore_index=True,
    )  # fmt: skip
    (folder / "features").mkdir()
    scores.to_parquet(folder / "features/scores.parquet")
    encoded = encode(cohort.set_index("case"), run.cohort.clinical, run.predictors)
    table = predict(scores, encoded, cohort, ("Clinical", "Combined"), run.heads).rows
    table.to_csv(folder / "predictions.csv", index=False)
    metrics(table, run.evaluate, run.seed).to_csv(folder / "metrics.csv", index=False)
    return read(folder, run)


@pytest.fixture(scope="module")
def made(results) -> Topic:
    found = nomogram.topic(results)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def snippet(made) -> str:
    (block,) = [block for block in made.section.blocks if isinstance(block, Interactive)]
    return block.html


def embedded(html: str) -> dict:
    return json.loads(re.search(r'<script type="application/json"[^>]*>(.*?)</script>', html, re.DOTALL)[1])


def test_the_snippets_numbers_give_every_test_case_its_probability(results, snippet):
    model = embedded(snippet)
    scores = pd.read_parquet(results.folder / "features/scores.parquet").pivot(index="case", columns="source")["score"]
    cases = results.cohort.set_index("case").join(scores)
    total = np.zeros(len(cases))
    for own in model["predictors"]:
        values = cases[own["name"]]
        if "levels" in own:
            total += values.map(dict(zip(own["levels"], own["points"], strict=True)))
        else:
            total += own["slope"] * (values.astype(float) - own["zero"])
    found = 1 / (1 + np.exp(-(model["constant"] + model["unit"] * total)))
    expected = results.predictions.query("model == 'Combined' and set == 'test'").set_index("case")["probability"]
    assert len(expected) > 50
    np.testing.assert_allclose(found[expected.index], expected, rtol=0, atol=1e-9)


def test_the_snippet_has_the_models_threshold_and_names(results, snippet):
    model = embedded(snippet)
    assert model["threshold"] == results.rows("test")["threshold"]["Combined"]
    assert (model["positive"], model["negative"]) == ("malignant", "benign")
    assert "Research use only" in snippet


def test_every_control_has_a_label_and_ids_are_unique(snippet):
    ids = re.findall(r'\bid="([^"]+)"', snippet)
    assert len(ids) == len(set(ids))
    assert all(own.startswith("nomo-calc") for own in ids)
    labelled = set(re.findall(r'<label for="([^"]+)"', snippet))
    for control, attributes in re.findall(r"<(input|select)\b([^>]*)", snippet):
        own = re.search(r'id="([^"]+)"', attributes)[1]
        assert own in labelled or "aria-label=" in attributes, control
    assert 'aria-live="polite"' in snippet


def test_the_snippet_asks_nothing_of_a_network(snippet):
    assert not re.search(r"https?:|src=|@import|url\(|fetch\(|XMLHttp", snippet)


def test_names_cannot_end_the_script_or_open_a_tag():
    odd = Nomogram("Combined", (Choice("a</script><b>", {"<i>x": 0.0, "y&z": 100.0}, "y&z"),), -1.0, 0.03, {})
    html = calculator.html(odd, 0.4, "</script><img>", "b")
    assert html.count("</script>") == 2
    assert "<b>" not in re.sub(r"<b id=", "", html)
    assert "<img>" not in html
    assert embedded(html)["predictors"][0]["name"] == "a</script><b>"
    assert "a</script><b>" in unescape(html)


def test_the_tables_are_the_model(results, made):
    points, equation = made.tables["nomogram"], made.tables["nomogram_equation"]
    assert points["points"].max() == pytest.approx(100)
    assert points["points"].min() == 0
    margin = points[points["predictor"] == "margin"].set_index("value")["points"]
    own = equation.set_index("term")["log_odds"]
    assert list(margin.index) == ["clear", "unclear"]
    unit = embedded(next(b.html for b in made.section.blocks if isinstance(b, Interactive)))["unit"]
    assert (margin["unclear"] - margin["clear"]) * unit == pytest.approx(own["margin=unclear"])
    chances = made.tables["nomogram_probability"]
    assert chances["probability"].is_monotonic_increasing


def test_the_words_count_cases_beyond_the_lines(results, made):
    prose = " ".join(block.text for block in made.section.blocks if isinstance(block, Prose))
    assert "radiomics score, tumour + External2 (log-odds)" in prose
    scores = pd.read_parquet(results.folder / "features/scores.parquet")
    drawn = {
        own["name"]: own
        for own in embedded(next(b.html for b in made.section.blocks if isinstance(b, Interactive)))["predictors"]
    }
    beyond: set[str] = set()
    for name in SOURCES[1:]:
        own = scores[(scores["source"] == name) & (scores["set"] == "test")]
        beyond |= set(own["case"][(own["score"] < drawn[name]["low"]) | (own["score"] > drawn[name]["high"])])
    test = results.cohort[results.cohort["set"] == "test"]
    for name in ("age", "diameter_cm"):
        beyond |= set(test["case"][(test[name] < drawn[name]["low"]) | (test[name] > drawn[name]["high"])])
    assert (f"{len(beyond)} of {len(test)} cases" in prose) == bool(beyond)


def test_no_case_is_named(made, snippet):
    words = snippet + repr(made.section.blocks) + "".join(t.to_csv() for t in made.tables.values())
    assert "secret" not in words
    assert "private" not in words


def test_without_combined_it_is_clinicals(results):
    own = results.predictions[results.predictions["model"] == "Clinical"]
    clinical = Results(
        results.folder, results.run, results.cohort, own, results.metrics[results.metrics["model"] == "Clinical"],
        results.selection, results.environment,
    )  # fmt: skip
    found = nomogram.topic(clinical)
    assert found is not None
    assert "score" not in " ".join(found.tables["nomogram"]["predictor"])


def test_predictions_of_another_run_are_refused(results):
    other = results.predictions.assign(probability=results.predictions["probability"] * 0.9)
    mixed = Results(
        results.folder, results.run, results.cohort, other, results.metrics, results.selection, results.environment
    )
    with pytest.raises(RunError, match=r"away from predictions\.csv"):
        nomogram.topic(mixed)


def test_a_run_without_scores_or_clinical_models_has_none(make_run, results):
    assert nomogram.topic(read(*make_run())) is None
    rad = results.predictions.assign(model="Tumor_RAD").drop_duplicates(["case"])
    assert nomogram.shown_model(
        Results(results.folder, results.run, results.cohort, rad, results.metrics, results.selection, {})
    ) is None  # fmt: skip


def texts(drawing) -> list[str]:
    return [text.get_text() for text in drawing.axes[0].texts] + [
        t.get_text() for t in drawing.axes[0].get_yticklabels()
    ]


def test_the_figure_says_n_events_and_the_positive_class(results, made, tmp_path):
    with look("nomogram"):
        drawing = made.plots["nomogram"]()
        train = results.cohort[results.cohort["set"] == "train"]
        assert f"n = {len(train)} training cases, {train['event'].sum()} malignant (positive)" in drawing.get_suptitle()
        words = texts(drawing)
        paths = save(drawing, tmp_path, "nomogram")
    assert {"Points", "Total points", "unclear", "0.5"} <= set(words)
    assert all(path.stat().st_size > 5000 for path in paths)


@pytest.mark.parametrize("chance", [0.2, 0.0])
def test_a_weak_model_and_a_short_line_are_drawn(chance):
    weak = Nomogram(
        "Clinical",
        (Scale("age", 10.0, 100.0, 10.0, 50.0, 100 / 90), Scale("bmi", 18.0, 32.0, 2.0, 25.0, -0.1),
         Choice("side", {"left": 0.0, "right": 0.1, "both": 2.0}, "left")),
        -1.0, 0.001, {"intercept": -1.0},
    )  # fmt: skip
    words = texts(figure.drawn(weak, chance, "malignant", "title", "note"))
    assert {"32 to 18", "left or right", "0.269"} <= set(words)


def test_the_typical_case_is_told_with_its_sum(made):
    drawing = made.plots["nomogram_case"]()
    assert re.search(r"\d+\.\d points, probability of malignant \d+\.\d%", drawing.get_suptitle())


@pytest.mark.slow
def test_a_browser_computes_the_same(snippet, tmp_path):
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no chromium here")
    model = embedded(snippet)
    high = model["predictors"][1]["high"]
    move = f"""<script>for (const [id, value] of [["nomo-calc-0-number", "9.5"], ["nomo-calc-1", "{high}"]]) {{
      const own = document.getElementById(id); own.value = value; own.dispatchEvent(new Event("input")); }}</script>"""
    (tmp_path / "page.html").write_text(f"<!doctype html><meta charset=utf-8>{snippet}{move}", encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]  # fmt: skip
    page = subprocess.run(
        [browser, *flags, (tmp_path / "page.html").as_uri()], capture_output=True, text=True, timeout=120
    )
    total = 0.0
    for own, value in zip(model["predictors"], [9.5, high, *[None] * 9], strict=False):
        if "levels" in own:
            total += own["points"][own["levels"].index(own["start"])]
        else:
            total += own["slope"] * ((own["start"] if value is None else value) - own["zero"])
    found = float(re.search(r'data-probability="([^"]+)"', page.stdout)[1])
    assert found == pytest.approx(1 / (1 + np.exp(-(model["constant"] + model["unit"] * total))), abs=1e-12)
    assert "extrapolated" in page.stdout.split("<script>")[0]
