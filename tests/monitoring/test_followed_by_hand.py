"""What is followed of choices among several classes, of values and of labels, and what standing is told by, by hand."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.predictions.labels import Labels
from glassbench.contracts.predictions.values import Values
from glassbench.contracts.schema import Schema, Target
from glassbench.monitoring.decisions import Columns, _read, _scores, _with_groups, decided_rows
from glassbench.monitoring.monitor import _of_new_clusters
from glassbench.monitoring.observed import DecidedRows, followed_means, ranked_values
from glassbench.monitoring.reference import Reference, count_reference
from glassbench.monitoring.sequences import ALPHA, SHARES, Sequence, compare, mean_change, sequences_of
from glassbench.monitoring.standing import standing
from glassbench.stats.counted_values import CountedValues
from glassbench.stats.sequential_ranks import RankCells


class NoSettings(BaseModel):
    """The settings of a data set that has none."""


def schema(*classes: str, positive: str | None = None, kind: Any = "class") -> Schema:
    target = Target(name="paid", kind=kind, classes=classes, positive=positive)
    return Schema(modality="table", shape=(1,), target=target, sensitive=("sex",))


THREE = pd.DataFrame(
    {
        "y_pred": ["b", "c", "a"],
        "y_true": ["b", "a", None],
        "score.c": [0.1, 0.7, 0.2],
        "score.a": [0.3, 0.2, 0.5],
        "score.b": [0.6, 0.1, 0.3],
        "group.sex": ["f", "m", "f"],
    }
)


def followed(frame: pd.DataFrame, of: Schema, kind: Any = None) -> dict[str, list[float]]:
    found = followed_means(DecidedRows(frame=frame), of, kind or Classes(), {"sex": ["f", "m"]})
    return {key: np.nan_to_num(values, nan=-1).round(6).tolist() for key, values in found.items()}


def test_of_several_classes_the_highest_score_is_held_against_being_right() -> None:
    """0.6 for b, which is true; 0.7 for c where a is; scores stand in another order than classes."""
    found = followed(THREE, schema("a", "b", "c"))
    assert found["calibration|right minus stated probability"] == pytest.approx([0.7, 0.15, -1])
    assert found["performance|Brier score"] == pytest.approx([(0.09 + 0.16 + 0.01) / 2, (0.64 + 0.01 + 0.49) / 2, -1])
    assert found["scores|mean of the highest score"] == [0.6, 0.7, 0.5]
    assert [found[f"decisions|share of {name}"] for name in "abc"] == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert found["performance|error rate"] == [0, 1, -1]
    assert found["rates|error rate|sex=f"] == [0, -1, -1]
    assert "rates|false negative rate|sex=f" not in found


def test_scores_that_are_no_probabilities_of_all_classes_are_not_followed() -> None:
    for frame in (THREE.drop(columns="score.c"), THREE.assign(**{"score.c": 0.9}), THREE.assign(**{"score.a": -0.2})):
        assert not [key for key in followed(frame, schema("a", "b", "c")) if "score" in key.lower() or "probab" in key]


def test_the_share_of_each_of_twelve_classes_is_followed_and_of_thirteen_none() -> None:
    for many, count in ((12, 12), (13, 0)):
        names = tuple(f"k{place}" for place in range(many))
        found = followed(pd.DataFrame({"y_pred": ["k0", "k1"]}), schema(*names))
        assert sum(key.startswith("decisions|") for key in found) == count


def ranked(frame: pd.DataFrame, of: Schema, kind: Any, inputs: pd.DataFrame | None = None) -> dict[str, list[Any]]:
    return ranked_values(DecidedRows(frame=frame, inputs=inputs), of, kind)


def test_of_two_classes_the_score_of_the_positive_one_is_ranked_and_of_more_the_highest() -> None:
    two = THREE.drop(columns="score.c")
    assert ranked(two, schema("a", "b", positive="a"), Classes())["scores|score of a"] == [0.3, 0.2, 0.5]
    assert ranked(THREE, schema("a", "b", "c"), Classes())["scores|highest score"] == [0.6, 0.7, 0.5]


def test_inputs_are_ranked_as_numbers_or_texts_and_what_is_absent_stays_absent() -> None:
    inputs = pd.DataFrame({"age": [1, None, 3], "yes": [True, False, True], "city": ["x", None, "5"]})
    found = ranked(THREE, schema("a", "b", "c"), Classes(), inputs)
    assert found["inputs|age"] == [1.0, None, 3.0]
    assert found["inputs|yes"] == [1.0, 0.0, 1.0]
    assert found["inputs|city"] == ["x", None, "5"]


def test_of_values_the_errors_that_are_known_are_ranked() -> None:
    frame = pd.DataFrame({"y_pred": [1.0, 4.0, 2.0], "y_true": [3.0, np.nan, 1.5]})
    found = ranked(frame, schema(kind="value"), Values())
    assert found == {"scores|predicted value": [1.0, 4.0, 2.0], "performance|absolute error": [2.0, 0.5]}


def test_each_label_is_followed_by_its_name() -> None:
    frame = pd.DataFrame({"y_pred": ["x", "none"], "y_pred.x": [1, 0], "y_true.x": [1, np.nan], "score.x": [0.8, 0.4]})
    found = followed(frame, schema("x", kind="labels"), Labels())
    assert found["decisions|x: share of x"] == [1, 0]
    assert found["performance|x: error rate"] == [0, -1]
    assert ranked(frame, schema("x", kind="labels"), Labels()) == {"scores|x: score of x": [0.8, 0.4]}


def context(folder: Path, frame: pd.DataFrame, of: Schema) -> Any:
    frame.to_parquet(folder / "predictions.parquet")
    run = SimpleNamespace(path=folder, require=lambda phase: None)
    return SimpleNamespace(schema=of, task=SimpleNamespace(kind=Values()), folder=run, gone=True)


def test_a_reference_counts_clusters_once_and_errors_on_either_side_of_their_median(tmp_path: Path) -> None:
    """30 rows of 10 persons: ten values are ranked in cells, ten errors in two halves."""
    rows = {"row": np.arange(30), "y_pred": np.arange(30.0), "y_true": np.arange(30.0) ** 1.1, "group.sex": ["f", "m", "x"] * 10}
    frame = pd.DataFrame({**rows, "cluster": np.repeat(np.arange(10), 3), "weight": 2.0})
    found = count_reference(context(tmp_path, frame, schema(kind="value")), "digest")
    assert (found.rows, found.clustered) == (10, True)
    assert {key: len(cells.reference) for key, cells in found.ranks.items()} == {
        "scores|predicted value": 8,
        "performance|absolute error": 2,
    }
    assert found.groups == {"sex": ["f", "m", "x"]}
    assert [note.partition(":")[0] for note in found.notes] == ["Inputs are not compared", "Survey weights are not used"]
    assert {key: values.mean for key, values in found.means.items()}["groups|sex=f"] == pytest.approx(1 / 3, abs=0.01)
    assert Reference.from_json(found.to_json()).to_json() == found.to_json()


def test_blanks_are_no_truths_and_numbers_are_read_as_numbers() -> None:
    truth = pd.Series(["no", " ", None, "yes "])
    assert _read(truth, ("no", "yes"), "paid", missing=True).isna().tolist() == [False, True, True, False]
    assert _read(truth, ("no", "yes"), "paid", missing=True).iloc[3] == "yes"
    numbers = _read(pd.Series(["1.5", "", "2"]), (), "price", missing=True)
    assert np.array_equal(numbers, [1.5, np.nan, 2.0], equal_nan=True)


def test_a_score_speaks_of_the_class_that_was_named_or_that_names_tell_or_of_the_last() -> None:
    share = pd.Series([0.2, 1.0, 0.0])
    for classes, positive, spoken in ((("a", "b"), "a", "a"), (("yes", "no"), None, "yes"), (("a", "b"), None, "b")):
        found = _scores(share, classes, positive, "s")
        assert found[f"score.{spoken}"].tolist() == [0.2, 1, 0]
        assert np.sum(list(found.values()), axis=0).tolist() == [1, 1, 1]


def test_groups_are_those_that_the_encoder_read_before_those_of_the_raw_column() -> None:
    raw = pd.DataFrame({"sex": ["1", " ", None]})
    split: Any = SimpleNamespace(groups=pd.DataFrame({"sex": ["f", "missing", "missing"]}))
    plain = pd.DataFrame({"row": range(3)})
    assert _with_groups(plain.copy(), raw, split, ["sex"])["group.sex"].tolist() == ["f", "missing", "missing"]
    assert _with_groups(plain.copy(), raw, None, ["sex"])["group.sex"].tolist() == ["1", "missing", "missing"]
    assert "group.sex" not in _with_groups(plain.copy(), raw.rename(columns={"sex": "x"}), None, ["sex"])


def test_a_named_truth_takes_the_place_of_the_column_that_is_there(tmp_path: Path) -> None:
    plan = SimpleNamespace(dataset=SimpleNamespace(settings=NoSettings()))
    run: Any = SimpleNamespace(schema=schema("no", "yes"), folder=SimpleNamespace(path=tmp_path), plan=plan)
    raw = pd.DataFrame({"said": ["no", "no"], "paid": ["no", "no"], "later": ["yes", "no"], "who": [" ", "q"]})
    columns = Columns(decision="said", truth="later", cluster="who")
    found = decided_rows(run, raw, columns, clustered=False)
    assert found.frame["y_true"].tolist() == ["yes", "no"]
    assert found.clusters is not None
    assert found.clusters.tolist() == ["row 0", "q"]


def test_rows_of_clusters_that_were_counted_are_left_aside_and_counted() -> None:
    rows = DecidedRows(frame=pd.DataFrame({"row": range(5)}), clusters=np.array(list("aabca"), dtype=object))
    kept = _of_new_clusters(rows.take(np.array([True, False, False, False, False])), set())[1]
    new, _, left = _of_new_clusters(rows, set(kept))
    assert (new.frame["row"].tolist(), left) == ([2, 3], 3)


def counted(share: float, rows: int = 500) -> CountedValues:
    return CountedValues(np.array([0.0, 1.0]), np.array([rows * (1 - share), rows * share]))


def reference(**facts: Any) -> Reference:
    known = {"rows": 500, "means": {}, "ranks": {}, "groups": {}, "clustered": False, "notes": (), "predictions": "x"}
    return Reference(**{**known, **facts})


def test_the_error_is_split_over_families_that_have_members_alone() -> None:
    keys = ("performance|error rate", "performance|Brier score", "decisions|share of a", "rates|error rate|sex=f")
    cells = RankCells(((1.0, 0.5),), (2, 2))
    known = reference(
        means={**dict.fromkeys((*keys, "rates|error rate|sex=f|others"), counted(0.5))},
        ranks={"inputs|x": cells, "scores|score": cells},
        groups={"sex": ["f", "m"]},
    )
    found = {(one.key, one.kind): one for one in sequences_of(known)}
    whole = ALPHA / (SHARES["performance"] + SHARES["scores"] + SHARES["gaps"] + SHARES["inputs"])
    assert {key: one.alpha for key, one in found.items()} == pytest.approx(
        {
            ("performance|error rate", "mean"): 0.95 * 0.60 * whole,
            ("performance|Brier score", "mean"): 0.05 * 0.60 * whole,
            ("decisions|share of a", "mean"): 0.04 / 2 * whole,
            ("scores|score", "ranks"): 0.04 / 2 * whole,
            ("rates|error rate|sex=f", "gap"): 0.08 * whole,
            ("inputs|x", "ranks"): 0.14 * whole,
        }
    )
    assert {key: one.worse for key, one in found.items() if one.worse} == {
        ("performance|error rate", "mean"): "up",
        ("performance|Brier score", "mean"): "up",
        ("rates|error rate|sex=f", "gap"): "apart",
    }


def test_a_rise_of_errors_is_for_the_worse_and_any_move_of_decisions_is() -> None:
    error = Sequence(key="k", family="performance", title="", kind="mean", alpha=0.01, worse="up")
    decided = Sequence(key="k", family="scores", title="", kind="mean", alpha=0.01)
    for one, now, worse in ((error, 0.7, True), (error, 0.1, False), (decided, 0.1, True), (decided, 0.7, True)):
        found = compare(one, reference(means={"k": counted(0.4)}), {"k": (counted(now),)}, {})
        assert (found.certain, found.worse) == (True, worse)
        assert found.change == pytest.approx(now - 0.4)
        assert (found.low, found.high) == mean_change(one).interval(counted(0.4), counted(now), [])
    nothing = compare(decided, reference(means={"k": counted(0.4)}), {}, {})
    assert (nothing.rows, nothing.now, nothing.change, nothing.certain) == (0, None, None, False)


def test_a_gap_that_turns_round_and_grows_has_moved_apart() -> None:
    """From 0.1 above all others to 0.5 below them."""
    one = Sequence(key="r", family="gaps", title="", kind="gap", alpha=0.05, worse="apart")
    known = reference(means={"r": counted(0.5, 4000), "r|others": counted(0.4, 4000)})
    found = compare(one, known, {"r": (counted(0.2, 4000),), "r|others": (counted(0.7, 4000),)}, {})
    assert found.change == pytest.approx(-0.6)
    assert (found.certain, found.worse) == (True, True)
    assert found.low is not None
    assert found.high is not None
    assert found.low < -0.6 < found.high < 0


def test_a_feature_of_which_any_look_has_groups_is_compared() -> None:
    result = {
        "family": "performance",
        "kind": "mean",
        "rows": 9,
        "low": -0.01,
        "high": 0.05,
        "since": None,
        "title": "t",
        "key": "k",
    }
    result["key"] = "k"
    looks = [
        {"look": k, "time": "", "file": "", "rows": 5, "counted": 5, "rows left aside": 0, "truths": 5, "results": [result],
         "means": means}
        for k, means in enumerate(({"groups|sex=f": None}, {}), start=1)
    ]  # fmt: skip
    assert standing("r", reference(groups={"sex": ["f", "m"]}), looks, 0.05).notes == ()
