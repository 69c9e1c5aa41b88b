import matplotlib
import pytest

from fusion.config import MODELS
from fusion.report import style
from fusion.report.results import read
from fusion.report.topics import roc, told


@pytest.fixture(scope="module")
def topics(finished):
    return told(read(*finished))


def test_every_set_has_its_four_figures_in_two_kinds(finished):
    folder, _run = finished
    names = {path.name for path in (folder / "figures").iterdir()}
    expected = [
        f"{kind}_{set_}" for kind in ("roc", "calibration", "decision", "confusion") for set_ in ("test", "train_oof")
    ]
    assert names >= {f"{name}.{kind}" for name in [*expected, "selected_features"] for kind in ("svg", "png")}


def test_every_figure_on_the_page_is_drawn_by_its_topic_and_every_file_comes_from_one(finished, topics):
    folder, _run = finished
    names = [name for topic in topics for name in topic.plots]
    assert len(names) == len(set(names))
    assert {path.name for path in (folder / "figures").iterdir()} == {f"{n}.{k}" for n in names for k in ("svg", "png")}


def test_drawing_again_gives_the_same_bytes(finished, topics, tmp_path):
    folder, _run = finished
    plots = {name: draw for topic in topics for name, draw in topic.plots.items()}
    for name in ("roc_test", "selected_features"):
        with style.look(name):
            paths = style.save(plots[name](), tmp_path, name)
        assert [path.read_bytes() for path in paths] == [
            (folder / "figures" / path.name).read_bytes() for path in paths
        ]


def test_no_case_is_named_in_a_figure(finished):
    folder, _run = finished
    drawings = [path.read_text() for path in (folder / "figures").glob("*.svg")]
    assert not any("secret" in text or "private" in text for text in drawings)


@pytest.mark.parametrize("name", ["roc_test", "calibration_test", "decision_test", "confusion_test"])
def test_every_figure_tells_n_events_and_positive_class(finished, name):
    folder, _run = finished
    text = (folder / f"figures/{name}.svg").read_text()
    assert "n = 105, 27 malignant (positive)" in text


def test_the_threshold_rule_stands_under_the_figures_that_use_it(finished):
    folder, _run = finished
    for name in ("roc_test", "confusion_test"):
        assert (
            "largest Youden index in out-of-fold training predictions" in (folder / f"figures/{name}.svg").read_text()
        )


def test_every_model_has_a_line_of_its_own():
    lines = [style.line(model) for model in MODELS]
    assert len({(line.colour, line.dash) for line in lines}) == len(MODELS)
    assert len({line.colour for line in lines}) == len(MODELS)


def test_drawing_leaves_matplotlib_as_it_was(finished):
    folder, run = finished
    before = dict(matplotlib.rcParams)
    with style.look("roc_test"):
        roc.roc(read(folder, run), "test")
    assert dict(matplotlib.rcParams) == before


def test_a_panel_without_a_model_is_left_out(make_run):
    folder, run = make_run("network=null")
    with style.look("roc_test"):
        drawn = roc.roc(read(folder, run), "test")
    assert [axis.get_title(loc="left") for axis in drawn.axes] == ["Radiomics", "Fused and clinical"]
