import base64
import json

import pytest

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.exhibits import Case, Chart, Part, Picture, Table, Token

PICTURE = Picture(title="P", message="M", png=base64.b64encode(b"\x89PNG\r\n\x1a\n...").decode())


def full():
    return AuditResult(
        audit="a",
        method=Method(summary="How.", parameters={"seed": 1}, references=("R",), cautions=("C",)),
        findings=(Finding(sentence="S.", grade="concern", measures=("a.x",)),),
        measures=(
            Measure(name="a.x", value=1.0, by=("s",), group={"s": "f"}),
            Measure(name="a.y", value=None, undefined="no rows"),
        ),
        tables=(Table(title="T", columns=("c",), rows=((1,), (None,), ("<b>",))),),
        charts=(Chart(kind="bars", title="B", message="M", rows=({"x": 1.0, "y": "a"},), reference=(0.0, "zero")),),
        pictures=(PICTURE,),
        cases=(
            Case(title="t", row="1", decision="yes", truth=None, parts=(Part(name="f", value="3 kg", contribution=-0.1),)),
            Case(
                title="t", row="2", decision="no", truth="no", tokens=(Token(text=" a", contribution=None),), pictures=(PICTURE,)
            ),
        ),
        reliability="reliable",
    )


def test_a_result_survives_the_disk():
    assert AuditResult.from_json(json.loads(json.dumps(full().to_json()))) == full()


def test_result_json_has_the_promised_keys():
    promised = {
        "schema_version",
        "audit",
        "grade",
        "not_applicable",
        "findings",
        "measures",
        "tables",
        "charts",
        "method",
        "seconds",
    }
    assert promised <= set(full().to_json())
    keys = {"name", "value", "low", "high", "level", "n", "by", "group", "unit", "higher_is_better", "undefined"}
    keys |= {"unsupported", "not_judged"}
    assert set(full().to_json()["measures"][0]) == keys


@pytest.mark.parametrize("facts", [{"value": None}, {"value": 1.0, "undefined": "why"}])
def test_a_measure_has_a_value_or_says_why_not(facts):
    with pytest.raises(ValueError, match="not both"):
        Measure(name="a.x", **facts)


@pytest.mark.parametrize("content", [b"<svg onload=alert(1)>", b""])
def test_a_picture_is_a_png_and_nothing_else(content):
    with pytest.raises(ValueError, match="no PNG"):
        Picture(title="P", message="M", png=base64.b64encode(content).decode())


def test_the_worst_grade_is_heard_first():
    def graded(*grades, error=None):
        findings = tuple(Finding(sentence="S.", grade=grade) for grade in grades)
        return AuditResult(method=Method(summary=""), findings=findings, error=error).grade

    assert graded("ok", "concern", "unclear") == "concern"
    assert graded("ok", "unclear", "not applicable") == "unclear"
    assert graded("not applicable", "ok") == "ok"
    assert graded() == "not applicable"
    assert graded("ok", error="x") == "unclear"
