import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.errors import FeatureError
from fusion.features.radiomics.levels import discretise
from fusion.features.radiomics.plan import Binning

VALUES = st.lists(st.floats(-2000, 3000, width=32), min_size=1, max_size=50)


@settings(deadline=None)
@given(VALUES, st.sampled_from([(25.0, None), (3.7, None), (0.5, None), (25.0, 1), (25.0, 32)]))
def test_levels_are_pyradiomics_own(numbers, how):
    from radiomics.imageoperations import binImage

    values, binning = np.array(numbers, np.float32), Binning(*how)
    found = discretise(values, binning)
    theirs, _ = binImage(values, np.ones(len(values), bool), binWidth=how[0], binCount=how[1])
    np.testing.assert_array_equal(found.level, theirs)


@settings(deadline=None)
@given(VALUES)
def test_ranks_count_the_levels_that_occur(numbers):
    found = discretise(np.array(numbers), Binning(5.0, None))
    np.testing.assert_array_equal(found.grey[found.rank - 1], found.level)
    assert found.counts.sum() == len(numbers)
    assert (found.counts > 0).all()


def test_nan_is_a_level_above_all_others():
    found = discretise(np.array([0.0, 30.0, np.nan]), Binning(25.0, None))
    assert found.level.tolist() == [1, 2, 4]


def test_a_flat_region_has_one_level():
    assert discretise(np.full(4, -1000.0), Binning(25.0, None)).grey.tolist() == [1]


@pytest.mark.parametrize(
    "values", [[np.nan, 1.0], [np.inf, 1.0], [0.0, 1e9]], ids=["nan first", "infinite", "too many"]
)
def test_values_without_levels_are_a_message(values):
    with pytest.raises(FeatureError, match=r"grey"):
        discretise(np.array(values), Binning(25.0, None))
