import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, norm
from sklearn.linear_model import LinearRegression

from fusion.config import parse
from fusion.config.cohort import Category, Number
from fusion.config.odds import All, ByP, Named, Odds
from fusion.errors import ConfigError
from fusion.evaluate.odds import COLUMNS, odds
from fusion.evaluate.separation import separated

KINDS = {
    "age": Number(),
    "diameter_mm": Number(),
    "margin": Category(values=("clear", "unclear")),
    "location": Category(values=("superficial", "deep", "both")),
}


def cohort(n: int = 249, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    event = (np.arange(n) < n // 4).astype(int)
    return pd.DataFrame(
        {
            "event": event,
            "age": generator.normal(53, 14, n) + 6 * event,
            "diameter_mm": generator.normal(23, 8, n),
            "margin": np.where(generator.random(n) < 0.1 + 0.5 * event, "unclear", "clear"),
            "location": generator.choice(["superficial", "deep", "both"], n, p=[0.7, 0.15, 0.15]),
        }
    )


def two_by_two(a: int, b: int, c: int, d: int) -> pd.DataFrame:
    """Unclear events, unclear others, clear events, clear others."""
    margin = np.repeat(["unclear", "unclear", "clear", "clear"], [a, b, c, d])
    return pd.DataFrame({"margin": margin, "event": np.repeat([1, 0, 1, 0], [a, b, c, d])})


def only(name: str) -> dict:
    return {name: KINDS[name]}


def test_two_by_two_by_hand():
    """OR = ad/bc; Woolf 1955: the SE of its log is sqrt(1/a + 1/b + 1/c + 1/d)."""
    row = odds(two_by_two(30, 15, 32, 172), only("margin"), Odds()).univariable.iloc[0]
    ratio, error = 30 * 172 / (15 * 32), np.sqrt(1 / 30 + 1 / 15 + 1 / 32 + 1 / 172)
    ends = np.exp(np.log(ratio) + np.array([-1, 1]) * norm.ppf(0.975) * error)
    assert [row["or"], row["low"], row["high"]] == pytest.approx([ratio, *ends], rel=1e-7)
    assert row["p"] == pytest.approx(2 * norm.sf(np.log(ratio) / error), rel=1e-6)
    assert (row["level"], row["reference"], row["n"], row["events"]) == ("unclear", "clear", 45, 30)
    assert (row["n_reference"], row["events_reference"]) == (204, 32)


def test_all_variables_together_equal_statsmodels_on_the_plain_columns():
    rows = cohort()
    levels = pd.DataFrame({level: rows["location"] == level for level in ("deep", "both")})
    design = pd.concat([rows[["age", "diameter_mm"]], rows["margin"] == "unclear", levels], axis=1).astype(float)
    direct = sm.Logit(rows["event"], sm.add_constant(design)).fit(disp=0)
    table = odds(rows, KINDS, Odds(variables=All())).multivariable
    assert np.log(table["or"]).to_numpy() == pytest.approx(direct.params[1:].to_numpy(), rel=1e-6)
    assert np.log(table[["low", "high"]]).to_numpy() == pytest.approx(direct.conf_int()[1:].to_numpy(), rel=1e-6)
    assert table["p"].to_numpy() == pytest.approx(direct.pvalues[1:].to_numpy(), rel=1e-5)
    assert list(table.columns) == [*COLUMNS, "vif"]


def test_a_variable_of_three_levels_is_tested_whole_by_the_likelihood_ratio():
    rows = cohort()
    design = sm.add_constant(
        pd.DataFrame({level: rows["location"] == level for level in ("deep", "both")}).astype(float)
    )
    fit = sm.Logit(rows["event"], design).fit(disp=0)
    table = odds(rows, only("location"), Odds()).univariable
    assert table["p_variable"].to_numpy() == pytest.approx(chi2.sf(2 * (fit.llf - fit.llnull), 2), rel=1e-6)


def test_an_odds_ratio_for_one_sd_is_that_of_one_unit_to_the_power_of_the_sd():
    rows = cohort()
    row = odds(rows, only("diameter_mm"), Odds()).univariable.iloc[0]
    assert row["level"] == "per 1 mm"
    assert row["sd"] == pytest.approx(rows["diameter_mm"].std())
    for name in ("or", "low", "high"):
        assert row[f"{name}_per_sd"] == pytest.approx(row[name] ** row["sd"])


def test_the_other_reference_level_gives_the_inverse():
    rows = two_by_two(30, 15, 32, 172)
    turned = odds(rows, {"margin": Category(values=("unclear", "clear"))}, Odds()).univariable.iloc[0]
    row = odds(rows, only("margin"), Odds()).univariable.iloc[0]
    assert [turned["or"], turned["low"]] == pytest.approx([1 / row["or"], 1 / row["high"]])
    assert (turned["level"], turned["reference"]) == ("clear", "unclear")


def test_separation_is_named_and_firth_used_as_the_config_says():
    """Haldane 1955: half a case in every cell."""
    rows = two_by_two(17, 0, 45, 187)
    found = odds(rows, only("margin"), Odds())
    row = found.univariable.iloc[0]
    assert row["method"] == "Firth, profile likelihood"
    assert row["note"] == "separation: no finite maximum likelihood estimate of margin (unclear)"
    assert row["or"] == pytest.approx(17.5 * 187.5 / (0.5 * 45.5), rel=1e-6)
    assert found.separated == ("margin (unclear)",)


def test_without_firth_a_separated_variable_has_no_numbers():
    row = odds(two_by_two(17, 0, 45, 187), only("margin"), Odds(firth="never")).univariable.iloc[0]
    assert row[["or", "low", "high", "p"]].isna().all()
    assert row["note"].startswith("separation")


def test_always_firth_is_firth_without_separation():
    row = odds(two_by_two(30, 15, 32, 172), only("margin"), Odds(firth="always")).univariable.iloc[0]
    assert row["or"] == pytest.approx(30.5 * 172.5 / (15.5 * 32.5), rel=1e-6)
    assert row["note"] == ""


@pytest.mark.parametrize(
    ("variables", "entered"),
    [(ByP(), ("age", "margin")), (All(), tuple(KINDS)), (Named(names=("location", "age")), ("age", "location"))],
)
def test_the_config_chooses_what_enters(variables, entered):
    assert odds(cohort(), KINDS, Odds(variables=variables)).entered == entered


def test_nothing_enters_where_no_variable_passes():
    found = odds(cohort(), only("diameter_mm"), Odds(variables=ByP(below=1e-9)))
    assert found.multivariable.empty
    assert np.isnan(found.events_per_term)
    assert found.independent == []


def test_events_are_counted_against_terms_of_the_smaller_class():
    found = odds(cohort(), KINDS, Odds(variables=All()))
    assert (found.n, found.events, found.terms) == (249, 62, 5)
    assert found.events_per_term == pytest.approx(62 / 5)


def test_the_inflation_is_one_over_the_unexplained_share():
    rows = cohort()
    rows["diameter_mm"] = rows["age"] + np.random.default_rng(1).normal(0, 5, len(rows))
    kinds = {name: KINDS[name] for name in ("age", "diameter_mm")}
    table = odds(rows, kinds, Odds(variables=All())).multivariable
    explained = LinearRegression().fit(rows[["age"]], rows["diameter_mm"]).score(rows[["age"]], rows["diameter_mm"])
    assert table["vif"].to_numpy() == pytest.approx(1 / (1 - explained))


def test_a_level_without_cases_is_kept_and_said():
    kinds = {"margin": Category(values=("clear", "unclear", "spiculated"))}
    table = odds(two_by_two(30, 15, 32, 172), kinds, Odds()).univariable.set_index("level")
    assert table.loc["spiculated", "note"] == "no estimate: no case is spiculated"
    assert table.loc["unclear", "or"] == pytest.approx(30 * 172 / (15 * 32))


def test_a_reference_without_cases_is_said():
    kinds = {"margin": Category(values=("smooth", "clear", "unclear"))}
    table = odds(two_by_two(30, 15, 32, 172), kinds, Odds()).univariable
    assert set(table["note"]) == {"no estimate: no case is smooth"}


def test_a_number_that_never_varies_is_said():
    rows = cohort().assign(age=50.0)
    assert odds(rows, only("age"), Odds()).univariable.loc[0, "note"] == "no estimate: all values are equal"


def test_a_variable_said_twice_is_named():
    rows = cohort()
    rows["diameter_mm"] = 10 * rows["age"]
    kinds = {name: KINDS[name] for name in ("age", "diameter_mm")}
    table = odds(rows, kinds, Odds(variables=All())).multivariable
    assert set(table["note"]) == {"no estimate: diameter_mm follows from the other terms"}


def test_noise_is_called_independent_about_one_time_in_twenty():
    generator = np.random.default_rng(7)
    rows = cohort()
    found = [odds(rows.assign(event=generator.permutation(rows["event"])), only("age"), Odds()) for _ in range(60)]
    assert sum(bool(own.independent) for own in found) <= 9


@given(st.lists(st.integers(0, 4), min_size=4, max_size=4))
@settings(max_examples=60, deadline=None)
def test_a_two_by_two_table_separates_where_a_cell_is_empty(cells):
    rows = two_by_two(*cells)
    exposed = (rows["margin"] == "unclear").to_numpy(float)
    if len(set(rows["event"])) == len(set(exposed)) == 2:
        design = np.column_stack([np.ones(len(rows)), exposed])
        assert separated(design, rows["event"].to_numpy()).any() == (0 in cells)


def test_a_variable_that_the_cohort_lacks_is_refused():
    text = "name: a\ncohort:\n  table: t.csv\nevaluate: {odds: {variables: {kind: named, names: [ki67]}}}\n"
    with pytest.raises(ConfigError, match=r"evaluate.odds.variables names \['ki67'\]"):
        parse(text)
