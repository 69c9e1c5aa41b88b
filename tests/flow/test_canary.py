"""A clean flow is called clean, one that fits on everybody is not, and a planted leak is heard."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from fusion import cli
from fusion.evaluate.discrimination import auc
from fusion.flow import canary as flow
from fusion.flow.canary import canary
from fusion.flow.planted import plant
from fusion.flow.verdict import Heard, Verdict, inside_folds
from fusion.store import write_parquet
from tests import toy

SMALL = ("radiomics.images=[original]", "radiomics.classes={firstorder: [Mean, Variance, Skewness, Energy]}",
         "split.test_fraction=0")  # fmt: skip


def heard(mean: float, reach: float = 0.1, set_: str = "train_oof") -> Heard:
    return Heard("Tumor_RAD", set_, 40, 20, (mean,), mean, mean - 0.07, mean + 0.07, reach)


RANG = {"column": heard(0.99), "selection": heard(0.9)}


def test_chance_is_clean():
    verdict = Verdict((heard(0.55), heard(0.42, set_="test")), RANG)
    assert verdict.clean
    assert verdict.words().startswith("the flow is clean: with the outcome shuffled 1 times")
    document = verdict.document()
    assert document["clean"]
    assert document["shuffled"]["Tumor_RAD"]["mean"] == 0.55
    assert document["shuffled"]["Tumor_RAD"]["test"]["mean"] == 0.42
    assert document["planted"]["column"]["rang"]


@pytest.mark.parametrize("mean", [0.35, 0.65])
def test_too_good_and_too_bad_are_told(mean):
    verdict = Verdict((heard(mean),), RANG)
    assert not verdict.clean
    assert f"Tumor_RAD (train_oof) with a mean AUC of {mean:.3f} on shuffled outcomes" in str(verdict.faults[0])


def test_an_alarm_that_stays_silent_is_told():
    verdict = Verdict((heard(0.5),), {**RANG, "selection": heard(0.55)})
    (fault,) = verdict.faults
    assert "AUC 0.550 with a planted leak (features chosen by the outcome of all cases" in str(fault)


def test_the_error_is_that_of_ranks_inside_folds():
    """Two folds of 3 + 3: the rank sum test's variance of each is 7/108, of their mean half of that."""
    table = pd.DataFrame({"fold": np.repeat([0, 1], 6), "event": [1, 0] * 6, "probability": np.linspace(0, 1, 12)})
    area, error = inside_folds(table)
    assert area == pytest.approx(np.mean([auc(own["probability"].to_numpy(), own["event"].to_numpy())
                                          for _, own in table.groupby("fold")]))  # fmt: skip
    assert error == pytest.approx(np.sqrt(7 / 108 / 2))


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("canary")
    toy.cohort(folder, cases=40)
    return folder


@pytest.fixture(scope="module")
def clean(cohort):
    own = toy.run(cohort, *SMALL)
    return own, canary(own, seeds=2)


@pytest.mark.slow
def test_a_clean_flow_is_called_clean_and_its_alarm_works(clean):
    _, verdict = clean
    assert verdict.clean, verdict.faults
    assert {own.model for own in verdict.shuffled} == {
        "Tumor_RAD", "External2_RAD", "Tumor+External2_RAD", "Clinical", "Combined",
    }  # fmt: skip
    assert verdict.planted["column"].mean > 0.9


@pytest.mark.slow
def test_a_canary_started_again_measures_nothing(clean):
    own, verdict = clean
    files = sorted((own.folder.parent / "run-canary").rglob("predictions.csv"))
    times = [path.stat().st_mtime_ns for path in files]
    assert canary(own, seeds=2) == verdict
    assert [path.stat().st_mtime_ns for path in files] == times


@pytest.mark.slow
def test_a_flow_that_fits_on_everybody_is_called_unclean(cohort, monkeypatch):
    """A mistake of one line: the training part is the whole cohort."""
    from fusion.heads import combine

    monkeypatch.setattr(combine, "parts", lambda rows, fold: leaky(rows, fold))
    own = toy.run(cohort, "split.test_fraction=0", "heads.top=20", "heads.c=10", f"output={cohort / 'leaky'}")
    verdict = canary(own, seeds=2)
    assert not verdict.clean
    dead = [own for own in verdict.shuffled if not own.clean]
    assert {own.model for own in dead} & {"Tumor_RAD", "External2_RAD", "Tumor+External2_RAD"}
    assert min(own.mean for own in dead) > 0.5


def leaky(rows: pd.DataFrame, fold: int) -> tuple[np.ndarray, np.ndarray]:
    from fusion.heads.parts import parts

    _, apart = parts(rows, fold)
    return np.ones(len(rows), dtype=bool), apart


@pytest.fixture
def measured(tmp_path):
    """Honest tables of 40 cases, and their shuffled outcome."""
    rng, names = np.random.default_rng(0), pd.Index([f"c{n}" for n in range(40)], name="case")
    for region in ("tumour", "external2"):
        table = pd.DataFrame(rng.normal(size=(40, 3)), names, ["a", "b", "c"])
        write_parquet(tmp_path / f"features/radiomics_{region}.parquet", table, {"rings_sha256": "abc"})
    return tmp_path, pd.DataFrame({"case": names, "event": rng.permutation(np.arange(40) % 2)})


def test_a_planted_column_carries_the_outcome_beside_what_was_measured(measured, tmp_path):
    folder, cases = measured
    plant("column", folder, tmp_path / "leak", cases)
    made = pd.read_parquet(tmp_path / "leak/features/radiomics_tumour.parquet")
    assert list(made.columns) == ["a", "b", "c", "planted_outcome"]
    assert auc(made["planted_outcome"].to_numpy(), cases["event"].to_numpy()) == 1
    kept = pq.read_schema(tmp_path / "leak/features/radiomics_tumour.parquet").metadata
    assert kept[b"rings_sha256"] == b"abc"


def test_a_planted_selection_is_noise_that_looks_like_more(measured, tmp_path):
    folder, cases = measured
    plant("selection", folder, tmp_path / "leak", cases)
    made = pd.read_parquet(tmp_path / "leak/features/radiomics_external2.parquet")
    areas = [auc(made[name].to_numpy(), cases["event"].to_numpy()) for name in made]
    assert len(areas) == 20
    assert min(abs(area - 0.5) for area in areas) > 0.2


@pytest.fixture
def typed(monkeypatch, tmp_path):
    """``typed(verdict, words...)`` is the exit code of the verb when the flow finds ``verdict``."""
    (tmp_path / "a.yaml").write_text(toy.CONFIG.format(table=tmp_path / "table.csv"))

    def run(verdict: Verdict, *words: str) -> int:
        monkeypatch.setattr(flow, "canary", lambda *_: verdict)
        monkeypatch.setattr("sys.argv", ["fusion", "canary", str(tmp_path / "a.yaml"), *words])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return stop.value.code or 0

    return run


def test_exit_codes_of_the_verb(typed, capsys):
    assert typed(Verdict((heard(0.5),), RANG)) == 0
    assert "the flow is clean" in capsys.readouterr().out
    assert typed(Verdict((heard(0.8),), RANG)) == 1
    assert "expected 0.400 to 0.600" in capsys.readouterr().err


def test_json_is_one_document_either_way(typed, capsys):
    for mean, code in ((0.5, 0), (0.8, 1)):
        assert typed(Verdict((heard(mean),), RANG), "--json") == code
        assert json.loads(capsys.readouterr().out)["clean"] == (code == 0)
