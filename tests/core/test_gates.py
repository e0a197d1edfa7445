import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassbench.contracts.evidence import AuditResult, Measure, Method
from glassbench.errors import ExperimentError
from glassbench.experiments.gates import EXIT_CODES, Gate, judge, misdirected
from glassbench.stats.verdict import judge as judge_estimate


def result(*measures, **facts):
    return AuditResult(audit="a", method=Method(summary=""), measures=measures, **facts)


def accuracy(value=0.73, low=0.63, high=0.81, **facts):
    return Measure(name="a.accuracy", value=value, low=low, high=high, n=89, **facts)


def word(gate, *measures, **facts):
    return judge([Gate(measure="a.accuracy", **gate)], [result(*measures, **facts)]).verdict


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        ({"at_least": 0.6}, "pass"),
        ({"at_least": 0.65}, "insufficient evidence"),
        ({"at_least": 0.9}, "fail"),
        ({"at_most": 0.9}, "pass"),
        ({"at_most": 0.8}, "insufficient evidence"),
        ({"at_most": 0.5}, "fail"),
        ({"at_least": 0.65, "on": "value"}, "pass"),
        ({"at_least": 0.75, "on": "value"}, "fail"),
    ],
)
def test_a_gate_passes_only_when_its_interval_does(gate, expected):
    assert word(gate, accuracy()) == expected


def test_what_was_not_measured_cannot_pass():
    assert word({"at_least": 0.0}) == "insufficient evidence"
    assert word({"at_least": 0.0}, error="boom") == "insufficient evidence"
    undefined = Measure(name="a.accuracy", value=None, undefined="no rows")
    assert word({"at_least": 0.0}, undefined) == "insufficient evidence"
    bare = Measure(name="a.accuracy", value=0.9)
    assert word({"at_least": 0.5}, bare) == "insufficient evidence"
    assert word({"at_least": 0.5, "on": "value"}, bare) == "pass"


def test_a_gate_against_the_measures_direction_is_refused_before_judging():
    with pytest.raises(ExperimentError, match="higher is better"):
        word({"at_most": 0.9}, accuracy(higher_is_better=True))


def test_too_few_events_pass_no_gate():
    bare = Measure(name="a.accuracy", value=0.9, unsupported="3 positives, at least 5 are needed")
    for on in ("interval", "value"):
        assert word({"at_least": 0.5, "on": on}, bare) == "insufficient evidence"


def test_a_failed_audit_is_named_in_the_reason():
    verdict = judge([Gate(measure="a.accuracy", at_least=0)], [result(error="boom")])
    assert verdict.gates[0].reason == "the audit 'a' failed: boom"


def test_without_by_the_measure_over_all_rows_decides():
    grouped = accuracy(value=0.1, low=0.0, high=0.2, by=("sex",), group={"sex": "female"})
    assert word({"at_least": 0.6}, grouped, accuracy()) == "pass"
    assert word({"at_least": 0.6, "by": "sex", "group": {"sex": "female"}}, grouped, accuracy()) == "fail"


def test_without_by_and_without_an_overall_measure_every_breakdown_must_pass():
    by_sex, by_age = accuracy(by=("sex",)), accuracy(value=0.1, low=0.05, high=0.2, by=("age",))
    verdict = judge([Gate(measure="a.accuracy", at_least=0.6)], [result(by_sex, by_age)])
    assert verdict.verdict == "fail"
    assert verdict.gates[0].compared[0].by == ("age",)


def test_by_features_every_group_must_pass_where_there_is_no_gap():
    women = accuracy(value=0.1, low=0.0, high=0.2, by=("sex",), group={"sex": "female"})
    assert word({"at_least": 0.6, "by": "sex"}, accuracy(), women) == "fail"


SEX, AGE, BOTH = accuracy(by=("sex",)), accuracy(by=("age",)), accuracy(by=("age", "sex"))


@pytest.mark.parametrize(
    ("by", "expected"),
    [("sex", SEX), ("age", AGE), (("sex", "age"), BOTH), (("age", "sex"), BOTH), ("job", None), (("sex", "job"), None)],
)
def test_a_gate_speaks_of_the_breakdown_by_its_features_and_no_more_and_no_fewer(by, expected):
    gate = Gate(measure="a.accuracy", by=by, at_least=0.6)
    (found,) = judge([gate], [result(BOTH, SEX, AGE)]).gates
    assert found.compared == (() if expected is None else (expected,))
    assert found.verdict == ("insufficient evidence" if expected is None else "pass")
    (alone,) = judge([gate], [result(*(m for m in (BOTH, SEX, AGE) if m is not expected))]).gates
    assert alone.verdict == "insufficient evidence"


def test_the_last_digits_of_a_ratio_do_not_decide():
    ratio = 0.36 / 0.45
    assert ratio < 0.8
    assert word({"at_least": 0.8, "on": "value"}, Measure(name="a.accuracy", value=ratio)) == "pass"


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_stricter_threshold_never_turns_a_fail_into_a_pass(a, b, c, d):
    low, value, high, threshold = (*sorted([a, b, c]), d)
    order = ["pass", "insufficient evidence", "fail"]
    lax, strict = (word({"at_least": t}, accuracy(value, low, high)) for t in (threshold * 0.5, threshold))
    assert order.index(lax) <= order.index(strict)


def test_no_gates_is_not_applicable_and_exits_with_0():
    assert judge([], [result()]).to_json() == {"verdict": "not applicable", "exit_code": 0, "gates": []}
    assert EXIT_CODES == {"pass": 0, "not applicable": 0, "fail": 1, "insufficient evidence": 3}


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"at_least": 1, "at_most": 2},
        {"at_least": float("nan")},
        {"at_least": 1, "on": "x"},
        {"at_least": True},
        {"at_most": False},
    ],
)
def test_a_gate_without_one_finite_threshold_is_refused(bad):
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's own
        Gate(measure="a.b", **bad)


def test_a_failed_audit_leaves_no_verdict_that_passes_unless_it_may_fail():
    found = [result(error="boom"), result()]
    assert (judge([], found).verdict, judge([], found).exit_code) == ("insufficient evidence", 3)
    assert judge([], found).to_json()["failed_audits"] == ["a"]
    assert judge([], found, allow_failed=True).exit_code == 0


@pytest.mark.parametrize(
    ("gate", "higher", "highest", "problem", "fix"),
    [
        ({"at_least": 0.1}, False, None, "a gate asks for at least 0.1 of a.accuracy, of which lower is better", "at_most: 0.1"),
        ({"at_most": 0.9}, True, None, "a gate asks for at most 0.9 of a.accuracy, of which higher is better", "at_least: 0.9"),
        ({"at_least": 90}, None, 1, "a.accuracy is a share from 0 to 1, so that no value reaches 90", "at_least: 0.9"),
        ({"at_most": 100}, False, 1, "a.accuracy is a share from 0 to 1, so that no value reaches 100", "at_most: 1"),
        ({"at_least": 101}, True, 1, "a.accuracy is a share from 0 to 1, so that no value reaches 101", "a number from 0 to 1"),
        ({"at_least": 1.5}, True, 1, "a.accuracy is a share from 0 to 1, so that no value reaches 1.5", "a number from 0 to 1"),
        ({"at_most": 1.5}, False, 1, "a.accuracy is a share from 0 to 1, so that no value reaches 1.5", "at_most: 0.015"),
    ],
)
def test_a_misdirected_gate_says_what_was_meant(gate, higher, highest, problem, fix):
    assert misdirected(Gate(measure="a.accuracy", **gate), higher, highest) == (problem, fix)


@pytest.mark.parametrize(
    ("gate", "higher", "highest"),
    [
        ({"at_least": 0.9}, True, 1),
        ({"at_most": 0.1}, False, 1),
        ({"at_least": 1.0}, True, 1),
        ({"at_least": 90}, True, None),
        ({"at_least": 90}, True, 100),
        ({"at_most": 0.1}, None, None),
    ],
)
def test_a_gate_that_can_be_met_is_let_pass(gate, higher, highest):
    assert misdirected(Gate(measure="a.accuracy", **gate), higher, highest) is None


@pytest.mark.parametrize(
    ("gate", "bounds", "problem", "fix"),
    [
        ({"at_least": -0.1}, (0.0, 1.0), "never below 0, so that every value passes at least -0.1", "a number from 0 to 1"),
        ({"at_most": -3}, (0.0, math.inf), "never below 0, so that no value passes at most -3", "a number above 0"),
    ],
)
def test_a_gate_below_all_that_can_be_is_refused(gate, bounds, problem, fix):
    wrong = misdirected(Gate(measure="a.b", **gate), None, bounds[1], bounds[0])
    assert wrong == (f"a.b is {problem}", fix)
    assert misdirected(Gate(measure="a.b", at_least=0), None, bounds[1], bounds[0]) is None
    assert misdirected(Gate(measure="a.b", **gate), None, bounds[1], -math.inf) is None


def test_the_refusal_says_where_and_how_to_mend_it():
    with pytest.raises(ExperimentError) as refused:
        word({"at_most": 0.9}, accuracy(higher_is_better=True))
    assert (refused.value.got, refused.value.where, refused.value.fix) == ("at_most: 0.9", "gates", "at_least: 0.9")


def by_sex(value, low, high, group=None):
    return accuracy(value, low, high, by=("sex",), group=group)


def test_the_measure_over_all_rows_is_meant_unless_a_breakdown_is_named():
    whole, gap = accuracy(0.9, 0.85, 0.95), by_sex(0.2, 0.1, 0.3)
    woman = by_sex(0.5, 0.4, 0.6, {"sex": "woman"})
    (plain,) = judge([Gate(measure="a.accuracy", at_least=0.8)], [result(woman, gap, whole)]).gates
    assert (plain.verdict, plain.compared) == ("pass", (whole,))
    (broken,) = judge([Gate(measure="a.accuracy", by="sex", at_least=0.8)], [result(woman, gap, whole)]).gates
    assert (broken.verdict, broken.compared) == ("fail", (gap,))
    (groups,) = judge([Gate(measure="a.accuracy", by="sex", at_least=0.3)], [result(woman, whole)]).gates
    assert groups.compared == (woman,)
    (gaps,) = judge([Gate(measure="a.accuracy", at_most=0.4)], [result(woman, gap)]).gates
    assert gaps.compared == (gap,)
    (alone,) = judge([Gate(measure="a.accuracy", at_least=0.3)], [result(woman)]).gates
    assert alone.compared == (woman,)


def test_a_group_is_found_as_it_stands_or_as_it_reads_and_no_other():
    woman, man = by_sex(0.5, 0.4, 0.6, {"sex": "1"}), by_sex(0.9, 0.8, 0.95, {"sex": "2"})
    for named in ("1", "1.0", 1):
        (found,) = judge([Gate(measure="a.accuracy", group={"sex": named}, at_least=0.3)], [result(woman, man)]).gates
        assert found.compared == (woman,)
    exact = by_sex(0.7, 0.6, 0.8, {"sex": "1.0"})
    (found,) = judge([Gate(measure="a.accuracy", group={"sex": "1.0"}, at_least=0.3)], [result(woman, exact)]).gates
    assert found.compared == (exact,)
    (absent,) = judge([Gate(measure="a.accuracy", group={"sex": "3"}, at_least=0.3)], [result(woman, man)]).gates
    assert absent.reason == "no audit of this run measured a.accuracy for {'sex': '3'}"
    (other,) = judge([Gate(measure="a.accuracy", group={"age": "1"}, at_least=0.3)], [result(woman, man)]).gates
    both = accuracy(0.1, 0.05, 0.15, by=("sex", "age"), group={"sex": "1", "age": "old"})
    for named in ("1", "1.0"):
        (alone,) = judge([Gate(measure="a.accuracy", group={"sex": named}, at_least=0.3)], [result(both)]).gates
        assert (alone.verdict, alone.compared) == ("insufficient evidence", ())
        (crossed,) = judge([Gate(measure="a.accuracy", group={"age": "old ", "sex": named}, at_least=0.3)], [result(both)]).gates
        assert (crossed.verdict, crossed.compared) == ("fail", (both,))
        (wrong,) = judge([Gate(measure="a.accuracy", group={"age": "young", "sex": named}, at_least=0.3)], [result(both)]).gates
        assert wrong.compared == ()
    assert other.compared == ()


def test_the_decisive_measure_stands_first_and_the_rest_follow():
    groups = [by_sex(v, v - 0.05, v + 0.05, {"sex": str(v)}) for v in (0.9, 0.5, 0.6)]
    gate = Gate(measure="a.accuracy", by="sex", at_least=0.8)
    (found,) = judge([gate], [result(*groups)]).gates
    assert (found.gate, found.verdict) == (gate, "fail")
    assert found.reason == "the interval misses the threshold"
    assert [m.value for m in found.compared] == [0.5, 0.9, 0.6]
    (below,) = judge([Gate(measure="a.accuracy", by="sex", at_most=0.55)], [result(*groups)]).gates
    assert [m.value for m in below.compared] == [0.9, 0.5, 0.6]
    undefined = Measure(name="a.accuracy", value=None, undefined="no rows", by=("sex",), group={"sex": "x"})
    (unsure,) = judge([Gate(measure="a.accuracy", by="sex", at_least=0.1)], [result(*groups, undefined)]).gates
    assert (unsure.verdict, unsure.compared[0]) == ("insufficient evidence", undefined)


def test_of_groups_without_a_verdict_the_undefined_one_decides():
    undefined = Measure(name="a.accuracy", value=None, undefined="no rows", by=("sex",), group={"sex": "x"})
    for order in (1, -1):
        groups = [by_sex(0.6, 0.4, 0.7, {"sex": "f"}), undefined][::order]
        (found,) = judge([Gate(measure="a.accuracy", by="sex", at_least=0.5)], [result(*groups)]).gates
        assert found.reason == "undefined: no rows"


def test_more_rows_are_those_of_the_decisive_measure():
    (found,) = judge([Gate(measure="a.accuracy", at_least=0.65)], [result(accuracy())]).gates
    assert found.more_rows == judge_estimate(accuracy(), 0.65, "at_least").more_rows
    assert found.to_json()["more_rows"] == {"even": found.more_rows.even, "likely": found.more_rows.likely}
    content = judge([Gate(measure="a.accuracy", at_least=0.9)], [result(accuracy())]).gates[0].to_json()
    assert (content["measure"], content["at_least"], content["verdict"], content["more_rows"]) == (
        "a.accuracy",
        0.9,
        "fail",
        None,
    )
    assert content["reason"] == "the interval misses the threshold"
    assert content["compared"][0]["value"] == 0.73


def test_what_an_audit_does_not_judge_no_gate_does():
    unjudged = accuracy(not_judged="nobody says which outcome is good")
    gate = Gate(measure="a.accuracy", at_least=0.1)
    (found,) = judge([gate], [result(unjudged)]).gates
    assert (found.gate, found.verdict, found.compared) == (gate, "insufficient evidence", (unjudged,))
    assert found.reason == "no verdict is given: nobody says which outcome is good"
    undefined = Measure(name="a.accuracy", value=None, undefined="no rows", not_judged="nobody says")
    (missing,) = judge([gate], [result(undefined)]).gates
    assert missing.reason == "undefined: no rows"


@pytest.mark.parametrize(
    ("facts", "gate", "reason"),
    [
        ({"error": "boom"}, {}, "the audit 'a' failed: boom"),
        ({"not_applicable": "no model"}, {}, "the audit 'a' does not apply: no model"),
        ({}, {"by": ["sex", "age"]}, "no audit of this run measured a.accuracy.top by sex, age"),
        ({}, {}, "no audit of this run measured a.accuracy.top"),
    ],
)
def test_what_is_missing_says_why(facts, gate, reason):
    other = AuditResult(audit="b", method=Method(summary=""), error="other", not_applicable=None)
    asked = Gate(measure="a.accuracy.top", at_least=0.1, **gate)
    found = judge([asked], [other, result(**facts)], allow_failed=True).gates[0]
    assert (found.gate, found.verdict, found.reason) == (asked, "insufficient evidence", reason)
    declined = AuditResult(audit="b", method=Method(summary=""), not_applicable="no clusters")
    assert judge([asked], [declined, result(**facts)], allow_failed=True).gates[0].reason == reason


@pytest.mark.parametrize(("gate", "worst"), [({"at_most": 0.1}, 0.6), ({"at_least": 0.9}, 0.2)])
def test_of_several_groups_on_the_wrong_side_the_farthest_decides(gate, worst):
    groups = [
        accuracy(value, value - 0.05, value + 0.05, by=("job",), group={"job": str(value)}) for value in (0.3, 0.6, 0.2, 0.4)
    ]
    verdict = judge([Gate(measure="a.accuracy", by=("job",), **gate)], [result(*groups)])
    assert (verdict.verdict, verdict.gates[0].compared[0].value) == ("fail", worst)


@pytest.mark.parametrize(("threshold", "word"), [(0.6, "insufficient evidence"), (0.9, "fail")])
def test_a_failed_audit_withholds_a_pass_and_hides_no_fail(threshold, word):
    found = [result(accuracy()), AuditResult(audit="b", method=Method(summary=""), error="boom")]
    gate = Gate(measure="a.accuracy", at_least=threshold)
    assert judge([gate], found).verdict == word
    assert judge([gate], found, allow_failed=True).verdict == ("pass" if threshold < 0.7 else "fail")
