import numpy as np
import pandas as pd
import pytest
import timm
import torch
from safetensors.torch import save_file

from fusion.config.network import SliceMean
from fusion.errors import ModelError
from fusion.models.checkpoints import SOURCES
from fusion.models.frozen import frozen_features

from .conftest import FOLDS, ROI, SMALL, TABLE, patches


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_file(timm.create_model(SMALL.backbone).state_dict(), path)
    return SMALL.model_copy(update={"weights": str(path)})


@pytest.fixture(scope="module")
def found(network):
    return frozen_features(patches(), TABLE, network, ROI)


def test_both_regions_are_tumour_then_ring(found):
    tumour, ring, both = (found[source].drop(columns=["fold", "set"]).to_numpy() for source in SOURCES)
    assert np.array_equal(both, np.concatenate([tumour, ring], axis=1))
    assert tumour.shape == (16, 16 + 16 + 24 + 48 + 576)


def test_no_outcome_and_no_fold_has_a_part_in_them(found, network):
    turned = TABLE.assign(event=1 - TABLE["event"], fold=np.where(FOLDS >= 0, 1 - FOLDS, -1))
    again = frozen_features(patches(), turned, network, ROI)
    columns = [name for name in found["tumour_DL"] if name.startswith("d")]
    pd.testing.assert_frame_equal(again["tumour_DL"][columns], found["tumour_DL"][columns])


def test_empty_slices_do_not_count_where_slices_are_read_one_by_one(network):
    own = network.model_copy(update={"input": SliceMean(pool="attention")})
    assert np.isfinite(frozen_features(patches(), TABLE, own, ROI)["tumour_DL"].filter(like="d0").to_numpy()).all()


def test_a_random_start_is_an_error():
    with pytest.raises(ModelError, match=r"frozen_backbone with network\.weights=none"):
        frozen_features(patches(), TABLE, SMALL, ROI)


def test_patches_of_other_cases_are_an_error(network):
    with pytest.raises(ModelError, match="patches of other cases"):
        frozen_features(patches(), TABLE.iloc[::-1], network, ROI)
