"""Names from data are shown everywhere and obeyed nowhere."""

import xml.etree.ElementTree as ET
from xml.sax.saxutils import quoteattr

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

import glassbench
from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.exhibits import Chart, Table
from glassbench.errors import DataError
from glassbench.printable import printable, printable_parts
from glassbench.report.charts import draw

HOSTILE = [
    *("\0", "\x01", "\x07", "\x1b[31mred", "\x7f", "\x9b2J", "\r", "\x0b"),
    *("\u202egnp", "\u2028", "\ufffe", "\uffff", "\U0001fffe", "\ud800"),
]


@given(st.text(st.characters()))
def test_printable_text_is_xml_and_never_merges_names(text):
    ET.fromstring(f"<a b={quoteattr(printable(text))}/>".encode())
    assert printable(printable(text)) == printable(text)


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_charts_draw_any_name(name):
    rows = ({"y": f"a{name}", "x": 0.5, "low": 0.4, "high": 0.6, "color": name, "size": name}, {"y": "b", "x": 0.2})
    for kind in ("intervals", "bars", "points", "lines", "heat"):
        chart = Chart(kind=kind, title=name, message=name, rows=rows, x_title=name, y_title=name, reference=(0.5, name))
        assert draw(chart, "u") is not None


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_evidence_holds_printable_text_only(name):
    result = AuditResult(
        method=Method(summary=name, parameters={name: [name]}),
        findings=(Finding(sentence=name, grade="ok", group={"sex": name}),),
        measures=(Measure(name="a.b", value=1.0, by=(name,), group={name: name}),),
        tables=(Table(title=name, columns=(name,), rows=((name,), (1,))),),
        error=name,
    )
    assert name not in str(result.to_json()) or name.isprintable()
    assert printable_parts(result) is result


def test_distinct_names_stay_distinct():
    assert len({printable(name) for name in HOSTILE}) == len(HOSTILE)


def test_errors_carry_no_escape_and_end():
    error = DataError("bad \x1b[2J", got="x" * 100_000, available=["\x1b]0;title\x07"], where="\x00", fix="\x9b")
    assert "\x1b" not in str(error)
    assert len(str(error)) < 3_000


def test_hostile_groups_columns_and_classes_reach_the_report(tmp_path):
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({f"in\x1b[31m{i}\0": generator.normal(size=200) for i in range(3)})
    truth = np.where(frame.iloc[:, 0] > 0, "yes\x01", "no\ufffe")
    model = LogisticRegression().fit(frame.to_numpy(), truth)
    groups = pd.DataFrame({"sex\x07": np.where(generator.random(200) < 0.5, "m\0", "w\x1b")})
    gate = {"measure": "fairness.equalized_odds_difference", "by": "sex\x07", "at_most": 1.0}
    run = glassbench.audit(
        model, frame, truth, sensitive=groups, positive="yes\x01", audits=["performance", "fairness"], gates=[gate], runs=tmp_path
    )
    page = run.report.read_text(encoding="utf-8")
    assert not any(ord(c) < 32 and c not in "\n\t" for c in page)
    assert "w\\x1b" in page
