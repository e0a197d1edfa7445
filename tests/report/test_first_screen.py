import json
import re
from dataclasses import asdict, replace

import pytest

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.exhibits import Chart, Table
from glassbench.report import render_report
from glassbench.report.glances import finding_glance, gate_glance
from glassbench.report.grid import chart_table, stands_in
from glassbench.report.headline import gate_line
from glassbench.report.strips import LENGTH

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
        ("c", "0.50 [0.25, 0.60], n\u00a05"),
    ]
    assert glance.strips[0].at < glance.mark[0] < glance.strips[1].at


def test_a_finding_is_drawn_with_the_rows_of_the_group_that_it_names():
    names = [f"cluster {c}, {age}" for age in ("40 to 54", "55 to 64", "65 and over", "under 40") for c in (0, 1)]
    chart = Chart(kind="intervals", title="Who", message="m", rows=tuple({"y": name, "x": 0.3} for name in names))
    found = Finding(
        sentence="By age, “under 40” is gathered in cluster 1: 44 % of it against 23 %.", grade="unclear", chart="Who"
    )
    glance = finding_glance(found, result(found, charts=(chart,)), "u", 0)
    assert {"cluster 0, under 40", "cluster 1, under 40"} <= {one.name for one in glance.strips}
    assert glance.notes == ("6 of 8 shown",)


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


def test_a_gate_draws_what_can_be_judged_and_says_of_the_rest_that_it_is_too_few():
    few = replace(measure(0.0, None, None), unsupported="sex “x”: 2 rows, at least 5 are needed")
    glance = gate_glance([few, measure(0.7, 0.65, 0.75)], 0.6, None)
    assert glance.strips[0].low is not None
    assert gate_glance([few], 0.6, None) is None
    gate = {"measure": "a.rate", "at_least": 0.6, "at_most": None, "verdict": "insufficient evidence"}
    line = gate_line({**gate, "compared": [asdict(few)]}, "row")
    assert line.values[0].endswith("(too few to judge)")
    assert "too few to judge" not in gate_line({**gate, "compared": [asdict(measure(0.7, 0.65, 0.75))]}, "row").values[0]


def test_the_first_screen_says_each_thing_once_and_what_to_do(write_run, tmp_path):
    found = Finding(
        sentence="Missed more often for “b”: 80 % against 20 %.", grade="concern", chart="Rates", next_step="Collect rows of b."
    )
    calm = result(Finding(sentence="All is well on every row: 0.9 [0.8, 1.0].", grade="ok"), name="calm")
    rest = [result(Finding(sentence=f"Odd {i}.", grade="concern"), name=f"odd{i}") for i in range(4)]
    page = render_report(write_run(tmp_path / "run", results=[result(found, charts=(RATES,)), *rest, calm]))
    first = page.partition("<nav")[0]
    assert "Collect rows of b." in first
    assert page.count(found.sentence.replace(" %", "\u00a0%")) == 1
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


def test_findings_of_one_picture_and_one_step_share_a_card(write_run, tmp_path):
    told = [
        Finding(sentence=f"Swapping {a} changes every decision: 1.", grade="concern", chart="Rates", next_step="Mask the terms.")
        for a in ("women", "men")
    ]
    other = Finding(sentence="Another thing is wrong as well: 2.", grade="concern", next_step="Mask the terms.")
    page = render_report(write_run(tmp_path / "run", results=[result(*told, other, charts=(RATES,))]))
    cards = page.partition("<nav")[0].split('<li><p class="kicker">')[1:]
    assert [("women" in card, "men " in card, card.count("Mask the terms.")) for card in cards[:1]] == [(True, True, 1)]
    assert "Another thing is wrong as well" in cards[1]
    assert sum(card.count("Mask the terms.") for card in cards) == 1


def test_the_first_screen_says_what_is_decided_how_rows_were_divided_and_that_nobody_is_named(write_run, tmp_path):
    folder = write_run(tmp_path / "run", results=[result(Finding(sentence="All is well.", grade="ok"), reliability="reliable")])
    known = {
        "provenance": {"decides": "decides speed of each patient: slow or fast", "audits_available": ["one"], "audits_unfit": 3},
        "data": {"split": "by time, the latest held out", "rows": {"train": 5, "test": 4}, "unit": "patient"},
        "schema": {"sensitive": ["hour"], "conditions": ["hour"]},
    }
    for name, more in known.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **more}), encoding="utf-8")
    first = render_report(folder).partition("<nav")[0]
    for said in (
        "Decides speed of each patient: slow or fast.",
        "4 held out; divided by time, the latest held out; seed",
        "no groups of people are named, so nothing is said of who is treated differently; compared by hour instead",
        "One; 3 more do not apply to this task",
        "Loud (reliable)",
    ):
        assert said in first


def rate(value, group=None, name="loud.rate[late]", by=("site",)):
    of = {} if group is None else {"by": by, "group": dict(zip(by, group, strict=True))}
    return Measure(name=name, value=value, low=value - 0.1, high=value + 0.1, n=40, **of)


def compared(*between, **more):
    names = ("loud.rate_difference[late]", "loud.rate[late]")
    return Finding(sentence="Late.", grade="concern", measures=names, by=("site",), between=between, **more)


SITES = [
    rate(v, (site,))
    for site, v in (("10", 0.2), ("11", 0.3), ("12", 0.4), ("13", 0.5), ("14", 0.6), ("15", 0.7), ("9", 0.8), ("1", 0.15))
]


def test_a_gap_is_drawn_with_the_groups_that_it_names_and_says_how_many_others_there_are():
    gap = Measure(name="loud.rate_difference[late]", value=0.65, low=0.5, high=0.7, by=("site",))
    heat = Chart(kind="heat", title="Rates", message="m", rows=({"x": "late", "y": "10", "color": 0.2, "size": "20 %"},))
    found = compared({"site": "9"}, {"site": "1"}, chart="Rates")
    glance = finding_glance(found, result(found, measures=(rate(0.35), *SITES, gap), charts=(heat,)), "u", 0)
    assert [one.name for one in glance.strips] == ["10", "11", "12", "13", "9", "1"]
    assert all(one.low is not None for one in glance.strips)
    assert glance.notes == ("Difference 0.65 [0.50, 0.70]", "6 of 8 groups shown")
    assert glance.mark[1] == "all rows 0.35"


def test_all_rows_are_not_marked_where_their_number_lies_beyond_every_group():
    found = compared({"site": "10"})
    glance = finding_glance(found, result(found, measures=(rate(0.9), *SITES[:2])), "u", 0)
    assert glance.mark is None
    assert glance.notes == ()


def test_names_in_quotes_are_not_mistaken_for_digits_within_other_names():
    rows = tuple({"x": k, "y": y, "color": i / 9, "size": k} for i, k in enumerate("0123") for y in ("low (under 1.07)", "high"))
    heat = Chart(kind="heat", title="Rates", message="m", rows=rows)
    found = Finding(sentence="Actual “3” is missed for size “low (under 1.07)”: 0 of 2.", grade="unclear", chart="Rates")
    assert [one.words for one in finding_glance(found, result(found, charts=(heat,)), "u", 0).strips] == ["3"]


def test_a_chart_of_which_rows_are_left_out_says_so():
    many = Chart(kind="intervals", title="Rates", message="m", rows=(*ROWS, *({**ROWS[0], "y": g} for g in "defgh")))
    found = Finding(sentence="Missed more often for “e”.", grade="concern", chart="Rates")
    glance = finding_glance(found, result(found, charts=(many,)), "u", 0)
    assert [one.name for one in glance.strips] == ["a", "b", "c", "d", "e", "f"]
    assert glance.notes == ("6 of 8 shown",)


def test_a_chart_is_shown_on_one_card_only(write_run, tmp_path):
    findings = [
        Finding(sentence="Shares differ most: 0.9.", grade="concern", measures=("loud.share",), chart="Rates", weight=0.9),
        Finding(sentence="Popularity rises: 0.4.", grade="unclear", measures=("loud.lift",), chart="Rates", weight=0.8),
    ]
    known = tuple(Measure(name=f"loud.{name}", value=0.4, low=0.3, high=0.5, n=40) for name in ("share", "lift"))
    folder = write_run(tmp_path / "run", results=[result(*findings, measures=known, charts=(RATES,))])
    first = render_report(folder).partition("<nav")[0]
    assert "Popularity rises" in first
    assert first.count(">Rates<") == 1
    assert "0.40 [0.30, 0.50]" in first


def test_good_news_takes_a_card_only_where_its_audit_has_none(write_run, tmp_path):
    said = [("Grave gap.", "concern"), ("Fine elsewhere.", "ok")]
    loud = result(*(Finding(sentence=words, grade=grade) for words, grade in said))
    calm = result(*(Finding(sentence=words, grade="ok") for words in ("Learnt well.", "Steps are even.")), name="calm")
    first = render_report(write_run(tmp_path / "run", results=[loud, calm])).partition("<nav")[0]
    assert [words in first for words in ("Grave gap", "Fine elsewhere", "Learnt well", "Steps are even")] == [
        True,
        False,
        True,
        False,
    ]


def test_a_card_of_several_findings_draws_the_rows_of_all(write_run, tmp_path):
    many = Chart(kind="intervals", title="Rates", message="m", rows=tuple({**ROWS[0], "y": g} for g in "abcdefgh"))
    findings = [Finding(sentence=f"Class “{name}” lacks variety: 0.7.", grade="concern", chart="Rates") for name in "feg"]
    page = render_report(write_run(tmp_path / "run", results=[result(*findings, charts=(many,))]))
    glance = re.search(r'<figure class="glance">.*?</figure>', page, re.S)[0]
    assert [name for name in "abcdefgh" if re.search(rf">{name}<", glance)] == ["a", "b", "c", "e", "f", "g"]


def asked(write_run, tmp_path, results, schema=None, **provenance):
    folder = write_run(tmp_path / "run", results=results)
    known = {"provenance": {"audits_available": [r.audit for r in results], **provenance}, "schema": schema or {}}
    for name, more in known.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **more}), encoding="utf-8")
    return render_report(folder).partition("<nav")[0]


def test_each_question_of_a_committee_is_answered_or_said_to_be_open(write_run, tmp_path):
    concern = Finding(sentence="Women are missed more often: 41 % against 19 %.", grade="concern")
    why = result(
        Finding(sentence="Age drives the decisions most: by a half.", grade="ok"),
        name="why",
        reliability="reliable",
        reliability_note="weakest test: deletion passed, area 0.4",
    )
    questions = {"gaps": "differences", "why": "reasons", "rows": "data", "metrics": "quality"}
    results = [result(*[replace(concern, weight=w / 9) for w in range(6)], name="gaps"), why]
    first = asked(write_run, tmp_path, results, questions=questions, audits_available=["gaps", "why", "rows"])
    assert '<span class="question">Who is treated differently?</span>' in first
    assert "Why does it decide so?" in first
    assert "Can that be trusted? reliable; weakest test: deletion passed" in first
    assert "<strong>Which problems do the data have?</strong> not looked at; “Rows” was not asked for" in first
    assert "<strong>Is it good enough?</strong> not looked at; no audit that answers it can examine" in first


def test_conditions_are_not_said_to_be_people(write_run, tmp_path):
    worse = [result(Finding(sentence="Errors are larger at night: 3 against 2.", grade="concern"), name="gaps")]
    schema = {"sensitive": ["hour"], "conditions": ["hour"]}
    first = asked(write_run, tmp_path, worse, schema, questions={"gaps": "differences"})
    assert "Under which conditions is it worse?" in first
    assert "Who is treated differently?" not in first


def test_numbers_without_a_finding_answer_a_question_with_what_they_lack(write_run, tmp_path):
    one = result(name="metrics", measures=(Measure(name="metrics.silhouette", value=0.25, low=0.2, high=0.3, n=40),))
    first = asked(write_run, tmp_path, [one], questions={"metrics": "quality"})
    assert "Is it good enough?" in first
    assert "silhouette 0.25 [0.20, 0.30]; described only, with nothing to hold these numbers against" in first


def test_a_run_that_does_not_record_who_answers_what_claims_nothing_is_open(write_run, tmp_path):
    first = asked(write_run, tmp_path, [result(Finding(sentence="All is well.", grade="ok"))])
    assert "not looked at" not in first
