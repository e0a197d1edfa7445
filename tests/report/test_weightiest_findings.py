"""Which findings stand on the first screen, of audits whose findings are given."""

from pathlib import Path

import pytest

from glassbench.contracts.evidence import AuditResult, Finding, Method
from glassbench.report.headline import headline
from glassbench.report.record import Record


def audit(name, *graded, **more):
    findings = tuple(
        Finding(sentence=f"{name} {k}", grade=grade, weight=weight, **more) for k, (grade, weight) in enumerate(graded)
    )
    return AuditResult(audit=name, method=Method(summary="."), findings=findings)


def shown(*audits):
    record = Record(folder=Path("r"), resolved={"audits": {}}, audits=audits)
    return [one.sentence for one, _, _ in headline(record, {one.audit: one.audit for one in audits}).findings]


BAD, OPEN, GOOD = "concern", "unclear", "ok"


@pytest.mark.parametrize(
    ("audits", "expected"),
    [
        ([audit("a", (OPEN, 0.9), (BAD, 0.1), (GOOD, 1.0))], ["a 1", "a 0"]),
        ([audit("a", (BAD, 0.2), (BAD, 0.8)), audit("b", (BAD, 0.5))], ["a 1", "b 0", "a 0"]),
        ([audit("a", ("not applicable", 1.0), (GOOD, 0.1)), audit("b", (GOOD, 0.2))], ["b 0", "a 1"]),
        ([audit("a", *[(BAD, 0.9 - k / 10) for k in range(7)])], [f"a {k}" for k in range(5)]),
        (
            [audit("a", *[(BAD, 0.9 - k / 10) for k in range(7)]), audit("b", (OPEN, 0.5)), audit("c", (GOOD, 0.5))],
            ["a 0", "a 1", "a 2", "b 0", "c 0"],
        ),
        ([audit(name, (BAD, 0.5 + k / 100), (OPEN, 0.5)) for k, name in enumerate("abcdef")], [f"{name} 0" for name in "fedcb"]),
    ],
    ids=["worst grade", "weight", "good news once", "five", "two of each first", "five of six"],
)
def test_the_worst_and_weightiest_come_first_and_no_audit_silences_the_others(audits, expected):
    assert shown(*audits) == expected


def test_findings_that_show_the_same_picture_and_ask_for_the_same_share_a_card():
    alike = audit("a", (BAD, 0.9), (BAD, 0.8), (OPEN, 0.7), chart="c", next_step="look")
    assert shown(alike) == ["a 0", "a 2"]
    assert shown(audit("a", (BAD, 0.9), (BAD, 0.8), next_step="look")) == ["a 0", "a 1"]
    assert shown(alike, audit("b", (BAD, 0.85), chart="c", next_step="look")) == ["a 0", "b 0", "a 2"]
