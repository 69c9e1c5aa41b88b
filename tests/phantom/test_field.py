import numpy as np
import pytest

from fusion.phantom.field import Field, Grid

GRID = Grid(np.arange(-20, 20.0), np.arange(-20, 20, 0.5), np.arange(-20, 20, 0.5))


def test_field_has_unit_variance_up_to_the_border() -> None:
    samples = np.stack([Field.draw(np.random.default_rng(seed), (3.0,) * 3, 24.0).on(GRID) for seed in range(60)])
    corner, centre = samples[:, 0, 0, 0], samples[:, 20, 40, 40]
    assert samples.std() == pytest.approx(1, abs=0.05)
    assert (corner.std(), centre.std()) == (pytest.approx(1, abs=0.3), pytest.approx(1, abs=0.3))


def test_correlation_is_that_of_gaussian_smoothing() -> None:
    """White noise smoothed by sigma has the correlation exp(-d^2 / (4 sigma^2)); at d = 2 sigma that is exp(-1)."""
    fields = [Field.draw(np.random.default_rng(seed), (2.0,) * 3, 24.0).on(GRID) for seed in range(30)]
    lagged = np.mean([(field[:, :, 8:] * field[:, :, :-8]).mean() for field in fields])
    assert lagged == pytest.approx(np.exp(-1), abs=0.04)


def test_part_and_whole_agree() -> None:
    field = Field.draw(np.random.default_rng(0), (3.5, 1.6, 1.6), 24.0)
    window = (slice(3, 9), slice(10, 30), slice(0, 50))
    np.testing.assert_allclose(field.on(GRID.part(window)), field.on(GRID)[window], atol=1e-5)


def test_slabs_keep_the_slice_centres() -> None:
    thin = GRID.slabs(5)
    np.testing.assert_allclose(thin.z.reshape(-1, 5).mean(axis=1), GRID.z, atol=1e-9)
