import re

import pytest

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.exhibits import Chart, Table
from glassbench.report import render_report
from glassbench.report.glances import LENGTH, finding_glance, gate_glance
from glassbench.report.grid import chart_table, stands_in

ROWS = tuple(
    {"y": g, "x": v, "low": v / 2, "high": v + 0.1, "size": n} for g, v, n in (("a", 0.2, 9), ("b", 0.8, 7), ("c", 0.5, 5))
)
RATES = Chart(kind="intervals", title="Rates", message="m", rows=ROWS, reference=(0.5, "all rows"))


def result(*findings, name="loud", **parts):
    return AuditResult(audit=name, findings=findings, method=Method(summary="m"), **parts)


def measure(value, low, high, **more):
    return Measure(name="loud.rate", value=value, low=low, high=high, n=40, **more)


def test_a_finding_is_drawn_with_the_rows_that_it_names():
    found = Finding(sentence="Missed more often for “b” than for “a”: 80 % against 20 %.", grade="concern", chart="Rates")
    glance = finding_glance(found, result(found, charts=(RATES,)), "u", 0)
    assert [(one.name, one.words) for one in glance.strips] == [
        ("a", "0.20 [0.10, 0.30], n\u00a09"),
        ("b", "0.80 [0.40, 0.90], n\u00a07"),
    ]
    assert glance.strips[0].at < glance.mark[0] < glance.strips[1].at


def test_a_finding_without_a_chart_is_drawn_with_its_measure_of_its_own_group():
    of = measure(0.3, 0.2, 0.4, group={"sex": "f"}, by=("sex",))
    found = Finding(sentence="Bad.", grade="concern", measures=("loud.rate",), group={"sex": "f"})
    glance = finding_glance(found, result(found, measures=(measure(0.9, 0.8, 1.0), of)), "u", 0)
    assert [one.words for one in glance.strips] == ["0.30 [0.20, 0.40], n\u00a040"]
    assert finding_glance(Finding(sentence="Bad.", grade="concern"), result(), "u", 0) is None


def test_a_finding_is_drawn_with_the_gap_of_its_own_feature_or_not_at_all():
    gaps = (measure(0.4, 0.3, 0.5, by=("sex",)), measure(0.2, 0.1, 0.3, by=("age",)))
    told = [Finding(sentence="Bad.", grade="concern", measures=("loud.rate",), by=by) for by in (("age",), ("sex",), None)]
    glances = [finding_glance(found, result(found, measures=gaps), "u", 0) for found in told]
    assert [glance and glance.strips[0].words for glance in glances] == [
        "0.20 [0.10, 0.30], n\u00a040",
        "0.40 [0.30, 0.50], n\u00a040",
        None,
    ]


@pytest.mark.parametrize(("bounds", "inside"), [((0.6, None), True), ((None, 0.6), False), ((0.6, 0.9), True)])
def test_a_gate_shows_on_which_side_it_is_met(bounds, inside):
    glance = gate_glance([measure(0.7, 0.65, 0.75)], *bounds)
    low, high = glance.side
    assert (low <= glance.strips[0].low and glance.strips[0].high <= high) is inside
    assert 0 <= low < high <= LENGTH


def test_a_scale_reaches_beyond_shares_and_below_zero():
    glance = gate_glance([measure(-3.0, -5.0, -1.0)], -4.0, None)
    one = glance.strips[0]
    assert 0 <= one.low < glance.mark[0] < one.at < one.high <= LENGTH


def test_the_first_screen_says_each_thing_once_and_what_to_do(write_run, tmp_path):
    found = Finding(
        sentence="Missed more often for “b”: 80 % against 20 %.", grade="concern", chart="Rates", next_step="Collect rows of b."
    )
    calm = result(Finding(sentence="All is well on every row: 0.9 [0.8, 1.0].", grade="ok"), name="calm")
    rest = [result(Finding(sentence=f"Odd {i}.", grade="concern"), name=f"odd{i}") for i in range(4)]
    page = render_report(write_run(tmp_path / "run", results=[result(found, charts=(RATES,)), *rest, calm]))
    first = page.partition("<nav")[0]
    assert "Collect rows of b." in first
    assert page.count(found.sentence) == 1
    assert re.search(r'<div class="others".*All is well on every row</span>', first, re.S)
    assert sum(f"Odd {i}" in first for i in range(4)) == 4


def test_what_was_not_asked_for_is_said(write_run, tmp_path):
    folder = write_run(tmp_path / "run", results=[], audits={"vendor/calm": {}})
    provenance = (folder / "provenance.json").read_text(encoding="utf-8")
    (folder / "provenance.json").write_text(provenance[:-1] + ', "audits_available": ["calm", "model-card"]}', encoding="utf-8")
    assert "<strong>Not asked for</strong> Model card</li>" in render_report(folder)


def test_a_long_table_and_many_charts_are_left_to_the_run_folder_with_its_path(write_run, tmp_path):
    long = Table(title="Long", columns=("row", "value"), rows=tuple((f"row {i}", i / 7) for i in range(40)))
    many = [Chart(kind="bars", title=f"Chart {i}", message="m", rows=({"y": "a", "x": 1.5 + i},)) for i in range(15)]
    found = Finding(sentence="Bad.", grade="concern", chart="Chart 14")
    page = render_report(write_run(tmp_path / "run", results=[result(found, tables=(long,), charts=tuple(many))]))
    assert "The first 10 of 40 rows; all: audits/loud/result.json" in page
    assert "row 9<" in page
    assert "row 10<" not in page
    section = page.partition('<section id="audit-loud"')[2].partition('<section id="data"')[0]
    assert section.count('<figure class="chart"') == 7
    assert "8 more charts" in page


def test_numbers_of_a_chart_that_stand_in_a_table_are_not_repeated(write_run, tmp_path):
    table = Table(
        title="Of each", columns=("group", "rate", "low", "high"), rows=tuple((r["y"], r["x"], r["low"], r["high"]) for r in ROWS)
    )
    assert stands_in(RATES, [table]) is table
    assert stands_in(RATES, [Table(title="T", columns=("x",), rows=((0.2,),))]) is None
    found = Finding(sentence="Bad.", grade="ok")
    page = render_report(write_run(tmp_path / "run", results=[result(found, tables=(table,), charts=(RATES,))]))
    assert "Numbers: table “Of each”" in page


def test_a_long_chart_keeps_the_ends_of_each_series_in_its_table():
    rows = tuple({"x": i, "y": i * k, "color": f"s{k}"} for k in (1, 2) for i in range(50))
    shown = chart_table(Chart(kind="lines", title="T", message="m", rows=rows), 12)
    assert len(shown.rows) == 12
    assert [row[1] for row in shown.rows if row[0] == "s2"][:1] == [0]
    assert shown.rows[-1] == ("s2", 49, 98)
    assert shown.note == "12 of 100 values."
