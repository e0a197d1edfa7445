"""Shares of rows in clusters, against pandas, published formulas and exact permutations."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from glassbench.stats.clusters import (
    between_groups,
    by_group,
    cluster_sums,
    clustered_share,
    correlation,
    crossed,
    design_effect,
    effective_clusters,
    effective_rows,
    numbered,
    one_of_each,
    shuffled_clusters,
    student,
)
from glassbench.stats.intervals import score_interval

PERSON = np.array([7, 7, 3, 3, 3, 9])
VALUES = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])


def test_sums_are_those_of_pandas():
    expected = pd.Series(VALUES).groupby(PERSON).sum().tolist()
    assert cluster_sums(VALUES, PERSON).tolist() == expected
    both = cluster_sums(np.stack([VALUES, -VALUES], axis=1), PERSON)
    assert both.tolist() == [[value, -value] for value in expected]
    group = np.array([0, 1, 0, 1, 1, 0])
    table = pd.Series(VALUES).groupby([PERSON, group]).sum().unstack(fill_value=0)
    assert by_group(VALUES, group, 2, PERSON).tolist() == table.to_numpy().tolist()
    assert by_group(VALUES, group, 3, PERSON).shape == (3, 3)


def test_equal_clusters_are_as_many_as_there_are():
    assert effective_clusters(np.full(7, 3.0)) == pytest.approx(7)
    assert effective_clusters(np.array([3.0, 1.0])) == pytest.approx(16 / 10)
    assert effective_clusters(np.zeros(3)) == 0
    assert effective_clusters(np.array([[1.0, 2.0], [1.0, 0.0]])).tolist() == [2.0, 1.0]


def test_effective_rows_give_back_the_variance_of_the_cluster_means():
    part, whole = np.array([1.0, 4, 2, 0]), np.full(4, 5.0)
    value = part.sum() / 20
    variance = (part / 5).var(ddof=1) / 4
    assert effective_rows(part, whole) == pytest.approx(value * (1 - value) / variance)


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        ([0.0, 0.0], [5.0, 5.0], 2),
        ([5.0, 5.0], [5.0, 5.0], 2),
        ([3.0, 0.0], [5.0, 0.0], 1),
        ([1.0, 1.0], [5.0, 5.0], 2),
        ([0.0, 0.0], [0.0, 0.0], 0),
        ([1.0, 0.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0], 3),
    ],
)
def test_shares_that_do_not_vary_rest_on_their_clusters_and_none_on_more_than_its_rows(part, whole, expected):
    assert effective_rows(np.array(part), np.array(whole)) == pytest.approx(expected)


def test_a_clustered_share_has_the_score_interval_by_t():
    part, whole = np.array([[1.0, 0], [4, 2], [2, 0], [0, 1]]), np.array([[5.0, 2], [5, 2], [5, 0], [5, 2]])
    share, low, high = clustered_share(part, whole, 0.9)
    for k in range(2):
        t = stats.t.ppf(0.95, effective_clusters(whole[:, k]) - 1)
        expected = score_interval(part[:, k].sum() / whole[:, k].sum(), effective_rows(part[:, k], whole[:, k]), t)
        assert (low[k], high[k]) == pytest.approx(tuple(map(float, expected)))
    assert share.tolist() == [7 / 20, 0.5]
    assert np.isnan(clustered_share(np.zeros(3), np.zeros(3))[0])
    assert clustered_share(part, whole)[1][0] < low[0]


def test_students_t_has_one_degree_of_freedom_at_least_and_is_normal_without_an_end():
    found = student(1.96, np.array([0.2, 1.0, 10.0, np.inf]))
    expected = [stats.t.ppf(stats.norm.cdf(1.96), df) for df in (1, 1, 10)]
    assert found == pytest.approx([*expected, 1.96])


def test_clusters_of_one_size_within_groups_are_permuted():
    """Each draw is one of the ways to deal out the clusters' shares among the groups, each as often."""
    part = np.array([[3.0, 0], [1, 0], [0, 2], [0, 0]])
    whole = np.array([[4.0, 0], [4, 0], [0, 4], [0, 4]])
    drawn = between_groups(part, whole, 6000, np.random.default_rng(0))
    exact = {tuple(np.round([(a + b) / 8, (c + d) / 8], 9)) for a, b, c, d in permutations([3, 1, 2, 0])}
    seen, counts = np.unique(drawn.round(9), axis=0, return_counts=True)
    assert {tuple(row) for row in seen} == exact
    ways = [sum(np.allclose([(a + b) / 8, (c + d) / 8], row) for a, b, c, d in permutations([3, 1, 2, 0])) for row in seen]
    assert counts / 6000 == pytest.approx(np.array(ways) / 24, abs=0.03)


def test_clusters_across_groups_keep_their_groups_and_change_sign():
    part, whole = np.array([[3.0, 1], [0, 2], [1, 1]]), np.full((3, 2), 4.0)
    drawn = between_groups(part, whole, 500, np.random.default_rng(0))
    share = part.sum() / whole.sum()
    deviation = part - share * whole
    signs = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)])
    exact = share + signs @ deviation / whole.sum(axis=0)
    assert all(np.isclose(exact, row).all(axis=1).any() for row in drawn)
    assert len(np.unique(drawn.round(9), axis=0)) == len(np.unique(exact.round(9), axis=0))
    assert drawn.mean(axis=0) == pytest.approx([share, share], abs=0.05)


def test_one_cluster_in_ten_across_groups_is_still_permuted():
    whole = np.zeros((20, 2))
    whole[:10, 0] = whole[10:, 1] = 5.0
    part = whole * np.random.default_rng(1).random((20, 1)).round(1)
    across = whole.copy()
    across[0, 1] = across[1, 1] = 1.0
    two = between_groups(part, across, 400, np.random.default_rng(0))
    more = across.copy()
    more[2, 1] = 1.0
    three = between_groups(part, more, 400, np.random.default_rng(0))
    centred = three - part.sum() / more.sum()
    assert np.abs(np.sort(centred[:, 0]) + np.sort(-centred[:, 0])[::-1]).max() < 1e-9
    assert len(np.unique(two.round(9), axis=0)) > 1


def test_many_clusters_are_drawn_with_the_same_variance():
    generator = np.random.default_rng(2)
    whole = np.zeros((2400, 2))
    whole[:1200, 0] = whole[1200:, 1] = 3.0
    part = generator.binomial(3, 0.4, 2400)[:, None] * (whole > 0)
    gaps = [np.diff(between_groups(part[::step], whole[::step], 3000, generator)).ravel() for step in (1, 2)]
    assert gaps[0].std() * 2**0.5 == pytest.approx(gaps[1].std(), rel=0.08)
    assert gaps[0].std() == pytest.approx((part.sum() / 7200 * (1 - part.sum() / 7200) / 1800) ** 0.5, rel=0.08)
    assert gaps[0].mean() == pytest.approx(0, abs=0.001)


def test_groups_without_rows_have_no_share():
    whole = np.array([[4.0, 0], [4, 0]])
    drawn = between_groups(np.array([[1.0, 0], [3, 0]]), whole, 5, np.random.default_rng(0))
    assert np.isnan(drawn[:, 1]).all()
    assert (drawn[:, 0] == 0.5).all()


def test_rows_of_a_cluster_that_say_the_same_correlate_fully_and_shared_chance_does_not():
    generator = np.random.default_rng(4)
    size = np.full(4000, 6.0)
    alike = np.where(generator.random(4000) < 0.3, 6.0, 0.0)
    share = alike.sum() / size.sum()
    assert correlation(alike - share * size, size, share) == pytest.approx(1, abs=0.01)
    free = generator.binomial(6, 0.3, 4000).astype(float)
    share = free.sum() / size.sum()
    assert correlation(free - share * size, size, share) == pytest.approx(0, abs=0.01)
    half = np.where(generator.random(4000) < 0.5, 0.15, 0.45)
    mixed = generator.binomial(6, half).astype(float)
    share = mixed.sum() / size.sum()
    assert correlation(mixed - share * size, size, share) == pytest.approx(0.15**2 / (0.3 * 0.7), abs=0.015)
    assert correlation(np.zeros(3), np.ones(3), 0.5) == 0
    assert correlation(np.zeros(3), np.full(3, 2.0), 0.0) == 0
    assert correlation(np.zeros(3), np.full(3, 2.0), 0.5) == 0


def test_the_design_effect_is_kishs():
    """Kish (1965): 1 + (m - 1) rho for clusters of m rows; m where rows of a cluster are all alike."""
    alike = np.repeat(np.random.default_rng(5).normal(size=500), 4)
    person = np.repeat(np.arange(500), 4)
    assert design_effect(alike, person) == pytest.approx(4)
    assert design_effect(np.random.default_rng(6).normal(size=2000), person) == pytest.approx(1, abs=0.15)
    assert design_effect(np.array([1.0, -1.0, 1.0, -1.0]), np.array([0, 0, 1, 1])) == 1
    assert design_effect(np.stack([alike, alike + 5], axis=1), person) == pytest.approx(4)
    assert design_effect(np.ones(6), PERSON) == pytest.approx((4 + 9 + 1) / 6)


def test_clusters_of_some_rows_are_numbered_from_0():
    assert numbered(None, [0, 1]) is None
    found = numbered(PERSON, [0, 5, 2])
    assert found is not None
    assert found.tolist() == [1, 2, 0]


def test_one_row_of_each_cluster_is_drawn_alike():
    drawn = [one_of_each(PERSON, np.random.default_rng(seed)) for seed in range(600)]
    assert all(sorted(PERSON[rows]) == [3, 7, 9] and (np.diff(rows) > 0).all() for rows in drawn)
    counts = np.bincount(np.concatenate(drawn), minlength=6) / 600
    assert counts == pytest.approx([1 / 2, 1 / 2, 1 / 3, 1 / 3, 1 / 3, 1], abs=0.07)


def test_whole_clusters_are_dealt_anew_with_their_sizes():
    """Clusters of 1 of 1, 2 of 4 and 0 of 5 rows; the first group holds one of them, the second the other two."""
    part, whole = np.array([[1, 0], [0, 2], [0, 0]]), np.array([[1, 0], [0, 4], [0, 5]])
    drawn = shuffled_clusters(part, whole, 9000, np.random.default_rng(0))
    pairs = {(1.0, 2 / 9): 0, (0.5, 1 / 6): 0, (0.0, 3 / 5): 0}
    for first, second in drawn:
        pairs[min(pairs, key=lambda pair: abs(pair[0] - first) + abs(pair[1] - second))] += 1
    assert {tuple(row) for row in drawn.round(9)} == {tuple(np.round(pair, 9)) for pair in pairs}
    assert [many / 9000 for many in pairs.values()] == pytest.approx([1 / 3] * 3, abs=0.02)


def test_clusters_across_groups_are_told_from_clusters_within():
    within, across = np.array([[3, 0], [0, 2], [1, 0]]), np.array([[3, 1], [0, 2], [1, 0]])
    assert not crossed(within)
    assert crossed(across)
