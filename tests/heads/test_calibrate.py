import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from fusion.config.heads import Heads
from fusion.heads.calibrate import BOUNDS, calibration
from fusion.heads.combine import predict
from fusion.heads.parts import FINAL

KINDS = ("temperature", "platt")


def drawn(cases: int = 20_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    odds = rng.normal(-1, 1.5, cases)
    return odds, (rng.random(cases) < expit(odds)).astype(int)


def cohort(events: np.ndarray) -> pd.DataFrame:
    fold = np.where(np.arange(len(events)) % 5 < 4, np.arange(len(events)) % 5, FINAL)
    sets = np.where(fold >= 0, "train", "test")
    return pd.DataFrame({"case": [f"c{n}" for n in range(len(events))], "set": sets, "fold": fold, "event": events})


def predicted(odds: np.ndarray, own: pd.DataFrame, heads: Heads):
    scores = own.assign(source="tumour_DL", score=odds)
    return predict(scores, pd.DataFrame(index=own["case"]), own, ("Tumor_DL",), heads)


@pytest.mark.parametrize("kind", KINDS)
def test_a_scale_of_three_is_found_again(kind):
    odds, events = drawn()
    assert calibration(Heads(calibration=kind), 3 * odds, events).factor == pytest.approx(1 / 3, rel=0.05)


def test_an_offset_is_found_by_platt_alone():
    odds, events = drawn()
    assert calibration(Heads(calibration="platt"), odds + 2, events).offset == pytest.approx(-2, abs=0.1)
    assert calibration(Heads(), odds + 2, events).offset == 0


def test_none_changes_nothing():
    odds, events = drawn(100)
    assert np.array_equal(calibration(Heads(calibration="none"), odds, events)(odds), odds)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sign", [1, -1, 0])
def test_perfect_reversed_and_constant_scores_stay_within_bounds_and_in_their_order(kind, sign):
    events = np.array([0, 1] * 10)
    odds = sign * (2.0 * events - 1)
    found = calibration(Heads(calibration=kind), odds, events)
    assert BOUNDS[0] <= found.factor <= BOUNDS[1]
    assert np.isfinite(found(odds)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_chance_scores_end_near_the_share_of_events(kind):
    rng = np.random.default_rng(1)
    odds, events = rng.normal(-1.1, 0.5, 4000), (rng.random(4000) < 0.25).astype(int)
    assert expit(calibration(Heads(calibration=kind), odds, events)(odds)).mean() == pytest.approx(0.25, abs=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_a_case_is_calibrated_without_its_fold(kind):
    odds, events = drawn(200)
    own, heads = cohort(events), Heads(calibration=kind)
    turned = own.assign(event=np.where(own["fold"] == 2, 1 - own["event"], own["event"]))
    before, after = (predicted(3 * odds, table, heads).rows.set_index("case")["probability"] for table in (own, turned))
    changed = (before != after).groupby(own.set_index("case")["fold"]).any()
    assert changed.to_dict() == {-1: True, 0: True, 1: True, 2: False, 3: True}


def test_the_numbers_of_every_fold_are_told():
    odds, events = drawn(200)
    found = predicted(odds, cohort(events), Heads()).calibration
    assert found["fold"].tolist() == ["0", "1", "2", "3", "final"]
    assert (found["model"] == "Tumor_DL").all()


@pytest.mark.parametrize("stacking", ["frozen_backbone", "nested_vector"])
def test_a_heads_log_odds_are_left_alone(stacking):
    odds, events = drawn(200)
    found = predicted(odds, cohort(events), Heads(stacking=stacking))
    assert found.calibration.empty
    assert np.allclose(np.sort(found.rows["probability"]), np.sort(expit(odds)))
