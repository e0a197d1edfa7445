"""What a gate may ask for: one threshold, or a margin beside another run; and who judges which."""

import pytest
from pydantic import ValidationError

from glassbench.contracts.evidence import AuditResult, Measure, Method
from glassbench.experiments.gates import Gate, GateVerdict, judge, matches


@pytest.mark.parametrize("margin", [0, 0.02, 1e9])
def test_a_margin_of_zero_or_above_stands_beside_another_run(margin):
    gate = Gate(measure="a.accuracy", no_worse_than="runs/x", margin=margin)
    assert (gate.margin, gate.no_worse_than, gate.at_least, gate.at_most) == (margin, "runs/x", None, None)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "exactly one of at_least, at_most and no_worse_than"),
        ({"at_least": 0.1, "at_most": 0.2}, "exactly one of at_least, at_most and no_worse_than"),
        ({"at_least": 0.1, "no_worse_than": "x", "margin": 0.1}, "exactly one of at_least, at_most and no_worse_than"),
        ({"at_most": 0.0, "no_worse_than": "x", "margin": 0.1}, "exactly one of at_least, at_most and no_worse_than"),
        ({"no_worse_than": "x"}, "a margin beside no_worse_than, 0 or above"),
        ({"no_worse_than": "x", "margin": -0.01}, "a margin beside no_worse_than, 0 or above"),
        ({"no_worse_than": "x", "margin": float("inf")}, "a margin beside no_worse_than, 0 or above"),
        ({"no_worse_than": "x", "margin": float("nan")}, "a margin beside no_worse_than, 0 or above"),
        ({"no_worse_than": "x", "margin": 0.1, "on": "value"}, "no `on: value` beside no_worse_than"),
        ({"no_worse_than": "", "margin": 0.1}, "at least 1 character"),
        ({"at_least": 0.1, "margin": 0.1}, "a margin only beside `no_worse_than`"),
        ({"at_least": float("inf")}, "a finite threshold"),
        ({"at_least": float("nan")}, "a finite threshold"),
        ({"at_least": True}, "a number, and true is none"),
        ({"no_worse_than": "x", "margin": False}, "a number, and false is none"),
        ({"no_worse_than": "x", "margin": " 2 % "}, "a number in the measure's own unit: 0.02 for 2 % of a share"),
        ({"measure": "a.*", "at_least": 0.1}, "one measure; `*` stands for several only beside `no_worse_than`"),
    ],
)
def test_what_a_gate_may_not_ask_for(given, words):
    with pytest.raises(ValidationError) as error:
        Gate(**{"measure": "a.accuracy", **given})
    assert [
        one["msg"].removeprefix("Value error, ").removeprefix("String should have ")[: len(words)] for one in error.value.errors()
    ] == [words]


def test_gates_on_another_run_are_judged_by_it_and_others_here():
    asked: list[Gate] = []

    def against(gate: Gate) -> GateVerdict:
        asked.append(gate)
        return GateVerdict(gate=gate, verdict="fail", reason="worse")

    measure = Measure(name="a.accuracy", value=0.7, low=0.6, high=0.8, n=89)
    result = AuditResult(audit="a", method=Method(summary=""), measures=(measure,))
    here, there = Gate(measure="a.accuracy", at_least=0.5), Gate(measure="a.accuracy", no_worse_than="x", margin=0.1)
    found = judge([here, there], [result], against=against)
    assert asked == [there]
    assert ([one.verdict for one in found.gates], found.verdict) == (["pass", "fail"], "fail")
    assert judge([here], [result], against=against).verdict == "pass"
    assert asked == [there]


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("fairness.*_difference", "fairness.accuracy_difference", True),
        ("fairness.*_difference", "fairness._difference", True),
        ("*", "a.b c", True),
        ("a.*.c*", "a.b.cd", True),
        ("a.*", "xa.b", False),
        ("a.*b", "a.bc", False),
        ("a.recall[x]", "a.recallx", False),
        ("a.recall[x]", "a.recall[x]", True),
        ("a.b", "a-b", False),
    ],
)
def test_a_star_stands_for_any_text_and_all_else_for_itself(pattern, name, fits):
    assert matches(pattern, name) is fits
