import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassbench.contracts.evidence import AuditResult, Measure, Method
from glassbench.errors import ExperimentError
from glassbench.experiments.gates import EXIT_CODES, Gate, judge


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


@pytest.mark.parametrize("bad", [{}, {"at_least": 1, "at_most": 2}, {"at_least": float("nan")}, {"at_least": 1, "on": "x"}])
def test_a_gate_without_one_finite_threshold_is_refused(bad):
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's own
        Gate(measure="a.b", **bad)


def test_a_failed_audit_leaves_no_verdict_that_passes_unless_it_may_fail():
    found = [result(error="boom"), result()]
    assert (judge([], found).verdict, judge([], found).exit_code) == ("insufficient evidence", 3)
    assert judge([], found).to_json()["failed_audits"] == ["a"]
    assert judge([], found, allow_failed=True).exit_code == 0
