"""What looks come to, from results given by hand."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from glassbench.errors import RunError
from glassbench.monitoring.history import History
from glassbench.monitoring.monitor import _of_new_clusters, _results
from glassbench.monitoring.observed import DecidedRows
from glassbench.monitoring.reference import Reference
from glassbench.monitoring.standing import standing
from glassbench.stats.counted_values import CountedValues
from glassbench.stats.intervals import rate_interval
from glassbench.stats.sequential_ranks import RankCells
from glassbench.storage.files import sha256


def reference(rows=1000, groups=None, **means) -> Reference:
    counted = {key.replace("__", "|").replace("_", " "): value for key, value in means.items()}
    return Reference(rows=rows, means=counted, ranks={}, groups=groups or {}, clustered=False, notes=("known",), predictions="x")


def result(family="performance", low=-0.01, high=0.01, *, since=None, kind="mean", rows=500, key="k", change=0.0) -> dict:
    title = f"{family} {kind}"
    return {
        "family": family, "kind": kind, "rows": rows, "low": low, "high": high, "since": since, "title": title, "key": key,
        "change": change,
    }  # fmt: skip


def look(*results, rows=500, truths=500, left=0, means=(), number=1) -> dict:
    return {
        "look": number, "time": "now", "file": "f", "rows": rows, "counted": rows - left, "rows left aside": left,
        "truths": truths, "results": list(results), "means": dict.fromkeys(means),
    }  # fmt: skip


def verdict(*results, known=reference(), tolerance=0.05, **facts) -> str:  # noqa: B008 - it is frozen
    return standing("r", known, [look(*results, **facts)], tolerance).verdict


@pytest.mark.parametrize(
    ("family", "low", "high", "expected"),
    [
        ("performance", -0.01, 0.05, "holds"),
        ("performance", -0.01, 0.051, "too few rows"),
        ("performance", -0.9, 0.05, "holds"),
        ("scores", -0.05, 0.05, "holds"),
        ("scores", -0.051, 0.05, "too few rows"),
        ("scores", -0.05, 0.051, "too few rows"),
        ("scores", -0.9, 0.9, "too few rows"),
    ],
)
def test_errors_may_fall_and_decisions_may_move_neither_way(family, low, high, expected):
    assert verdict(result(family, low, high)) == expected


def test_a_certain_change_of_anything_is_told_with_the_first_one_found():
    state = standing("r", reference(), [look(result(), result("inputs", since=3), result("groups", since=2))], 0.05)
    assert (state.verdict, state.exit_code) == ("changed", 1)
    assert state.reason == "A change of groups mean (groups) is certain since look 2, and 1 more."
    assert [one["since"] for one in state.changes] == [2, 3]


def test_holding_is_judged_by_the_error_where_truths_came_and_by_decisions_else():
    decided, unsure = result("scores", -0.01, 0.01), result("performance", -0.2, 0.2)
    assert verdict(decided, unsure) == "too few rows"
    assert verdict(decided, {**unsure, "rows": 0}) == "holds"
    assert verdict(result("performance", kind="ranks", low=None, high=None), decided) == "holds"
    assert verdict(result("inputs", -0.9, 0.9)) == "holds"  # nothing tells of decisions


@pytest.mark.parametrize(("known", "new", "words"), [(100, 500, "of the run"), (500, 500, "so far"), (1000, 500, "so far")])
def test_who_has_too_few_rows_is_said(known, new, words):
    state = standing("r", reference(known), [look(result(low=-0.2, high=0.2), rows=new)], 0.05)
    assert state.exit_code == 3
    assert f"too few rows {words} ({new:,} new, {known:,} of the run)" in state.reason
    assert "by 5 points is not excluded" in state.reason


def test_rows_of_all_looks_are_counted_and_what_was_left_aside_is_said():
    looks = [look(result(), rows=300, truths=100, left=20, number=1), look(result(), rows=200, truths=50, left=30, number=2)]
    state = standing("r", reference(), looks, 0.05)
    assert (state.rows, state.truths) == (450, 150)
    assert state.notes == (
        "known",
        "50 rows belong to clusters that an earlier look counted; they are left aside.",
        "The truth of 300 rows is not known; they count for inputs, scores and groups alone. Where outcomes are known of a "
        "selected part only, performance speaks of that part.",
    )
    assert [one["look"] for one in state.history] == [1, 2]


def test_features_that_new_rows_lack_are_named():
    known = reference(groups={"sex": ["f", "m"], "age": ["old"]})
    (_, note) = standing("r", known, [look(result(), means=["groups|sex=m"])], 0.05).notes
    assert note == "New rows have no column age; its groups are not compared."


def test_accuracy_is_estimated_by_the_change_of_confidence_where_no_truth_is_known():
    errors = CountedValues(np.array([0.0, 1.0]), np.array([80.0, 20.0]))
    sure = result("scores", low=-0.1, high=0.3, key="scores|mean of the highest score", change=0.15)
    known = reference(performance__error_rate=errors)
    found = standing("r", known, [look(sure, truths=0)], 0.05).estimated
    low, high = rate_interval(np.array(80.0), np.array(100.0))
    assert (found["run"], found["value"]) == pytest.approx((0.8, 0.95))
    assert (found["low"], found["high"]) == pytest.approx((low - 0.1, min(1.0, high + 0.3)))
    assert standing("r", known, [look(sure, truths=1)], 0.05).estimated is None
    assert standing("r", reference(), [look(sure, truths=0)], 0.05).estimated is None


def test_what_was_certain_once_stays_so_since_the_look_that_found_it():
    """Errors rise from 10 to 60 % at the second look and are gone at the third; those of a group's share never move."""
    key, other = "performance|error rate", "groups|sex m"
    drawn = [np.concatenate([np.ones(k), np.zeros(n - k)]) for k, n in ((30, 300), (10, 100), (180, 300), (0, 1500))]
    counts = [CountedValues.of(values) for values in drawn]
    level = CountedValues.of(np.tile([0.0, 1.0], 50))
    reference = Reference(
        rows=300, means={key: counts[0], other: level}, ranks={}, groups={}, clustered=False, notes=(), predictions=""
    )
    earlier, told = [], []
    for look in counts[1:]:
        now = {key: look, other: level}
        results = {one["key"]: one for one in _results(reference, SimpleNamespace(means=now, ranks={}), earlier)}
        told.append((results[key]["since"], results[key]["certain"], results[key]["rows"], results[other]["since"]))
        means = {name: values.to_json() for name, values in now.items()}
        earlier.append({"means": means, "ranks": {}, "results": list(results.values())})
    assert told == [(None, False, 100, None), (2, True, 400, None), (2, False, 1900, None)]


def test_clusters_are_remembered_and_rows_without_one_are_not():
    clusters = np.array(["a", "row 1", "b", "a", "row 4"], dtype=object)
    rows = DecidedRows(frame=pd.DataFrame({"row": range(5)}), clusters=clusters)
    new, kept, left = _of_new_clusters(rows, set())
    assert (len(new), len(kept), left) == (5, 2, 0)
    again, kept_again, left_again = _of_new_clusters(rows, {kept[0]})
    assert len(kept_again) == 1
    assert len(again) + left_again == 5
    assert left_again in (1, 2)
    alone, none, nothing = _of_new_clusters(DecidedRows(frame=rows.frame), set(kept))
    assert (len(alone), none, nothing) == (5, [], 0)


def test_ranks_of_all_looks_are_added_up() -> None:
    known = Reference(
        rows=3,
        means={},
        ranks={"inputs|x": RankCells(((1.0, 0.5),), (2, 2))},
        groups={},
        clustered=False,
        notes=(),
        predictions="",
    )
    earlier = [
        {"means": {}, "ranks": {"inputs|x": [3, 1]}, "results": []},
        {"means": {}, "ranks": {"inputs|x": [0, 2]}, "results": []},
    ]
    (found,) = _results(known, SimpleNamespace(means={}, ranks={"inputs|x": np.array([5, 0])}), earlier)
    assert found["rows"] == 11
    assert found["change"] == pytest.approx(8 / 11 - 1 / 2)


@pytest.fixture
def history(tmp_path: Path) -> History:
    (tmp_path / "monitoring").mkdir()
    (tmp_path / "predictions.parquet").write_bytes(b"rows")
    return History(SimpleNamespace(path=tmp_path))


def test_a_look_that_was_changed_breaks_the_chain_of_those_after_it(history: History) -> None:
    for rows in (1, 2, 3):
        history.add({"rows": rows})
    assert [(one["look"], one["rows"]) for one in history.looks()] == [(1, 1), (2, 2), (3, 3)]
    path = history.path / "looks.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({**line, "rows": 9} if line["look"] == 2 else line) + "\n" for line in lines))
    with pytest.raises(RunError, match="not as it was written"):
        history.looks()


def test_a_reference_counted_from_other_predictions_is_refused(history: History) -> None:
    assert history.reference() is None
    own = replace(reference(), predictions=sha256(history.path.parent / "predictions.parquet"))
    history.write_reference(own)
    assert history.reference().to_json() == own.to_json()
    history.write_reference(replace(own, predictions="0" * 64))
    with pytest.raises(RunError, match="not those that monitoring began with"):
        history.reference()


def test_a_change_for_the_better_is_certain_and_no_alarm() -> None:
    """Errors fall from 60 to 10 %."""
    key = "performance|error rate"
    before, now = (CountedValues(np.array([0.0, 1.0]), np.array([1.0 - rate, rate]) * 1000) for rate in (0.6, 0.1))
    known = Reference(rows=1000, means={key: before}, ranks={}, groups={}, clustered=False, notes=(), predictions="")
    (found,) = _results(known, SimpleNamespace(means={key: now}, ranks={}), [])
    assert (found["certain"], found["worse"], found["since"]) == (True, False, None)
    assert standing("r", known, [look(found)], 0.05).verdict == "holds"
