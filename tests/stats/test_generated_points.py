"""Precision, recall, density, coverage and the Fréchet distance against their definitions and known values."""

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.stats import binom

from glassbench.stats.frechet import frechet_distance, frechet_inference
from glassbench.stats.manifold import drawn_reach, expected_coverage, manifold
from glassbench.stats.sampling import Sampling


def normal(seed, rows, columns=4, shift=0.0):
    return np.random.default_rng(seed).normal(size=(rows, columns)) + shift


def radius(points, place, k):
    return sorted(np.linalg.norm(points - points[place], axis=1))[k]  # the nearest is the point itself


def test_manifolds_are_as_the_papers_define_them():
    real, made = normal(0, 30), normal(1, 25, shift=0.7)
    found = manifold(real, made)
    distances = [[np.linalg.norm(a - b) for b in made] for a in real]
    for i in range(len(real)):
        assert found.covered[i] == (min(distances[i]) <= radius(real, i, 5))
        assert found.recalled[i] == any(distances[i][j] <= radius(made, j, 3) for j in range(len(made)))
    for j in range(len(made)):
        assert found.density[j] == pytest.approx(sum(distances[i][j] <= radius(real, i, 5) for i in range(len(real))) / 5)
        assert found.precise[j] == any(distances[i][j] <= radius(real, i, 3) for i in range(len(real)))


def test_coverage_of_the_same_distribution_is_what_is_expected():
    each = [manifold(normal(seed, 40), normal(seed + 5000, 60)).covered.mean() for seed in range(150)]
    assert np.mean(each) == pytest.approx(expected_coverage(40, 60), abs=4 * np.std(each) / 150**0.5)


def test_a_lost_mode_lowers_coverage_and_recall_but_not_precision():
    real = np.concatenate([normal(0, 60), normal(1, 60, shift=20.0)])
    found = manifold(real, normal(2, 120))
    assert found.covered[60:].max() == found.recalled[60:].max() == 0
    assert found.covered[:60].mean() > 0.9
    assert found.precise.mean() > 0.8


def test_too_few_points_are_left_undefined():
    found = manifold(normal(0, 1), normal(1, 5))
    assert np.isnan(found.covered).all()
    assert np.isnan(found.precise).all()
    assert manifold(normal(0, 2), normal(1, 2)).covered.shape == (2,)


def test_the_frechet_distance_is_that_of_a_matrix_root():
    a, b = normal(0, 50), normal(1, 50) @ np.diag([1, 2, 3, 0.5]) + 1
    weights = np.random.default_rng(2).integers(0, 3, 50).astype(float)
    means = [np.average(rows, axis=0, weights=weights) for rows in (a, b)]
    covariances = [np.cov(rows.T, aweights=weights, bias=True) for rows in (a, b)]
    root = np.real(sqrtm(covariances[0] @ covariances[1]))
    expected = ((means[0] - means[1]) ** 2).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert frechet_distance(a, b, weights[None])[0] == pytest.approx(expected, rel=1e-8)


def test_the_jackknife_takes_most_of_the_bias_out():
    truth = 4 * 0.3**2
    pairs = [(normal(seed, 80), normal(seed + 9000, 80, shift=0.3)) for seed in range(60)]
    plain = np.mean([frechet_distance(a, b, np.ones((1, 80)))[0] for a, b in pairs])
    better = np.mean([frechet_inference(a, b, Sampling(weight=np.ones(80))).value for a, b in pairs])
    assert plain > truth + 0.1
    assert abs(better - truth) < (plain - truth) / 3


@pytest.mark.parametrize("shift", [0.3, 1.0])
def test_intervals_of_the_frechet_distance_hold_the_truth(shift):
    held = 0
    for seed in range(120):
        a, b = normal(seed, 150), normal(seed + 9000, 150, shift=shift)
        found = frechet_inference(a, b, Sampling(weight=np.ones(150))).estimate(0.95)
        held += found.low <= 4 * shift**2 <= found.high
    assert held >= binom.ppf(0.01, 120, 0.93)


def test_fewer_rows_than_features_give_no_distance():
    assert np.isnan(frechet_inference(normal(0, 4), normal(1, 4), Sampling(weight=np.ones(4))).value)


def test_draws_of_a_pool_reach_as_the_drawn_points_do():
    real, pool = normal(0, 20), normal(1, 50)
    draws = [np.random.default_rng(seed).permutation(50)[:20] for seed in range(5)]
    each = [manifold(real, pool[rows]) for rows in draws]
    expected = [[one.covered.mean() for one in each], [one.recalled.mean() for one in each]]
    assert drawn_reach(real, pool, draws) == pytest.approx(np.array(expected))


def test_the_error_of_a_frechet_distance_falls_with_the_root_of_the_rows_also_where_blocks_are_left_out() -> None:
    errors = [
        np.mean(
            [frechet_inference(normal(s, n, 2), normal(s + 90, n, 2, 1.0), Sampling(weight=np.ones(n))).error for s in range(3)]
        )
        for n in (450, 1800)
    ]
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.15)
