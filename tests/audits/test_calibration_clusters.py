"""Calibration errors of clusters, and their draws, against loops over bins, clusters and pairs."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from stated_rows import stated_rows

from glassbench_audits.calibration import cluster_bins, draws, error
from glassbench_audits.calibration.bins import Bins, assign, squared_error, summarise
from glassbench_audits.calibration.cluster_bins import ClusterBins, within_correlation
from glassbench_audits.calibration.draws import resampled, under_null
from glassbench_audits.calibration.error import calibration_error

CHANCE, CLUSTERS, MEMBER, STATED, CAME, WEIGHT = stated_rows()


def by_loops(gap: np.ndarray, member: np.ndarray, clusters: np.ndarray, weight: np.ndarray, *, debias: bool = True) -> float:
    """The mean squared gap over bins of two clusters and more, less the variance of a ratio between its clusters."""
    total, mass = 0.0, 0.0
    for k in np.unique(member):
        inside = [(member == k) & (clusters == c) for c in np.unique(clusters[member == k])]
        sums, sizes = (np.array([float((v * weight)[rows].sum()) for rows in inside]) for v in (gap, np.ones(len(gap))))
        ratio, many = sums.sum() / sizes.sum(), len(inside)
        if many > 1:
            variance = many / (many - 1) * ((sums - ratio * sizes) ** 2).sum() / sizes.sum() ** 2
            total += sizes.sum() * (ratio**2 - debias * variance)
            mass += sizes.sum()
    return total / mass


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighed"])
def test_the_error_of_clusters_leaves_out_bins_of_one_cluster(weight):
    one = np.ones(30) if weight is None else weight
    found = ClusterBins.of(CAME - STATED, MEMBER, CLUSTERS, weight)
    assert found.gap.shape == found.n.shape == (9, 4)
    assert found.n.sum() == pytest.approx(one.sum())
    assert found.error()[0] == pytest.approx(by_loops(CAME - STATED, MEMBER, CLUSTERS, one))
    assert found.plain == pytest.approx(by_loops(CAME - STATED, MEMBER, CLUSTERS, one, debias=False))
    table = pd.DataFrame({"c": CLUSTERS, "b": MEMBER, "g": (CAME - STATED) * one}).pivot_table("g", "c", "b", "sum", fill_value=0)
    assert found.gap == pytest.approx(table.to_numpy())


def test_bins_of_one_cluster_each_say_nothing():
    alone = ClusterBins.of(CAME - STATED, CLUSTERS, CLUSTERS)
    assert (alone.plain, alone.error().tolist()) == (0.0, [0.0])


def test_a_cluster_that_is_drawn_often_counts_as_often():
    found = ClusterBins.of(CAME - STATED, MEMBER, CLUSTERS)
    times = np.array([2, 1, 0, 1, 3, 1, 1, 2, 1])
    rows = np.concatenate([np.flatnonzero(c == CLUSTERS) for c in range(9) for _ in range(times[c])])
    again = np.concatenate([np.full((c == CLUSTERS).sum(), 10 * c + k) for c in range(9) for k in range(times[c])])
    expected = by_loops((CAME - STATED)[rows], MEMBER[rows], again, np.ones(len(rows)))
    assert found.error(1.0 * times[None])[0] == pytest.approx(expected)


def test_signs_turn_whole_clusters():
    signs = CHANCE.choice([-1.0, 1.0], (3, 9))
    found = ClusterBins.of(CAME - STATED, MEMBER, CLUSTERS).error(signs=signs)
    turned = [by_loops((CAME - STATED) * each[CLUSTERS], MEMBER, CLUSTERS, np.ones(30)) for each in signs]
    assert found == pytest.approx(turned)


@pytest.mark.parametrize("cells", [4_000_000, 18, 1])
def test_draws_of_clusters_are_those_of_their_generator_however_they_are_cut(monkeypatch, cells):
    monkeypatch.setattr(cluster_bins, "_CELLS", cells)
    found = ClusterBins.of(CAME - STATED, MEMBER, CLUSTERS)
    drawn = np.random.default_rng(1).multinomial(9, [1 / 9] * 9, size=5)
    assert found.resampled(5, np.random.default_rng(1)) == pytest.approx(found.error(1.0 * drawn))
    chance, step = np.random.default_rng(2), max(1, cells // 9)
    flips = [chance.integers(0, 2, size=(min(step, 5 - start), 9)) for start in range(0, 5, step)]
    expected = found.error(signs=2.0 * np.concatenate(flips) - 1)
    assert found.flipped(5, np.random.default_rng(2)) == pytest.approx(expected)


@pytest.mark.parametrize(("cells", "size"), [(4_000_000, 7), (90, 2), (1, 1)])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighed"])
def test_truths_of_clusters_are_drawn_by_their_correlation(monkeypatch, cells, size, weight):
    """Each row follows its cluster's draw where a third draw says so; cells of nine clusters and four bins are 36."""
    monkeypatch.setattr(cluster_bins, "_CELLS", cells)
    chance, expected = np.random.default_rng(5), []
    follows = within_correlation(STATED, CAME, CLUSTERS) ** 0.5
    assert 0 < follows < 1
    for start in range(0, 7, size):
        many = min(size, 7 - start)
        common, own, which = chance.random((many, 9)), chance.random((many, 30)), chance.random((many, 30))
        for k in range(many):
            came = np.where(which[k] < follows, common[k][CLUSTERS], own[k]) < STATED
            expected.append(by_loops(came - STATED, MEMBER, CLUSTERS, np.ones(30) if weight is None else weight))
    found = ClusterBins.of(CAME - STATED, MEMBER, CLUSTERS, weight)
    assert found.stated_true(STATED, CAME, MEMBER, CLUSTERS, 7, np.random.default_rng(5)) == pytest.approx(expected)


def test_correlation_within_clusters_is_that_of_all_pairs():
    scaled = (CAME - STATED) / np.sqrt(STATED * (1 - STATED))
    pairs = [scaled[i] * scaled[j] for i in range(30) for j in range(30) if i != j and CLUSTERS[i] == CLUSTERS[j]]
    assert within_correlation(STATED, CAME, CLUSTERS) == pytest.approx(np.mean(pairs) / np.mean(scaled**2))
    sure = within_correlation(np.array([0.0, 0.0, 0.5, 0.5]), np.array([0.0, 0.0, 1.0, 1.0]), np.array([0, 0, 1, 1]))
    assert sure == pytest.approx(1.0)  # deviations of 0, 0, 1 and 1: the mean of pairs is 1/2, that of squares too
    assert within_correlation(np.array([0.3, 0.3]), np.array([0.3, 0.3]), np.array([0, 0])) == 0.0


BINNED = np.repeat([0.2, 0.2, 0.7, 0.7], [30, 10, 15, 25])
TRUE = np.repeat([0.0, 1.0, 0.0, 1.0], [30, 10, 15, 25])


@pytest.mark.parametrize("spread", [0.0, 0.05])
def test_counts_are_drawn_by_bin_and_outcome(monkeypatch, spread):
    """One multinomial draw for the counts, one normal for the sums of each count: mean and spread are those of its rows."""
    monkeypatch.setattr(draws, "EXACT", 10)
    stated, member = BINNED + spread * np.tile([-1, 1], 40), np.repeat([0, 1], 40)
    found = resampled(stated, TRUE, member, np.random.default_rng(3), 6)
    chance = np.random.default_rng(3)
    counts, normal = chance.multinomial(80, np.array([30, 10, 15, 25]) / 80, size=6), chance.standard_normal((6, 4))
    cells = pd.Series(stated).groupby(2 * member + TRUE)
    sums = counts * cells.mean().to_numpy() + np.sqrt(counts) * cells.std(ddof=0).to_numpy() * normal
    for k in range(6):
        rows = counts[k].reshape(2, 2).sum(axis=1)
        expected = squared_error(rows, sums[k].reshape(2, 2).sum(axis=1) / rows, counts[k][[1, 3]] / rows)
        assert found[k] == pytest.approx(float(expected))


def test_counts_of_bins_without_hits_are_drawn_too(monkeypatch):
    monkeypatch.setattr(draws, "EXACT", 10)
    member = np.repeat([0, 1, 2], [40, 40, 1])  # the last one has a row, which no draw need hold
    found = resampled(np.repeat([0.1, 0.9, 1.0], [40, 40, 1]), member.clip(0, 1) * 1.0, member, np.random.default_rng(3), 40)
    # two bins are 0.1 off, always alike; of k drawn rows the third is right, and one row alone counts nowhere
    possible = np.array([0.01, *(0.01 * (81 - k) / 81 for k in range(2, 12))])
    assert (np.abs(found[:, None] - possible).min(axis=1) < 1e-12).all()
    assert {0, 1} <= set(np.abs(found[:, None] - possible).argmin(axis=1))


def test_as_many_rows_as_are_drawn_one_by_one_still_are(monkeypatch):
    monkeypatch.setattr(draws, "EXACT", 80)
    member, whole = np.repeat([0, 1], 40), summarise(BINNED, TRUE, np.repeat([0, 1], 40))
    drawn = under_null(BINNED, member, whole, np.random.default_rng(4), 3)
    came = np.random.default_rng(4).random((3, 80)) < BINNED
    expected = [squared_error(whole.n, whole.stated, np.array([one[:40].mean(), one[40:].mean()])) for one in came]
    assert drawn == pytest.approx(np.array(expected))
    rows = np.random.default_rng(4).integers(0, 80, size=(3, 80))
    kept = [summarise(BINNED[each], TRUE[each], member[each]) for each in rows]
    assert resampled(BINNED, TRUE, member, np.random.default_rng(4), 3) == pytest.approx(
        np.array([squared_error(one.n, one.stated, one.observed) for one in kept])
    )


@pytest.mark.parametrize(("n", "p"), [(30_000, 0.5), (400, 0.001)])
def test_many_truths_of_a_bin_are_drawn_by_their_mean_and_variance_or_exactly_where_they_are_rare(monkeypatch, n, p):
    monkeypatch.setattr(draws, "EXACT", 10)
    whole = Bins(n=np.array([n]), stated=np.array([p]), observed=np.array([p]))
    found = under_null(np.full(n, p), np.zeros(n, dtype=int), whole, np.random.default_rng(0), 20_000)
    least = -p * (1 - p) / (n - 1)  # an error of the mean itself, less chance
    if p == 0.5:
        squares = (found + p * (1 - p) / (n - 1)) * n / (p * (1 - p))  # chi squared of one degree of freedom
        assert squares.mean() == pytest.approx(1, abs=0.04)
        assert np.quantile(squares, 0.95) == pytest.approx(3.84, rel=0.04)
        assert found.min() >= 1.001 * least
    else:
        none = squared_error(np.array([n]), np.array([p]), np.array([0.0]))
        assert np.isclose(found, none).mean() == pytest.approx(binom.pmf(0, n, p), abs=0.012)


def test_an_error_as_large_as_that_of_every_draw_is_no_error():
    """Probabilities of 0 and 1 that come true: no draw differs, and each is as large as what was seen."""
    sure = np.repeat([0.0, 1.0], 30)
    found = calibration_error(sure, sure, np.random.default_rng(0), bins=4, level=0.9, replicates=50)
    assert (found.value, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)
    wrong = calibration_error(sure, 1 - sure, np.random.default_rng(0), bins=4, level=0.9, replicates=50)
    assert (wrong.value, wrong.p) == (1.0, 1 / 51)


@pytest.mark.parametrize(("most", "tests"), [(36, 2), (35, 1)])
def test_truths_of_clusters_are_drawn_up_to_so_many_rows(monkeypatch, most, tests):
    monkeypatch.setattr(error, "EXACT", most)
    stated, clusters = np.repeat([0.05, 0.2, 0.5], 12), np.repeat(np.arange(12), 3)
    came, chance = (np.arange(36) % 9 == 0).astype(float), np.random.default_rng(6)
    found = calibration_error(stated, came, np.random.default_rng(6), bins=3, level=0.9, replicates=99, clusters=clusters + 5)
    member, summed = assign(stated, 3), ClusterBins.of(came - stated, assign(stated, 3), clusters)
    again = summed.resampled(99, chance) - summed.plain
    drawn = [summed.flipped(99, chance), summed.stated_true(stated, came, member, clusters, 99, chance)][:tests]
    estimate = float(summed.error()[0])
    assert found.p == max((1 + int((each >= estimate - 1e-15).sum())) / 100 for each in drawn)
    low, high = np.quantile(again, [0.05, 0.95])
    assert (found.low, found.high) == pytest.approx(tuple(np.sqrt(max(0.0, estimate - end)) for end in (high, low)))
