from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fusion.evaluate import discrimination
from fusion.evaluate.sweep.choice import choose
from fusion.evaluate.sweep.scores import mean_auc
from fusion.evaluate.sweep.worth import predictions, worth
from tests.evaluate.sweep import made


@pytest.fixture(scope="module")
def whole():
    return made.cohort(90)


@pytest.fixture(scope="module")
def cells(whole):
    generator = np.random.default_rng(0)
    return [made.nested(f"c{n:02d}", whole, 0.5, generator) for n in range(1, 7)]


def test_each_round_takes_the_cell_with_the_largest_out_of_fold_auc(cells):
    choice = choose(cells, "Combined")
    assert list(choice.table["round"]) == ["r0", "r1", "r2"]
    for round_, own in choice.chosen.items():
        inner = [other.scores("Combined", "train_oof")[round_].auc for other in cells]
        assert own is cells[int(np.argmax(inner))]


def test_the_figure_is_that_of_the_chosen_predictions_each_case_once(cells):
    choice = choose(cells, "Combined")
    table, row = predictions(choice), worth(choice).iloc[0]
    assert (len(table), table["case"].nunique()) == (90, 90)
    expected = [
        own.rounds[round_].query("model == 'Combined' and set == 'test'") for round_, own in choice.chosen.items()
    ]
    assert table["probability"].tolist() == pd.concat(expected)["probability"].tolist()
    assert row["auc"] == discrimination.auc(table["probability"].to_numpy(), table["event"].to_numpy())
    assert row["auc_low"] < row["auc"] < row["auc_high"]
    assert (row["n"], row["events"], row["rounds"], row["candidates"]) == (90, 36, 3, 6)
    areas = {own.name: own.metrics.query("set == 'test'")["auc"].iloc[0] for own in cells}
    assert row["best_cell"] == max(areas, key=areas.get)
    assert row["optimism"] == pytest.approx(max(areas.values()) - row["auc"])


def test_where_one_cell_is_chosen_everywhere_its_own_figures_are_the_answer(cells):
    row = worth(choose(cells[:1], "Combined")).iloc[0]
    its = cells[0].metrics.query("set == 'test'").iloc[0]
    names = ["n", "events", "auc", "auc_low", "auc_high", "brier", "calibration_slope"]
    assert row[names].astype(float).tolist() == pytest.approx(its[names].astype(float).tolist(), rel=1e-12)
    assert row["optimism"] == 0


def test_permuted_test_outcomes_leave_the_choice_byte_equal_and_change_its_worth(cells, whole):
    generator = np.random.default_rng(1)
    other = whole.assign(event=generator.permutation(whole["event"]))
    event = other.set_index("case")["event"]

    def relabelled(table):
        return table.assign(event=table["event"].mask(table["set"] == "test", table["case"].map(event)))

    blind = [replace(own, rounds={n: relabelled(t) for n, t in own.rounds.items()}, cohort=other) for own in cells]
    before, after = choose(cells, "Combined"), choose(blind, "Combined")
    assert before.table.to_csv() == after.table.to_csv()
    assert worth(before)["auc"][0] != worth(after)["auc"][0]


def test_the_best_of_many_cells_of_noise_is_well_above_chance_and_the_choice_is_not():
    """16 cells that know nothing, of 120 cases: their largest AUC is near 0.6 each time, by chance alone."""
    generator, whole = np.random.default_rng(0), made.cohort(120, 0.5)
    rows = []
    for _ in range(10):
        cells = [made.nested(f"c{n:02d}", whole, 0.0, generator, judged=False) for n in range(16)]
        rows.append(worth(choose(cells, "Combined")).iloc[0])
    found = pd.DataFrame(rows)
    error = found["auc"].astype(float).std(ddof=1) / np.sqrt(len(found))
    assert abs(found["auc"].mean() - 0.5) < 3 * error
    assert error < 0.025
    assert found["best_auc"].mean() > 0.58
    assert found["optimism"].mean() > 0.05


def test_of_equal_cells_the_earlier_is_chosen(cells):
    twin = replace(cells[2], name="c99")
    only = choose([cells[2], twin], "Combined")
    assert set(only.table["cell"]) == {"c03"}
    assert set(choose([twin, cells[2]], "Combined").table["cell"]) == {"c99"}
    assert set(only.table["runner_up"]) == {"c99"}


def test_a_cell_that_lacks_a_round_is_chosen_in_none(cells):
    best = replace(cells[0], name="c00", rounds={n: t for n, t in cells[0].rounds.items() if n != "r1"})
    perfect = {
        n: t.assign(probability=np.where(t["event"] == 1, 0.9, 0.1)) for n, t in best.rounds.items()
    }  # ranks without a fault wherever it is
    choice = choose([replace(best, rounds=perfect), *cells[1:]], "Combined")
    assert choice.left_out == {"c00": "no round r1"}
    assert "c00" not in set(choice.table["cell"])
    assert set(choice.table["candidates"]) == {5}


def test_cells_over_other_cases_or_without_the_model_are_no_candidates_and_other_folds_are(whole, cells):
    generator = np.random.default_rng(5)
    one = made.cell("c01", {"": made.round_(whole, range(60, 90), 1, generator)}, whole)
    moved = made.cell("c02", {"": made.round_(whole, range(30), 9, generator)}, whole)
    plain = made.cell("c03", {"": made.round_(whole, range(60, 90), 1, generator, models=("Clinical",))}, whole)
    folded = made.cell("c04", {"": made.round_(whole, range(60, 90), 3, generator, folds=5)}, whole)
    choice = choose([one, moved, plain, folded], "Combined")
    assert choice.left_out == {"c02": "other cases than c01 (train_oof)", "c03": "no Combined"}
    assert list(choice.table["cell"]) == ["c04"]
    alone = replace(one, name="c00")
    assert choose([alone, *cells], "Combined").left_out == {"c00": "other rounds than c01 (train_oof)"}


def test_one_holdout_is_judged_once_on_the_test_set(whole):
    generator = np.random.default_rng(6)
    cells = [made.cell(f"c0{n}", {"": made.round_(whole, range(60, 90), n / 2, generator)}, whole) for n in (1, 2, 3)]
    row = worth(choose(cells, "Combined")).iloc[0]
    chosen = choose(cells, "Combined").chosen[""]
    assert row["auc"] == chosen.metrics.query("model == 'Combined' and set == 'test'")["auc"].iloc[0]
    assert (row["set"], row["n"], row["rounds"]) == ("test", 30, 1)


def test_an_external_set_judges_where_there_is_no_test_set(whole):
    generator = np.random.default_rng(7)
    rounds = {f"r{n}": made.round_(whole, (), 1, generator, external=range(60, 90)) for n in range(2)}
    choice = choose([made.cell("c01", rounds, whole), made.cell("c02", rounds, whole)], "Combined")
    row = worth(choice).iloc[0]
    assert (row["set"], row["n"], row["events"]) == ("external", 30, 12)
    each = [scores.auc for scores in choice.candidates[0].scores("Combined", "external").values()]
    assert row["auc"] == pytest.approx(np.mean(each))
    assert row["auc_low"] < row["auc"] < row["auc_high"]


def test_without_cases_set_aside_there_is_a_choice_and_no_figure(whole):
    generator = np.random.default_rng(8)
    cells = [made.cell(f"c0{n}", {"": made.round_(whole, (), n, generator)}, whole) for n in (1, 2)]
    choice = choose(cells, "Combined")
    assert (choice.judge, list(choice.table["cell"])) == (None, ["c02"])
    assert worth(choice).empty
    assert predictions(choice).empty
    assert "auc" in worth(choice)


def test_no_cell_no_choice(cells):
    assert choose([], "Combined").table.empty
    choice = choose(cells, "Tumor_DL")
    assert choice.left_out == {own.name: "no Tumor_DL" for own in cells}
    assert worth(choice).empty
    assert predictions(choice).empty


def test_what_is_pooled_is_a_case_once_and_what_is_repeated_stays_apart(whole):
    from fusion.evaluate.sweep.scores import repeats

    generator = np.random.default_rng(9)
    once = made.nested("c01", whole, 1.0, generator)
    again = made.nested("c01", whole, 1.0, generator)
    rounds = {**{f"a{n}": t for n, t in once.rounds.items()}, **{f"b{n}": t for n, t in again.rounds.items()}}
    parts = repeats(replace(once, rounds=rounds).scores("Combined", "test").values())
    assert [len(part.case) for part in parts] == [90, 90]
    assert mean_auc(parts) == pytest.approx(np.mean([own.metrics["auc"].iloc[0] for own in (once, again)]))


def test_repeats_added_up_give_the_mean_of_their_areas_in_every_sample(whole):
    from fusion.evaluate.sweep.scores import draw, sampled_auc

    generator = np.random.default_rng(10)
    rounds = [made.round_(whole, (), signal, generator) for signal in (0.5, 1.0, 2.0)]
    parts = [made.cell("c", {"": own}, whole).scores("Combined", "train_oof")[""] for own in rounds]
    parts[0].probability[:, 1].round(1, out=parts[0].probability[:, 1])  # with ties
    patient = whole.set_index("case")["patient"]
    drawn = draw(parts, patient, np.random.default_rng(0), 50)
    each = [own.sampled(drawn.weights[drawn.place.loc[own.case]]) for own in parts]
    assert np.allclose(sampled_auc(parts, drawn), np.mean(each, axis=0), rtol=1e-13)
    alone = pd.Series("one", index=patient.index)
    assert np.isnan(sampled_auc(parts, draw(parts, alone, generator, 5))).all()
