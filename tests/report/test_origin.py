import pandas as pd
import pytest

from fusion.config.split import External, Holdout, Temporal
from fusion.data.split import split
from fusion.report.origin import by_column

OWN = pd.DataFrame({"case": list("abcdefghi"), "patient": list("abcdefghh"), "event": [0, 1] * 4 + [1],
                    "split_on": ["2018", "2018", "2018", "2018", "2020", "2020", "2018", "2021", "2017"]})  # fmt: skip


@pytest.mark.parametrize(("asked", "from_"), [({"since": 2019}, "2019"), ({"test_fraction": 0.35}, "2020")])
def test_a_test_set_by_time_says_from_when_on_and_who_came_along(asked, from_):
    own = Temporal(column="year", folds=2, **asked)
    cohort = OWN.assign(set=split(OWN, own, 0)["set"])
    found = by_column(own, cohort.astype({"split_on": int}))
    assert found == (
        f"test set by time, patients with a case from {from_} on (column 'year'); 1 earlier case of theirs tested with "
        "them"
    )
    alone = cohort[cohort["case"] != "i"].reset_index(drop=True)
    assert by_column(own, alone).endswith("on (column 'year')")


def test_an_external_set_says_by_what():
    assert by_column(External(column="hospital", values=("B", 3)), OWN) == "external set by column 'hospital' (B, 3)"
    assert not by_column(Holdout(), OWN)
