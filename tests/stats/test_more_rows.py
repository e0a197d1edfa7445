"""How many more rows settle a verdict, against drawn rows; docs/explanation/calibration.md has more distances, and gaps."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import norm

from glassbench.stats.estimate import Estimate
from glassbench.stats.intervals import wilson
from glassbench.stats.more_rows import more_rows, settled
from glassbench.stats.verdict import judge


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize("distance", [0.05, 0.6, 1.3])
def test_the_rows_settle_it_as_often_as_said(distance, level):
    """By drawing: the truth around the value, then the mean of N new rows around the truth; a row's deviation is 1."""
    n, draws, z = 400, 40_000, norm.ppf(0.5 + level / 2)
    error = n**-0.5
    told = more_rows(distance * error, (distance - z) * error, (distance + z) * error, n, 0.0, level)
    generator = np.random.default_rng(0)
    truth = generator.normal(distance * error, error, draws)
    for more, promised in ((told.even, 0.5), (told.likely, 0.8)):
        mean = (n * distance * error + more * generator.normal(truth, more**-0.5)) / (n + more)
        settled = (np.abs(mean) > z * (n + more) ** -0.5).mean()
        assert settled == pytest.approx(promised, abs=0.02)


def test_rates_near_a_threshold_are_settled_in_8_of_10_cases():
    """Two data sets of independent rows in a row: the second as large as the first asked for; Wilson's interval."""
    generator, n, threshold = np.random.default_rng(1), 300, 0.7
    seen = []
    for truth in threshold + 0.0265 * generator.uniform(-4, 4, 1500):  # up to four standard errors away
        hits = generator.binomial(n, truth)
        low, high = map(float, wilson(hits, n))
        found = judge(Estimate(value=hits / n, low=low, high=high, n=n), threshold, "at_least")
        if found.verdict == "insufficient evidence":
            more = found.more_rows.likely
            low, high = wilson(hits + generator.binomial(more, truth), n + more)
            seen.append(not low <= threshold <= high)
    assert len(seen) > 600
    assert np.mean(seen) == pytest.approx(0.8, abs=0.05)


def test_nothing_is_asked_for_where_more_rows_are_no_remedy():
    assert more_rows(0.3, 0.25, 0.35, 100, threshold=0.2) is None  # settled
    assert more_rows(0.3, 0.3, 0.3, 100, threshold=0.3) is None
    assert more_rows(0.3, float("nan"), 0.5, 100, threshold=0.2) is None
    assert more_rows(0.3, 0.1, 0.5, 100, threshold=0.3, level=0.999) is None  # beyond a hundred times the rows


def test_the_nearer_the_threshold_the_more_rows():
    told = [more_rows(0.5, 0.4, 0.6, 100, threshold=t) for t in (0.59, 0.57, 0.55, 0.52, 0.5)]
    assert all(a.even <= b.even and a.likely < b.likely for a, b in pairwise(told))
    assert all(t.even < t.likely for t in told)


@pytest.mark.parametrize("distance", [0.3, 0.8, 1.3])
def test_two_digits_of_rows_are_enough_and_one_less_is_not(distance: float) -> None:
    n, z = 1000, float(norm.ppf(0.975))
    told = more_rows(distance, distance - z, distance + z, n, 0.0)
    assert told is not None
    for more, promised in ((told.even, 0.5), (told.likely, 0.8)):
        step = 10 ** (len(str(more)) - 2)
        assert more % step == 0
        assert settled(distance, z, more / n) >= promised > settled(distance, z, (more - step) / n)
