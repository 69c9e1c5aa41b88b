"""Checklists: complete in number, honest about what the run's record does not show."""

import dataclasses
from pathlib import Path

import pandas as pd
import pytest

from fusion.data.split import split
from fusion.report.blocks import Folded, Prose
from fusion.report.checklists import CHECKLISTS, CLAIM, CLEAR, METRICS, TRIPOD_AI, answers, table
from fusion.report.checklists.item import BLANK, Answer, Checklist
from fusion.report.checklists.metrics import score_range
from fusion.report.results import Results, read
from fusion.report.topics import checklists

HUMAN = {
    "clear": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 18, 19, 20, 45, *range(49, 59)),
    "metrics": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 28, 29, 30),
    "tripod_ai": ("1", "2", "3a", "3b", "3c", "4", "5a", "5b", "6a", "6b", "6c", "8a", "8b", "8c", "9b", "9c", "10",
                  "17", "18a", "18b", "18c", "18d", "18e", "18f", "19", "25", "26", "27a", "27b", "27c"),
    "claim": (1, 2, 3, 4, 5, 6, 7, 8, 11, 13, 14, 15, 16, 17, 21, 34, 35, 40, 41, 42, 43, 44),
}  # fmt: skip
"""Items that no run can answer."""
FEW = ("Tumor_RAD", "Tumor+External2_RAD", "Tumor+External2_DL", "Clinical", "Combined")


@pytest.fixture(scope="module")
def results(make_run) -> Results:
    return read(*make_run(models=FEW))


@pytest.fixture(scope="module")
def bare(make_run) -> Results:
    """No networks, no test set."""
    return read(*make_run("network=null", sets=("train",), models=FEW, cases=160))


def answer(checklist: Checklist, number: str, results: Results) -> Answer:
    (item,) = [item for item in checklist.items if item.number == number]
    assert item.fact is not None
    return item.fact(results)


@pytest.mark.parametrize(("checklist", "count"), [(CLEAR, 58), (METRICS, 30), (TRIPOD_AI, 52), (CLAIM, 44)])
def test_every_item_is_there_once(checklist, count):
    numbers = [item.number for item in checklist.items]
    assert len(numbers) == len(set(numbers)) == count
    if checklist is not TRIPOD_AI:
        assert numbers == [str(number) for number in range(1, count + 1)]


def test_tripod_has_27_items_in_order():
    main = [int(item.number.rstrip("abcdefg")) for item in TRIPOD_AI.items]
    assert main == sorted(main)
    assert set(main) == set(range(1, 28))


def test_metrics_has_nine_categories_whose_weights_are_one():
    weights: dict[str, float] = {}
    for item in METRICS.items:
        weights[item.section] = weights.get(item.section, 0) + item.weight
    assert len(weights) == 9
    assert sum(weights.values()) == pytest.approx(1, abs=1e-9)
    ranked = sorted(weights, key=lambda name: -weights[name])
    assert (ranked[0], ranked[-1]) == ("Study design", "Open science")  # Kocak 2024, abstract


@pytest.mark.parametrize("checklist", CHECKLISTS, ids=lambda own: own.key)
def test_what_no_run_can_know_is_blank(checklist, results):
    rows = table(checklist, results).set_index("item")
    human = [str(number) for number in HUMAN[checklist.key]]
    assert set(rows.loc[human, "answer"]) == {BLANK}
    assert set(rows.loc[human, "status"]) == {"for the authors"}
    assert set(rows.loc[human, "source"]) == {""}
    others = rows.drop(human)
    assert not others["answer"].str.contains("to be filled").any()
    assert (others["source"] != "").all()


@pytest.mark.parametrize("checklist", CHECKLISTS, ids=lambda own: own.key)
def test_status_and_words_agree(checklist, results, bare):
    starts = {
        "answered": "Yes: ",
        "not done": "Not done: ",
        "not applicable": "Not applicable: ",
        "for the authors": "[",
    }
    for own in (results, bare):
        for found in answers(checklist, own):
            assert found.text.startswith(starts[found.status])


def test_a_run_without_other_sets_says_so(bare, results):
    for checklist, number in ((METRICS, "26"), (METRICS, "27"), (METRICS, "18"), (CLEAR, "38"), (CLAIM, "33"),
                              (TRIPOD_AI, "16"), (TRIPOD_AI, "20c")):  # fmt: skip
        assert answer(checklist, number, bare).status == "not done", (checklist.key, number)
    assert answer(METRICS, "26", results).status == "answered"
    assert answer(METRICS, "27", results).status == "not done"
    n = int((results.cohort["set"] == "test").sum())
    assert f"test set of {n} cases" in answer(METRICS, "26", results).text


def test_an_external_set_is_told_with_its_counts(make_run):
    own = read(*make_run(sets=("train", "external"), models=FEW[-2:], cases=160))
    assert answer(METRICS, "27", own).status == "answered"
    assert answer(METRICS, "26", own).status == "not done"
    events = int(own.cohort.query("set == 'external'")["event"].sum())
    assert f"{events} malignant" in answer(CLAIM, "33", own).text


def test_networks_change_the_answers(results, bare):
    assert answer(CLAIM, "24", results).status == "answered"
    assert answer(CLAIM, "24", bare).status == "not applicable"
    assert answer(METRICS, "17", results).status == "not done"
    assert answer(METRICS, "17", bare).status == "not applicable"
    assert answer(METRICS, "20", results).status == "not done"  # loss curves are not drawn
    assert answer(METRICS, "20", bare).status == "answered"
    assert "mobilenetv3" in answer(CLEAR, "34", results).text
    assert "mobilenetv3" not in answer(CLEAR, "34", bare).text


def test_the_config_changes_the_answers(make_run, results):
    run = results.run
    changed = run.model_copy(update={
        "radiomics": run.radiomics.model_copy(update={"bin_width": 10.0, "images": ("original",), "spacing_mm": None}),
    })  # fmt: skip
    own = dataclasses.replace(results, run=changed)
    assert answer(CLEAR, "23", results).text == "Yes: bin width 25"
    assert answer(CLEAR, "23", own).text == "Yes: bin width 10"
    assert answer(CLEAR, "22", own).text.startswith("Yes: none")
    assert answer(CLEAR, "27", own).text.startswith("Yes: 107 a region")
    balanced = run.model_copy(update={"network": run.network.model_copy(update={"balanced": True})})
    assert "weighs the positive class" in answer(CLEAR, "30", dataclasses.replace(results, run=balanced)).text
    assert "weighs" not in answer(CLEAR, "30", results).text


def test_without_clinical_variables_nothing_is_compared_with_them(make_run):
    own = read(*make_run("cohort.clinical={}", models=FEW[:2], cases=160))
    for checklist, number in ((METRICS, "24"), (METRICS, "25"), (CLEAR, "17"), (CLEAR, "44"), (TRIPOD_AI, "20b")):
        assert answer(checklist, number, own).status == "not done", (checklist.key, number)


def test_sets_that_the_run_did_not_draw_are_not_called_drawn(results):
    text = answer(CLEAR, "15", results).text
    assert "sets as the cohort table names them" in text
    rows = results.cohort.drop(columns=["set", "fold"])
    drawn = split(rows[["case", "patient", "event"]], results.run.split, results.run.seed)
    own = dataclasses.replace(results, cohort=rows.merge(drawn[["case", "set", "fold"]], on="case"))
    assert "test set of 30% of the patients drawn the same way" in answer(CLEAR, "15", own).text


def test_a_patient_in_two_sets_is_not_called_apart(results):
    mixed = results.cohort.assign(patient=["one"] * 8 + list(results.cohort["patient"][8:]))
    assert answer(CLAIM, "20", results).status == "answered"
    assert answer(CLAIM, "20", dataclasses.replace(results, cohort=mixed)).status == "not done"


def test_files_that_are_not_there_are_not_claimed(results, tmp_path):
    assert answer(CLAIM, "30", results).status == "not done"
    (tmp_path / "validation").mkdir()
    (tmp_path / "validation/permutation.csv").write_text("model,permutation,auc\n")
    own = dataclasses.replace(results, folder=tmp_path)
    assert answer(CLAIM, "30", own).text == "Yes: permutation test"
    assert answer(METRICS, "14", results).status == "not done"
    assert answer(TRIPOD_AI, "22", results).status == "not done"


def test_agreement_of_readings_is_counted(make_run, tmp_path):
    results = read(*make_run("heads.icc={}", models=FEW[-2:], cases=160))
    own = dataclasses.replace(results, folder=tmp_path)
    assert answer(METRICS, "14", own).status == "not done"  # asked for, but there is no such file
    (tmp_path / "features").mkdir()
    rows = [("tumour", "a", "inter", 20, True), ("tumour", "a", "intra", 20, False), ("tumour", "b", "inter", 20, True),
            ("tumour", "b", "intra", 20, True)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["region", "feature", "readings", "cases", "passed"])
    table.to_csv(tmp_path / "features/icc.csv", index=False)
    assert "kept 1 of 2 features (inter 20 cases, intra 20 cases)" in answer(METRICS, "14", own).text


def test_scanners_are_a_cluster_only_where_there_are_two(results):
    two = results.cohort.assign(scanner=["A", "B"] * (len(results.cohort) // 2) + ["A"] * (len(results.cohort) % 2))
    assert answer(TRIPOD_AI, "12d", results).status == "not done"
    assert answer(TRIPOD_AI, "12d", dataclasses.replace(results, cohort=two)).status == "answered"
    assert answer(TRIPOD_AI, "12d", dataclasses.replace(results, cohort=two.assign(scanner="A"))).status == "not done"


def test_a_phantom_is_named_as_the_source(make_run):
    own = read(*make_run("cohort.phantom={cases: 357}", models=FEW[-2:], cases=160))
    assert "digital phantom" in answer(CLEAR, "13", own).text


def test_the_score_range_is_by_weight():
    answered, human = ("answered", "for the authors")
    found = [Answer("", "", answered if item.number in ("27", "26") else human) for item in METRICS.items]
    low, high = score_range(found)
    assert (low, high) == (pytest.approx(0.0375 + 0.0749), pytest.approx(1))
    none = [Answer("", "", "not applicable" if item.number == "17" else "not done") for item in METRICS.items]
    assert score_range(none) == (0, 0)
    rest = [Answer("", "", "not applicable" if item.number == "27" else answered) for item in METRICS.items]
    assert score_range(rest) == (pytest.approx(1), pytest.approx(1))


def test_numbers_are_those_of_the_metrics(results):
    row = results.metrics.query("model == 'Combined' and set == 'test'").iloc[0]
    area = f"test set {row['auc']:.3f} (95% CI {row['auc_low']:.3f}–{row['auc_high']:.3f})"
    assert area in answer(CLAIM, "37", results).text
    assert f"sensitivity {row['sensitivity']:.3f} (95% CI 0." in answer(CLAIM, "38", results).text
    own = results.predictions.query("model == 'Combined' and set == 'test'")
    missed = int(((own["event"] == 1) & (own["probability"] < row["threshold"])).sum())
    assert f"of {len(own)} cases missed {missed}," in answer(CLAIM, "39", results).text


def test_no_case_or_patient_is_named(results, bare):
    for own in (results, bare):
        words = "".join(table(checklist, own).to_csv() for checklist in CHECKLISTS)
        assert "secret" not in words
        assert "private" not in words
        assert str(Path.home()) not in words


def test_the_topic_has_four_folded_lists_and_a_sentence_each(results):
    made = checklists.topic(results)
    assert sorted(made.tables) == [f"checklist_{key}" for key in ("claim", "clear", "metrics", "tripod_ai")]
    folded = [block for block in made.section.blocks if isinstance(block, Folded)]
    assert [len(block.blocks[0].rows) for block in folded] == [58, 30, 52, 44]
    prose = [block.text for block in made.section.blocks if isinstance(block, Prose)]
    counts = made.tables["checklist_claim"]["status"].value_counts()
    assert f"CLAIM: of 44 items the run answers {counts['answered']}" in prose[3]
    low, high = score_range(answers(METRICS, results))
    assert f"between {100 * low:.0f}%" in prose[1]
    assert f"{100 * high:.0f}%, if all is a yes" in prose[1]
    assert 0 < low < high < 1
