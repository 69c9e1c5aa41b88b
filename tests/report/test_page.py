import re
import shutil
from html.parser import HTMLParser
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from fusion.errors import RunError
from fusion.evaluate.metrics import metrics
from fusion.report import html as setting
from fusion.report import page
from fusion.report.results import read
from fusion.report.topics import told

SECTIONS = (
    "says",
    "flow",
    "table_one",
    "selection",
    "models",
    "roc",
    "calibration",
    "decision",
    "confusion",
    "method",
    "environment",
)
VOID = {"meta", "br", "wbr", "link", "img", "hr", "input"}


class Nesting(HTMLParser):
    """Raises where a tag closes another one than the last opened; keeps every id."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def html(finished) -> str:
    folder, _ = finished
    return (folder / "report.html").read_text(encoding="utf-8")


def made(folder, run) -> str:
    return page.write(folder, run).read_text(encoding="utf-8")


def test_every_section_is_there(html):
    assert [section for section in SECTIONS if f'<section id="{section}"' not in html] == []


def test_the_page_asks_nothing_of_a_network(html):
    assert re.findall(r"""\b(?:src|srcset|href|action|data)\s*=\s*["'](?!#|data:image/png)[^"']*""", html) == []
    assert re.findall(r"url\((?!#)", html) == []
    assert "@import" not in html
    assert (
        re.findall(r"<(?:link|iframe|object|embed|base)\b|<script[^>]*\ssrc|\bfetch\(|XMLHttpRequest|WebSocket", html)
        == []
    )
    assert "default-src 'none'" in html


def test_no_case_and_no_patient_is_named(html):
    assert "secret" not in html
    assert "private" not in html


def test_the_page_is_small(html):
    assert len(html.encode()) < 3_000_000


def test_tags_are_closed_and_ids_are_unique(html):
    nesting = Nesting()
    nesting.feed(html)
    assert nesting.open == []
    assert len(nesting.ids) == len(set(nesting.ids))


def test_references_inside_a_drawing_are_found(html):
    ids = set(re.findall(r'\bid="([^"]+)"', html))
    used = set(re.findall(r'href="#([^"]+)"', html)) | set(re.findall(r"url\(#([^)]+)\)", html))
    assert used <= ids


def test_writing_again_gives_the_same_bytes(finished, html, tmp_path):
    folder, run = finished
    shutil.copytree(folder, tmp_path / "again", ignore=shutil.ignore_patterns("figures", "tables", "report.html"))
    assert made(tmp_path / "again", run) == html


def test_names_are_escaped(make_run):
    folder, run = make_run("cohort.positive_name='<b>bad & sad</b>'", sets=("train",), models=("Tumor_RAD",))
    text = made(folder, run)
    assert "<b>bad" not in text
    assert "&lt;b&gt;bad &amp; sad" in text


def test_a_run_without_a_test_set_reports_the_folds(make_run):
    folder, run = make_run(sets=("train",), cases=120, models=("Tumor_RAD", "Combined"))
    text = made(folder, run)
    assert "There is no test set" in text
    assert "In the training set, out-of-fold (120 cases, 30 malignant)" in text


def test_an_external_set_has_its_own_figures(make_run):
    folder, run = make_run(sets=("train", "external"), models=("Clinical", "Combined"))
    text = made(folder, run)
    assert 'aria-label="ROC curves, external set"' in text


def test_one_model_is_enough(make_run):
    assert "Tumor_RAD is the only model" in made(*make_run(sets=("train",), models=("Tumor_RAD",)))


@pytest.mark.parametrize("perfect", [True, False])
def test_perfect_and_constant_predictions_are_drawn(make_run, perfect):
    folder, run = make_run(sets=("train",), models=("Clinical", "Combined"))
    table = pd.read_csv(folder / "predictions.csv")
    table["probability"] = np.where(table["event"] == 1, 0.9, 0.1) if perfect else 0.25
    table.to_csv(folder / "predictions.csv", index=False)
    metrics(table, run.evaluate, 0).to_csv(folder / "metrics.csv", index=False)
    assert "cannot be estimated" in made(folder, run)


def test_a_missing_figure_is_told(make_run):
    results = read(*make_run("network=null"))
    with pytest.raises(RunError, match="no such figure"):
        setting.page(page.report(results, told(results)), results.folder / "figures")


def test_the_template_is_in_the_package():
    assert files("fusion.report").joinpath("page.html.j2").is_file()
