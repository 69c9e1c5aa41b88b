import numpy as np
import pytest

from fusion.phantom.clinical import diameter_mm


def test_diameter_of_a_disc_in_mm() -> None:
    z, y, x = np.ogrid[:5, :64, :64]
    disc = ((y - 32) ** 2 + (x - 32) ** 2 <= 20**2) & (z == 2)
    assert diameter_mm(disc, 0.5) == pytest.approx(20.5)


def test_diameter_is_taken_on_the_largest_section() -> None:
    mask = np.zeros((3, 40, 40), bool)
    mask[0, 20, 2:38] = mask[0, 21, 2:38] = True
    mask[1, 10:30, 10:30] = True
    assert diameter_mm(mask, 1.0) == pytest.approx(19 * 2**0.5 + 1)
