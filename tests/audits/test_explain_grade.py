"""What is said with the grade of an explanation, and of where in pictures it looks."""

import pytest

from glassbench.contracts.evidence import Measure
from glassbench_audits.attribution.image_feature_groups import place_words
from glassbench_audits.explain.checks.reliability import Check, reliability
from glassbench_audits.explain.views.wording import reliability_finding, standing_words


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        (
            {"signal": "weak"},
            "64 patients is graded 'use with care' because the signal test could not be made; no test failed",
        ),
        ({"noise": "weak", "order": "weak"}, "because the noise and order tests were passed only in part"),
        ({"order": "failed", "noise": "weak"}, "graded 'do not rely' because the order test failed (one failed test is enough)"),
    ],
)
def test_a_grade_says_which_test_decides(outcomes, said):
    checks = tuple(_check(name, outcomes.get(name, "passed")) for name in ("signal", "noise", "order", "sum"))
    finding = reliability_finding(reliability([check.outcome for check in checks], 64), checks, 64, "patient")
    assert said in finding.sentence
    assert f"{4 - len(outcomes)} of 4 self-tests passed" in finding.sentence


@pytest.mark.parametrize(("rows", "word"), [(1, "use with care"), (8, "use with care"), (19, "use with care"), (20, "reliable")])
def test_too_few_rows_are_no_reliable_explanation_and_the_sentence_says_how_many(rows, word):
    checks = tuple(_check(name, "passed") for name in ("noise", "order", "sum"))
    finding = reliability_finding(reliability([check.outcome for check in checks], rows), checks, rows, "image")
    assert f"The explanation of {rows} image{'s' * (rows > 1)} is graded '{word}'" in finding.sentence
    assert ("because a reliable one stands on 20 or more" in finding.sentence) is (word != "reliable")
    assert (finding.grade, bool(finding.next_step)) == (("ok", False) if word == "reliable" else ("unclear", True))
    assert f"on {rows} image" in standing_words(checks, rows, "image")


def _check(name, outcome):
    bare = {"value": None, "undefined": "no truth is known"} if name == "signal" and outcome == "weak" else {"value": 0.5}
    return Check(name=name, outcome=outcome, result="0.5", meaning="m", measure=Measure(name=f"explain.{name}", **bare))


def test_patches_off_the_middle_are_said_by_their_side():
    assert [place_words((1, 16, 16), patches) for patches in ([7, 15], [24, 32], [56])] == [
        "the upper right",
        "the left part",
        "the lower left",
    ]
