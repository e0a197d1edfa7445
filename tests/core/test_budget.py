"""A time budget samples rows, says so, and leaves intervals as wide as fewer rows make them."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from glassbench import AuditResult, ExperimentError, Measure, Method, plan
from glassbench.experiments import budget
from glassbench.experiments.budget import affordable, sampled, seconds_of, within
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


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still but for the audits that move it."""
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(budget, "time", SimpleNamespace(perf_counter=lambda: now.seconds))
    return now


EACH = 2**-10
FIXED = 0.25
METHOD = Method(summary="Counted.", parameters={"bins": 7}, references=("Wilson 1927",), cautions=("Rows are alike.",))


def audit(clock, calls):
    """An audit that takes FIXED seconds and EACH more for a row, and keeps how many rows it was given."""

    def examine(subject):
        frame = subject.predictions.frame
        assert len(subject.predictions.source) == len(frame)
        calls.append(len(frame))
        clock.seconds += FIXED + EACH * len(frame)
        return accuracy(subject)

    return examine


def accuracy(subject):
    frame = subject.predictions.frame
    hits = int((frame["y_true"] == frame["y_pred"]).sum())
    low, high = wilson(np.array(hits), np.array(len(frame)))
    measure = Measure(name="a.accuracy", value=hits / len(frame), low=float(low), high=float(high), n=len(frame))
    return AuditResult(method=METHOD, measures=(measure,))


@pytest.mark.parametrize(
    ("seconds", "given", "counted"),
    [
        (60, [500, 2000, 6000], 6000),  # 2.94 s for the trials, 6.11 s for all rows
        (6, [500, 2000, 2876], 2876),  # 3.0586 s left: (3.0586 - .25) * 1024
        (5, [500, 2000], 2000),  # 2.0586 s left afford 1,852 rows; the trial had more
        (0.73828125, [500, 2000], 2000),  # the first trial takes just that
        (0.73, [500], 500),
    ],
)
def test_as_many_rows_as_a_line_through_two_trials_affords(subject, clock, seconds, given, counted):
    calls = []
    result = within(audit(clock, calls), subject, seconds)
    assert (calls, result.measures[0].n) == (given, counted)
    assert ("rows_there" in result.method.parameters) == (counted < 6000)


@pytest.mark.parametrize(("rows", "given"), [(999, [999]), (1000, [500, 1000]), (3999, [500, 3999]), (4000, [500, 2000, 4000])])
def test_a_trial_needs_twice_its_rows(subject, clock, rows, given):
    calls = []
    few = replace(subject, predictions=subject.predictions.take(np.arange(rows)))
    assert within(audit(clock, calls), few, 60).method == METHOD
    assert calls == given


def test_a_sample_is_told_beside_what_the_audit_says_of_itself(subject, clock):
    whole = accuracy(subject).measures[0]
    result = within(audit(clock, []), subject, 6)
    assert "within 6 s, 2,876 of the 6,000 rows were examined" in result.method.summary
    assert result.method.summary.endswith(METHOD.summary)
    assert result.method.parameters == {"bins": 7, "rows_examined": 2876, "rows_there": 6000}
    assert result.method.references == METHOD.references
    assert len(result.method.cautions) == 2
    assert "small groups" in result.method.cautions[0]
    assert result.measures[0].high - result.measures[0].low > whole.high - whole.low


def test_counted_rows_are_never_sampled(subject, clock):
    calls = []
    frame = subject.predictions.frame.assign(frequency=2)
    counted = replace(subject, predictions=replace(subject.predictions, frame=frame))
    assert within(audit(clock, calls), counted, 0.1).method == METHOD
    assert calls == [6000]


@pytest.mark.parametrize(
    "told", [{"error": "too few rows"}, {"not_applicable": "no rows of one class"}, {}], ids=["error", "not applicable", "found"]
)
def test_what_is_no_finding_on_a_few_rows_is_asked_of_all(subject, clock, told):
    """Each trial would take less than the time there is; only what a trial found may stand for the rest."""
    calls = []

    def examine(part):
        calls.append(len(part.predictions.frame))
        clock.seconds += 10.0
        return AuditResult(method=METHOD, **told)

    found = within(examine, subject, 15.0)
    assert calls == ([500, 6000] if told else [500, 2000])
    assert (found.error, found.not_applicable) == (told.get("error"), told.get("not_applicable"))
    assert ("To keep within" in found.method.summary) == (not told)


@pytest.mark.parametrize("refusal", ["raises", "is not applicable"])
def test_an_audit_that_needs_more_rows_than_a_trial_gets_all(subject, refusal):
    def needs_many(given):
        if len(given.predictions.frame) < 3000 and refusal == "raises":
            raise ValueError("too few rows")
        if len(given.predictions.frame) < 3000:
            return AuditResult(method=Method(summary="Not run."), not_applicable="too few rows")
        return accuracy(given)

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


@pytest.mark.parametrize(("size", "rows"), [(2, 5), (5, 5), (9, 5), (10, 10), (10**6, 20)])
def test_as_many_whole_clusters_as_fit_and_at_least_one(subject, size, rows):
    few = subject.predictions.take(np.arange(20))
    clustered = replace(few, frame=few.frame.assign(cluster=np.arange(20) // 5))
    kept = sampled(replace(subject, predictions=clustered), size).predictions.frame
    assert len(kept) == rows
    assert set(kept["cluster"].value_counts()) == {5}


@pytest.mark.parametrize(
    ("trials", "seconds", "rows"),
    [
        ([(500, 1.0), (2000, 0.9)], 1.5, 10**6),  # rows cost nothing
        ([(500, 1.0), (2000, 1.0)], 1.0, 10**6),
        ([(500, 1.0), (2000, 1.0)], 0.5, 2000),  # and what is fixed can't be had
        ([(500, 1.0)], 0.0, 0),
        ([(500, 1.0)], 10.0, 5000),
        ([(500, 1.0), (2000, 2.5)], 10.5, 10_000),
        ([(500, 1.0), (2000, 2.5)], 0.25, 0),
        ([], 1.0, 10**6),
    ],
)
def test_affordable_rows(trials, seconds, rows):
    assert affordable(trials, 10**6, seconds) == rows


def test_affordable_rows_are_all_where_their_time_is_just_left():
    assert affordable([(500, 1.0), (2000, 2.5)], 10_000, 10.5) == 10_000


@pytest.mark.parametrize(
    ("text", "seconds"), [("120s", 120), ("2m", 120), ("1.5h", 5400), (" 5 s ", 5), (90, 90), ("0.25", 0.25), ("0.5 s", 0.5)]
)
def test_times(text, seconds):
    assert seconds_of(text) == seconds


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
    with pytest.raises(ValueError, match="a time above 0"):
        seconds_of(wrong)
    with pytest.raises(ExperimentError, match="a setting has a value it does not take"):
        plan({**EXPERIMENT, "audits": {"budget": wrong}})


@pytest.mark.parametrize("seed", range(6))
def test_clusters_of_unequal_sizes_are_drawn_up_to_the_rows_asked_for(subject, seed) -> None:
    """Forty clusters of 1 to 40 rows, 820 in all: one more cluster would have been too many."""
    rows = subject.predictions.take(np.arange(820))
    clustered = replace(rows, frame=rows.frame.assign(cluster=np.repeat(np.arange(40), np.arange(1, 41))))
    kept = sampled(replace(subject, predictions=clustered, seed=seed), 300).predictions.frame
    assert 300 - 40 < len(kept) <= 300
    assert all(count == cluster + 1 for cluster, count in kept["cluster"].value_counts().items())
