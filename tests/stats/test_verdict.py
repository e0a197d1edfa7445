"""From an interval and a threshold to a verdict, by a table of every position the two can have to each other."""

import math

import pytest

from glassbench.stats.estimate import Estimate, too_few
from glassbench.stats.more_rows import more_rows
from glassbench.stats.verdict import judge, meets


def estimate(value=0.5, low=0.4, high=0.7, **others):
    return Estimate(value=value, low=low, high=high, n=100, **others)


@pytest.mark.parametrize(
    ("threshold", "at_least", "at_most"),
    [
        (0.39, "pass", "fail"),
        (0.40, "pass", "insufficient evidence"),
        (0.41, "insufficient evidence", "insufficient evidence"),
        (0.50, "insufficient evidence", "insufficient evidence"),
        (0.69, "insufficient evidence", "insufficient evidence"),
        (0.70, "insufficient evidence", "pass"),
        (0.71, "fail", "pass"),
    ],
)
def test_the_whole_interval_decides_and_its_ends_belong_to_it(threshold, at_least, at_most):
    assert judge(estimate(), threshold, "at_least").verdict == at_least
    assert judge(estimate(), threshold, "at_most").verdict == at_most


@pytest.mark.parametrize(
    ("threshold", "at_least", "at_most"), [(0.49, "pass", "fail"), (0.5, "pass", "pass"), (0.51, "fail", "pass")]
)
def test_the_value_alone_decides_where_asked_for(threshold, at_least, at_most):
    assert judge(estimate(), threshold, "at_least", on="value").verdict == at_least
    assert judge(estimate(), threshold, "at_most", on="value").verdict == at_most
    assert judge(estimate(low=None, high=None), threshold, "at_least", on="value").verdict == at_least


def test_a_value_outside_its_own_interval_is_part_of_what_is_judged():
    odd = estimate(value=0.3)
    assert judge(odd, 0.35, "at_least").verdict == "insufficient evidence"
    assert judge(estimate(value=0.8), 0.75, "at_most").verdict == "insufficient evidence"


@pytest.mark.parametrize("on", ["interval", "value"])
def test_nothing_is_decided_on_what_is_undefined_or_rests_on_too_few_events(on):
    undefined = judge(Estimate(value=None, undefined="no positive rows"), 0.1, "at_least", on=on)
    assert (undefined.verdict, undefined.reason) == ("insufficient evidence", "undefined: no positive rows")
    few = judge(estimate(unsupported="3 errors, at least 5 are needed"), 0.1, "at_least", on=on)
    assert (few.verdict, few.reason) == ("insufficient evidence", "too few events: 3 errors, at least 5 are needed")
    assert undefined.more_rows is None
    assert few.more_rows is None


@pytest.mark.parametrize(("low", "high"), [(None, 0.7), (0.4, None), (None, None)])
def test_half_an_interval_is_none(low, high):
    found = judge(estimate(low=low, high=high), 0.1, "at_least")
    assert found.verdict == "insufficient evidence"
    assert "on: value" in found.reason


def test_reasons_say_what_was_held_against_the_threshold():
    assert judge(estimate(), 0.1, "at_least").reason == "the interval meets the threshold"
    assert judge(estimate(), 0.9, "at_least").reason == "the interval misses the threshold"
    assert judge(estimate(), 0.1, "at_least", on="value").reason == "the value meets the threshold"
    assert judge(estimate(), 0.5, "at_least").reason == "the interval reaches across the threshold"


def test_more_rows_are_asked_for_only_where_the_interval_reaches_across():
    open_ = judge(estimate(level=0.9), 0.45, "at_least")
    assert open_.more_rows == more_rows(0.5, 0.4, 0.7, 100, 0.45, 0.9)
    assert open_.more_rows != more_rows(0.5, 0.4, 0.7, 100, 0.45, 0.95)
    assert judge(estimate(), 0.1, "at_least").more_rows is None
    assert judge(Estimate(value=0.5, low=0.4, high=0.7), 0.45, "at_least").more_rows is None


def test_the_last_digits_of_a_number_do_not_decide():
    assert meets(0.1 + 0.2, 0.3, "at_most")
    assert meets(0.3 - 1e-16, 0.3, "at_least")
    assert meets(1e-13, 0.0, "at_most")
    assert meets(1e12 + 0.1, 1e12, "at_most")
    assert not meets(0.3 + 1e-9, 0.3, "at_most")
    assert not meets(0.3 - 1e-9, 0.3, "at_least")


def test_an_estimate_of_floats_has_no_ends_that_are_no_numbers():
    found = Estimate.of(0.5, -math.inf, math.nan, level=0.9, n=7)
    assert (found.value, found.low, found.high, found.level, found.n, found.undefined) == (0.5, None, None, 0.9, 7, None)
    assert (found := Estimate.of(0.5, 0.25, 0.75)).low == 0.25
    assert (found.high, found.level, found.n) == (0.75, 0.95, None)
    few = Estimate.of(0.5, 0.25, 0.75, unsupported="4 errors")
    assert (few.value, few.low, few.high, few.unsupported) == (0.5, None, None, "4 errors")
    none = Estimate.of(math.inf, 0.0, 1.0, n=3, level=0.8, unsupported="4 errors")
    assert (none.value, none.low, none.high, none.n, none.level, none.unsupported) == (None, None, None, 3, 0.8, None)
    assert none.undefined == "it is not defined on these rows"


def test_five_events_are_enough_and_a_rounding_error_takes_none_away():
    assert too_few(5, "errors") is None
    assert too_few(5 - 1e-10, "errors") is None
    assert too_few(4.99, "errors") == "4.99 errors, at least 5 are needed"
    assert too_few(4, "errors") == "4 errors, at least 5 are needed"
    assert too_few(9, "clusters", fewest=10) == "9 clusters, at least 10 are needed"
    assert too_few(10, "clusters", fewest=10) is None
