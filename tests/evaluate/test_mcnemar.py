import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as peer

from fusion.evaluate.mcnemar import mcnemar


def test_fagerlands_first_example():
    """doi:10.1186/1471-2288-13-91, table 1 (Bentur 2009): discordant 1 and 7; .034, .077, .070 and .039."""
    found = mcnemar(1, 7)
    printed = (found.chi_square_p, found.corrected_p, found.exact, found.mid)
    assert [round(p, 3) for p in printed] == [0.034, 0.077, 0.070, 0.039]


def test_agrestis_approval_ratings():
    """Agresti 2002, Categorical Data Analysis, section 10.1: 150 and 86 changed their mind; z squared 17.36."""
    assert round(mcnemar(150, 86).chi_square, 2) == 17.36


@given(st.integers(0, 60), st.integers(0, 60))
def test_statsmodels_agrees(first, second):
    if first + second == 0:
        return
    found = mcnemar(first, second)
    square = [[5, first], [second, 9]]
    assert found.exact == pytest.approx(float(peer(square, exact=True).pvalue))
    plain = peer(square, exact=False, correction=False)
    assert (found.chi_square, found.chi_square_p) == pytest.approx((float(plain.statistic), float(plain.pvalue)))
    if first != second:  # where they are equal statsmodels corrects 0 to 1
        corrected = peer(square, exact=False, correction=True)
        assert (found.corrected, found.corrected_p) == pytest.approx(
            (float(corrected.statistic), float(corrected.pvalue))
        )


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_order_does_not_matter_and_mid_p_is_the_smaller(first, second):
    one, other = mcnemar(first, second), mcnemar(second, first)
    assert (one.exact, one.mid, one.chi_square) == (other.exact, other.mid, other.chi_square)
    assert one.mid <= one.exact <= 1


def test_without_a_discordant_case_nothing_is_shown():
    assert (mcnemar(0, 0).exact, mcnemar(0, 0).mid, mcnemar(0, 0).chi_square_p) == (1, 1, 1)


def test_equal_counts_have_fagerlands_mid_p():
    """Supplement of doi:10.1186/1471-2288-13-91: 1 - half the point probability; of 2 in 4 it is 6/16."""
    assert mcnemar(2, 2).mid == pytest.approx(1 - 6 / 32)
