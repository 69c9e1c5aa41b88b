"""The topics of readers and scanners on made-up runs."""

import numpy as np
import pandas as pd
import pytest

from fusion.config.harmonise import Combat, Icc, Perturb
from fusion.config.heads import Heads
from fusion.evaluate import predictions
from fusion.evaluate.discrimination import auc, delong_interval
from fusion.report import scanner_features, style
from fusion.report.blocks import Prose
from fusion.report.reliability import reliability
from fusion.report.results import read
from fusion.report.topics import agreement, scanners


def scanned(make_run, names=("Force", "Flash", "Discovery"), *overrides):
    """A finished run whose cases were scanned on ``names``, in turn."""
    folder, run = make_run(*overrides)
    cohort = pd.read_csv(folder / "cohort.csv", dtype={"case": str})
    cohort["scanner"] = [names[n % len(names)] for n in range(len(cohort))]
    cohort.to_csv(folder / "cohort.csv", index=False)
    return folder, run


def with_features(folder, gap: float, features: int = 40, seed: int = 0) -> None:
    """Radiomics tables in which the second half of the columns is shifted by ``gap`` on the Force."""
    cohort, rng = pd.read_csv(folder / "cohort.csv", dtype={"case": str}), np.random.default_rng(seed)
    names = [f"original_{'glcm' if n < features // 2 else 'firstorder'}_F{n}" for n in range(features)]
    shift = gap * np.outer(cohort["scanner"] == "Force", np.arange(features) >= features // 2)
    (folder / "features").mkdir()
    for region in ("tumour", "external2"):
        values = rng.normal(size=(len(cohort), features)) + shift
        table = pd.DataFrame(values, pd.Index(cohort["case"], name="case"), names)
        table.to_parquet(folder / f"features/radiomics_{region}.parquet")


def prose(topic) -> str:
    return " ".join(block.text for block in topic.section.blocks if isinstance(block, Prose))


def test_without_a_scanner_column_or_with_one_scanner_there_is_nothing_to_say(make_run):
    assert scanners.topic(read(*make_run())) is None
    assert scanners.topic(read(*scanned(make_run, ("Force",)))) is None
    assert scanners.topic(read(*scanned(make_run, ("Force", "")))) is None


def test_cases_by_scanner_add_up_to_the_cohort(make_run):
    results = read(*scanned(make_run, ("Force", "Flash", "")))
    table = scanners.topic(results).tables["scanners"]
    assert set(table["Scanner"]) == {"Force", "Flash", "not given"}
    counted = table[["training set: cases", "test set: cases"]].astype(int).to_numpy().sum()
    positive = table["test set: malignant"].str.split().str[0].astype(int).sum()
    assert (counted, positive) == (357, 27)


def test_the_auc_of_a_scanner_is_that_of_its_cases(make_run):
    results = read(*scanned(make_run))
    row = scanners.topic(results).tables["scanners_auc"].set_index("Scanner").loc["Flash"]
    own = predictions.of(results.predictions, "Combined", "test")
    own = own[own.index.isin(results.cohort[results.cohort["scanner"] == "Flash"]["case"])]
    probability, events = own["probability"].to_numpy(), own["event"].to_numpy()
    low, high = delong_interval(probability, events)
    assert (row["n"], row["AUC"]) == (str(len(own)), f"{auc(probability, events):.3f}")
    assert row["95% interval"] == f"{low:.3f}–{high:.3f}"


def test_a_scanner_with_one_class_has_no_auc(make_run):
    folder, run = scanned(make_run)
    cohort = pd.read_csv(folder / "cohort.csv", dtype={"case": str})
    benign = (cohort["event"] == 0) & (cohort["set"] == "test") & (cohort["scanner"] == "Flash")
    cohort.loc[benign, "scanner"] = "Benign only"
    cohort.to_csv(folder / "cohort.csv", index=False)
    table = scanners.topic(read(folder, run)).tables["scanners_auc"].set_index("Scanner")
    assert list(table.loc["Benign only", ["malignant", "AUC", "95% interval"]]) == ["0", "–", "–"]
    assert list(table.loc["Flash", ["AUC", "95% interval"]]) == ["–", "–"]


def test_features_that_a_scanner_shifts_are_found_and_combat_aligns_cases_it_has_not_seen(make_run):
    folder, run = scanned(make_run)
    with_features(folder, gap=1.5)
    told = scanners.topic(read(folder, run))
    table = told.tables["scanners_features"].set_index(["Region", "Class"])
    assert table["As measured"]["tumour", "firstorder"] == "20 (100.0%) of 20"
    assert int(table["As measured"]["tumour", "glcm"].split()[0]) <= 3  # false discoveries, 5% of all
    assert set(table["After ComBat"]) == {"0 (0.0%) of 20"}
    before = sum(int(cell.split()[0]) for cell in table["As measured"])
    assert f"{before} ({100 * before / 80:.1f}%) of 80 features differ as measured and 0 (0.0%) of 80" in prose(told)
    assert "as measured (heads.harmonise is off)" in prose(told)


def test_without_a_difference_hardly_any_is_found(make_run):
    folder, run = scanned(make_run)
    with_features(folder, gap=0)
    found = scanner_features.compared(read(folder, run), read(folder, run).cohort)
    assert (found.p_before < 0.05).mean() < 0.05


def test_a_mix_of_outcomes_is_not_taken_for_a_scanner(make_run):
    """Features that carry the outcome alone, on scanners that saw more of one class."""
    folder, run = scanned(make_run)
    cohort = pd.read_csv(folder / "cohort.csv", dtype={"case": str})
    rng = np.random.default_rng(3)
    cohort["scanner"] = np.where(rng.random(357) < np.where(cohort["event"] == 1, 0.8, 0.3), "Force", "Flash")
    cohort.to_csv(folder / "cohort.csv", index=False)
    with_features(folder, gap=0)
    for region in ("tumour", "external2"):
        path = folder / f"features/radiomics_{region}.parquet"
        (pd.read_parquet(path) + 3 * cohort["event"].to_numpy()[:, None]).to_parquet(path)
    found = scanner_features.compared(read(folder, run), read(folder, run).cohort)
    assert found.event == 0
    assert (found.p_before < 0.05).mean() < 0.05


def test_what_combat_takes_away_with_a_mix_of_outcomes_is_told(make_run):
    """As above, and strong enough that ComBat, which reads no outcome, plants a difference."""
    folder, run = scanned(make_run, ("Force", "Flash"))
    cohort = pd.read_csv(folder / "cohort.csv", dtype={"case": str})
    rng = np.random.default_rng(3)
    cohort["scanner"] = np.where(rng.random(357) < np.where(cohort["event"] == 1, 0.9, 0.2), "Force", "Flash")
    cohort.to_csv(folder / "cohort.csv", index=False)
    with_features(folder, gap=0)
    for region in ("tumour", "external2"):
        path = folder / f"features/radiomics_{region}.parquet"
        (pd.read_parquet(path) + 3 * cohort["event"].to_numpy()[:, None]).to_parquet(path)
    told = scanners.topic(read(folder, run))
    assert "Of the latter 80 did not differ before: ComBat reads no outcome, so of a scanner" in prose(told)


def test_too_few_cases_of_a_class_are_told(make_run):
    folder, run = scanned(make_run)
    cohort = pd.read_csv(folder / "cohort.csv", dtype={"case": str})
    cohort["scanner"] = ["rare" if n in (4, 5) else "Force" for n in range(357)]
    cohort.to_csv(folder / "cohort.csv", index=False)
    with_features(folder, gap=0)
    told = scanners.topic(read(folder, run))
    assert "fewer than two scanners have 5 training cases of one class" in prose(told)
    assert not told.plots


@pytest.mark.parametrize("name", ["scanners", "agreement"])
def test_the_figures_tell_n_and_draw_the_same_bytes_twice(make_run, tmp_path, name):
    folder, run = scanned(make_run, ("Force", "Flash"), "heads.icc={readers: inter}")
    with_features(folder, gap=1)
    readings(folder, ("inter",))
    module = {"scanners": scanners, "agreement": agreement}[name]
    told = module.topic(read(folder, run))
    with style.look(name):
        first = [path.read_bytes() for path in style.save(told.plots[name](), tmp_path, name)]
        again = [path.read_bytes() for path in style.save(told.plots[name](), tmp_path, name)]
    assert first == again
    expected = {"scanners": "n = 189 (0 malignant", "agreement": "n = 12 (two readers) cases"}[name]
    assert expected in " ".join(first[0].decode().split())
    assert "secret" not in first[0].decode()


def readings(folder, kinds) -> pd.DataFrame:
    """Agreement of ten features: the first two fail between readers, the last does not vary."""
    names = [f"original_{'shape' if n < 5 else 'glcm'}_F{n}" for n in range(10)]
    estimate = np.array([0.5, 0.8, *[0.95] * 7, np.nan])
    rows = [
        pd.DataFrame({"region": region, "feature": names, "readings": kind, "cases": 12, "icc": estimate,
                      "low": estimate - 0.1, "high": estimate + 0.04, "passed": estimate > 0.9})
        for kind in kinds for region in ("tumour", "external2")
    ]  # fmt: skip
    (folder / "features").mkdir(exist_ok=True)
    table = pd.concat(rows, ignore_index=True)
    table.to_csv(folder / "features/icc.csv", index=False)
    return table


def test_agreement_counts_what_was_kept(make_run):
    folder, run = make_run("heads.icc={kind: '3,1'}")
    readings(folder, ("inter", "intra"))
    told = agreement.topic(read(folder, run))
    assert "agree on 7 (70.0%) of 10 Tumor features and 7 (70.0%) of 10 External2 features" in prose(told)
    assert "ICC(3,1) after Shrout and Fleiss 1979, from training cases only. 2 features do not vary" in prose(told)
    assert told.tables["icc_by_class"].set_index("Class")["Tumor"].to_dict() == {"shape": "3 (60.0%)",
                                                                                "glcm": "4 (80.0%)"}  # fmt: skip
    machine = told.tables["icc"]
    assert list(machine.columns) == ["region", "feature", "kind", "inter", "inter_low", "inter_high", "intra",
                                     "intra_low", "intra_high", "kept"]  # fmt: skip
    assert machine["kept"].sum() == 14


def test_all_three_iccs_and_perturbed_readings_are_told(make_run):
    folder, run = make_run("heads.icc={readers: inter, perturb: {cases: 12, readings: 3}}")
    table = readings(folder, ("inter", "perturbed")).assign(masks=4)
    for number, kind in enumerate(("1_1", "2_1", "3_1")):
        for end in ("icc", "low", "high"):
            table[f"{end}_{kind}"] = table[end] - 0.1 * number
    table.to_csv(folder / "features/icc.csv", index=False)
    told = agreement.topic(read(folder, run))
    assert "of two readers (12 cases) and of drawn and perturbed outlines (12 cases) agree on 7" in prose(told)
    assert "3 masks a case were perturbed (Zwanenburg 2019): the surface by 0.5 mm, the place by 0.3 mm" in prose(told)
    assert "above 0.9 in each comparison" in prose(told)
    by_kind = told.tables["icc_by_kind"]
    assert by_kind[["Readings", "Region"]].to_numpy().tolist() == [
        [who, region] for who in ("two readers", "drawn and perturbed outlines") for region in ("Tumor", "External2")
    ]
    assert by_kind.iloc[0, 2:].tolist() == ["0.950; 7 (70.0%)", "0.850; 0 (0.0%)", "0.750; 0 (0.0%)"]
    machine = told.tables["icc"]
    assert machine["perturbed_icc_3_1"].iloc[0] == pytest.approx(0.3)
    assert {"inter_low_1_1", "inter_high_2_1", "perturbed_low_2_1"} < set(machine.columns)


def test_without_second_readings_there_is_no_agreement_to_tell(make_run):
    assert agreement.topic(read(*make_run())) is None
    folder, run = make_run("heads.icc={}")
    assert agreement.topic(read(folder, run)) is None


def test_the_method_tells_what_was_asked():
    assert reliability(Heads()) == []
    choice = Heads(icc=Icc(bound="lower", cases="all"), harmonise=Combat(mean_only=True, unseen="as_is",
                                                                        covariates=("age",)))  # fmt: skip
    (_, readers), (_, machines) = reliability(choice)
    assert "where the lower end of the interval of ICC(2,1) is above 0.9" in readers
    assert "over cases of every set" in readers
    assert "means only" in machines
    assert "the effect of age is kept; a scanner that a training part does not hold stays as it is" in machines
    ((_, alone),) = reliability(Heads(icc=Icc(readers="none", perturb=Perturb(volume=0))))
    assert "above 0.9 between the drawn mask and a perturbed one of 20 training cases, drawn by lot" in alone
    assert "surface jittered by 0.5 mm, smooth over 3 mm, shifted by 0.3 mm an axis, all standard" in alone
