"""What a forest says of settings is held against a number whose parts are known."""

import numpy as np

from glassbench.stats.setting_importance import FEWEST, forest_importance


def test_a_setting_that_decides_explains_most_and_one_without_effect_little():
    generator = np.random.default_rng(0)
    settings = [{"rate": 10 ** generator.uniform(-4, -1), "kind": ["a", [1]][k % 2], "idle": int(k % 7)} for k in range(60)]
    values = np.array([np.log10(one["rate"]) + 0.3 * (one["kind"] == "a") for one in settings]) + generator.normal(0, 0.05, 60)
    found = forest_importance(settings, values)
    assert found["rate"].value > 0.7
    assert found["idle"].value < 0.1
    assert found["idle"].value < found["kind"].value < 0.3
    assert all(one.low <= one.value <= one.high for one in found.values())


def test_few_candidates_or_equal_numbers_say_nothing():
    settings = [{"a": k} for k in range(FEWEST)]
    assert forest_importance(settings[1:], np.arange(FEWEST - 1.0)) == {}
    assert forest_importance(settings, np.ones(FEWEST)) == {}


def test_a_value_that_few_candidates_have_counts_as_seldom() -> None:
    settings = [{"rare": k % 10 == 0, "even": (k // 10) % 2 == 0} for k in range(60)]
    values = np.array([one["rare"] + 0.6 * one["even"] for one in settings])
    found = forest_importance(settings, values)
    assert 0.2 < found["rare"].value < 0.55  # of both 0.09 of the variance: 0.1 times 0.9, and 0.36 times 0.25
    assert 0.3 < found["even"].value < 0.8
