import numpy as np
import pandas as pd
import pytest

from fusion.errors import ModelError
from fusion.models.checkpoints import SOURCES
from fusion.models.embed import deep_features, scores
from fusion.models.export import answers, deep_rows, networks, scales, score_table

from .conftest import CASES, FOLDS, ROI, SMALL, TABLE, TRAIN, patches

ASKED = (TABLE, SMALL, ROI, 0)


@pytest.fixture(scope="module")
def nets(trained):
    return networks(patches(), *ASKED, trained, list(SOURCES))


@pytest.fixture(scope="module")
def answered(nets):
    return answers(nets, patches(), SMALL, ROI, seen=True)


def tumour(answered):
    return {own: said for own, said in answered.items() if own.job.source == "tumour_DL"}


def test_every_network_knows_which_cases_it_saw(nets):
    assert len(nets) == 6
    for own in nets:
        assert list(own.saw) == np.flatnonzero((FOLDS >= 0) & (own.job.fold != FOLDS)).tolist()


def test_unseen_rows_are_the_runs_own_deep_features(answered, trained):
    rows = deep_rows(tumour(answered), TABLE)
    wanted = deep_features(patches(), TABLE, SMALL, ROI, trained)["tumour_DL"].reset_index()
    assert rows.columns[:5].tolist() == ["case", "set", "fold", "seed", "d000"]
    pd.testing.assert_frame_equal(rows.drop(columns="seed"), wanted[rows.columns.drop("seed")], check_exact=True)


def test_no_row_is_of_a_case_that_its_network_saw_unless_asked(answered):
    for seen, count in ((False, TRAIN + 2 * (CASES - TRAIN)), (True, TRAIN)):
        rows = deep_rows(tumour(answered), TABLE, seen=seen)
        own = rows["case"].map(dict(zip(TABLE["case"], FOLDS, strict=True)))
        assert len(rows) == count
        assert (((own >= 0) & (own != rows["fold"])) == seen).all()


def test_rows_come_in_the_cohorts_order(answered):
    rows = deep_rows(tumour(answered), TABLE)
    assert rows["case"].drop_duplicates().tolist() == TABLE["case"].tolist()
    assert rows[rows["case"] == "patient-13"]["fold"].tolist() == [0, 1]


def test_scores_are_the_runs_own_bit_for_bit_though_seen_cases_were_asked(answered, trained):
    pd.testing.assert_frame_equal(
        score_table(answered, TABLE), scores(patches(), TABLE, SMALL, ROI, trained), check_exact=True
    )


def test_the_scales_share_out_the_deep_features(nets, answered):
    parts = scales(nets[0].network(SMALL, ROI))
    assert [part.stop - part.start for part in parts] == [16, 16, 24, 48, 64]
    assert parts[-1].stop == answered[nets[0]].deep.shape[1]


def test_every_missing_network_is_named(trained, tmp_path):
    with pytest.raises(ModelError) as caught:
        networks(patches(), *ASKED, tmp_path, ["tumour_DL"])
    assert [fault.file for fault in caught.value.faults] == [
        str(tmp_path / f"checkpoints/tumour_DL_fold{fold}_seed0.safetensors") for fold in (0, 1)
    ]


def test_networks_of_another_training_are_refused(trained):
    with pytest.raises(ModelError, match="another training"):
        networks(patches(), TABLE, SMALL, ROI, 1, trained, ["tumour_DL"])


def test_patches_of_other_cases_are_refused(trained):
    with pytest.raises(ModelError, match="patches of other cases"):
        networks(patches(), TABLE.iloc[::-1], SMALL, ROI, 0, trained, ["tumour_DL"])
