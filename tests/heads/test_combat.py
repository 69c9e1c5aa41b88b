"""ComBat against neuroCombat 0.2.12, and what harmonised features must be."""

import numpy as np
import pytest

from fusion.errors import HeadError
from fusion.heads.combat import ComBat

SCANNER = np.array(list("aaaabbbbbccc"))
AGE = np.array([0.0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1, 1])[:, None]
X = np.array([
    [14.1, 14.9, 5.8, -1.1, -3.9], [10.6, 18.0, 4.5, -2.7, 3.6], [10.5, 19.3, 4.4, -1.3, -5.1],
    [10.2, 23.0, 4.5, 0.9, -3.4], [14.1, 31.2, 10.2, 0.0, -0.7], [15.2, 30.7, 6.9, 2.0, 4.0],
    [10.5, 23.8, 11.5, 4.3, 0.4], [15.7, 11.7, 12.1, -0.8, -6.7], [15.1, 27.8, 6.2, -2.3, 0.1],
    [7.9, 20.0, 4.0, -1.7, -3.4], [8.7, 18.7, 3.8, -2.2, -5.3], [7.9, 20.3, -0.5, -2.0, -4.3],
])  # fmt: skip
TIGHT = {
    "plain": [
        [14.6455067413, 16.0381066696, 6.8629496538, -0.5199848266, -2.9543740961],
        [12.0144205553, 25.1719812732, 7.1925790237, -1.2195456714, -2.7926158275],
        [10.8087574835, 23.8655108198, 2.5321146257, -0.5159123192, -1.6818451792],
    ],
    "mean_only": [
        [14.6497350339, 16.7732983164, 6.534474841, -0.5001757245, -2.8622652127],
        [12.3049141029, 26.4695768361, 7.916661827, -1.6067602318, -3.4317156535],
        [10.477321434, 24.7492423716, 2.4006707529, -0.2041446159, -1.1521669858],
    ],
    "covariate": [
        [14.8149708929, 16.1241329678, 6.8428889147, -0.4942795747, -3.0851750523],
        [11.8214938929, 25.7691171629, 7.0024150803, -1.2342892121, -2.5070498118],
        [10.9467538109, 23.2321900968, 2.4820791448, -0.4442000263, -1.7610798899],
    ],
}
"""neuroCombat 0.2.12 (Fortin 2018) on ``X``, its stop criterion tightened from 1e-4 to 1e-13: cases 0, 4, 11."""
FASHION = {"plain": ({}, None), "mean_only": ({"mean_only": True}, None), "covariate": ({}, AGE)}


@pytest.mark.parametrize("kind", TIGHT)
def test_neurocombats_digits(kind):
    settings, covariates = FASHION[kind]
    aligned = ComBat(**settings).fit_transform(X, SCANNER, covariates)
    np.testing.assert_allclose(aligned[[0, 4, 11]], TIGHT[kind], atol=1e-9)


def test_neurocombat_as_it_stops_by_default_differs_in_the_fifth_decimal_only():
    default = [10.8087711414, 23.8655018998, 2.5321018416, -0.5159123368, -1.6818453025]  # case 11
    np.testing.assert_allclose(ComBat().fit_transform(X, SCANNER)[11], default, atol=2e-5)


def scanned(cases: int = 240, features: int = 300, seed: int = 0):
    """Features with a mean and a spread that each scanner shifts, and what they were before."""
    rng = np.random.default_rng(seed)
    scanner = np.array(list("abc"))[np.arange(cases) % 3]
    clean = rng.normal(size=(cases, features))
    shift = {"a": 0.0, "b": 1.5, "c": -1.0}
    spread = {"a": 1.0, "b": 1.6, "c": 0.6}
    seen = clean * np.vectorize(spread.get)(scanner)[:, None] + np.vectorize(shift.get)(scanner)[:, None]
    return seen + 5, scanner, clean


def test_shifts_and_spreads_between_scanners_are_removed():
    seen, scanner, _ = scanned()
    aligned = ComBat().fit_transform(seen, scanner)
    means = np.stack([aligned[scanner == name].mean(axis=0) for name in "abc"])
    spreads = np.stack([aligned[scanner == name].std(axis=0) for name in "abc"])
    assert np.ptp([seen[scanner == name].mean() for name in "abc"]) > 2.4
    assert np.ptp(means.mean(axis=1)) < 0.01
    assert np.ptp(means, axis=0).mean() < 0.15
    assert np.abs(spreads.mean(axis=1) / spreads.mean() - 1).max() < 0.02


def test_cases_that_were_not_learned_from_are_aligned_too():
    seen, scanner, clean = scanned()
    fitted = ComBat().fit(seen[:150], scanner[:150])
    aligned = fitted.transform(seen[150:], scanner[150:])
    correlation = [np.corrcoef(aligned[:, i], clean[150:, i])[0, 1] for i in range(20)]
    assert min(correlation) > 0.97 > np.corrcoef(seen[150:, 0], clean[150:, 0])[0, 1]


def test_fit_then_transform_is_fit_transform_and_order_does_not_matter():
    seen, scanner, _ = scanned(30, 20)
    whole, order = ComBat().fit_transform(seen, scanner), np.random.default_rng(1).permutation(30)
    np.testing.assert_array_equal(whole, ComBat().fit(seen, scanner).transform(seen, scanner))
    np.testing.assert_allclose(ComBat().fit_transform(seen[order], scanner[order]), whole[order], atol=1e-10)


def test_a_case_is_transformed_alike_in_any_company():
    seen, scanner, _ = scanned(30, 20)
    fitted = ComBat().fit(seen, scanner)
    alone = fitted.transform(seen[3:4] * 2, scanner[3:4])
    np.testing.assert_allclose(alone[0], fitted.transform(np.concatenate([seen, seen[3:4] * 2]),
                               np.append(scanner, scanner[3]))[-1])  # fmt: skip


def test_the_effect_of_a_covariate_is_kept():
    seen, scanner, _ = scanned()
    age = (np.random.default_rng(2).random(240) < np.where(scanner == "b", 0.8, 0.3)).astype(float)[:, None]
    aged = seen + 2 * age
    kept, lost = ComBat().fit_transform(aged, scanner, age), ComBat().fit_transform(aged, scanner)
    effect = [own[age[:, 0] == 1].mean() - own[age[:, 0] == 0].mean() for own in (kept, lost)]
    assert effect[0] == pytest.approx(2, abs=0.05)
    assert effect[1] < 1.8


def test_features_that_do_not_vary_within_a_scanner_stay():
    seen, scanner, _ = scanned(30, 20)
    seen[:, 0], seen[scanner == "b", 1] = 7.0, 3.0
    aligned = ComBat().fit_transform(seen, scanner)
    np.testing.assert_array_equal(aligned[:, :2], seen[:, :2])
    assert np.isfinite(aligned).all()
    assert (aligned[:, 2] != seen[:, 2]).all()


def test_an_unseen_scanner_is_refused_by_name_or_left_as_it_is():
    seen, scanner, _ = scanned(30, 20)
    new = np.array(["new machine"])
    with pytest.raises(HeadError, match="of scanner new machine in the cases that ComBat was fitted on"):
        ComBat().fit(seen, scanner).transform(seen[:1], new)
    kept = ComBat(unseen="as_is").fit(seen, scanner).transform(seen[:1], new)
    np.testing.assert_array_equal(kept, seen[:1])


def test_a_scanner_with_one_case_is_refused_by_name_or_left_out():
    seen, scanner, _ = scanned(30, 20)
    lone = scanner.astype(object)
    lone[0] = "lone"
    with pytest.raises(HeadError, match="fewer than 2 cases of scanner lone"):
        ComBat().fit(seen, lone.astype(str))
    aligned = ComBat(unseen="as_is").fit_transform(seen, lone.astype(str))
    np.testing.assert_array_equal(aligned[0], seen[0])
    np.testing.assert_array_equal(aligned[1:], ComBat().fit_transform(seen[1:], scanner[1:]))


@pytest.mark.parametrize("spoil", ["one scanner", "confounded", "flat"])
def test_what_cannot_be_aligned_is_refused(spoil):
    seen, scanner, _ = scanned(30, 20)
    covariates = (scanner == "a").astype(float)[:, None] if spoil == "confounded" else None
    scanner = np.full(30, "a") if spoil == "one scanner" else scanner
    seen = np.ones_like(seen) if spoil == "flat" else seen
    with pytest.raises(HeadError, match=r"two to align|cannot be told|0 features that vary"):
        ComBat().fit(seen, scanner, covariates)
