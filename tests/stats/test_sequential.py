"""Sequential tests hold their level exactly: every sample that there can be is weighed with its probability."""

from itertools import product
from math import comb, exp

import numpy as np
import pytest
from scipy.stats import binom

from glassbench.stats.sequential_means import CountedValues, MeanChange
from glassbench.stats.sequential_ranks import RankCells


def shares(hits, rows):
    return CountedValues(np.array([0.0, 1.0]), np.array([rows - hits, hits], dtype=float))


@pytest.mark.parametrize("rate", [0.02, 0.3, 0.5, 0.9])
def test_a_mean_that_did_not_change_is_ever_called_changed_no_oftener_than_allowed(rate):
    test, known, rows = MeanChange(alpha=0.2, effect=0.6), 5, 7
    states = [(s, k, n) for s in range(known + 1) for n in range(1, rows + 1) for k in range(n + 1)]
    rejects = {(s, k, n): test.rejects(shares(s, known), shares(k, n)) for s, k, n in states}
    ever = 0.0
    for s, path in product(range(known + 1), product([0, 1], repeat=rows)):
        hits = np.cumsum(path)
        if any(rejects[s, int(hits[n - 1]), n] for n in range(1, rows + 1)):
            ever += binom.pmf(s, known, rate) * rate ** hits[-1] * (1 - rate) ** (rows - hits[-1])
    assert 0 <= ever <= 0.2


def test_the_wealth_of_bets_on_a_mean_is_at_most_one_on_average():
    test, known, rows, rate = MeanChange(alpha=0.05), 6, 6, 0.4
    mean = sum(
        binom.pmf(s, known, rate) * binom.pmf(k, rows, rate) * exp(test.log_evidence(shares(s, known), shares(k, rows)))
        for s in range(known + 1)
        for k in range(rows + 1)
    )
    assert mean <= 1


def test_the_interval_holds_the_one_of_fixed_samples_and_shrinks():
    few, many = (MeanChange(alpha=0.05).interval(shares(n // 5, n), shares(n // 4, n)) for n in (400, 40_000))
    wald = 1.96 * np.sqrt(0.25 * 0.75 / 40_000 + 0.2 * 0.8 / 40_000)
    assert many[0] < 0.05 - wald < 0.05 + wald < many[1]
    assert many[1] - many[0] < 0.3 * (few[1] - few[0])
    assert many[0] > 0  # five points are certain with 40,000 rows


def test_nothing_is_known_without_rows_and_counts_survive_json():
    none = CountedValues.of(np.array([]))
    assert MeanChange(alpha=0.05).interval(none, shares(1, 4)) == (-1.0, 1.0)
    some = CountedValues.of(np.array([0.0, 0.5, 0.5, 1.0])) + CountedValues.of(np.array([1.0]))
    assert CountedValues.from_json(some.to_json()).to_json() == some.to_json() == {"0": 1, "25": 2, "50": 2}
    assert (some.n, some.mean) == (5, 0.6)
    with pytest.raises(ValueError, match="between 0 and 1"):
        CountedValues.of(np.array([0.5, 1.5]))


def test_the_wealth_of_rank_cells_is_one_on_average_under_the_urn():
    cells = RankCells(edges=((1.0, 0.5), (2.0, 0.5), (3.0, 0.5)), reference=(3, 2, 1, 4))
    rows, total = 5, 0.0
    for counts in product(range(rows + 1), repeat=4):
        if sum(counts) != rows:
            continue
        ways, left = 1.0, rows
        urn, drawn = list(cells.reference), 0
        for cell, count in enumerate(counts):
            ways *= comb(left, count)
            left -= count
            for _ in range(count):
                ways *= urn[cell] / (sum(cells.reference) + drawn)
                urn[cell], drawn = urn[cell] + 1, drawn + 1
        total += ways * exp(cells.log_evidence(np.array(counts)))
    assert total == pytest.approx(1)


@pytest.mark.parametrize("values", [[7.0] * 99, [None, "a", "b"] * 33, np.arange(99.0).tolist()])
def test_ties_fall_into_cells_as_often_as_the_reference_says(values):
    chance = np.random.default_rng(1)
    cells = RankCells.of(values, chance)
    assert sum(cells.reference) == 100
    often = [RankCells.of(values, chance).count(values, chance) for _ in range(400)]
    assert np.mean(often, axis=0) / 99 == pytest.approx(np.array(cells.reference) / 100, abs=0.01)
    counts = cells.count(values * 40, chance)
    assert RankCells.from_json(cells.to_json()).log_evidence(counts) == cells.log_evidence(counts)


def test_a_shift_is_found_and_a_tiny_reference_proves_nothing_wrong():
    chance = np.random.default_rng(2)
    cells = RankCells.of(chance.normal(size=1000).tolist(), chance)
    assert cells.log_evidence(cells.count(chance.normal(0.3, 1, 1000).tolist(), chance)) > np.log(20)
    assert cells.log_evidence(cells.count(chance.normal(size=1000).tolist(), chance)) < np.log(20)
    alone = RankCells.of([1.0], chance)
    assert alone.log_evidence(alone.count([5.0] * 1000, chance)) < np.log(20)  # one row's rank is no evidence
