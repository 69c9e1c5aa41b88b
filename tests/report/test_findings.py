import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from fusion.evaluate.metrics import metrics
from fusion.report import findings
from fusion.report.results import read


def rewritten(folder, run, change):
    """The run with its predictions changed, and its metrics with them."""
    table = pd.read_csv(folder / "predictions.csv")
    table["probability"] = change(table)
    table.to_csv(folder / "predictions.csv", index=False)
    metrics(table, run.evaluate, run.seed).to_csv(folder / "metrics.csv", index=False)
    return read(folder, run)


def test_the_sentences_carry_the_numbers_of_the_table(finished):
    results = read(*finished)
    row = results.rows("test").loc["Combined"]
    best, gain = findings.sentences(results)
    assert f"AUC {row['auc']:.3f} (95% interval {row['auc_low']:.3f} to {row['auc_high']:.3f})" in best
    assert f"({row['auc']:.3f} against {results.rows('test')['auc']['Clinical']:.3f};" in gain
    assert "chance does not explain" in gain


def test_noise_is_called_chance(make_run):
    folder, run = make_run("network=null")
    generator = np.random.default_rng(3)
    results = rewritten(folder, run, lambda table: generator.random(len(table)))
    best, gain = findings.sentences(results)
    assert "the interval reaches 0.5, so this may be chance" in best
    assert "this may be chance; with so few cases a true gap under about 0." in gain


def test_equal_models_are_no_gain(make_run):
    folder, run = make_run("network=null")

    def clinical_everywhere(table):
        own = table[table["model"] == "Clinical"].set_index("case")["probability"]
        return table["case"].map(own)

    _, gain = findings.sentences(rewritten(folder, run, clinical_everywhere))
    assert "Combined is level with Clinical" in gain
    assert "DeLong P 1.000" in gain


def test_without_clinical_predictors_no_gain_is_claimed(make_run):
    folder, run = make_run("heads.clinical=[]")
    results = read(folder, run)
    assert "no Clinical model" in findings.sentences(results)[1]
    assert any("Clinical, Combined" in caution for caution in findings.cautions(results))


def test_absent_networks_are_told(make_run):
    folder, run = make_run("network=null")
    cautions = "\n".join(findings.cautions(read(folder, run)))
    assert "as there are no networks (network: null): Tumor_DL, External2_DL" in cautions
    assert "Combined is here radiomics with the clinical variables" in cautions


def test_few_events_are_told(finished):
    cautions = "\n".join(findings.cautions(read(*finished)))
    assert "27 malignant and 78 benign cases" in cautions
    assert "fewest in Tumor+External2_RAD (14 predictors, 4.5 each)" in cautions
    assert "Research use only" in cautions


def test_what_is_not_about_patients_has_a_banner(make_run):
    folder, run = make_run("cohort.phantom={kind: ct}", "cohort.shuffle_outcome=true", "network=null")
    banners = findings.banners(read(folder, run))
    assert [banner.split(":")[0] for banner in banners] == ["Synthetic cohort", "Outcome shuffled"]


def test_a_plain_run_has_no_banner(finished):
    assert findings.banners(read(*finished)) == []


@pytest.mark.parametrize(("value", "reason"), [(0.3, "all probabilities are equal"), (1.0, "no log-odds")])
def test_calibration_that_cannot_be_estimated_is_told(make_run, value, reason):
    folder, run = make_run("network=null")
    results = rewritten(folder, run, lambda table: np.full(len(table), value))
    assert any(reason in caution for caution in findings.cautions(results))


@pytest.mark.parametrize(("factor", "cases", "said"), [(6.0, 357, "are too extreme"), (0.2, 357, "are too timid")])
def test_a_slope_that_leaves_one_out_is_called_by_its_side(make_run, factor, cases, said):
    folder, run = make_run("network=null", cases=cases)
    results = rewritten(folder, run, lambda table: expit(factor * logit(table["probability"].clip(0.02, 0.98))))
    assert f"Probabilities of Combined {said}: calibration slope" in "\n".join(findings.cautions(results))


def test_a_slope_whose_interval_holds_one_is_called_uncertain(make_run):
    folder, run = make_run("network=null", cases=60)
    results = rewritten(folder, run, lambda table: expit(0.5 * logit(table["probability"].clip(0.02, 0.98))))
    slope = results.scores("test", "Combined")["calibration_slope"]
    told = [caution for caution in findings.cautions(results) if "calibration slope" in caution]
    assert not findings.SLOPES[0] <= slope <= findings.SLOPES[1]
    assert told == [caution for caution in told if "too uncertain" in caution]
    assert len(told) == 1
