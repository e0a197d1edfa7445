"""Each question of a committee is answered by a finding that answers it, whichever audit has it and whatever is graver."""

import json
import re

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.exhibits import Chart
from glassbench.report import render_report
from glassbench.report.glances import finding_glance

BARS = Chart(
    kind="bars", title="Drivers", message="m", rows=tuple({"y": name, "x": x} for name, x in (("income", 0.9), ("age", 0.2)))
)
DRIVEN = Finding(sentence="Income drives the decisions most: by a half.", grade="ok", chart="Drivers", answers="reasons")
DOUBT = Finding(sentence="The explanation is in doubt because one test failed: 3 of 4 passed.", grade="concern", weight=0.9)


def result(name, *findings, **parts):
    return AuditResult(audit=name, findings=findings, method=Method(summary="m"), **parts)


def first_screen(write_run, tmp_path, results, **provenance):
    folder = write_run(tmp_path / "run", results=results)
    path = folder / "provenance.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **provenance}), encoding="utf-8")
    return render_report(folder).partition("<nav")[0]


def test_a_graver_finding_of_its_audit_does_not_hide_an_answer(write_run, tmp_path):
    told = [result("why", DOUBT, DRIVEN, charts=(BARS,), reliability="use with care")]
    first = first_screen(write_run, tmp_path, told, questions={"why": "reasons"})
    card = first.split('<li><p class="kicker">')[1]
    assert "Why does it decide so?" in card
    said = re.findall(r'<p class="said">(.*?)</p>', card)
    assert said == ["Income drives the decisions most", "The explanation is in doubt because one test failed"]
    assert "concern" in card
    assert "<figcaption>Drivers</figcaption>" in card


def test_an_answer_that_has_a_card_is_not_said_again(write_run, tmp_path):
    first = first_screen(write_run, tmp_path, [result("why", DRIVEN, charts=(BARS,))], questions={"why": "reasons"})
    assert first.count("Income drives the decisions most") == 1


def test_another_audit_may_answer_where_the_one_that_should_only_describes(write_run, tmp_path):
    tight = Finding(sentence="The clusters are tighter than those of shuffled rows: p .01.", grade="ok", answers="quality")
    who = Finding(sentence="Women are rare in cluster 0: 22 % against 65 %.", grade="concern", answers="differences")
    small = Finding(sentence="Too small to tell by sex and age, for some rates: 9 rows.", grade="unclear", weight=0.1)
    numbers = (Measure(name="metrics.silhouette", value=0.25, low=0.2, high=0.3, n=40),)
    told = [result("parts", who, tight), result("gaps", small), result("metrics", measures=numbers)]
    questions = {"gaps": "differences", "metrics": "quality"}
    first = first_screen(write_run, tmp_path, told, questions=questions)
    cards = first.split('<li><p class="kicker">')[1:]
    assert "Who is treated differently?" in cards[0]
    assert "Who is treated differently?" not in cards[1]
    lines = re.findall(r"<li><span class=\"verdict.*?</li>", first.partition('id="others"')[2], re.S)
    assert ["Is it good enough?" in line for line in lines] == [True, False]
    assert "tighter than those of shuffled rows" in lines[0]
    assert "described only" in lines[1]
    assert "<span>described</span>" in lines[1]
    assert "not applicable" not in lines[1].replace("v-not-applicable", "")


def test_each_part_of_a_next_step_is_said_once(write_run, tmp_path):
    told = [
        Finding(sentence=f"Bad in way {i} for all: 1.", grade="concern", weight=1 - i / 9, next_step=f"Look at {i}; then try it.")
        for i in range(2)
    ]
    first = first_screen(write_run, tmp_path, [result("gaps", *told)])
    assert re.findall(r'<p class="next"><span>Next</span> (.*?)</p>', first) == ["Look at 0; then try it.", "Look at 1."]


def test_a_number_is_drawn_beside_its_baseline():
    names = ("metrics.gain", "metrics.gain_baseline")
    measures = (Measure(name=names[0], value=60.0, low=57.0, high=63.0, n=9), Measure(name=names[1], value=-20.0, n=9))
    found = Finding(sentence="Better than chance.", grade="ok", measures=names, chart="Drivers")
    glance = finding_glance(found, result("metrics", found, measures=measures, charts=(BARS,)), "u", 0)
    assert [one.name for one in glance.strips] == ["all rows"]
    assert glance.mark[1] == "baseline \u221220"
    assert glance.mark[0] < glance.strips[0].low
