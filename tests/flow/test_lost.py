"""A case that fails, early or late: told with all others done, lost only where the run was told so."""

import pandas as pd
import pytest

from fusion.errors import CohortError, Fault
from fusion.features.radiomics import extract
from fusion.flow.check import check
from fusion.flow.run import EVERYTHING, EXTRACT, part
from tests import toy

RULES = "cohort.eligibility=[{name: grown up, include: {kind: number, column: age, above: 30}}, \
{name: at least 15.5 mm wide, exclude: {kind: diameter, below_mm: 15.5}}]"


@pytest.fixture
def fails(monkeypatch):
    """Reading ``case`` fails while it is measured, as from a drive that was there for the check."""

    def now(case: str) -> None:
        really = extract.load

        def load(files, *rest):
            if files.case == case:
                raise CohortError(Fault("a drive that does not answer", "one that does", "connect it"))
            return really(files, *rest)

        monkeypatch.setattr(extract, "load", load)

    return now


def table(path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def test_a_late_failure_stops_before_fitting_and_the_next_start_goes_on(tmp_path, fails, monkeypatch):
    toy.cohort(tmp_path)
    undisturbed = part(toy.run(tmp_path, f"output={tmp_path / 'other'}"), EVERYTHING)
    fails("c3")
    with pytest.raises(CohortError) as caught:
        part(toy.run(tmp_path), EVERYTHING)
    told = str(caught.value)
    assert "case c3: found a drive that does not answer" in told
    assert "may_lose=1" in told
    folder = tmp_path / "run"
    assert len(list((folder / "features/cases").iterdir())) == 2 * 15
    assert not list(folder.glob("features/*.parquet"))
    monkeypatch.undo()
    part(toy.run(tmp_path), EVERYTHING)
    for name in ("predictions.csv", "splits.csv", "cohort.csv", "selection.csv"):
        assert (folder / name).read_bytes() == (undisturbed / name).read_bytes()


def test_a_late_loss_that_was_allowed_moves_nobody_and_stays(tmp_path, fails, monkeypatch):
    toy.cohort(tmp_path)
    own = toy.run(tmp_path, "may_lose=1", "split.test_fraction=0.25")
    whole = check(own).cases.set_index("case")
    fails("c3")
    folder = part(own, EXTRACT)
    monkeypatch.undo()
    assert part(own, EVERYTHING) == folder
    (lost,) = table(folder / "lost.csv").to_dict("records")
    assert (lost["case"], lost["stage"], lost["set"]) == ("c3", "radiomics", whole.loc["c3", "set"])
    assert "does not answer" in lost["reason"]
    splits = table(folder / "splits.csv").set_index("case")
    assert splits["fold"].astype(int).equals(whole["fold"].drop("c3"))
    assert splits["set"].equals(whole["set"].drop("c3"))
    assert "c3" not in set(table(folder / "predictions.csv")["case"])
    assert "c3" not in pd.read_parquet(folder / "features/radiomics_tumour.parquet").index
    with pytest.raises(CohortError, match="may_lose=1"):
        part(toy.run(tmp_path, "may_lose=0", "split.test_fraction=0.25"), EXTRACT)


def test_what_cannot_be_read_is_told_whole_or_lost(tmp_path):
    toy.cohort(tmp_path)
    (tmp_path / "c2_ct.nii.gz").unlink()
    (tmp_path / "c5_tumour.nii.gz").write_bytes(b"torn")
    with pytest.raises(CohortError) as caught:
        check(toy.run(tmp_path, "may_lose=1"))
    told = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in told[:2]] == ["case c2", "case c5"]
    assert told[2].startswith("found 2 cases that cannot be used; expected 1 at most")
    folder = part(toy.run(tmp_path, "may_lose=2"), EXTRACT)
    lost = table(folder / "lost.csv")
    assert lost["case"].tolist() == ["c2", "c5"]
    assert not lost["reason"].str.contains(str(tmp_path)).any()
    assert len(table(folder / "cohort.csv")) == 14
    toy.cohort(tmp_path)  # the files are there again, the numbers of this folder are without them
    part(toy.run(tmp_path, "may_lose=2"), EXTRACT)
    assert len(table(folder / "cohort.csv")) == 14


def test_rules_send_cases_away_before_the_split_and_count_them(tmp_path):
    rows = toy.cohort(tmp_path)
    young = set(rows["case"][rows["age"] <= 30])
    folder = part(toy.run(tmp_path, RULES, "split.test_fraction=0"), EXTRACT)
    excluded, flow = table(folder / "excluded.csv"), table(folder / "eligibility.csv")
    assert set(excluded["case"][excluded["rule"] == "grown up"]) == young
    small = set(excluded["case"]) - young
    assert small
    assert flow["remaining"].astype(int).tolist() == [16, 16 - len(young), 16 - len(young) - len(small)]
    assert set(table(folder / "cohort.csv")["case"]) == set(rows["case"]) - young - small


def test_a_case_that_left_is_not_asked_for_its_files(tmp_path):
    rows = toy.cohort(tmp_path)
    young = rows["case"][rows["age"] <= 30].iloc[0]
    (tmp_path / f"{young}_ct.nii.gz").unlink()
    assert young not in set(check(toy.run(tmp_path, RULES, "split.test_fraction=0")).cases["case"])
