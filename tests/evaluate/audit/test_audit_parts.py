"""AUCs, P values, odds ratios and characteristics against data whose answer is known."""

import numpy as np
import pytest
from scipy.stats import norm, ttest_ind

from fusion.evaluate import discrimination
from fusion.evaluate.audit import baseline, odds
from fusion.evaluate.audit.area import area, hanley_mcneil
from fusion.evaluate.audit.characteristics import compare
from fusion.evaluate.audit.delong import gap_needed, implied, reference_of
from fusion.evaluate.audit.printed import number, p_value
from fusion.evaluate.audit.table import Row
from fusion.evaluate.cohort_tests import counts_p

NAMES = ("auc", "auc_low", "auc_high")


def row(name, areas, p=None, decimals=3, **shares):
    return Row(name, {key: number(word) for key, word in shares.items()},
               {key: number(f"{share:.{decimals}f}") for key, share in zip(NAMES, areas, strict=False)},
               p_value(p) if p else None, positive=40, negative=60)  # fmt: skip


def two_models(seed):
    """Correlated scores of 40 events and 60 others."""
    generator = np.random.default_rng(seed)
    events = np.repeat([1, 0], [40, 60])
    shared = generator.normal(size=100) + events
    return np.stack([shared + generator.normal(size=100), shared + generator.normal(size=100) / 2 + events]), events


@pytest.mark.parametrize("seed", range(5))
def test_delongs_own_p_gives_delongs_own_correlation(seed):
    scores, events = two_models(seed)
    areas, covariance = discrimination.delong(scores, events)
    errors = np.sqrt(np.diag(covariance))
    p = discrimination.delong_test(scores[0], scores[1], events).p
    reach = float(norm.isf(0.025)) * errors
    rows = [row(f"m{i}", (areas[i], areas[i] - reach[i], areas[i] + reach[i]), decimals=10) for i in range(2)]
    other = Row("m0", {}, rows[0].areas, p_value(f"{p:.10f}"), positive=40, negative=60)
    own = implied([other, rows[1]], "m1")[0]
    wanted = covariance[0, 1] / np.prod(errors)
    assert own.correlation == pytest.approx(wanted, abs=1e-4)
    assert own.low <= wanted <= own.high
    printed = [row("m0", (areas[0], areas[0] - reach[0], areas[0] + reach[0]), f"{p:.3f}"),
               row("m1", (areas[1], areas[1] - reach[1], areas[1] + reach[1]))]  # fmt: skip
    assert implied(printed, "m1")[0].low <= wanted <= implied(printed, "m1")[0].high


def test_a_p_too_small_for_any_correlation_is_told():
    rows = [row("a", (0.80, 0.70, 0.90), "<0.001"), row("b", (0.81, 0.79, 0.83))]
    own = implied(rows, "b")[0]
    assert own.correlation is None
    assert own.low > 1
    assert own.impossible
    assert own.unlikely


def test_the_reference_is_the_one_row_without_p():
    rows = [row("a", (0.8,), ".03"), row("b", (0.9,))]
    assert reference_of(rows) == "b"
    assert reference_of([rows[1]]) is None
    assert reference_of([*rows, row("c", (0.7,))]) is None


def test_the_gap_needed_is_found_with_80_percent_power():
    gap = gap_needed(0.9, 40, 60, 0.5)
    one, two = hanley_mcneil(0.9, 40, 60), hanley_mcneil(0.9 - gap, 40, 60)
    z = gap / np.sqrt(one**2 + two**2 - one * two)
    assert norm.cdf(z - norm.isf(0.025)) == pytest.approx(0.8)
    assert gap_needed(0.55, 5, 5, 0.0) is None


def test_an_empirical_auc_lies_between_its_operating_points_bounds():
    for seed in range(20):
        scores, events = two_models(seed)
        called = scores[0] >= np.quantile(scores[0], seed / 20)
        shares = {
            "sensitivity": f"{called[events == 1].mean():.3f}",
            "specificity": f"{1 - called[events == 0].mean():.3f}",
        }
        assert area(row("a", (discrimination.auc(scores[0], events),), **shares)).faults == ()


@pytest.mark.parametrize(
    ("areas", "shares", "told"),
    [
        ((0.95, 0.96, 0.99), {}, "AUC 0.950 lies outside its interval"),
        ((0.95, 0.99, 0.90), {}, "the interval ends before it begins"),
        ((0.95,), {"sensitivity": ".500", "specificity": ".500"}, "has 0.250 to 0.750"),
    ],
)
def test_an_auc_that_contradicts_its_row_is_told(areas, shares, told):
    own = area(row("a", areas, **shares))
    assert told in " ".join([own.outside, *own.faults])


def test_few_pairs_make_coarse_steps():
    own = area(Row("a", {}, {"auc": number(".913")}, positive=5, negative=5))
    assert "no multiple of 1/50" in own.faults[0]
    assert area(Row("a", {}, {"auc": number(".920")}, positive=5, negative=5)).faults == ()


def test_true_wald_intervals_are_symmetric_and_have_their_p():
    generator = np.random.default_rng(0)
    for _ in range(300):
        slope, error = generator.normal(0, 1.5), generator.uniform(0.1, 1.5)
        ends = [f"{np.exp(slope + sign * 1.959964 * error):.3f}" for sign in (0, -1, 1)]
        p = 2 * norm.sf(abs(slope) / error)
        own = odds.check(odds.Odds("x", "", *map(number, ends), p_value("<0.001" if p < 0.001 else f"{p:.3f}")))
        assert own.symmetric
        assert own.p_agrees


def test_a_p_of_another_test_is_told():
    own = odds.check(odds.Odds("x", "", number("2.00"), number("1.00"), number("4.00"), p_value("0.300")))
    assert own.symmetric
    assert own.p_agrees is False
    assert own.p[0] < 0.05 < own.p[1]


def test_only_a_change_of_side_is_a_flip():
    def one(model, *words):
        return odds.Odds("x", model, *map(number, words), None)

    assert odds.flips([one("uni", "2.0", "1", "4"), one("multi", "0.5", "0.2", "0.9")]) == {
        "x": {"uni": "2.0", "multi": "0.5"}
    }
    assert odds.flips([one("uni", "2.0", "1", "4"), one("multi", "1.0", "0.2", "3")]) == {}


def test_the_null_error_is_a_logistic_models():
    import statsmodels.api as sm

    generator = np.random.default_rng(1)
    x, y = generator.normal(size=4000), np.repeat([1, 0], [1000, 3000])
    fitted = sm.Logit(y, sm.add_constant(x)).fit(disp=False)
    assert odds.null_error(float(x.std()), 4000, 1000) == pytest.approx(fitted.bse[1], rel=0.01)


def characteristics(folder, text):
    (folder / "baseline.csv").write_text(text)
    return [compare(one) for one in baseline.read(folder / "baseline.csv")]


def test_percentages_and_sums_that_do_not_fit_are_told(tmp_path):
    text = "variable,level,a,b,p\nn,,10,20,\nsex,f,4 (40%),8 (45.0%),1.000\nsex,m,6 (60%),11 (55%),\n"
    own = characteristics(tmp_path, text)[0]
    assert own.missing == ("b: 8 + 11 = 19 of 20",)
    assert own.faults == ("b: 8 of 20 is 40.0 %, printed 45.0",)
    row_percentages = "variable,level,a,b,p\nsex,f,4 (33.3%),8 (66.7%),\nsex,m,6 (35%),11 (65%),\n"
    assert characteristics(tmp_path, row_percentages)[0].faults == ()


def test_medians_are_read_and_left_alone_and_what_may_be_either_is_asked_for(tmp_path):
    own = characteristics(tmp_path, "variable,a,b,p\nage,53 (40-61),52 [39–60],.3\n")[0]
    assert (own.p, own.by, own.faults) == ({}, (), ())
    with pytest.raises(baseline.AuditError) as error:
        characteristics(tmp_path, "variable,a,b,p\nn,249,108,\nage,53 (14),52 (15),.3\n")
    assert "96 (38.6%) for a count, 53±14 for a mean" in str(error.value)


def test_a_variable_told_by_its_yes_alone_is_compared(tmp_path):
    one = characteristics(tmp_path, "variable,a,b,p\nn,249,108,\nsex,96,48,.297\n")[0]
    assert one.by == ("chi2",)


def test_means_without_sizes_and_other_faults_are_told_at_once(tmp_path):
    text = "variable,a,b,p\nage,53±14,52±15,.3\nsex,x,3,.2\nbmi,1±1,2±1,7\nage,1,2,\n"
    with pytest.raises(baseline.AuditError) as error:
        characteristics(tmp_path, text)
    told = str(error.value)
    assert "means without group sizes" in told
    assert "found x; 3 in line 3 (sex)" in told
    assert "p = 7 in line 4 (bmi)" in told
    assert "variable age in two places" in told


@pytest.mark.parametrize("equal_variance", [True, False])
def test_a_t_tests_p_is_recognised_from_rounded_means(tmp_path, equal_variance):
    generator = np.random.default_rng(3)
    for _ in range(20):
        one, two = generator.normal(50, 10, 40), generator.normal(53, 14, 70)
        p = ttest_ind(one, two, equal_var=equal_variance).pvalue
        cells = [f"{group.mean():.1f} ± {group.std(ddof=1):.1f}" for group in (one, two)]
        found = characteristics(tmp_path, f"variable,a,b,p\nn,40,70,\nage,{cells[0]},{cells[1]},{p:.3f}\n")[0]
        assert ("t" if equal_variance else "welch") in found.by


def test_a_table_of_counts_is_recognised_by_its_own_test(tmp_path):
    generator = np.random.default_rng(4)
    for test in ("chi2", "yates", "g", "exact"):
        counts = generator.integers(3, 60, (2, 2))
        p = counts_p(counts, test)
        rows = f"x,yes,{counts[0, 0]},{counts[1, 0]},{p:.4f}\nx,no,{counts[0, 1]},{counts[1, 1]},\n"
        assert test in characteristics(tmp_path, "variable,level,a,b,p\n" + rows)[0].by
