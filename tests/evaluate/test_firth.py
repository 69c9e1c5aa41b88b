import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.errors import HeadError
from fusion.evaluate.firth import firth, joint_p, maximise

AGE = [34, 41, 45, 48, 50, 52, 53, 55, 57, 58, 60, 61, 63, 64, 66, 67, 69, 70, 72, 74, 75, 77, 79, 83]
NODES = [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 1]
MARGIN = [0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0, 1, 1, 0, 1, 0, 1, 1]
EVENTS = np.array([0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1])
DESIGN = np.column_stack([AGE, NODES, MARGIN, np.ones(24)]).astype(float)
"""24 made-up cases; every case with nodes is an event, so that maximum likelihood has no finite estimate."""


def two_by_two(a: int, b: int, c: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Exposed events, exposed others, unexposed events, unexposed others."""
    exposed = np.repeat([1.0, 1.0, 0.0, 0.0], [a, b, c, d])
    return np.column_stack([np.ones(len(exposed)), exposed]), np.repeat([1, 0, 1, 0], [a, b, c, d])


def test_coefficients_and_profile_intervals_equal_those_of_firthlogist():
    """firthlogist 0.5.0 on the same cases, tol=1e-12; its P is of a model without the column, logistf's is not."""
    fit = firth(DESIGN, EVENTS)
    assert fit.coefficient == pytest.approx(
        [-0.002205377336, 4.38000039065, 2.591007379572, -2.7258209927652], abs=1e-8
    )
    assert fit.low == pytest.approx([-0.113289024804, 1.452061394771, 0.141590200831, -10.790841557851], abs=1e-8)
    assert fit.high == pytest.approx([0.111148192237, 10.07393149989, 7.493582955199, 3.240281432484], abs=1e-8)
    assert fit.log_likelihood == pytest.approx(-3.4035225623186225, abs=1e-10)


@pytest.mark.parametrize("cells", [(7, 3, 4, 9), (7, 3, 0, 9), (5, 0, 0, 5)])
def test_a_saturated_table_adds_half_a_case_to_every_cell(cells):
    """Firth 1993, section 3: in a saturated logistic model the correction adds 1/2 to each count."""
    a, b, c, d = np.array(cells) + 0.5
    fit = firth(*two_by_two(*cells))
    assert fit.coefficient == pytest.approx([np.log(c / d), np.log(a * d / (b * c))], abs=1e-7)


def test_p_is_one_minus_the_confidence_whose_interval_ends_at_zero():
    fit = firth(DESIGN, EVENTS)
    for term, p in enumerate(fit.p):
        other = firth(DESIGN, EVENTS, confidence=1 - p)
        assert min(abs(other.low[term]), abs(other.high[term])) < 1e-6


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_a_column_in_other_units_gives_the_same_odds_ratio(seed):
    generator = np.random.default_rng(seed)
    design = np.column_stack([np.ones(30), generator.normal(size=30)])
    events = np.where(np.arange(30) < 2, [0, 1] * 15, generator.integers(0, 2, 30))
    one, other = firth(design, events), firth(design * [1, 1000], events)
    for name in ("coefficient", "low", "high"):
        assert getattr(other, name)[1] * 1000 == pytest.approx(getattr(one, name)[1], rel=1e-5, abs=1e-6)
    assert other.p == pytest.approx(one.p, abs=1e-7)


def test_one_term_tested_jointly_is_the_term_tested_alone():
    best = maximise(DESIGN, EVENTS)
    alone = joint_p(DESIGN, EVENTS, best, np.array([False, True, False, False]))
    assert alone == pytest.approx(firth(DESIGN, EVENTS).p[1], abs=1e-9)


def test_a_column_said_twice_is_refused():
    with pytest.raises(HeadError, match="3 terms of which 1 are combinations of the others"):
        firth(DESIGN[:, [0, 0, 3]], EVENTS)
