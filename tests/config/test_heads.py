import pytest

from fusion.config import dump, parse
from fusion.config.heads import Heads
from fusion.config.recipe import Average, Logistic
from fusion.errors import ConfigError

PLAIN = "{name: a, cohort: {table: t.csv}}"


def heads(*words: str) -> Heads:
    return parse(PLAIN, [f"heads.{word}" for word in words]).heads


@pytest.mark.parametrize(
    "words", [(), ("preset=paper",), ("preset=robust",), ("preset=robust", "c=1", "top=7"), ("selector={kind: all}",),
              ("learner={kind: random_forest}", "selector={kind: stability, threshold: 0.6}"),
              ("learner={kind: average, of: [{learner: {kind: gradient_boosting}}, {c: 2, scale: quantile_normal}]}",)]
)  # fmt: skip
def test_a_resolved_run_holds_every_value_and_reads_back_equal(words):
    run = parse(PLAIN, [f"heads.{word}" for word in words])
    text = dump(run)
    assert parse(text) == run
    assert parse(text.replace("preset: paper", "preset: default").replace("preset: robust", "preset: default")).heads \
        == run.heads.model_copy(update={"preset": "default"})  # fmt: skip


def test_the_papers_recipe_has_no_penalty():
    found = heads("preset=paper")
    assert (found.c, found.fusion_c, found.top, found.correlation, found.lasso_folds) == (None, None, 20, 0.95, 10)
    assert found.selector.kind == "lasso"
    assert found.selector.rule == "min"


def test_the_default_is_the_papers_steps_with_a_penalty():
    paper, default = heads("preset=paper"), heads()
    same = {"c", "fusion_c", "preset"}
    assert default.model_dump(exclude=same) == paper.model_dump(exclude=same)
    assert (default.c, default.fusion_c) == (0.03, 1.0)


def test_what_is_given_wins_over_the_preset():
    assert heads("preset=paper", "c=1", "lasso_folds=5").c == 1
    assert heads("preset=robust", "learner={kind: logistic}").learner == Logistic()


def test_robust_is_an_average_of_the_papers_steps_and_all_features():
    one, two = heads("preset=robust").recipes
    assert (one.selector.kind, one.top, one.c, one.scale) == ("lasso", 20, 0.03, "zscore")
    assert (two.selector.kind, two.top, two.c, two.scale) == ("all", None, 0.01, "quantile_normal")


def test_members_take_what_they_do_not_say_from_the_heads():
    found = heads("learner={kind: average, of: [{c: 2}, {learner: {kind: random_forest}}]}", "top=5")
    assert isinstance(found.learner, Average)
    assert [own.top for own in found.recipes] == [5, 5]
    assert [own.c for own in found.recipes] == [2, None]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["selector={kind: all}", "top=3"], "found heads.top = 3; expected null: selector all keeps everything"),
        (["selector={kind: all}", "events_per_variable=9"], "found heads.events_per_variable = 9; expected null"),
        (["learner={kind: random_forest}", "c=3"], "found heads.c = 3; expected null: random_forest has no penalty"),
        (["learner={kind: gradient_boosting}", "c=3"], "expected null: gradient_boosting has no penalty"),
        (["learner={kind: elastic_net}", "c=null"], "found heads.c = None; expected a number above 0"),
        (["learner={kind: average, of: [{c: 1}, {c: 2}]}", "c=3"], "expected heads.c as one of heads.learner.of"),
        (["learner={kind: average, of: [{}]}"], "heads.learner.average.of"),
        (["learner={kind: average, of: [{}, {learner: {kind: average}}]}"], "heads.learner.average.of.1.learner"),
        (["learner={kind: average, of: [{}, {learner: {kind: random_forest}, c: 1}]}"],
         "heads.learner.average.of.1.c = 1; expected null"),
        (["learner={kind: average}"], "no heads.learner.average.of"),
        (["learner=forest"], "heads.learner = 'forest'"),
        (["preset=best"], "heads.preset = 'best'; expected 'default', 'paper' or 'robust'"),
        (["selector={kind: lasso, ratio: 0.5}"], "unknown name heads.selector.lasso.ratio"),
        (["prefilter={kind: anova, keep: 0}"], "heads.prefilter.anova.keep = 0"),
        (["c=0"], "heads.c = 0"),
    ],
)  # fmt: skip
def test_an_impossible_combination_is_refused_with_the_fields_path(words, message):
    with pytest.raises(ConfigError) as error:
        heads(*words)
    assert message in str(error.value)


def test_cases_that_a_training_part_needs():
    assert heads("lasso_folds=7").fewest == 7
    assert heads("lasso_folds=7", "selector={kind: mrmr}").fewest == 1
    assert heads("lasso_folds=7", "selector={kind: stability}").fewest == 2
    assert heads("preset=robust", "lasso_folds=7").fewest == 7
