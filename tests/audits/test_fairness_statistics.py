"""The statistics behind fairness verdicts, each against an independent reference or on data whose truth is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, studentized_range

from glassbench_audits.fairness.comparison.critical_values import folded
from glassbench_audits.fairness.comparison.studentized_range import Normals, mean_span, span_beyond
from glassbench_audits.fairness.frames.pooling import pooled


@pytest.mark.parametrize("groups", [2, 3, 10, 40])
@pytest.mark.parametrize("gap", [1.0, 3.5, 5.0])
def test_a_span_of_equal_spreads_is_tukeys(groups, gap):
    assert span_beyond([Normals(np.ones(groups))], gap) == pytest.approx(studentized_range.sf(gap, groups, np.inf), abs=5e-5)


@pytest.mark.parametrize("groups", [2, 5, 12])
def test_the_chance_of_a_span_falls_from_one_to_nothing_and_never_below(groups):
    """Summed up in steps, the chance that all lie within a wide span comes out a hair above one."""
    chances = [span_beyond([Normals(np.ones(groups))], gap) for gap in (0.0, 1.0, 3.0, 6.0, 9.0, 16.0, 40.0)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] == 1.0
    assert 0.0 <= chances[-1] < 1e-9


def test_spans_of_unequal_spreads_as_drawn():
    spread, generator = np.array([0.2, 1.0, 0.5, 0.05]), np.random.default_rng(0)
    drawn = np.ptp(generator.normal(scale=spread, size=(200_000, 4)), axis=1)
    assert span_beyond([Normals(spread)], 1.5) == pytest.approx((drawn >= 1.5).mean(), abs=0.005)
    assert mean_span([Normals(spread)]) == pytest.approx(drawn.mean(), abs=0.005)


def test_the_widest_of_several_spans():
    generator = np.random.default_rng(1)
    first, second = np.ones(3), np.full(5, 0.6)
    drawn = [np.ptp(generator.normal(scale=s, size=(200_000, len(s))), axis=1) for s in (first, second)]
    widest = np.maximum(*drawn)
    assert span_beyond([Normals(first), Normals(second)], 2.0) == pytest.approx((widest >= 2.0).mean(), abs=0.005)
    assert mean_span([Normals(first), Normals(second)]) == pytest.approx(widest.mean(), abs=0.01)


@pytest.mark.parametrize("truth", [0.0, 0.5, 1.5, 2.5, 6.0])
def test_the_interval_of_an_absolute_difference_misses_at_most_3_5_percent_on_either_side(truth):
    seen = np.linspace(-6, truth + 8, 40_001)
    apart = np.abs(seen)
    low = np.maximum(apart - np.interp(apart, grid := np.linspace(0, 15, 3001), [folded(x, 0.95) for x in grid]), 0)
    density = norm.pdf(seen - truth) / norm.pdf(seen - truth).sum()
    above, below = density[low > truth + 1e-9].sum(), density[apart + norm.ppf(0.975) < truth].sum()
    assert above <= 0.0355
    assert below <= 0.0255
    assert 0.94 <= 1 - above - below <= 0.97


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=8))
@settings(deadline=None, max_examples=50)
def test_pooled_rates_lie_between_the_raw_one_and_the_common_one(cells):
    part, n = np.array([[p] for p, _ in cells]).T, np.array([[p + q] for p, q in cells]).T
    found, common = pooled(part, n)[0], part.sum() / max(n.sum(), 1)
    for p, k, drawn in zip(part[0], n[0], found, strict=True):
        if k and n.sum():
            low, high = sorted((p / k, common))
            assert low - 1e-9 <= drawn <= high + 1e-9


def test_pooled_rates_are_nearer_to_the_truth():
    generator = np.random.default_rng(0)
    truth = generator.beta(6, 14, size=(300, 12))  # worth 20 rows
    n = np.broadcast_to(np.array([5, 10, 20, 40] * 3), truth.shape)
    part = generator.binomial(n, truth)
    found = pooled(part, n)
    assert ((found - truth) ** 2).mean() < 0.7 * ((part / n - truth) ** 2).mean()
    ideal = (part + 6) / (n + 20)  # knows what twelve groups can only suggest
    assert ((found - truth) ** 2).mean() < 1.3 * ((ideal - truth) ** 2).mean()


def test_groups_that_differ_by_chance_alone_are_pooled_to_the_common_rate():
    assert pooled(np.array([[30, 29, 31]]), np.array([[100, 100, 100]]))[0] == pytest.approx([0.3, 0.3, 0.3])


def test_two_groups_are_pooled_as_worked_out_by_hand() -> None:
    """Deviations of 7.2 less one of chance, over 9, are a correlation of 31/45 within groups: a prior worth 14/31 rows."""
    found = pooled(np.array([[2, 8]]), np.array([[10, 10]]))[0]
    assert found == pytest.approx([69 / 324, 255 / 324])
