import pytest

from glassbench.printable import plural
from glassbench.report.wording import gate_words, verdict_sentence


@pytest.mark.parametrize(
    ("unit", "many"), [("patient", "patients"), ("person", "people"), ("class", "classes"), ("story", "stories"), ("day", "days")]
)
def test_units_in_the_plural(unit, many):
    assert plural(unit) == many
    assert plural(unit, 1) == unit


@pytest.mark.parametrize(
    ("verdicts", "sentence"),
    [
        (["pass", "pass"], "All 2 gates pass on 9 rows."),
        (["fail"], "The only gate fails on 9 rows."),
        (["insufficient evidence"], "The only gate can't be told from 9 rows."),
        (["pass", "insufficient evidence"], "1 of 2 gates can't be told from 9 rows."),
        (["fail", "fail", "pass"], "2 of 3 gates fail."),
    ],
)
def test_the_verdict_in_a_sentence(verdicts, sentence):
    assert verdict_sentence(verdicts, "9 rows") == sentence


def test_a_gate_says_whom_it_speaks_of():
    gate = {"measure": "fairness.false_negative_rate", "by": ["sex"], "group": {"sex": "female"}, "at_most": 0.3}
    assert gate_words(gate) == "false negative rate by sex for sex female at most 0.3"


def test_the_verdict_names_the_gates_that_fail():
    assert verdict_sentence(["fail", "pass"], "9 rows", ["recall"]) == "1 of 2 gates fails (recall)."
    assert verdict_sentence(["fail"], "9 rows", ["recall"]) == "The only gate, recall, fails on 9 rows."
    assert verdict_sentence(["fail"] * 3, "9 rows", ["a", "b", "c"]) == "3 of 3 gates fail (a, b, ...)."
