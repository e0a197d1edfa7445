"""A time budget samples rows, says so, and leaves intervals as wide as fewer rows make them."""

import time
from dataclasses import replace

import numpy as np
import pytest

from glassbench import AuditResult, ExperimentError, Measure, Method, plan
from glassbench.experiments.budget import TRIALS, affordable, sampled, within
from glassbench.stats.intervals import wilson
from glassbench.testing import toy_subject


@pytest.fixture(scope="module")
def subject():
    small = toy_subject(rows=200)
    index = np.arange(6000) % len(small.predictions.frame)
    predictions = small.predictions
    many = replace(
        predictions,
        frame=predictions.frame.iloc[index].reset_index(drop=True),
        source=predictions.source.take(index),
        target_index=None,
    )
    return replace(small, predictions=many)


def accuracy(each, subject):
    frame = subject.predictions.frame
    assert len(subject.predictions.source) == len(frame)
    time.sleep(each * len(frame))
    hits = int((frame["y_true"] == frame["y_pred"]).sum())
    low, high = wilson(np.array(hits), np.array(len(frame)))
    measure = Measure(name="a.accuracy", value=hits / len(frame), low=float(low), high=float(high), n=len(frame))
    return AuditResult(method=Method(summary="Counted."), measures=(measure,))


def test_time_enough_examines_all_rows(subject):
    result = within(lambda s: accuracy(1e-6, s), subject, 60)
    assert result.measures[0].n == 6000
    assert result.method.summary == "Counted."


def test_too_little_time_examines_fewer_and_says_so(subject):
    whole = accuracy(0, subject).measures[0]
    result = within(lambda s: accuracy(1e-4, s), subject, 0.4)
    (measure,) = result.measures
    assert TRIALS[0] <= measure.n < 6000
    assert f"{measure.n:,} of the 6,000 rows were examined" in result.method.summary
    assert measure.high - measure.low > whole.high - whole.low
    assert result.method.parameters["rows_examined"] == measure.n


@pytest.mark.parametrize("refusal", ["raises", "is not applicable"])
def test_an_audit_that_needs_more_rows_than_a_trial_gets_all(subject, refusal):
    def needs_many(given):
        if len(given.predictions.frame) < 3000 and refusal == "raises":
            raise ValueError("too few rows")
        if len(given.predictions.frame) < 3000:
            return AuditResult(method=Method(summary="Not run."), not_applicable="too few rows")
        return accuracy(0, given)

    assert within(needs_many, subject, 60).measures[0].n == 6000


def test_the_sample_is_the_seeds(subject):
    first, again, other = (sampled(replace(subject, seed=seed), 50).predictions.frame for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first["row"].equals(other["row"])


def test_rows_that_hang_together_stay_together(subject):
    frame = subject.predictions.frame.assign(cluster=np.arange(6000) // 7)
    kept = sampled(replace(subject, predictions=replace(subject.predictions, frame=frame)), 100).predictions.frame
    assert set(kept["cluster"].value_counts()) <= {7, 1}
    assert 90 <= len(kept) <= 100


def test_costs_that_do_not_grow_afford_everything():
    assert affordable([(500, 1.0), (2000, 0.9)], 10**6, 1.5) == 10**6
    assert affordable([(500, 1.0)], 10**6, 0.0) == 0


EXPERIMENT = {"name": "x", "dataset": "breast-cancer", "task": "classification", "model": "logistic-regression"}


def test_a_budget_stands_among_the_audits():
    settled = plan({**EXPERIMENT, "audits": {"budget": "2m", "performance": None}})
    assert (settled.budget, list(settled.audits)) == (120.0, ["performance"])
    again = {key: value for key, value in settled.resolved.items() if key != "overrides"}
    assert plan(again).budget == 120.0
    alone = plan({**EXPERIMENT, "audits": {"budget": 30}})
    assert len(alone.audits) > 1


@pytest.mark.parametrize("wrong", ["soon", "0s", "-3", ""])
def test_a_budget_that_is_no_time(wrong):
    with pytest.raises(ExperimentError, match="a setting has a value it does not take"):
        plan({**EXPERIMENT, "audits": {"budget": wrong}})
