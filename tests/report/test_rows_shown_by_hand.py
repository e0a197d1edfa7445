"""Tables, sentences and charts of a report worked out by hand: which rows, which order, which number."""

from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.exhibits import SHARE_OF_INFLUENCE, Chart, Table
from glassbench.report.audit_section import _chosen, _elsewhere, _figures, _findings, _leading, reading_order
from glassbench.report.cleaning_section import _unequal
from glassbench.report.compare import _gates, changed_settings, shared_measures
from glassbench.report.data_section import _shares
from glassbench.report.figures import drawn_charts
from glassbench.report.grid import _places, chart_table, grid, stands_in, without_empty
from glassbench.report.headline import _failed_gates, _level, accepted_words, alike, subject_words
from glassbench.report.index import main_measures
from glassbench.report.questions import answer, graded, unanswered
from glassbench.report.record import Record
from glassbench.report.summary.content import _GATES, _data, _steps, _unknown, summary
from glassbench.report.summary.figures import _comparison, _difference, differences, drivers
from glassbench.report.summary.plain_words import Outcome as Words
from glassbench.report.training_section import _curve
from glassbench.report.treatments import treatment_lines
from glassbench.report.wording import verdict_sentence


def finding(sentence: str = "s", grade: str = "concern", **more: object) -> Finding:
    return Finding(sentence=sentence, grade=grade, **more)


def audit(name: str, *findings: Finding, **more: object) -> AuditResult:
    return AuditResult(audit=name, findings=findings, method=Method(summary="m"), **more)


def measure(name: str, value: float | None, low: float | None = None, high: float | None = None, **more: object) -> Measure:
    return Measure(name=name, value=value, low=low, high=high, undefined=None if value is not None else "why", **more)


def record(**more: object) -> Record:
    return Record(folder=Path("r"), **{"resolved": {}, **more})


def test_levels_rows_changes_and_failing_gates_are_told_as_they_are() -> None:
    gates = [{"compared": [{"level": 0.95}]}, {"compared": [{"level": 0.9}]}]
    assert [_level(gates[:1]), _level(gates), _level([])] == ["95 % interval", "interval", "interval"]
    rows = record(resolved={"model": {"use": "g/mlp"}}, data={"rows": {"train": 200, "validation": 0, "test": 50}})
    assert subject_words(rows).startswith("mlp, 250 ")
    changed = record(provenance={"accepted_changes": [{"changes": ["a", "b"]}, {"changes": ["c"]}]})
    assert "(3 changes" in accepted_words(changed)
    verdicts = [{"measure": f"p.{v.split()[0]}", "by": None, "verdict": v} for v in ("fail", "pass", "insufficient evidence")]
    assert _failed_gates(verdicts) == ["fail"]
    assert (
        verdict_sentence(["insufficient evidence", "not applicable", "pass"], "9 rows")
        == "2 of 3 gates can't be told from 9 rows."
    )


def test_findings_share_a_card_by_picture_step_and_grade() -> None:
    one = finding(chart="c", next_step="n")
    assert alike(one, finding("other", chart="c", next_step="n"))
    assert not alike(one, finding(chart="c", next_step="n", grade="ok"))
    assert not alike(one, finding(chart="d", next_step="n"))
    assert not alike(finding(next_step="n"), finding(next_step="n"))


def test_runs_beside_each_other_show_what_one_of_them_lacks() -> None:
    group = {"by": ("sex",), "group": {"sex": "f"}}
    one = record(
        resolved={"a": 1, "b": 2}, verdict={"gates": [{"measure": "p.x", "by": None, "at_least": 0.5, "verdict": "pass"}]},
        audits=(audit("p", measures=(measure("p.x", 0.5), measure("p.x", 0.9, **group))),),
    )  # fmt: skip
    other = record(
        resolved={"a": 1}, verdict={"gates": [{"measure": "p.x", "by": None, "at_least": 0.5, "verdict": "pass"}]},
        audits=(audit("p", measures=(measure("p.x", 0.6), measure("p.y", 1.0, unit="s"))),),
    )  # fmt: skip
    third = record(verdict={"gates": [{"measure": "p.x", "by": None, "at_least": 0.5, "verdict": "fail"}]})
    assert [(row["key"], row["values"][1]) for row in changed_settings([one, other]) if row["key"] != "gates"] == [("b", None)]
    shown = shared_measures([one, other])
    assert [(row["name"], row["unit"], [v and v["value"] for v in row["values"]]) for row in shown] == [
        ("p.x", None, [0.5, 0.6]), ("p.y", "s", [None, 1.0]),
    ]  # fmt: skip
    assert [[row["changed"] for row in _gates(list(runs))] for runs in ((one, other), (one, other, third))] == [[False], [True]]


def test_numbers_of_a_chart_are_evenly_spaced_with_its_ends_and_stand_in_one_table_alone() -> None:
    assert list(_places(11, 5)) == [0, 2, 5, 8, 10]
    rows = tuple({"x": float(k), "y": float(k), "color": c} for c in "ab" for k in range(9))
    shown = chart_table(Chart(kind="lines", title="t", message="m", rows=rows), 6)
    assert [(row[0], row[1]) for row in shown.rows] == [(c, k) for c in "ab" for k in (0.0, 4.0, 8.0)]
    chart = Chart(kind="bars", title="t", message="m", rows=({"y": "a", "x": 0.5}, {"y": "b", "x": 0.25}))
    part, whole = (
        Table(title=t, columns=("v",), rows=tuple((v,) for v in values)) for t, values in (("p", (0.5, 0.1)), ("w", (0.25, 0.5)))
    )
    assert stands_in(chart, [part, whole]) is whole
    assert stands_in(chart, [part]) is None
    table = Table(title="t", columns=("a", "b", "c"), rows=((0, None, False), (0, "", False)))
    assert without_empty(table).columns == ("a", "c")
    long = Table(title="t", columns=("a",), rows=tuple((k,) for k in range(20)))
    assert (grid(long).folded, grid(long, most=5).folded) == (True, False)


def test_shares_of_labels_are_of_rows_and_classes_of_any_split_are_shown() -> None:
    splits = {"train": {"a": 30, "b": 30}, "test": {"b": 5, "c": 5}}
    assert _shares("t", "label", splits, {"train": 40, "test": 10}).rows == (
        ("a", "30 (75\u00a0%)", "0 (0\u00a0%)"), ("b", "30 (75\u00a0%)", "5 (50\u00a0%)"), ("c", "0 (0\u00a0%)", "5 (50\u00a0%)"),
    )  # fmt: skip
    assert _shares("t", "class", splits).rows[0] == ("a", "30 (50\u00a0%)", "0 (0\u00a0%)")


def test_a_curve_of_many_epochs_ends_with_the_last() -> None:
    history = [{"epoch": k, "train_loss": float(k)} for k in range(1000)]
    rows = _curve("loss", ["train_loss"], history).rows
    assert (rows[0]["x"], rows[-1]["x"]) == (0, 999)
    assert len(rows) < 400


def test_groups_are_cleaned_unequally_where_their_intervals_are_apart_and_the_shares_farthest_apart_are_named() -> None:
    def group(rows: int, dropped: int, relabelled: int = 0) -> dict[str, object]:
        return {"training": {"rows": rows, "dropped": dropped, "relabelled": relabelled}}

    (said,) = _unequal({"sex": {"f": group(1000, 10, 90), "m": group(1000, 5, 5), "x": group(100, 40)}})
    assert said.startswith("More training rows of sex x were changed (40\u00a0%) than of m (1\u00a0%)")
    assert _unequal({"sex": {"f": group(50, 5), "m": group(50, 9)}}) == []


def test_a_model_is_better_than_a_rule_by_the_interval_of_its_gain() -> None:
    model, rule = measure("p.accuracy", 0.8), measure("p.accuracy_baseline", 0.6)
    gains = [measure("p.accuracy_gain", 0.2, low, 0.4) for low in (0.1, -0.1)] + [measure("p.accuracy_gain", -0.2, -0.4, -0.1)]
    assert [_comparison(model, rule, gain, Words("bad", "good")).judged for gain in gains] == [
        "better",
        "no clear difference",
        "worse",
    ]


def rates(name: str, values: dict[str, float], feature: str = "sex", spread: float = 0.0) -> list[Measure]:
    return [
        measure(name, value, value - spread, value + spread, by=(feature,), group={feature: group}, n=9, unit="mm")
        for group, value in values.items()
    ]


def gap(name: str, feature: str, grade: str, weight: float, *between: str) -> tuple[Finding, Measure]:
    told = measure(f"f.{name}_difference", 0.3, 0.1, 0.5, by=(feature,), unit="mm")
    names = (told.name, f"f.{name}")
    return finding(name, grade, weight=weight, by=(feature,), between=tuple({feature: g} for g in between), measures=names), told


def test_groups_of_a_summary_are_those_between_which_the_gap_lies_on_an_axis_that_holds_their_intervals() -> None:
    found, told = gap("error", "sex", "concern", 0.5, "b", "d")
    groups = rates("f.error", {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0, "e": 5.0}, spread=5.0)
    made = _difference(found, told, groups, Words("bad", "good"))
    assert ([bar.name for bar in made.bars], made.others) == (["b", "d"], 3)
    assert [bar.value for bar in made.bars] == [pytest.approx(100 * (v + 4) / 14, abs=0.06) for v in (2, 4)]
    few = _difference(found, told, groups[:3], Words("bad", "good"))
    assert ([bar.name for bar in few.bars], few.others) == (["a", "b", "c"], 0)


def test_the_gravest_gap_of_each_feature_comes_before_further_ones_of_another() -> None:
    sex = [gap("one", "sex", "concern", 0.9), gap("two", "sex", "concern", 0.8), gap("three", "sex", "concern", 0.7)]
    age = [gap("four", "age", "unclear", 0.2)]
    measures = [told for _, told in sex + age]
    for k, feature in (("one", "sex"), ("two", "sex"), ("three", "sex"), ("four", "age")):
        measures += rates(f"f.{k}", {"x": 0.1, "y": 0.2}, feature)
    again = finding("later", "ok", by=("sex",), measures=("f.one_difference", "f.one"))
    results = [audit("f", again, *(one for one, _ in age + sex[::-1]), measures=tuple(measures))]
    made = differences(results, Words("bad", "good"))
    assert [one.grade for one in made] == ["concern", "concern", "unclear"]
    assert [one.grade for one in differences([audit("f", sex[0][0], again, measures=tuple(measures))], Words("bad", "good"))] == [
        "concern"
    ]


def test_inputs_are_listed_by_their_share_and_hold_all_influence_only_where_all_are_shown() -> None:
    def explained(count: int):
        rows = tuple((f"i{k}", 0.1 * (k + 1)) for k in range(count))
        table = Table(title="t", columns=("input", SHARE_OF_INFLUENCE), rows=rows)
        return drivers([audit("explain", tables=(table,), reliability="reliable")])

    assert [bar.name for bar in explained(6).bars] == ["i5", "i4", "i3", "i2"]
    assert (explained(6).whole, explained(4).whole) == (False, True)


def test_a_summary_counts_unclear_findings_and_the_groups_that_were_tested() -> None:
    made = record(audits=(audit("a", finding(grade="unclear"), finding(grade="unclear"), finding(grade="ok")),))
    assert "A (2)" in _unknown(made, [])[0]
    groups = {"sex": {"train": {"f": 90, "m": 80}, "test": {"f": 9, "m": 8}}}
    said = dict(_data(record(data={"groups": groups, "rows": {"test": 17}}), SimpleNamespace(treatments=())))
    assert said["Groups tested"] == "sex: f 9, m 8"


def test_audits_are_read_by_the_weight_of_their_gravest_finding() -> None:
    ones = [
        audit("light", finding(weight=0.2), finding(grade="ok", weight=1.0)), audit("heavy", finding(weight=0.7)),
        audit("fine", finding(grade="ok", weight=0.9)), audit("broken", finding(weight=0.9), error="e"),
    ]  # fmt: skip
    assert [one.audit for one in reading_order(ones)] == ["heavy", "light", "fine"]


def test_figures_behind_a_finding_are_those_of_its_group_told_apart_by_name() -> None:
    own = finding("said", by=("sex",), group={"sex": "f"}, measures=("a.x", "a.y"))
    given = [measure("a.x", v, by=("sex",), group={"sex": g}, n=n) for g, v, n in (("f", 0.5, 1200), ("m", 0.7, 9))]
    given += [measure("a.y", v, by=("sex",), group={"sex": "f"}) for v in (1.0, 2.0)]
    assert _figures(own, given) == ("x 0.5 (n 1,200)",)


def test_a_section_opens_with_the_picture_of_its_gravest_finding_and_says_how_many_are_left_out() -> None:
    charts = tuple(Chart(kind="bars", title=f"c{k}", message="m", rows=({"y": "a", "x": 1.0},)) for k in range(9))
    findings = [
        finding(f"f{k}", "ok" if k < 9 else "concern", weight=0.1, chart=f"c{k}" if k in (2, 8) else None) for k in range(9)
    ]
    findings.append(finding("grave", "concern", chart="c8"))
    findings += [finding(grade="ok") for _ in range(2)]
    result = audit("a", *findings, charts=charts)
    lines = _findings(result, "u")
    chosen = _chosen(charts, lines)
    assert [one.title for one in chosen] == ["c0", "c1", "c2", "c3", "c4", "c5", "c8"]
    assert _leading(lines, drawn_charts(chosen, "u"), ()).chart.title == "c8"
    assert _elsewhere(result, chosen) == "4 more findings of less weight; 2 more charts"


def test_charts_behind_the_gravest_findings_are_drawn_and_the_gravest_opens() -> None:
    charts = tuple(Chart(kind="bars", title=f"c{k}", message="m", rows=({"y": "a", "x": 1.0},)) for k in range(9))
    lines = _findings(audit("a", *(finding(f"f{k}", weight=(k + 1) / 20, chart=f"c{k}") for k in range(9))), "u")
    assert [one.title for one in _chosen(charts, lines)] == [f"c{k}" for k in range(2, 9)]
    assert _leading(lines, drawn_charts(charts, "u"), ()).chart.title == "c8"


def test_gates_that_are_hidden_are_counted_and_gaps_that_are_concerns_are_to_be_explained() -> None:
    gate = {
        "measure": "p.accuracy",
        "by": None,
        "verdict": "pass",
        "at_least": 0.5,
        "compared": [asdict(measure("p.accuracy", 0.9))],
    }
    for count in (1, _GATES, _GATES + 3):
        one = record(verdict={"verdict": "pass", "gates": [gate] * count})
        made = summary(one)
        assert (len(made.gates), made.more_gates) == (min(count, _GATES), max(0, count - _GATES))
    gaps = [SimpleNamespace(title=f"gap {grade}", grade=grade) for grade in ("unclear", "concern", "ok")]
    head = SimpleNamespace(gates=(), omitted=())
    steps = _steps(record(), head, gaps, None, Words("bad", "good"))
    assert [step.rpartition(": ")[2] for step in steps if "cause of this gap" in step] == ["gap concern."]


def test_runs_are_compared_by_the_measures_of_their_gates_first() -> None:
    group = {"by": ("sex",), "group": {"sex": "f"}}
    measures = (
        measure("p.c", 0.1, higher_is_better=True, **group), measure("p.a", 0.2, higher_is_better=True),
        measure("p.n", 3.0), measure("p.b", 0.3, higher_is_better=False),
    )  # fmt: skip
    gates = [{"compared": [asdict(measure("p.b", 0.4, higher_is_better=False))]}]
    found = main_measures(record(verdict={"gates": gates}, audits=(audit("p", measures=measures),)))
    assert [(one.name, one.value) for one in found] == [("p.b", 0.4), ("p.a", 0.2)]


def test_an_audit_answers_by_its_gravest_answer_else_by_numbers_of_all_rows() -> None:
    ones = [finding("plain words that are said", weight=0.9), finding("an answer of less weight", answers="quality", weight=0.1)]
    assert [one.answers for one in graded(audit("a", *ones))] == ["quality", None]
    numbers = (measure("a.x", 0.1, by=("sex",), group={"sex": "f"}), measure("a.y", None), measure("a.z", 0.3))
    assert answer(audit("a", measures=numbers), False).startswith("z 0.3;")
    asked = record(provenance={"questions": {"performance": "quality", "explain": "reasons"}, "audits_available": ["explain"]})
    told = Record(**{**vars(asked), "audits": (audit("performance"),)})
    assert "Why does it decide so?" in [one.question for one in unanswered(told)]
    assert "Is it good enough?" not in [one.question for one in unanswered(told)]


def test_columns_of_one_treatment_stand_in_one_line() -> None:
    given = [{"action": "read", "sentence": "s", "column": name} for name in "ab"] + [
        {"action": "left out", "sentence": "t", "column": "c"}
    ]
    assert treatment_lines(given) == (("left out", "c: t"), ("read", "a, b: s"))
