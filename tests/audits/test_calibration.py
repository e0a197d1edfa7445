"""Calibration: known truths are found, true probabilities raise no alarm."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss

from glassbench.stats.conformal import conformal_limit
from glassbench.testing import check_audit, toy_subject
from glassbench_audits.calibration.audit import audit
from glassbench_audits.calibration.bins import assign, brier_parts, squared_error, summarise
from glassbench_audits.calibration.cluster_bins import ClusterBins, within_correlation
from glassbench_audits.calibration.conformal import set_coverage
from glassbench_audits.calibration.coverage import Coverage, coverage_findings
from glassbench_audits.calibration.draws import resampled, under_null
from glassbench_audits.calibration.error import calibration_error
from glassbench_audits.calibration.exhibits import score_chart


def draw(n, distort, seed):
    chance = np.random.default_rng(seed)
    true = chance.beta(2, 2, n)
    return np.clip(distort(true), 0, 1), (chance.random(n) < true).astype(float)


def estimated(stated, came, seed=0, replicates=400):
    return calibration_error(stated, came, np.random.default_rng(seed), bins=10, level=0.95, replicates=replicates)


@pytest.mark.parametrize("noise", [0.0, 1e-16, -1e-16])
def test_a_probability_on_an_edge_stands_in_the_bar_above(noise):
    """0.1, 0.2 and 0.3 are no sums of twentieths in floats; each bar from 0.05 k on holds its own edge all the same."""
    stated = np.arange(21) / 20 + noise
    rows = score_chart(stated, "x", "row").rows
    assert [row["y"] for row in rows] == [1] * 19 + [2]
    assert [row["low"] for row in rows] == [k / 20 for k in range(20)]


def test_it_keeps_the_promises_of_an_audit():
    check_audit(audit, "calibration", replicates=100)


@pytest.mark.parametrize("shift", [0.1, 0.2])
def test_a_planted_shift_is_measured(shift):
    chance = np.random.default_rng(0)
    true = chance.uniform(0.3, 0.6, 20_000)
    error = estimated(true + shift, (chance.random(20_000) < true).astype(float))
    assert error.low < shift < error.high
    assert error.value == pytest.approx(shift, abs=0.01)
    assert error.p < 0.01


def test_the_debiased_error_of_true_probabilities_is_zero_on_average():
    found, plain = [], []
    for seed in range(200):
        stated, came = draw(200, lambda p: p, seed)
        bins = summarise(stated, came, assign(stated, 10))
        found.append(float(squared_error(bins.n, bins.stated, bins.observed)))
        plain.append(float(squared_error(bins.n, bins.stated, bins.observed, debias=False)))
    spread = np.std(found) / np.sqrt(200)
    assert abs(np.mean(found)) < 3 * spread
    assert np.mean(plain) > 10 * spread


def test_true_probabilities_are_rejected_as_often_as_promised():
    p = [estimated(*draw(150, lambda p: p, seed), seed, 200).p for seed in range(200)]
    assert np.mean(np.array(p) <= 0.05) <= 0.10  # 5 % plus three standard errors of 200 data sets


def test_intervals_cover_a_planted_error():
    hits = 0
    for seed in range(200):
        chance = np.random.default_rng(seed)
        true = chance.uniform(0.2, 0.7, 500)
        error = estimated(true + 0.15, (chance.random(500) < true).astype(float), seed, 200)
        hits += error.low <= 0.15 <= error.high
    assert hits / 200 >= 0.89  # 95 % minus four standard errors


def test_the_parts_of_the_brier_score_add_up_where_probabilities_are_constant_in_bins():
    chance = np.random.default_rng(0)
    stated = chance.choice([0.1, 0.4, 0.8], 500)
    came = (chance.random(500) < 0.5).astype(float)
    reliability, resolution, uncertainty = brier_parts(stated, came, 10)
    assert reliability - resolution + uncertainty == pytest.approx(brier_score_loss(came, stated))


def test_equal_probabilities_share_a_bin():
    stated = np.array([0.2] * 50 + [0.7] * 50)
    assert len(summarise(stated, np.zeros(100), assign(stated, 10)).n) == 2


def test_brier_equals_scikit_learns():
    subject = toy_subject()
    result = audit(subject, replicates=100)
    frame = subject.predictions.frame
    expected = brier_score_loss(frame["y_true"] == "yes", frame["score.yes"])
    assert next(m.value for m in result.measures if m.name == "calibration.brier") == pytest.approx(expected)


def test_values_and_foreign_scores_are_not_applicable():
    assert "neither probabilities nor intervals" in audit(toy_subject("value")).not_applicable
    subject = toy_subject()
    frame = subject.predictions.frame
    frame["score.yes"] = frame["score.yes"] * 3
    assert "outside 0 to 1" in audit(subject).not_applicable


def test_overconfidence_in_one_group_is_named():
    subject = toy_subject(rows=8000)
    frame = subject.predictions.frame
    chance = np.random.default_rng(0)
    stated = np.where(frame["group.side"] == "left", 0.9, 0.5)
    frame["score.yes"], frame["score.no"] = stated, 1 - stated
    frame["y_true"] = np.where(chance.random(len(frame)) < 0.5, "yes", "no")
    sentences = [f.sentence for f in audit(subject, replicates=200).findings if f.grade == "concern"]
    assert any("“left”" in s and "too high" in s for s in sentences)
    assert not any("“right”" in s for s in sentences)


def _covered(seed, n=400, weaker=0.0):
    """Two classes of which the second feature's group `b` is stated with too much certainty by `weaker`."""
    chance = np.random.default_rng(seed)
    group = chance.choice(["a", "b"], n, p=[0.7, 0.3])
    true = chance.uniform(0.02, 0.98, n)
    truth = (chance.random(n) < true).astype(int)
    stated = np.where(group == "b", np.where(true > 0.5, true + (1 - true) * weaker, true * (1 - weaker)), true)
    stated = np.where((group == "b") & (chance.random(n) < weaker), 1 - stated, stated)
    fitted = chance.random(n) < 0.5
    return set_coverage(np.stack([1 - stated, stated], axis=1), truth, pd.DataFrame({"g": group}), fitted, 0.9)


def test_sets_hold_the_truth_as_often_as_they_promise():
    found = [_covered(seed)[0] for seed in range(200)]
    assert sum(one.hits for one in found) / sum(one.n for one in found) == pytest.approx(0.905, abs=0.012)


def test_groups_that_are_covered_alike_raise_no_alarm_and_others_do():
    assert np.mean([any(one.p <= 0.05 for one in _covered(seed)[1:]) for seed in range(200)]) <= 0.08
    assert np.mean([_covered(seed, 2000, 0.3)[2].p <= 0.05 for seed in range(20)]) >= 0.9


def test_the_threshold_leaves_one_row_in_ten_beyond():
    assert conformal_limit(np.arange(1.0, 10.0), 0.9) == 9
    assert conformal_limit(np.arange(1.0, 9.0), 0.9) == np.inf


def test_few_rows_have_no_sets():
    names = {m.name for m in audit(toy_subject(rows=120), replicates=50).measures}
    assert "calibration.coverage" not in names
    assert "calibration.coverage" in {m.name for m in audit(toy_subject(rows=240), replicates=50).measures}


def test_the_promise_within_the_interval_is_no_failure():
    """Surely less often than other groups, and not surely less often than promised."""
    whole = Coverage(by=None, group=None, n=2000, hits=1880, low=0.93, high=0.95, size=1.2, p=1.0)
    within = Coverage(by="g", group="a", n=200, hits=174, low=0.82, high=0.91, size=1.2, p=0.001)
    below = Coverage(by="g", group="b", n=200, hits=160, low=0.74, high=0.85, size=1.2, p=0.001)
    assert ["“b”" in f.sentence for f in coverage_findings([whole, within, below], 0.9, 0.1, "Sets")] == [True]


def test_a_shortfall_that_only_millions_of_rows_can_show_is_no_failure():
    whole = Coverage(by=None, group=None, n=10_000_000, hits=9_000_000, low=0.8998, high=0.9002, size=1.2, p=1.0)
    slightly = Coverage(by="g", group="a", n=4_000_000, hits=3_598_000, low=0.8992, high=0.8998, size=1.2, p=1e-6)
    assert not list(coverage_findings([whole, slightly], 0.9, 0.1, "Sets"))
    (said,) = coverage_findings([whole, slightly], 0.9, 0.0, "Sets")
    assert said.grade == "concern"
    assert "below the 90.0 %" in said.sentence


@pytest.mark.parametrize("rate", [0.4, 0.1])
def test_truths_of_unequal_clusters_are_drawn_as_they_hang_together(rate):
    chance = np.random.default_rng(6)
    clusters = np.repeat(np.arange(60), chance.integers(1, 16, 60))
    stated = chance.beta(4 * rate, 4 * (1 - rate), 60)[clusters]
    came = (chance.random(60)[clusters] < stated).astype(float)
    assert within_correlation(stated, came, clusters) > 0.6
    assert within_correlation(stated, (chance.random(len(stated)) < stated).astype(float), clusters) < 0.3
    summed = ClusterBins.of(came - stated, assign(stated, 6), clusters)
    drawn = summed.stated_true(stated, came, assign(stated, 6), clusters, 400, chance)
    by_hand = [
        float(ClusterBins.of((chance.random(60)[clusters] < stated) - stated, assign(stated, 6), clusters).error()[0])
        for _ in range(400)
    ]
    assert np.quantile(drawn, 0.95) == pytest.approx(np.quantile(by_hand, 0.95), rel=0.35)


def test_counts_of_bins_draw_what_rows_draw(monkeypatch):
    stated, came = draw(4000, lambda p: p**1.2, 0)
    member = assign(stated, 10)
    found = []
    for exact in (10_000, 1_000):
        monkeypatch.setattr("glassbench_audits.calibration.draws.EXACT", exact)
        rng = np.random.default_rng(1)
        found.append(
            (resampled(stated, came, member, rng, 2000), under_null(stated, member, summarise(stated, came, member), rng, 2000))
        )
    for rows, counts in zip(*found, strict=True):
        assert counts.mean() == pytest.approx(rows.mean(), abs=4 * rows.std() / 2000**0.5)
        assert counts.std() == pytest.approx(rows.std(), rel=0.1)
