"""Who belongs to the cohort: every rule judged for every case, or told why it cannot be."""

import numpy as np
import pandas as pd
import pytest

from fusion.config.cohort import Cohort
from fusion.config.eligibility import Diameter, InRange, Missing, OneOf, Rule
from fusion.data.eligibility import by_mask, by_table, counted, missing_columns
from fusion.data.image import Geometry
from fusion.errors import CohortError
from fusion.roi.diameter import axial_diameter_mm

TREATED = Rule(name="treated", exclude=OneOf(column="treated", values=("yes", 1)))
ADULT = Rule(name="adult", include=InRange(column="age", above=17))
COMPLETE = Rule(name="incomplete", exclude=Missing(columns=("age", "treated")))
SMALL = Rule(name="small", exclude=Diameter(below_mm=10))


def cohort(*rules: Rule) -> Cohort:
    return Cohort(table="t.csv", eligibility=rules)


def words(**columns) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    return pd.DataFrame({"case": [f"c{n}" for n in range(count)], **columns})


def test_a_case_leaves_at_the_first_rule_that_it_does_not_meet():
    table = words(age=["40", "12", "", "17.5", "9"], treated=["no", "yes", "no", "no", "1"])
    kept, left = by_table(table, cohort(COMPLETE, TREATED, ADULT))
    assert kept["case"].tolist() == ["c0", "c3"]
    assert [(own.case, own.rule, own.why) for own in left] == [
        ("c2", "incomplete", "no age"), ("c1", "treated", "treated = yes"), ("c4", "treated", "treated = 1"),
    ]  # fmt: skip
    flow = counted(5, (COMPLETE, TREATED, ADULT), left)
    assert flow["left"].tolist() == [0, 1, 2, 0]
    assert flow["remaining"].tolist() == [5, 4, 2, 2]


def test_a_cell_that_no_rule_can_judge_is_told_not_guessed():
    table = words(age=["40", "", "old"], treated=["", "no", "no"])
    with pytest.raises(CohortError) as caught:
        by_table(table, cohort(TREATED, ADULT))
    told = str(caught.value).splitlines()
    assert len(told) == 3
    assert "case c0: t.csv: found treated: no value" in told[0]
    assert "case c2: t.csv: found age: 'old'" in told[2]


def test_rules_that_leave_nobody_and_columns_that_are_not_there_are_told():
    with pytest.raises(CohortError, match="no case left by the rules \\('adult' 2\\)"):
        by_table(words(age=["1", "2"]), cohort(ADULT))
    (fault,) = missing_columns(words(age=["1"]), cohort(ADULT, TREATED))
    assert "no column 'treated'" in str(fault)


def test_rules_on_masks_come_last_and_names_are_their_own():
    with pytest.raises(ValueError, match="rules of kind diameter last"):
        cohort(SMALL, ADULT)
    with pytest.raises(ValueError, match="a name of its own"):
        cohort(ADULT, ADULT)
    with pytest.raises(ValueError, match="include or exclude"):
        Rule(name="neither")


def test_include_and_exclude_of_the_diameter_are_each_other_s_opposite():
    large = Rule(name="large", include=Diameter(above_mm=20))
    assert by_mask("a", 15.0, [SMALL, large]).rule == "large"
    assert by_mask("a", 25.0, [SMALL, large]) is None


@pytest.mark.parametrize("shape", ["disc", "random"])
def test_the_diameter_is_that_of_all_corners(shape):
    rng = np.random.default_rng(3)
    mask = np.zeros((3, 14, 11), bool)
    if shape == "disc":
        y, x = np.ogrid[:14, :11]
        mask[1] = (y - 6.5) ** 2 + (x - 5) ** 2 < 20
    else:
        mask[:, 2:12, 1:9] = rng.random((3, 10, 8)) > 0.8
    spacing = (4.0, 0.7, 1.3)
    corners = [
        np.unique(np.concatenate([np.argwhere(own) + np.array([a, b]) for a in (0, 1) for b in (0, 1)]), axis=0)
        * spacing[1:]
        for own in mask
        if own.any()
    ]
    longest = max(float(np.linalg.norm(own[:, None] - own, axis=-1).max()) for own in corners)
    upright = Geometry(mask.shape, spacing, (0.0, 0.0, 0.0), tuple(map(float, np.eye(3).ravel())))
    assert axial_diameter_mm(mask, upright) == pytest.approx(longest)
    sagittal = Geometry((11, 3, 14), (1.3, 4.0, 0.7), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0))
    assert axial_diameter_mm(np.transpose(mask, (2, 0, 1)), sagittal) == pytest.approx(longest)
