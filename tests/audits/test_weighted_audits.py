"""Audits of weighted rows: values by hand, standard errors of the textbook, intervals that hold the truth, few false alarms."""

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as skm
from scipy.stats import binom

from glassbench.stats.clusters import weighted_freedom, weighted_rows
from glassbench.stats.inference import Inference, mean, mean_of_shares, share
from glassbench.stats.ranking import area
from glassbench.stats.sampling import Sampling
from glassbench.stats.values import mean_absolute_error, r_squared
from glassbench_audits.calibration.audit import audit as calibration
from glassbench_audits.fairness.audit import audit as fairness

LOOSE = {"difference": 0.0, "ratio": 1.0}


def weighted(rng, n, spread=1.0):
    weight = rng.lognormal(0, spread, n)
    return weight, Sampling.of(pd.DataFrame({"weight": weight}))


def test_values_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    weight, sampling = weighted(rng, 400)
    truth = rng.random(400) < 0.4
    score = np.round(rng.normal(truth, 1), 1)  # with ties
    decided = score > 0.5
    found = {
        "accuracy": share(decided == truth, sampling),
        "recall": share(decided, sampling, truth),
        "balanced": mean_of_shares(decided == truth, [truth, ~truth], sampling),
        "area": area(np.stack([-score, score], axis=1), truth.astype(int), sampling, [1], None),
        "mae": mean_absolute_error(truth.astype(float), score, sampling),
        "r2": r_squared(truth.astype(float), score, sampling),
    }
    assert {name: one.value for name, one in found.items()} == pytest.approx(
        {
            "accuracy": skm.accuracy_score(truth, decided, sample_weight=weight),
            "recall": skm.recall_score(truth, decided, sample_weight=weight),
            "balanced": skm.balanced_accuracy_score(truth, decided, sample_weight=weight),
            "area": skm.roc_auc_score(truth, score, sample_weight=weight),
            "mae": skm.mean_absolute_error(truth, score, sample_weight=weight),
            "r2": skm.r2_score(truth, score, sample_weight=weight),
        },
        rel=1e-12,
    )
    assert all(one.n == 400 or name == "recall" for name, one in found.items())


def test_a_mean_has_the_standard_error_of_linearization():
    weight, values = np.array([1.0, 2, 3, 4, 10]), np.array([3.0, 1, 4, 1, 5])
    found = mean(values, Sampling.of(pd.DataFrame({"weight": weight})))
    centre = (weight * values).sum() / weight.sum()
    by_hand = np.sqrt(5 / 4 * ((weight * (values - centre) / weight.sum()) ** 2).sum())  # as R's svymean
    assert found.value == pytest.approx(3.55)
    assert found.error == pytest.approx(by_hand, rel=1e-12)


def test_clusters_of_weighted_rows_have_the_standard_error_of_their_totals():
    frame = pd.DataFrame({"weight": [1.0, 3, 2, 2, 5, 1], "cluster": list("aabbcc")})
    values = np.array([1.0, 2, 3, 5, 8, 13])
    centre = np.average(values, weights=frame["weight"])
    totals = (frame["weight"] * (values - centre)).groupby(frame["cluster"]).sum() / frame["weight"].sum()
    assert mean(values, Sampling.of(frame)).error == pytest.approx(np.sqrt(3 / 2 * (totals**2).sum()), rel=1e-12)


def test_effective_rows_of_a_share_come_from_its_standard_error():
    rng = np.random.default_rng(1)
    weight, sampling = weighted(rng, 300)
    hit = rng.random(300) < 0.3
    sums = [((weight**p * hit).sum(), (weight**p).sum()) for p in (1, 2)]
    rows = weighted_rows(*zip(*sums, strict=True), np.array(300))
    found = share(hit, sampling)
    assert found.value * (1 - found.value) / found.error**2 == pytest.approx(float(rows), rel=1e-9)


def test_equal_weights_leave_all_degrees_of_freedom_and_one_that_is_all_leaves_few():
    assert weighted_freedom(*(np.array(50.0) for _ in range(3))) == pytest.approx(49)
    heavy = np.append(np.full(99, 0.01), 100.0)
    assert weighted_freedom(*((heavy**power).sum() for power in (1, 2, 4))) < 0.05


def test_few_effective_events_carry_no_interval():
    """Twenty of a hundred rows are positive, and one of them weighs more than all others."""
    truth = np.arange(100) < 20
    weight = np.where(np.arange(100) == 0, 1000.0, 1.0)
    sampling = Sampling.of(pd.DataFrame({"weight": weight}))
    assert sampling.count(truth) == pytest.approx(1019**2 / (1000**2 + 19))
    assert sampling.n == 100
    assert sampling.noun == "effective rows"


@pytest.mark.parametrize("number", ["share", "rate", "area", "mean"])
def test_intervals_hold_the_truth_in_about_95_percent_of_samples(number):
    """Rows of large weight are positive more often; 300 samples of 200 rows."""
    rng, held, sets = np.random.default_rng(5), 0, 300

    def drawn(n):
        weight, _ = weighted(rng, n, 0.7)
        truth = rng.random(n) < 0.3 + 0.1 * (weight > 1)
        score = rng.normal(truth, 1)
        return weight, truth, score

    def measured(weight, truth, score) -> Inference:
        sampling = Sampling.of(pd.DataFrame({"weight": weight}))
        if number == "area":
            return area(np.stack([-score, score], axis=1), truth.astype(int), sampling, [1], None)
        return {"share": share(truth, sampling), "rate": share(score > 0.5, sampling, truth), "mean": mean(score, sampling)}[
            number
        ]

    true = measured(*drawn(400_000)).value
    for _ in range(sets):
        found = measured(*drawn(200)).estimate(0.95)
        held += found.low <= true <= found.high
    assert binom.ppf(0.002, sets, 0.95) <= held


def subject(classification, rng, n, tied=0.0):
    weight, _ = weighted(rng, n)
    score = 1 / (1 + np.exp(-rng.normal(-0.5, 1, n)))
    truth = rng.random(n) < np.clip(score + tied * (weight > 1), 0, 1)
    made = classification(truth.astype(int), (score > 0.5).astype(int), {"g": rng.choice(list("abc"), n)}, scores=score)
    made.predictions.frame["weight"] = weight
    return made, truth, score, weight


def test_groups_show_rows_and_how_many_of_equal_weight_they_are_worth(classification):
    made, _, _, weight = subject(classification, np.random.default_rng(9), 400)
    table = next(t for t in fairness(made, replicates=50).tables if t.title == "Numbers by g")
    groups = made.predictions.groups["g"].to_numpy()
    for row in table.rows:
        if row[0] == "accuracy" and row[1] != "all rows":
            mine = weight[groups == row[1]]
            n, worth = (row[table.columns.index(name)] for name in ("n", "effective n"))
            assert (n, worth) == (len(mine), round(mine.sum() ** 2 / (mine**2).sum()))


def test_calibration_weighs_scores_and_gaps(classification):
    made, truth, score, weight = subject(classification, np.random.default_rng(6), 400)
    measured = {(m.name, str(m.group)): m for m in calibration(made, replicates=50).measures}
    assert measured["calibration.brier", "None"].value == pytest.approx(
        skm.brier_score_loss(truth, score, sample_weight=weight), rel=1e-12
    )
    groups = made.predictions.groups["g"].to_numpy()
    for group in "abc":
        mine = groups == group
        expected = np.average((score - truth)[mine], weights=weight[mine])
        assert measured["calibration.bias", str({"g": group})].value == pytest.approx(expected, rel=1e-9)


def test_probabilities_that_fail_where_weight_lies_are_found_by_weights_alone(classification):
    made, _, _, weight = subject(classification, np.random.default_rng(7), 3000, tied=-0.3)
    heavier = made.predictions.frame.assign(weight=weight**2)
    lighter = made.predictions.frame.assign(weight=weight**-2)
    errors = []
    for frame in (heavier, lighter):
        object.__setattr__(made.predictions, "frame", frame)
        made.predictions.__dict__.pop("sampling", None)
        found = calibration(made, replicates=50)
        errors.append(next(m.value for m in found.measures if m.name == "calibration.calibration_error" and m.by is None))
    assert errors[0] > 0.15 > 0.08 > errors[1]


@pytest.mark.slow
@pytest.mark.parametrize("tied", [0.0, 0.2])
def test_weights_raise_no_false_alarms_where_groups_are_alike(classification, tied):
    """The whole fairness audit, no gap allowed, on 200 null data sets: at most what a procedure that keeps 5 % shows."""
    rng, alarms, sets = np.random.default_rng(8), 0, 200
    for _ in range(sets):
        made, *_ = subject(classification, rng, 450, tied)
        alarms += any(f.grade == "concern" for f in fairness(made, replicates=100, **LOOSE).findings)
    assert alarms <= binom.ppf(0.995, sets, 0.05)
