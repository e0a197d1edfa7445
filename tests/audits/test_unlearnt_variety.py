"""Whether training rows lack what held-out rows have: by hand, and how often it is said where both are drawn alike."""

import numpy as np
from scipy.stats import binom

from glassbench_audits.samples.unlearnt import unlearnt


def drawn(seed, shift=0.0, held_out=30, training=60):
    chance = np.random.default_rng(seed)
    rows = chance.normal(size=(held_out, 3)), chance.normal(size=(training, 3))
    rows[0][: held_out // 2] += shift
    return rows


def test_two_clusters_far_apart_by_hand():
    held_out = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [100.0], [101.0], [102.0], [103.0], [104.0], [105.0]])
    training = np.linspace(200, 220, 24)[:, None]
    (one,) = unlearnt({"a": (held_out, training)}, 5, np.random.default_rng(0))
    assert one.found == 1.0
    assert one.expected == 11 / 35
    assert one.lack == 1.0
    assert one.p == 1 / 2000


def test_rows_drawn_alike_are_told_apart_as_seldom_as_promised():
    found = [unlearnt({"a": drawn(seed)}, 10, np.random.default_rng(seed))[0].p for seed in range(100)]
    assert sum(p <= 0.05 for p in found) <= binom.ppf(0.995, 100, 0.05)


def test_the_class_whose_held_out_rows_have_something_new_is_found_and_few_rows_say_nothing():
    classes = {"same": drawn(1), "new": drawn(2, shift=6.0), "few": drawn(3, shift=6.0, held_out=9)}
    same, new, few = unlearnt(classes, 10, np.random.default_rng(0))
    assert same.p > 0.05
    assert new.p < 0.01
    assert new.lack > 0.3
    assert np.isnan(few.p)
