import pytest
from pydantic import ValidationError

from fusion.config.network import Network


def test_networks_side_by_side_in_one_are_for_one_device():
    with pytest.raises(ValidationError, match="stacked is for one device, not 2"):
        Network(devices=2, training="stacked")
    assert Network(devices=2).processes == 2


def test_every_process_has_a_case_of_a_batch():
    with pytest.raises(ValidationError, match="batch: 5 cases for 6 processes"):
        Network(devices=3, nodes=2, batch=5)
    assert Network(devices=3, nodes=2, batch=6).processes == 6
