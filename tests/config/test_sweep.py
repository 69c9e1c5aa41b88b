import pytest

from fusion.config import sweep
from fusion.errors import ConfigError

CONFIG = "{name: toy, cohort: {table: t.csv}, network: null}"


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(CONFIG)
    return path


def told(config, *words):
    with pytest.raises(ConfigError) as error:
        sweep.read(config, words)
    return str(error.value)


def test_cells_are_the_product_in_the_order_typed_the_first_field_varying_slowest(config):
    found = sweep.read(config, ["split.folds=2,3", "seed=7", "heads.c=0.1, 1,null"])
    assert [own.name for own in found.cells] == [f"c0{n}" for n in range(1, 7)]
    assert [own.words for own in found.cells][:4] == [
        "split.folds=2 heads.c=0.1",
        "split.folds=2 heads.c=1",
        "split.folds=2 heads.c=null",
        "split.folds=3 heads.c=0.1",
    ]
    assert [(own.split.folds, own.heads.c) for own in found.runs.values()][2:4] == [(2, None), (3, 0.1)]
    assert {own.seed for own in found.runs.values()} == {7}


def test_values_with_commas_of_their_own_stay_whole(config):
    words = "heads.selector={kind: lasso, rule: min},{kind: mrmr}"
    found = sweep.read(config, [words, "evaluate.reclassification.cutoffs=[0.1, 0.2],[0.3]", "name='a'"])
    assert [own.heads.selector.kind for own in found.runs.values()] == ["lasso", "lasso", "mrmr", "mrmr"]
    assert [own.evaluate.reclassification.cutoffs for own in found.runs.values()][:2] == [(0.1, 0.2), (0.3,)]


def test_a_hundred_cells_have_names_of_one_length():
    names = [own.name for own in sweep.spanned({"a": [str(n) for n in range(100)]})]
    assert (names[0], names[-1]) == ("c001", "c100")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["seed=1"], "found no field with several values"),
        (["seed"], "found 'seed'; expected section.field=value"),
        (["seed=1,2", "seed=3"], "found seed twice"),
        (["seed=1,,2"], "found an empty value in 'seed=1,,2'"),
        (["seed="], "found an empty value"),
        (["seed=1,0x1"], "found 0x1 twice"),
        (["heads.c=1,1.0"], "the same run as in cell c01 (heads.c=1)"),
        (["output=a,b"], "found 2 values of output"),
        (["compute.engine=local,slurm"], "found 2 values of compute.engine"),
        (["jobs=1,2"], "found 2 values of jobs"),
        (["cache=a,b"], "found 2 values of cache"),
        (["name=a,b"], "found 2 values of name"),
    ],
)
def test_words_that_span_no_sweep_are_told(config, words, part):
    if "same run" in part:
        found = sweep.read(config, words)
        assert part in str(found.faults["c02"][0])
    else:
        assert part in told(config, *words)


def test_all_faults_of_the_words_at_once(config):
    lines = told(config, "seed=1,1", "output=a,b", "split.folds=").splitlines()
    assert len(lines) == 3


def test_a_fault_of_some_cells_names_their_value_and_one_of_all_stands_alone(config):
    found = sweep.read(config, ["split.folds=1,2", "heads.c=0.1,1", "seed=0"])
    assert list(found.runs) == ["c03", "c04"]
    lines = [str(fault) for fault in sweep.together(found.cells, found.faults)]
    assert len(lines) == 1
    assert "in every cell with split.folds=1" in lines[0]
    assert "split.folds = 1" in lines[0]
    lines = told(config, "split.folds=1,2", "seed=-1").splitlines()
    assert ["cell c01 (split.folds=1)" in line for line in lines] == [False, True]
    assert "seed = -1" in lines[0]
