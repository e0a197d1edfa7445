"""What survey weights do to numbers of rows, errors and degrees of freedom, against textbook formulas."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from scipy.stats import t as student

from glassbench.stats.clusters import clustered_share, effective_rows, freedom, weighted_freedom, weighted_rows
from glassbench.stats.inference import mean, share
from glassbench.stats.sampling import Sampling

GENERATOR = np.random.default_rng(4)
WEIGHT = GENERATOR.lognormal(0, 0.7, 60)
HITS = GENERATOR.random(60) < 0.4
PERSON = np.repeat(np.arange(12), 5)


def survey(weight=WEIGHT, **columns):
    return Sampling.of(pd.DataFrame({"weight": weight, **columns}))


def test_a_weighted_row_is_a_cluster_of_its_own_unless_it_is_of_another():
    alone, together = survey(), survey(cluster=PERSON)
    assert alone.survey
    assert together.survey
    assert (alone.rows, alone.n, alone.clustered, alone.binomial) == (60, 60, False, False)
    assert (together.rows, together.n, together.clustered) == (60, 12, True)
    assert (alone.noun, together.noun) == ("effective rows", "effective clusters")
    plain = Sampling(weight=np.ones(9))
    assert (plain.noun, plain.binomial, plain.weighted_words) == ("rows", True, None)
    assert alone.part(np.arange(7)).survey
    assert alone.part(np.arange(7)).n == 7


def test_effective_numbers_are_kishs():
    assert survey().effective == pytest.approx(WEIGHT.sum() ** 2 / (WEIGHT**2).sum())
    totals = pd.Series(WEIGHT).groupby(PERSON).sum().to_numpy()
    assert survey(cluster=PERSON).effective == pytest.approx(totals.sum() ** 2 / (totals**2).sum())
    few = np.arange(60) < 10
    assert survey().size(few) == pytest.approx(WEIGHT[:10].sum() ** 2 / (WEIGHT[:10] ** 2).sum())
    assert survey().count(few) == survey().size(few)
    assert survey(np.full(60, 7.0)).effective == pytest.approx(60)
    assert survey().size(np.zeros(60, dtype=bool)) == 0
    assert "60 rows say as much as" in str(survey().weighted_words)
    assert "12 clusters say as much as" in str(survey(cluster=PERSON).weighted_words)


def test_a_weighted_mean_varies_by_linearization():
    """Variance of a ratio estimator by Taylor series, n / (n - 1) sum of squared weighted deviations over the squared total."""
    values = GENERATOR.normal(size=60)
    centre = WEIGHT @ values / WEIGHT.sum()
    each = WEIGHT * (values - centre)
    found = mean(values, survey())
    assert found.value == pytest.approx(centre)
    assert found.error == pytest.approx((60 / 59 * (each**2).sum()) ** 0.5 / WEIGHT.sum())
    persons = pd.Series(each).groupby(PERSON).sum().to_numpy()
    assert mean(values, survey(cluster=PERSON)).error == pytest.approx((12 / 11 * (persons**2).sum()) ** 0.5 / WEIGHT.sum())


def test_the_unit_of_weights_says_nothing():
    for found in (share(HITS, survey()), share(HITS, survey(1000 * WEIGHT))):
        assert found.limits(1.96) == pytest.approx(share(HITS, survey()).limits(1.96), rel=1e-9)


def test_rows_of_one_weight_would_vary_as_much():
    value = WEIGHT @ HITS / WEIGHT.sum()
    squares = (WEIGHT**2 * (HITS - value) ** 2).sum()
    expected = value * (1 - value) * WEIGHT.sum() ** 2 / squares * 59 / 60
    part, whole = (((WEIGHT * h).sum(), (WEIGHT**2 * h).sum()) for h in (HITS, np.ones(60)))
    assert weighted_rows(part, whole, np.array(60)) == pytest.approx(expected)
    assert effective_rows(WEIGHT * HITS, WEIGHT, 60) == pytest.approx(expected)


def test_shares_of_none_of_all_and_of_nothing():
    whole = (np.array(WEIGHT.sum()), np.array((WEIGHT**2).sum()))
    kish = float(whole[0] ** 2 / whole[1])
    none = (np.array(0.0), np.array(0.0))
    assert weighted_rows(none, whole, np.array(60)) == pytest.approx(kish)
    assert weighted_rows(whole, whole, np.array(60)) == pytest.approx(kish)
    assert weighted_rows(none, none, np.array(0)) == 0
    alike = (np.array([3.0, 0.0]), np.array([3.0, 0.0])), (np.array([9.0, 0.0]), np.array([9.0, 0.0]))
    assert weighted_rows(*alike, np.array([9, 0])).tolist() == pytest.approx([8.0, 0.0])


def test_few_large_weights_leave_few_degrees_of_freedom():
    powers = [(WEIGHT**p).sum() for p in (1, 2, 4)]
    assert weighted_freedom(*map(np.array, powers)) == pytest.approx(powers[1] ** 2 / powers[2] - 1)
    assert freedom(WEIGHT, survey=True) == pytest.approx(powers[1] ** 2 / powers[2] - 1)
    assert survey().freedom == pytest.approx(powers[1] ** 2 / powers[2] - 1)
    assert freedom(np.ones(30), survey=True) == pytest.approx(29)
    assert freedom(np.array([5.0, 5.0, 2.0])) == pytest.approx(144 / 54 - 1)
    one_large = np.array([30.0, *np.ones(200)])
    assert float((one_large**2).sum() ** 2 / (one_large**4).sum()) < 2
    assert freedom(one_large, survey=True) == 4
    assert freedom(np.array([9.0, 1.0]), survey=True) == pytest.approx(100 / 82 - 1)
    assert weighted_freedom(np.array(0.0), np.array(0.0), np.array(0.0)) == 0
    assert Sampling(weight=np.ones(8)).freedom == 7


def test_a_weighted_share_of_clusters_uses_the_weights_degrees_of_freedom():
    part, whole = WEIGHT * HITS, WEIGHT
    value, low, high = clustered_share(part, whole, rows=60)
    wider = clustered_share(part, whole, 0.99, rows=60)
    assert value == pytest.approx(WEIGHT @ HITS / WEIGHT.sum())
    assert wider[1] < low < value < high < wider[2]
    found = share(HITS, survey())
    assert found.limits(1.959964) == pytest.approx((float(low), float(high)), rel=1e-6)


def test_a_share_of_all_weighted_rows_rests_on_as_many_of_equal_weight() -> None:
    """Rows that all say the same, one of which weighs three times as much: 12 ** 2 / 18 = 8 rows; Wilson's end by Student's t."""
    found = share(np.ones(10, dtype=bool), survey(np.array([3.0, *np.ones(9)])))
    t = student.ppf(0.975, 4)
    assert found.limits(norm.ppf(0.975)) == pytest.approx((8 / (8 + t**2), 1.0))
