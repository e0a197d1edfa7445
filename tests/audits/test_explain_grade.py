"""What is said with the grade of an explanation, and of where in pictures it looks."""

import pytest

from glassbench.contracts.evidence import Measure
from glassbench_audits.attribution.image_feature_groups import place_words
from glassbench_audits.explain.checks.reliability import Check, reliability
from glassbench_audits.explain.views.wording import reliability_finding


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ({"signal": "weak"}, "graded 'use with care' because the signal test could not be made; no test failed"),
        ({"noise": "weak", "order": "weak"}, "because the noise and order tests were passed only in part"),
        ({"order": "failed", "noise": "weak"}, "graded 'do not rely' because the order test failed (one failed test is enough)"),
    ],
)
def test_a_grade_says_which_test_decides(outcomes, said):
    checks = tuple(_check(name, outcomes.get(name, "passed")) for name in ("signal", "noise", "order", "sum"))
    finding = reliability_finding(reliability([check.outcome for check in checks]), checks)
    assert said in finding.sentence
    assert f"{4 - len(outcomes)} of 4 self-tests passed" in finding.sentence


def _check(name, outcome):
    bare = {"value": None, "undefined": "no truth is known"} if name == "signal" and outcome == "weak" else {"value": 0.5}
    return Check(name=name, outcome=outcome, result="0.5", meaning="m", measure=Measure(name=f"explain.{name}", **bare))


def test_patches_off_the_middle_are_said_by_their_side():
    assert [place_words((1, 16, 16), patches) for patches in ([7, 15], [24, 32], [56])] == [
        "the upper right",
        "the left part",
        "the lower left",
    ]
