"""The arithmetic of calibration against tables done by hand, SciPy and scikit-learn."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import hypergeom
from sklearn.metrics import brier_score_loss

from glassbench.contracts.predictions.outputs import IntervalOutput
from glassbench.stats.estimate import Estimate
from glassbench.stats.intervals import rate_interval
from glassbench.stats.sampling import Sampling
from glassbench_audits.calibration import parts
from glassbench_audits.calibration.audit import _brier, _drawn
from glassbench_audits.calibration.bins import assign, brier_parts, squared_error, summarise
from glassbench_audits.calibration.cluster_bins import ClusterBins, within_correlation
from glassbench_audits.calibration.conformal import set_coverage
from glassbench_audits.calibration.coverage import (
    Coverage,
    coverage_findings,
    coverage_measures,
    coverage_of,
    coverage_table,
    least_coverage,
    size_measures,
)
from glassbench_audits.calibration.draws import resampled, under_null
from glassbench_audits.calibration.error import Error, calibration_error
from glassbench_audits.calibration.findings import findings
from glassbench_audits.calibration.intervals import quantile_levels
from glassbench_audits.calibration.parts import Part, parts_of

STATED = np.array([0.1, 0.1, 0.3, 0.3, 0.6, 0.6, 0.9, 0.9])
CAME = np.array([0, 0, 0, 1, 1, 0, 1, 1.0])
MEMBER = np.repeat([0, 1], 4)


def test_bins_hold_equal_numbers_of_rows_in_ascending_order():
    assert assign(np.arange(12.0), 4).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert assign(np.arange(12.0)[::-1], 3).tolist() == [2] * 4 + [1] * 4 + [0] * 4
    assert assign(np.array([0.5, 0.5, 0.5, 0.9]), 2).tolist() == [0, 0, 0, 1]


def test_bins_are_summarised_with_weights_and_without():
    plain = summarise(STATED, CAME, MEMBER)
    assert (plain.n.tolist(), plain.stated.tolist(), plain.observed.tolist()) == (
        [4, 4],
        pytest.approx([0.2, 0.75]),
        [0.25, 0.75],
    )
    weighed = summarise(STATED, CAME, MEMBER, np.array([1, 1, 1, 5, 2, 0, 1, 1.0]))
    assert weighed.n.tolist() == [4, 4]
    assert weighed.stated == pytest.approx([(0.1 + 0.1 + 0.3 + 1.5) / 8, (1.2 + 0.9 + 0.9) / 4])
    assert weighed.observed.tolist() == [5 / 8, 1.0]


def test_a_squared_error_is_freed_of_the_variance_of_each_bin():
    n, stated, observed = np.array([4, 6, 1]), np.array([0.2, 0.5, 0.9]), np.array([0.25, 1.0, 0.0])
    gaps = [0.05**2 - 0.25 * 0.75 / 3, 0.25 - 0]
    assert squared_error(n, stated, observed) == pytest.approx((4 * gaps[0] + 6 * gaps[1]) / 10)
    assert squared_error(n, stated, observed, debias=False) == pytest.approx((4 * 0.05**2 + 6 * 0.25) / 10)
    assert squared_error(np.array([1, 1]), np.array([0.2, 0.3]), np.array([1.0, 0.0])) == 0.0
    assert squared_error(np.tile(n, (2, 1)), np.tile(stated, (2, 1)), np.tile(observed, (2, 1))).shape == (2,)


def test_parts_of_a_weighted_brier_score_add_up():
    stated, came, weight = np.repeat([0.2, 0.7], 4), np.array([0, 1, 0, 0, 1, 1, 0, 1.0]), np.array([1, 2, 3, 1, 1, 4, 2, 2.0])
    reliability, resolution, uncertainty = brier_parts(stated, came, 2, weight)
    shares, rates = np.array([7, 9]) / 16, np.array([2 / 7, 7 / 9])
    assert reliability == pytest.approx(shares @ (np.array([0.2, 0.7]) - rates) ** 2)
    assert resolution == pytest.approx(shares @ (rates - 9 / 16) ** 2)
    assert uncertainty == pytest.approx(9 / 16 * 7 / 16)
    assert reliability - resolution + uncertainty == pytest.approx(brier_score_loss(came, stated, sample_weight=weight))


def test_an_error_is_the_root_of_what_is_left_and_its_interval_the_basic_bootstraps():
    stated, came = np.repeat([0.2, 0.8], 100), np.r_[np.repeat([0, 1.0], [70, 30]), np.repeat([0, 1.0], [30, 70])]
    found = calibration_error(stated, came, np.random.default_rng(0), bins=10, level=0.9, replicates=500)
    estimate = 0.1**2 - 0.3 * 0.7 / 99
    assert found.value == pytest.approx(np.sqrt(estimate))
    again = resampled(stated, came, assign(stated, 10), np.random.default_rng(0), 500) - 0.1**2
    low, high = np.quantile(again, [0.05, 0.95])
    assert (found.low, found.high) == pytest.approx((np.sqrt(max(0, estimate - high)), np.sqrt(estimate - low)))
    assert 1 / 501 <= found.p < 0.02
    assert found.p * 501 == pytest.approx(round(found.p * 501))


def test_resampled_errors_are_those_of_rows_written_as_often_as_they_were_drawn():
    found = resampled(STATED, CAME, MEMBER, np.random.default_rng(3), 4)
    draws = np.random.default_rng(3).integers(0, 8, size=(4, 8))
    for value, rows in zip(found, draws, strict=True):
        whole = summarise(np.r_[STATED[rows], 0], np.r_[CAME[rows], 0], np.r_[MEMBER[rows], 2])
        assert value == pytest.approx(float(squared_error(whole.n[:2], whole.stated[:2], whole.observed[:2])))


def test_truths_drawn_by_stated_probabilities_have_their_mean_error():
    n = 400
    stated = np.repeat([0.1, 0.5], n)
    whole = summarise(stated, np.zeros(2 * n), np.repeat([0, 1], n))
    drawn = under_null(stated, np.repeat([0, 1], n), whole, np.random.default_rng(0), 4000)
    assert drawn.mean() == pytest.approx(0, abs=2e-5)
    variances = np.array([2 * (0.1 * 0.9 / n) ** 2, 2 * (0.25 / n) ** 2])
    assert drawn.std() == pytest.approx(np.sqrt(variances.sum()) / 2, rel=0.1)


def test_clusters_of_one_row_have_the_error_of_rows():
    clusters = np.arange(8)
    found = ClusterBins.of(CAME - STATED, MEMBER, clusters)
    gap = [(CAME - STATED)[k == MEMBER] for k in (0, 1)]
    assert found.plain == pytest.approx(np.mean([each.mean() ** 2 for each in gap]))
    assert found.error()[0] == pytest.approx(np.mean([each.mean() ** 2 - each.var(ddof=1) / 4 for each in gap]))
    assert found.error(signs=-np.ones((1, 8)))[0] == pytest.approx(found.error()[0])
    doubled = ClusterBins.of(np.tile(CAME - STATED, 2), np.tile(MEMBER, 2), np.tile(clusters, 2))
    assert doubled.error()[0] == pytest.approx(found.error()[0])


def test_how_rows_of_a_cluster_go_together():
    half, clusters = np.full(8, 0.5), np.repeat(np.arange(4), 2)
    assert within_correlation(half, np.array([1, 1, 0, 0, 1, 1, 0, 0.0]), clusters) == pytest.approx(1.0)
    assert within_correlation(half, np.array([1, 0, 0, 1, 1, 0, 0, 1.0]), clusters) == 0.0
    assert within_correlation(half, np.array([1, 1, 0, 0, 1, 1, 0, 1.0]), clusters) == pytest.approx(0.5)
    assert within_correlation(half, np.ones(8), np.arange(8)) == 0.0


INSIDE = np.array([1, 1, 1, 1, 1, 1, 0, 0, 1, 0], dtype=bool)
GROUPS = pd.DataFrame({"g": list("aaaaaabbbb"), "h": list("xyxyxyxyxy")})


def test_coverage_of_groups_is_tested_against_fishers_distribution_and_corrected():
    found = coverage_of(INSIDE, np.arange(10.0), GROUPS, level=0.9)
    assert [one.words for one in found] == ["all rows", "g: a", "g: b", "h: x", "h: y"]
    assert [(one.hits, one.n, one.size) for one in found] == [(7, 10, 4.5), (6, 6, 2.5), (1, 4, 7.5), (4, 5, 4.0), (3, 5, 5.0)]
    raw = [hypergeom.cdf(k, 10, 7, n) for k, n in ((6, 6), (1, 4), (4, 5), (3, 5))]
    assert raw[1] == pytest.approx(4 / 120)
    assert [one.p for one in found[1:]] == pytest.approx([1.0, 4 * raw[1], 1.0, 1.0])
    assert (found[2].low, found[2].high) == tuple(map(float, rate_interval(np.array(1), np.array(4), 0.9)))
    assert (found[0].p, found[0].features, found[2].features, found[2].named) == (1.0, None, ("g",), {"g": "b"})


def test_coverage_of_clusters_and_of_weights():
    clusters = np.arange(10) // 2
    held = coverage_of(INSIDE, np.ones(10), GROUPS, sampling=Sampling(weight=np.ones(10), clusters=clusters))
    alone = coverage_of(INSIDE, np.ones(10), GROUPS)
    assert [one.share for one in held] == [one.share for one in alone]
    assert held[0].high - held[0].low > alone[0].high - alone[0].low
    weight = np.array([1, 1, 1, 1, 1, 1, 4, 4, 1, 1.0])
    survey = Sampling(weight=weight, clusters=np.arange(10), survey=True)
    found = coverage_of(INSIDE, np.arange(10.0), GROUPS, sampling=survey)
    assert (found[0].share, found[2].share) == pytest.approx((7 / 16, 1 / 10))
    assert found[2].size == pytest.approx((24 + 28 + 8 + 9) / 10)


def test_coverage_of_clusters_within_groups_is_tested_by_exchanging_them():
    random = np.random.default_rng(0)
    group = pd.DataFrame({"g": np.repeat(["a", "b"], [200, 200])})
    inside = random.random(400) < np.repeat([0.95, 0.6], 200)
    sampling = Sampling(weight=np.ones(400), clusters=np.arange(400) // 4)
    found = coverage_of(inside, np.ones(400), group, sampling=sampling, generator=np.random.default_rng(1))
    assert found[2].p == pytest.approx(2 / 2001)
    assert found[1].p > 0.9


def test_measures_of_coverage():
    found = coverage_of(INSIDE, np.arange(10.0), GROUPS[["g"]])
    whole, first, second = coverage_measures(found, 0.8)
    assert (whole.name, whole.value, whole.by, whole.group, whole.n, whole.level) == (
        "calibration.coverage",
        0.7,
        None,
        None,
        10,
        0.8,
    )
    assert (first.by, first.group, second.value, second.low) == (("g",), {"g": "a"}, 0.25, found[2].low)
    assert [(m.name, m.value, m.n, m.higher_is_better) for m in size_measures(found)][1:] == [
        ("calibration.set_size", 2.5, 6, False),
        ("calibration.set_size", 7.5, 4, False),
    ]
    table = coverage_table(found, "title", "sizes", "note")
    assert table.columns[5] == "sizes"
    assert [row[0] for row in table.rows] == ["all rows", "g: a", "g: b"]
    assert [row[-1] for row in table.rows] == [None, found[1].p, found[2].p]


@pytest.mark.parametrize(("high", "p", "named"), [(0.88, 0.05, 1), (0.88, 0.06, 0), (0.9, 0.001, 0)])
def test_a_group_is_named_that_is_surely_and_not_by_chance_covered_too_seldom(high, p, named):
    whole = Coverage(by=None, group=None, n=900, hits=810, low=0.88, high=0.92, size=1.0, p=1.0)
    group = Coverage(by="g", group="a", n=100, hits=80, low=0.7, high=high, size=1.0, p=p)
    found = list(coverage_findings([whole, group], 0.9, 0.1, "Sets"))
    assert len(found) == named
    assert all("in 80.0 % [70.0 %, 88.0 %] of g “a” (n 100), below the 89.0 %" in one.sentence for one in found)
    assert least_coverage(0.8, 0.5) == pytest.approx(0.7)


def test_sets_hold_every_class_that_is_likely_enough():
    stated = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.55, 0.45], [0.7, 0.3], [0.5, 0.5]])
    fitted = np.array([True, True, True, False, False, False])
    found = set_coverage(stated, np.array([0, 0, 0, 1, 0, 1]), pd.DataFrame({"g": list("aaabbb")}), fitted, 0.75)
    assert (found[0].n, found[0].hits) == (3, 3)  # the third smallest of .1, .2 and .6 is let pass
    assert found[0].size == pytest.approx((2 + 1 + 2) / 3)


def test_the_threshold_of_sets_comes_from_the_rows_set_aside_alone():
    """Rows set aside are at most .3 from their truth, so that no set of the others, which are .9 from theirs, holds it."""
    stated, fitted = np.array([[0.8, 0.2], [0.7, 0.3], [0.75, 0.25], *[[0.1, 0.9]] * 5]), np.arange(8) < 3
    found = set_coverage(stated, np.zeros(8, dtype=int), pd.DataFrame({"g": list("aaabbbbb")}), fitted, 0.75)
    assert (found[0].n, found[0].hits, found[0].size) == (5, 0, 1.0)


def part(value, low, high, adjusted=0.01, bias=(0.1, 0.05, 0.15), **named):
    error = None if value is None else Error(value=value, low=low, high=high, p=adjusted)
    known = {"by": None, "group": None, **named}
    return Part(n=100, error=error, bias=Estimate.of(*bias, n=100), adjusted=adjusted, **known)


@pytest.mark.parametrize(
    ("error", "adjusted", "grade"),
    [
        ((0.1, 0.06, 0.14), 0.05, "concern"),
        ((0.1, 0.06, 0.14), 0.06, "unclear"),
        ((0.03, 0.01, 0.05), 0.01, "ok"),
        ((0.05, 0.02, 0.08), 0.01, "unclear"),
        ((None, None, None), 1.0, "unclear"),
    ],
)
def test_the_grade_of_a_calibration_error(error, adjusted, grade):
    (found,) = findings([part(*error, adjusted)], 0.05, "yes")
    assert found.grade == grade
    assert ("10.0 points too high" in found.sentence) == (grade == "concern")


def test_groups_whose_probabilities_are_surely_wrong_are_named_and_no_others():
    groups = [
        part(0.1, 0.06, 0.14, by="g", group="a", bias=(-0.2, -0.3, -0.1)),
        part(0.03, 0.0, 0.04, by="g", group="b"),
        part(None, None, None, by="g", group="c"),
        part(0.1, 0.06, 0.14, by="g", group="d", bias=(0.1, -0.1, 0.2)),
    ]
    found = list(findings([part(0.03, 0.0, 0.04), *groups], 0.05, "yes"))
    assert [one.group for one in found] == [None, {"g": "a"}, {"g": "d"}]
    assert "20.0 points too low" in found[1].sentence
    assert "too high in places" in found[2].sentence
    few = list(findings([part(None, None, None), groups[0]], 0.05, "yes"))
    assert [one.grade for one in few] == ["unclear"]


def test_parts_are_all_rows_and_each_group_with_holms_correction():
    random = np.random.default_rng(0)
    stated, group = random.random(300), np.repeat(["b", "a", "c"], [150, 131, 19])
    came = (random.random(300) < np.where(group == "b", stated, stated**2)).astype(float)
    predictions = SimpleNamespace(groups=pd.DataFrame({"g": group}), sampling=Sampling(weight=np.ones(300)))
    subject = SimpleNamespace(predictions=predictions, generator=lambda name: np.random.default_rng(len(name)))
    found = parts_of(subject, stated, came, 10, 0.95, 200)
    assert [(one.by, one.group, one.n) for one in found] == [(None, None, 300), ("g", "a", 131), ("g", "b", 150), ("g", "c", 19)]
    assert found[3].error is None
    assert [one.bias.value for one in found] == pytest.approx(
        [(stated - came).mean(), *((stated - came)[group == name].mean() for name in "abc")]
    )
    raw = [one.error.p for one in found[:3]]
    ranked = sorted(raw)
    expected = {p: min(1, max(q * (3 - i) for i, q in enumerate(ranked) if q <= p)) for p in raw}
    assert [one.adjusted for one in found[:3]] == pytest.approx([expected[p] for p in raw])
    assert found[3].adjusted == 1.0


@pytest.mark.parametrize(("true", "told"), [(4, False), (5, True), (35, True), (36, False), (0, False), (40, False)])
def test_a_mean_gap_has_an_interval_where_enough_rows_came_true_and_enough_did_not(true, told):
    came = (np.arange(40) < true).astype(float)
    predictions = SimpleNamespace(groups=pd.DataFrame({"g": ["a"] * 40}), sampling=Sampling(weight=np.ones(40)))
    subject = SimpleNamespace(predictions=predictions, generator=lambda name: np.random.default_rng(0))
    for one in parts_of(subject, np.linspace(0.2, 0.8, 40), came, 4, 0.95, 50):
        assert one.bias.value == pytest.approx(0.5 - true / 40)
        assert (one.bias.low is not None, one.bias.high is not None, one.bias.unsupported is None) == (told, told, told)
        assert one.error is not None


@pytest.mark.parametrize(("rows", "bins"), [(19, None), (20, 2), (29, 2), (30, 3), (300, 10)])
def test_few_rows_get_few_bins_and_fewer_than_twenty_none(rows, bins, monkeypatch):
    asked = []

    def seen(stated, came, generator, **settings):
        asked.append(settings)
        return Error(value=0.1, low=0.0, high=0.2, p=0.5)

    monkeypatch.setattr(parts, "calibration_error", seen)
    predictions = SimpleNamespace(groups=pd.DataFrame(index=range(rows)), sampling=Sampling(weight=np.ones(rows)))
    subject = SimpleNamespace(predictions=predictions, generator=lambda name: np.random.default_rng(0))
    (found,) = parts_of(subject, np.full(rows, 0.5), np.arange(rows) % 2.0, 10, 0.95, 50)
    assert (found.error is None) == (bins is None)
    assert [(one["bins"], one["clusters"], one["weight"]) for one in asked] == ([] if bins is None else [(bins, None, None)])
    assert (found.n, found.counted, found.worth) == (rows, "rows", f"{rows} rows")


def test_the_table_of_coverage_holds_a_line_for_each_group_and_no_p_value_for_all_rows():
    found = coverage_of(INSIDE, np.arange(10.0), GROUPS)
    table = coverage_table(found, "Sets", "mean size of a set", "Half and half.")
    assert table.columns == ("rows of", "n", "hold it", "low", "high", "mean size of a set", "corrected p")
    assert [row[:3] for row in table.rows] == [(one.words, one.n, one.share) for one in found]
    assert [row[6] for row in table.rows] == [None, *(one.p for one in found[1:])]
    assert (table.title, table.note) == ("Sets", "Half and half.")


@pytest.mark.parametrize(("of_decided", "name"), [(False, "brier"), (True, "confidence_brier")])
def test_the_brier_score_is_measured_with_its_parts_and_their_directions(of_decided, name):
    whole = Estimate(value=0.2, low=0.1, high=0.3, level=0.95, n=8)
    found = {m.name: (m.value, m.higher_is_better) for m in _brier(whole, (0.05, 0.1, 0.25), 8, of_decided)}
    parts = {"reliability": (0.05, False), "resolution": (0.1, True), "uncertainty": (0.25, None)}
    assert found == {f"calibration.{name}": (0.2, False), **{f"calibration.{part}": told for part, told in parts.items()}}


def test_counts_are_drawn_beyond_twenty_thousand_rows_and_a_reader_is_told():
    assert _drawn(20_000) == ()
    assert "20,000" in _drawn(20_001)[0]


def test_the_error_of_clusters_is_that_of_their_sums_and_its_p_value_the_larger_of_two():
    random = np.random.default_rng(0)
    stated, clusters = np.repeat(random.uniform(0.2, 0.8, 150), 4), np.repeat(np.arange(150), 4)
    came = (np.repeat(random.random(150), 4) < np.clip(stated + 0.15, 0, 1)).astype(float)
    settings = {"bins": 5, "level": 0.9, "replicates": 400, "clusters": clusters}
    found = calibration_error(stated, came, np.random.default_rng(1), **settings)
    summed = ClusterBins.of(came - stated, assign(stated, 5), clusters)
    assert found.value == pytest.approx(np.sqrt(max(0.0, summed.error()[0])))
    assert found.low <= found.value <= found.high
    flipped = summed.flipped(4000, np.random.default_rng(2))
    least = (1 + int((flipped >= summed.error()[0]).sum())) / 4001
    assert found.p >= 0.5 * least
    true = (np.repeat(random.random(150), 4) < stated).astype(float)
    assert calibration_error(stated, true, np.random.default_rng(1), **settings).p > found.p


@pytest.mark.parametrize("seed", range(3))
def test_the_p_value_of_clusters_is_the_larger_one_of_signs_and_of_truths_drawn(seed):
    random = np.random.default_rng(seed)
    stated, clusters = np.repeat(random.uniform(0.05, 0.3, 60), 4), np.repeat(np.arange(60), 4)
    came = (np.repeat(random.random(60), 4) < stated).astype(float)
    found = calibration_error(stated, came, np.random.default_rng(1), bins=5, level=0.9, replicates=400, clusters=clusters)
    member, again = assign(stated, 5), np.random.default_rng(1)
    summed = ClusterBins.of(came - stated, member, clusters)
    summed.resampled(400, again)
    drawn = [summed.flipped(400, again), summed.stated_true(stated, came, member, clusters, 400, again)]
    signs, truths = ((1 + int((each >= summed.error()[0] - 1e-15).sum())) / 401 for each in drawn)
    assert signs != truths
    assert found.p == max(signs, truths)


def test_loss_of_quantiles_may_come_near_zero_and_shares_below_are_counted():
    output = IntervalOutput(low=np.zeros(40), high=np.full(40, 2.0), coverage=0.8, quantiles={0.5: np.ones(40)})
    (found,) = quantile_levels(output, np.tile([0.9, 1.3], 20), Sampling(weight=np.ones(40)), 0.95)
    assert (found.below.value, found.loss.value) == (0.5, pytest.approx(0.1))
    assert 0 <= found.loss.low < 0.1 < found.loss.high
