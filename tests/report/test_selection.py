import numpy as np
import pandas as pd
import pytest

from fusion.report import chosen
from fusion.report.blocks import Listing, Prose, Rows
from fusion.report.results import Results, read
from fusion.report.style import look
from fusion.report.topics import selection

MODEL = "Tumor+External2_RAD"


@pytest.fixture(scope="module")
def results(make_run) -> Results:
    folder, run = make_run("network=null", models=("Tumor_RAD", "External2_RAD", MODEL, "Clinical", "Combined"))
    made = read(folder, run)
    leave(made)
    return made


def leave(results: Results) -> None:
    """A LASSO path of two features, as a run leaves it."""
    penalty = np.array([0.2, 0.1, 0.05])
    errors = {"model": MODEL, "penalty": penalty, "error": [0.2, 0.1, 0.15], "error_se": 0.02, "features": [0, 1, 2],
              "chosen": penalty == 0.1}  # fmt: skip
    first, second = results.final(MODEL)["feature"][0], "tumour:another"
    path = pd.DataFrame(
        {"model": MODEL, "penalty": np.tile(penalty, 2), "feature": np.repeat([first, second], 3),
         "coefficient": [0, -0.1, -0.2, 0, 0, 0.1]}
    )  # fmt: skip
    pd.DataFrame(errors).to_csv(results.folder / "lasso_errors.csv", index=False)
    path.to_csv(results.folder / "lasso_path.csv", index=False)


def of(results: Results, rows: list[tuple[str, str, str, float]]) -> Results:
    """The same run with another selection."""
    table = pd.DataFrame(rows, columns=["model", "fold", "feature", "coefficient"])
    table["rank"] = table.groupby(["model", "fold"])["coefficient"].rank(ascending=False, method="first").astype(int)
    return Results(results.folder, results.run, results.cohort, results.predictions, results.metrics, table, {})


def test_frequency_counts_folds_and_averages_over_those_that_chose(results):
    rows = [("Tumor_RAD", "0", "a", 1.0), ("Tumor_RAD", "1", "a", 3.0), ("Tumor_RAD", "1", "b", -1.0),
            ("Tumor_RAD", "2", "b", -1.0), ("Tumor_RAD", "3", "b", -1.0), ("Tumor_RAD", "final", "a", 2.0),
            ("Tumor_RAD", "final", "c", 1.0)]  # fmt: skip
    found = chosen.frequency(of(results, rows)).to_dict("records")
    assert [(row["feature"], row["folds"], row["share"], row["final"]) for row in found] == [
        ("b", 3, 0.75, False), ("a", 2, 0.5, True), ("c", 0, 0.0, True),
    ]  # fmt: skip
    assert [row["coefficient"] for row in found[:2]] == [-1.0, 2.0]
    assert np.isnan(found[2]["coefficient"])


def test_agreement_of_the_same_in_every_fold_is_one(results):
    found = chosen.agreement(results).set_index("model").loc[MODEL]
    assert found["jaccard"] == 1
    assert found["nogueira"] == pytest.approx(1)
    assert found["offered"] == 2 * 1874
    assert found["events_per_variable"] == pytest.approx(chosen.events(results) / found["kept"])


def test_it_says_what_was_kept_and_warns_of_few_events(results):
    blocks = selection.topic(results).section.blocks
    said = next(block.text for block in blocks if isinstance(block, Prose))
    assert said.startswith(f"Of 3748 features {MODEL} keeps 14; its folds kept 14.0 on average. Two folds share 100%")
    assert "Nogueira's stability is 1.00 (excellent" in said
    (warned,) = [block for block in blocks if isinstance(block, Listing)]
    assert f"{MODEL} (14): fewer than 10 training cases of the smaller class" in warned.items[-1]


def test_a_selection_of_everything_has_no_stability(results):
    names = [f"f{n}" for n in range(1874)]
    rows = [("Tumor_RAD", fold, name, 0.1) for fold in ("0", "1", "final") for name in names]
    topic = selection.topic(of(results, rows))
    assert "nothing can be said of the selection's stability" in topic.section.blocks[0].text
    assert len(topic.tables["selection_frequency"]) == 1874


def test_the_page_shows_twenty_a_model_and_says_how_many_more(results):
    rows = [("Tumor_RAD", fold, f"f{n}", 1 / (n + 1)) for fold in ("0", "1", "final") for n in range(33)]
    topic = selection.topic(of(results, rows))
    (shown,) = topic.section.blocks[-1].blocks
    assert isinstance(shown, Rows)
    assert len(shown.rows) == 20
    assert shown.note == "13 more, weaker ones are in tables/features.csv."
    assert len(topic.tables["features"]) == 33
    with look("selected_features"):
        figure = topic.plots["selected_features"]()
    assert figure.axes[0].get_title(loc="left") == "Tumor_RAD, the first 20; 13 more"


def test_the_path_colours_what_the_model_kept(results):
    with look("lasso"):
        figure = selection.topic(results).plots["lasso"]()
    left, right = figure.axes
    assert right.get_title(loc="left") == "Coefficients: 1 at the penalty taken"
    assert {line.get_color() for line in right.get_lines()} >= {"#c5cbd3", "#2166ac"}
    assert left.get_ylabel() == "mean squared error"


def test_without_a_path_there_is_no_figure_of_one(make_run):
    folder, run = make_run("network=null", models=("Tumor_RAD", "External2_RAD", MODEL))
    assert set(selection.topic(read(folder, run)).plots) == {"selected_features"}


def test_trees_have_importance_without_a_sign(make_run):
    folder, run = make_run("network=null", "heads.learner={kind: random_forest}", models=("Tumor_RAD",))
    texts = [block.text for block in selection.topic(read(folder, run)).section.blocks if isinstance(block, Prose)]
    assert any(text.startswith("Bars: importance, which has no sign.") for text in texts)
