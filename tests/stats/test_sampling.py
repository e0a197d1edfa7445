"""What rows are a sample of, against pandas, textbook formulas and rows written out one by one."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import skew

from glassbench.stats.sampling import Sampling

GENERATOR = np.random.default_rng(5)
VALUES = GENERATOR.exponential(size=40)
PERSON = np.repeat(np.arange(10), 4)


def independent(n=40):
    return Sampling(weight=np.ones(n))


def clustered():
    return Sampling(weight=np.ones(40), clusters=PERSON)


def test_columns_of_predictions_are_read():
    frame = pd.DataFrame({"frequency": [2, 1, 3], "cluster": ["b", "a", "b"]})
    found = Sampling.of(frame)
    assert found.weight.tolist() == [2.0, 1.0, 3.0]
    assert found.clusters is not None
    assert found.clusters.tolist() == [0, 1, 0]
    plain = Sampling.of(frame[[]])
    assert plain.clusters is None
    assert plain.weight.tolist() == [1.0, 1.0, 1.0]


def test_rows_and_independent_units_are_counted():
    counts = Sampling(weight=np.array([2.0, 1.0, 3.0]))
    assert (counts.rows, counts.n, counts.clustered) == (6, 6, False)
    assert (clustered().rows, clustered().n, clustered().clustered) == (40, 10, True)
    assert counts.count(np.array([True, False, True])) == 5
    member = np.zeros(40, dtype=bool)
    member[[0, 1, 5]] = True
    assert clustered().count(member) == pytest.approx(9 / 5)  # two clusters, of two rows and of one: (2 + 1)^2 / (2^2 + 1^2)
    nothing = Sampling(weight=np.ones(0), clusters=np.zeros(0, dtype=int))
    assert (nothing.rows, nothing.n) == (0, 0)


def test_means_are_those_of_the_rows_that_are_stood_for():
    counts = Sampling(weight=np.array([2.0, 1.0, 3.0]))
    assert counts.mean(np.array([1.0, 4.0, 2.0])) == pytest.approx(np.mean([1, 1, 4, 2, 2, 2]))
    assert np.isnan(Sampling(weight=np.ones(0)).mean(np.ones(0)))


def test_a_part_keeps_weights_and_numbers_its_clusters_from_0():
    part = Sampling(weight=np.arange(40.0), clusters=PERSON).part(np.array([8, 9, 20]))
    assert part.weight.tolist() == [8.0, 9.0, 20.0]
    assert part.clusters is not None
    assert part.clusters.tolist() == [0, 0, 1]
    assert independent().part(PERSON < 3).rows == 12
    assert independent().part(PERSON < 3).clusters is None


def test_the_error_of_a_mean_is_the_textbooks():
    spread = independent().spread(VALUES - VALUES.mean())
    assert spread.error == pytest.approx(VALUES.std(ddof=1) / 40**0.5)
    assert spread.skewness == pytest.approx(skew(VALUES))
    assert spread.units == 40


def test_counted_rows_vary_as_rows_written_out_do():
    held = np.array([3.0, 1.0, 5.0, 2.0])
    values = np.array([0.2, 0.9, 0.4, 0.1])
    out = np.repeat(values, held.astype(int))
    found = Sampling(weight=held).spread(values - out.mean())
    assert found.error == pytest.approx(out.std(ddof=1) / 11**0.5)
    assert found.skewness == pytest.approx(skew(out))
    assert found.units == 11


def test_clusters_of_one_size_vary_as_their_means_do():
    means = VALUES.reshape(10, 4).mean(axis=1)
    spread = clustered().spread(VALUES - VALUES.mean())
    assert spread.error == pytest.approx(means.std(ddof=1) / 10**0.5)
    assert spread.skewness == pytest.approx(skew(means))
    assert spread.units == 10


def test_clusters_of_unequal_sizes_vary_as_a_ratio_does():
    """The linearised ratio of cluster totals to cluster sizes (Cochran 1977, 6.4)."""
    person = np.repeat(np.arange(4), [1, 2, 3, 6])
    values = VALUES[:12]
    totals = pd.Series(values).groupby(person).sum().to_numpy()
    sizes = np.array([1, 2, 3, 6])
    off = totals - values.mean() * sizes
    expected = (4 * (off**2).sum() / 3) ** 0.5 / 12
    found = Sampling(weight=np.ones(12), clusters=person).spread(values - values.mean())
    assert found.error == pytest.approx(expected)


def test_what_does_not_vary_has_no_error_and_one_row_has_no_end():
    still = independent().spread(np.zeros(40))
    assert (still.error, still.skewness) == (0, 0)
    alone = Sampling(weight=np.ones(1)).spread(np.zeros(1))
    assert (alone.error, alone.skewness, alone.units) == (np.inf, 0.0, 1)
    person = Sampling(weight=np.ones(5), clusters=np.zeros(5, dtype=int)).spread(np.arange(5.0))
    assert (person.error, person.units) == (np.inf, 1)
    two = Sampling(weight=np.ones(2)).spread(np.array([-1.0, 1.0]))
    assert two.error == pytest.approx(np.std([-1, 1], ddof=1) / 2**0.5)


@pytest.mark.parametrize(
    "sampling",
    [
        independent(),
        clustered(),
        Sampling(weight=np.tile([1.0, 3.0], 20)),
        Sampling(weight=np.tile([1.0, 3.0], 20), clusters=PERSON),
    ],
    ids=["rows", "clusters", "counts", "counts in clusters"],
)
def test_resamples_vary_as_the_error_says(sampling):
    centred = VALUES - sampling.mean(VALUES)
    drawn = np.concatenate(list(sampling.resampled(4000, np.random.default_rng(1))))
    assert drawn.shape == (4000, 40)
    means = drawn @ VALUES / drawn.sum(axis=1)
    units = sampling.n
    assert means.std() * (units / (units - 1)) ** 0.5 == pytest.approx(sampling.spread(centred).error, rel=0.06)
    assert means.mean() == pytest.approx(sampling.mean(VALUES), abs=4 * means.std() / 4000**0.5 + 0.02 * means.std())


def test_resamples_draw_as_many_as_there_are_and_clusters_whole():
    rows = np.concatenate(list(independent().resampled(50, np.random.default_rng(2))))
    assert (rows.sum(axis=1) == 40).all()
    counts = np.concatenate(list(Sampling(weight=np.array([5.0, 0.0, 7.0])).resampled(50, np.random.default_rng(3))))
    assert (counts.sum(axis=1) == 12).all()
    assert (counts[:, 1] == 0).all()
    persons = np.concatenate(list(clustered().resampled(50, np.random.default_rng(4))))
    assert (persons.reshape(50, 10, 4) == persons.reshape(50, 10, 4)[:, :, :1]).all()
    assert (persons.sum(axis=1) == 40).all()


def test_resamples_come_in_blocks_that_add_up(monkeypatch):
    monkeypatch.setattr("glassbench.stats.sampling.CELLS", 90)
    monkeypatch.setattr("glassbench.stats.intervals.CELLS", 90)
    for sampling in (independent(), Sampling(weight=np.full(40, 2.0))):
        blocks = list(sampling.resampled(7, np.random.default_rng(0)))
        assert [len(block) for block in blocks] == [2, 2, 2, 1]


@pytest.mark.parametrize("sampling", [independent(), clustered()], ids=["rows", "clusters"])
def test_each_block_is_left_out_once_and_clusters_stay_whole(sampling):
    left = sampling.left_out(np.random.default_rng(0), 5)
    assert left.shape == (5, 40)
    assert (left.sum(axis=0) == 4).all()
    sizes = (left == 0).sum(axis=1)
    assert (sizes == 8).all()
    if sampling.clustered:
        assert (left.reshape(5, 10, 4) == left.reshape(5, 10, 4)[:, :, :1]).all()
    every = sampling.left_out(np.random.default_rng(0), 1000)
    assert every.shape == (sampling.n, 40)


def test_what_is_not_left_out_keeps_its_weight():
    left = Sampling(weight=np.array([2.0, 3.0, 4.0])).left_out(np.random.default_rng(0), 3)
    assert np.sort(left.sum(axis=1)).tolist() == [5.0, 6.0, 7.0]


def test_degrees_of_freedom_are_one_fewer_than_clusters_of_one_size_that_say_as_much():
    """Ten persons of four rows: 9. Of 1, 1 and 4 rows, (1 + 1 + 4)² / (1 + 1 + 16) = 2 of one size: 1."""
    assert clustered().spread(VALUES - VALUES.mean()).freedom == pytest.approx(9)
    unequal = Sampling(weight=np.ones(6), clusters=np.array([0, 1, 2, 2, 2, 2]))
    found = unequal.spread(np.array([1.0, -1.0, 2.0, 0.0, -1.0, -1.0]))
    assert (found.freedom, found.events, found.units) == (pytest.approx(1), pytest.approx(2), 3)


def test_a_deviation_leaves_out_what_is_not_known_and_counts_rows_as_often_as_they_stand_for_one():
    values, times = np.array([1.0, np.nan, 5.0, 2.0]), np.array([2.0, 9.0, 1.0, 3.0])
    expected = np.std([1, 1, 5, 2, 2, 2])
    assert Sampling(weight=times).deviation(values) == pytest.approx(expected)
    survey = Sampling.of(pd.DataFrame({"weight": 7 * times}))
    assert survey.deviation(values) == pytest.approx(expected)
    assert np.isnan(Sampling(weight=times).deviation(np.full(4, np.nan)))


@pytest.mark.parametrize("level", [0.0, 0.1, 0.5, 0.8, 1.0])
def test_a_quantile_counts_rows_as_often_as_they_stand_for_one(level):
    values, times = np.array([3.0, 1.0, 5.0, 2.0]), np.array([2.0, 3.0, 1.0, 4.0])
    repeated = [3, 3, 1, 1, 1, 5, 2, 2, 2, 2]
    assert Sampling(weight=times).quantile(values, level) == pytest.approx(np.quantile(repeated, level))
    assert Sampling(weight=np.ones(4)).quantile(values, level) == pytest.approx(np.quantile(values, level))
    survey = Sampling.of(pd.DataFrame({"weight": 10 * times}))
    assert survey.quantile(values, level) == np.quantile(repeated, level, method="inverted_cdf")
