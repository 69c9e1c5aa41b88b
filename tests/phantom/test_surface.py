from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from fusion.config.cohort import Phantom
from fusion.phantom import plan_cohort
from fusion.phantom.field import Grid
from fusion.phantom.lesion import Lesion
from fusion.phantom.surface import ellipsoid_radius, signed_distance_mm

GRID = Grid(np.arange(-24, 24.0), np.arange(-24, 24, 0.5), np.arange(-24, 24, 0.5))


@pytest.fixture
def lesion() -> Lesion:
    drawn = plan_cohort(Phantom(cases=8))[0].lesion
    return replace(drawn, semi_axes_mm=(10.0, 12.0, 9.0), angle_rad=0.4)


@pytest.mark.parametrize("roughness", [0.05, 0.14])
def test_roughness_does_not_change_the_volume(lesion: Lesion, roughness: float) -> None:
    rough = signed_distance_mm(replace(lesion, roughness=roughness), GRID, np.random.default_rng(1))
    smooth = ellipsoid_radius(lesion, GRID) < 1
    assert abs((rough < 0).sum() - smooth.sum()) <= 0.002 * smooth.sum()


def test_roughness_changes_the_surface(lesion: Lesion) -> None:
    rough, smooth = (
        signed_distance_mm(replace(lesion, roughness=roughness), GRID, np.random.default_rng(1)) < 0
        for roughness in (0.14, 0.0)
    )
    assert (rough != smooth).sum() > 0.05 * smooth.sum()


def test_distance_is_euclidean_to_half_a_voxel(lesion: Lesion) -> None:
    distance = signed_distance_mm(lesion, GRID, np.random.default_rng(1))
    exact = distance_transform_edt(distance >= 0, sampling=(1.0, 0.5, 0.5))
    assert np.abs(exact - distance)[(distance > 1.5) & (distance < 8)].max() < 0.6
