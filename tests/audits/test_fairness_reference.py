"""Groups against one that was chosen."""

import numpy as np
import pytest
from scipy.stats import binomtest

from glassbench.errors import SettingsError
from glassbench_audits.fairness.audit import audit

RATES = {"white": (150, 500), "black": (90, 500), "asian": (140, 500)}


@pytest.fixture
def held(classification):
    def run(**settings):
        race = np.repeat(list(RATES), [n for _, n in RATES.values()])
        decided = np.concatenate([np.arange(n) < k for k, n in RATES.values()]).astype(int)
        subject = classification(decided, decided, {"race": race}, favourable="1")
        return audit(subject, **{"replicates": 50, "reference": {"race": "white"}, **settings})

    return run


def _found(result, name):
    return {m.group["race"]: m for m in result.measures if m.name == f"fairness.selection_rate_{name}_to_reference"}


def test_each_group_is_held_against_the_reference(held):
    differences = {race: m.value for race, m in _found(held(), "difference").items()}
    assert differences == pytest.approx({"black": -0.12, "asian": -0.02})
    ratios = {race: m.value for race, m in _found(held(), "ratio").items()}
    assert ratios == pytest.approx({"black": 90 / 150, "asian": 140 / 150})


def test_intervals_allow_for_all_comparisons(held):
    """Newcombe's interval of the one difference lies within."""
    (l1, u1), (l2, u2) = (binomtest(*RATES[race]).proportion_ci(method="wilson") for race in ("black", "white"))
    p, q = 90 / 500, 150 / 500
    low, high = p - q - np.hypot(p - l1, u2 - q), p - q + np.hypot(u1 - p, q - l2)
    found = _found(held(), "difference")["black"]
    assert found.low < low < high < found.high


def test_intervals_are_newcombes_and_donner_and_zous_at_bonferronis_level_over_groups_and_rates(held):
    """Every rate of both other groups is a comparison, whether or not there are rows that it speaks of."""
    result = held()
    several = [m for m in result.measures if m.name.endswith("_difference_to_reference")]
    level = 1 - 0.05 / len(several)
    assert len(several) == 2 * len({m.name for m in several}) > 2
    ends = {race: binomtest(k, n).proportion_ci(level, method="wilson") for race, (k, n) in RATES.items()}
    base = RATES["white"][0] / RATES["white"][1]
    for race in ("black", "asian"):
        p = RATES[race][0] / RATES[race][1]
        low = p - base - np.hypot(p - ends[race].low, ends["white"].high - base)
        high = p - base + np.hypot(ends[race].high - p, base - ends["white"].low)
        found = _found(result, "difference")[race]
        assert (found.low, found.high) == pytest.approx((low, high), abs=0.004)
        ratio = _found(result, "ratio")[race]
        assert ratio.low < ratio.value < ratio.high
        assert (ratio.high < 1) == (found.high < 0)


def test_a_gap_beyond_what_is_allowed_fails(held):
    said = [f for f in held(difference=0.02).findings if f.sentence.startswith("Against the reference group")]
    assert [f.group["race"] for f in said] == ["black"]
    assert "selection rate of “1” is lower for race “black”" in said[0].sentence
    assert "12 points" in said[0].sentence
    names = ("fairness.selection_rate_difference_to_reference",)
    assert (said[0].grade, said[0].measures, said[0].answers) == ("concern", names, "differences")
    assert said[0].weight == pytest.approx(0.7 + 0.3 * 0.12)
    turned = [f for f in held(difference=0.02, reference={"race": "black"}).findings if f.sentence.startswith("Against")]
    assert {(f.group["race"], "is higher for" in f.sentence) for f in turned} == {("white", True), ("asian", True)}


def test_only_a_gap_that_is_surely_beyond_what_is_allowed_is_told(held):
    """The gap of 12 points reaches down to between 3 and 5 points, and is told from there on."""
    found = _found(held(), "difference")["black"]
    for allowed in (0.01, -found.high - 0.001, -found.high + 0.001, 0.1, 0.13):
        said = [f for f in held(difference=allowed).findings if f.sentence.startswith("Against the reference group")]
        assert bool(said) == (allowed < -found.high), allowed


@pytest.mark.parametrize("reference", [{"race": "whites"}, {"rase": "white"}])
def test_what_is_named_must_be_there(held, reference):
    with pytest.raises(SettingsError, match="reference"):
        held(reference=reference)
