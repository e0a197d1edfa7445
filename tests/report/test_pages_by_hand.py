"""Pages of comparisons, studies, mitigations, monitors and compressions worked out by hand."""

import pytest

from glassbench.report.comparison import _charts, _overall, against, difference_row, differences_sentence
from glassbench.report.compression_page import _fits, budget_sentence, losers, outcome_rows, part_rows, parts_sentence
from glassbench.report.mitigation_outcomes import Outcome, _outcome, outcomes
from glassbench.report.monitoring_page import _charts as monitor_charts
from glassbench.report.monitoring_page import _history, _looks, changes_in_words
from glassbench.report.study_page import _candidates, _frontier, _headline, _importance, _intervals, _members, _more_rows, _rivals


def difference(value: float, low: float | None, high: float | None, **more: object) -> dict[str, object]:
    return {
        "value": value,
        "low": low,
        "high": high,
        "p": 0.01,
        "differs": True,
        "better": None,
        "alike": False,
        "reason": None,
        **more,
    }


def compared(name: str, first: float, second: float, by: list[str] | None = None, unit: str | None = None, **more: object):
    told = difference(second - first, second - first - 0.1, second - first + 0.1, **more)
    return {
        "name": name, "by": by, "group": None, "unit": unit, "first": {"compared": first}, "second": {"compared": second},
        "difference": told,
    }  # fmt: skip


def test_differences_of_two_runs_are_told_for_the_run_that_has_them() -> None:
    ones = [
        compared("p.accuracy", 0.5, 0.75, better="second"),
        compared("p.x", 0.2, 0.3, better="first"),
        compared("p.y", 3.0, 4.0),
    ]
    ones[1]["by"] = ["sex"]
    found = {"measures": ones, "tests": 9, "lacking": {"second": ["p.only_first"], "first": ["p.only_second"]}}
    assert difference_row(ones[0], "a", "b")[1:4] == ("0.5", "0.75", "0.25 [0.15, 0.35]")
    assert difference_row(ones[0], "a", "b")[5] == "b"
    two = {**found, "measures": [*ones, compared("p.z", 0.1, 0.2, better="second")]}
    assert differences_sentence(two, "b", "a").endswith("2 better in b, 1 better in a, 1 with no good direction.")
    made = against({**found, "rows": {"words": "w", "kind": "same"}}, ["a", "b"], 1)
    assert [line.split(": ")[0] for line in made.lacking] == ["Measured in a only", "Measured in b only"]
    assert "first" in made.lacking[0]
    assert [one["name"] for one in _overall(ones)] == ["p.accuracy", "p.y"]
    charts = _charts([*ones, compared("p.w", 0.5, 1.5), compared("p.t", 0.1, 0.2, unit="s")], "b", "a", True, 1)
    assert [[row["x"] for row in one.chart.rows] for one in charts] == [
        [pytest.approx(0.25), pytest.approx(0.1)], [pytest.approx(1.0), pytest.approx(1.0)], [pytest.approx(0.1)],
    ]  # fmt: skip


def candidate(words: str, value: float, low: float | None, high: float | None, second: float = 0.0):
    objective = {"value": value, "low": low, "high": high, "undefined": None}
    return {
        "words": words, "objectives": [objective, {**objective, "value": second, "low": None, "high": None}],
        "runs": [{"run": f"{words}1", "words": "seed 0"}], "values": [[value], [second]],
    }  # fmt: skip


def study(*candidates, up: bool = True, **more: object) -> dict[str, object]:
    objective = {"measure": "p.x", "by": None, "group": None, "higher_is_better": up}
    winner = {"candidate": 1, "among": len(candidates), "naive": None, "nested": None, "chosen_on_other_folds": None}
    return {
        "candidates": list(candidates), "objectives": [objective], "winner": winner, "behind": {"0": 1}, "frontier": [1, 2],
        "folds": None, "level": 0.95, "variation": [None], "sizes": [], **more,
    }  # fmt: skip


def test_a_study_holds_the_winner_against_the_others_and_orders_candidates_by_what_is_better() -> None:
    three = [candidate("low", 0.1, 0.0, 0.2, 5.0), candidate("best", 0.8, 0.7, 0.9, 6.0), candidate("near", 0.7, 0.6, 0.75, 7.0)]
    found = study(*three)
    assert _rivals(found, 1).startswith("1 of the 2 others is worse")
    assert [row["y"] for row in _intervals(found, 0, "t").rows] == ["best", "near", "low"]
    assert [row["y"] for row in _intervals(study(*three, up=False), 0, "t").rows] == ["low", "near", "best"]
    table = _candidates(found, ["t", "u"])
    assert [(row[0], *row[4:]) for row in table.rows] == [
        ("low", False, "best", False), ("best", True, "\u2013", True), ("near", True, "\u2013", False),
    ]  # fmt: skip
    drawn = _frontier({**found, "behind": {}}, ["t", "u"])
    assert [row["color"] for row in drawn.chart.rows] == ["dominated", "frontier", "frontier"]
    assert _members(found)[0] == ("low", [("low1", "seed 0", "0.100")])


def test_a_study_tells_seeds_and_settings_apart_and_settings_by_what_they_explain() -> None:
    def estimate(value: float) -> dict[str, object]:
        return {"value": value, "low": None, "high": None, "undefined": None}

    parts = {
        "seeds": estimate(0.25), "settings": estimate(0.75), "candidates": 3, "seed_count": 2, "method": "grid",
        "importance": {"width": estimate(0.2), "rate": estimate(0.6)},
    }  # fmt: skip
    found = study(candidate("a", 0.5, 0.4, 0.6), candidate("b", 0.8, 0.7, 0.9), variation=[parts])
    said = " ".join(_headline(found, ["x"]))
    assert "varies by 0.25" in said
    assert "Settings explain 0.75" in said
    assert [row["y"] for row in _importance(found, ["x"])[0].rows] == ["rate", "width"]
    gain = {"value": 0.1, "low": 0.0, "high": 0.2, "times": 2}
    assert "holds 0" in _more_rows("x", {"name": "a", "gain": gain})
    assert "leaves out 0" in _more_rows("x", {"name": "a", "gain": {**gain, "low": 0.01}})


def outcome(gap: tuple[float, float, float] | None) -> Outcome:
    told = None if gap is None else {"value": gap[0], "low": gap[1], "high": gap[2]}
    return Outcome(place=1, label="m", gap=told, headline=None, better=0, worse=0, changed=None, rows=None)


def test_a_mitigation_narrows_a_gap_by_its_whole_interval_and_those_that_do_come_first() -> None:
    assert [outcome(gap).narrows for gap in ((-0.2, -0.3, -0.1), (-0.2, -0.5, 0.1), None)] == [True, False, False]
    ones = [
        compared("f.gap", 0.5, 0.3, ["sex"]),
        compared("p.acc", 0.5, 0.4, better="first"),
        compared("p.b", 1, 2, better="second"),
    ]
    grouped = {**compared("f.gap", 0.9, 0.9, ["sex"]), "group": {"sex": "f"}}
    found = {"gap": {"measure": "f.gap", "by": ["sex"]}, "headline": "p.acc"}
    changes = {"changes": [{"changed": 3, "rows": 40}]}
    made = _outcome(found, 1, {"name": "m"}, {"measures": [*ones, compared("p.c", 1, 2), grouped]}, changes)
    assert (made.gap["value"], made.headline["value"], made.better, made.worse) == (
        pytest.approx(-0.2),
        pytest.approx(-0.1),
        1,
        1,
    )
    wide = {**ones[0], "difference": difference(-0.4, -0.9, 0.1)}
    runs = [{"name": name} for name in ("plain", "wide", "sure")]
    pairs = [{"measures": [wide]}, {"measures": [{**ones[0], "difference": difference(-0.2, -0.3, -0.1)}]}]
    both = {**found, "comparison": {"runs": runs, "differences": pairs}, "changes": [{"changes": []}, {"changes": []}]}
    assert [one.label for one in outcomes(both)] == ["sure", "wide"]


def sequence(key: str, kind: str = "mean", **more: object) -> dict[str, object]:
    base = {
        "key": key, "kind": kind, "title": key, "family": "inputs", "since": None, "before": 0.1, "now": 0.2, "change": 0.1,
        "low": 0.0, "high": 0.2, "rows": 9, "evidence": 0.1, "certain": False,
    }  # fmt: skip
    return {**base, **more}


def test_certain_changes_come_in_the_order_they_were_found_and_looks_count_the_rows_that_were_counted() -> None:
    results = [sequence("b", since=4), sequence("a", since=2), sequence("c", certain=True)]
    assert [line[0] for line in changes_in_words({"results": results})] == ["A", "B"]
    looks = [
        {
            "look": k,
            "time": "t",
            "file": "f",
            "rows": 100,
            "counted": 40,
            "truths": 1,
            "results": [*results, sequence("a", "ranks")],
        }
        for k in (1, 2)
    ]
    state = {"history": looks, "results": [*results, *(sequence(f"r{k}", "ranks", evidence=k / 10) for k in range(10))]}
    assert [(rows, one["kind"]) for rows, one in _history(state, sequence("a"))] == [(40, "mean"), (80, "mean")]
    assert [row[-1] for row in _looks(state).rows] == [2, 2]
    charts = monitor_charts({**state, "history": []}, "inputs")
    assert "Most: r9" in charts[-1].message


def part(name: str | None, gain: float, verdict: str = "loses", **more: object) -> dict[str, object]:
    feature = None if name is None else "sex"
    base = {
        "feature": feature,
        "group": name,
        "gain": gain,
        "low": gain - 0.1,
        "high": gain + 0.05,
        "verdict": verdict,
        "within": False,
    }
    return {**base, "worse": 9, "better": 2, "rows": 50, "before": 0.2, "after": 0.3, **more}


def compressed(name: str, stored: int, *parts: dict[str, object], second: float = 0.75) -> dict[str, object]:
    told = {"parts": list(parts), "tests": 5, "unit": None, "complement": "accuracy", "words": "error", "tolerance": 0.01}
    return {
        "name": name, "size": {"stored": stored}, "parts": told, "validation": None, "fits": stored <= 1024, "speed": [],
        "differences": {"measures": [compared("p.accuracy", 0.8, second)]},
    }  # fmt: skip


def test_the_largest_loss_is_told_first_with_its_own_ends_and_models_show_their_own_values() -> None:
    one = compressed("int8", 1024, part("f", -0.1), part("m", -0.3), part(None, 0.2, "kept"))
    assert losers(one) == "sex: m, sex: f"
    assert "sex: m: 30.0 (25.0 to 40.0) points of accuracy" in parts_sentence(one)
    assert part_rows(one)[0][2:4] == ("80.0 %", "70.0 %")
    found = {
        "fit_in": 1024, "chosen": None, "candidates": [compressed("big", 9000), compressed("small", 3000)],
        "original": {"size": {"stored": 18000}, "speed": [], "validation": None, "energy": {}},
    }  # fmt: skip
    assert budget_sentence(found).endswith("the smallest is small with 2.9 KiB.")
    assert [_fits(found, stored) for stored in (1024, 1025)] == [("yes",), ("no",)]
    rows = outcome_rows(found)
    assert (rows[0][3], rows[1][2], rows[1][3].split(" ")[0]) == ("0.8", "2.0 times", "0.75")
