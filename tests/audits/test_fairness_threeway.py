"""Gaps that only three features together show."""

import numpy as np
import pytest

from glassbench_audits.fairness.audit import audit


@pytest.fixture
def eight(classification):
    """Eight equal groups of three features; the odd ones are selected more often by `gap`, which no one or two features show."""

    def make(gap, n=4000, seed=0):
        chance = np.random.default_rng(seed)
        bits = np.tile([[i >> k & 1 for k in range(3)] for i in range(8)], (n // 8, 1))
        decided = (chance.random(len(bits)) < 0.5 + gap / 2 * np.where(bits.sum(axis=1) % 2, 1, -1)).astype(int)
        groups = {name: bits[:, k].astype(str) for k, name in enumerate(("sex", "race", "age"))}
        return classification(decided, decided, groups, favourable="1")

    return make


def _threes(result):
    return [f for f in result.findings if "sex" in f.sentence and "race" in f.sentence and "age" in f.sentence]


def test_a_gap_of_three_features_together_is_found(eight):
    result = audit(eight(0.3), replicates=100)
    assert any(f.grade == "concern" for f in _threes(result))
    assert not any(f.grade == "concern" for f in result.findings if f not in _threes(result))
    assert any(m.by == ("sex", "race", "age") for m in result.measures)


def test_without_one_nothing_of_three_features_is_shown(eight):
    result = audit(eight(0.0), replicates=100)
    assert _threes(result) == []
    assert not any(m.by and len(m.by) > 2 for m in result.measures)
    assert any("no gap in them survives" in caution for caution in result.method.cautions)
