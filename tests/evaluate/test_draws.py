"""Patients are drawn, kept and exchanged whole."""

import numpy as np
import pandas as pd
import pytest

from fusion.evaluate import draws


@pytest.fixture
def cohort():
    """30 training patients, every third with two cases, six test patients."""
    rows = [(f"p{p}", "train" if p < 30 else "test", p % 5 if p < 30 else -1, int(p % 4 == 0))
            for p in range(36) for _ in range(2 if p % 3 == 0 else 1)]  # fmt: skip
    return pd.DataFrame(rows, columns=["patient", "set", "fold", "event"])


def test_a_bootstrap_draws_patients_whole_and_keeps_the_mix(cohort):
    drawn = draws.bootstrap(cohort, np.random.default_rng(0))
    assert (cohort["set"].iloc[drawn] == "train").all()
    times = pd.Series(drawn).value_counts().reindex(range(len(cohort)), fill_value=0)
    assert (times.groupby(cohort["patient"]).nunique() == 1).all()
    own = cohort[cohort["set"] == "train"].drop_duplicates("patient")
    patients = times.groupby(cohort["patient"]).first()
    assert patients[own[own["event"] == 1]["patient"]].sum() == own["event"].sum()
    assert patients.sum() == len(own)


def test_a_subset_has_its_share_of_both_classes(cohort):
    members = draws.subset(cohort, 0.5, np.random.default_rng(0))
    patients = cohort.iloc[members].drop_duplicates("patient")
    assert (len(patients), patients["event"].sum()) == (15, 4)
    assert (np.diff(members) > 0).all()


def test_permuted_outcomes_stay_in_their_fold_and_among_equals(cohort):
    events = draws.permuted(cohort, np.random.default_rng(0))
    made = cohort.assign(permuted=events)
    assert (made["event"] != made["permuted"]).any()
    assert (made[made["set"] == "test"]["event"] == made[made["set"] == "test"]["permuted"]).all()
    assert (made.groupby("fold")[["event", "permuted"]].sum().pipe(lambda own: own["event"] == own["permuted"])).all()
    assert (made.groupby("patient")["permuted"].nunique() == 1).all()
