"""New rows before they are counted: what columns of decisions, scores, truths and clusters are read as, and what is followed."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.schema import MISSING, Schema, Target
from glassbench.errors import DataError
from glassbench.monitoring.decisions import Columns, decided_rows
from glassbench.monitoring.monitor import Monitor
from glassbench.monitoring.observed import DecidedRows, count_means, each_group, first_rows, followed_means

SCHEMA = Schema(
    modality="table",
    shape=(1,),
    target=Target(name="paid", kind="class", classes=("no", "yes"), positive="no"),
    sensitive=("sex",),
)


class NoSettings(BaseModel):
    """The settings of a data set that has none."""


def context(folder: Path) -> Any:
    """A run without an encoder, as one of decisions made elsewhere."""
    dataset = SimpleNamespace(settings=NoSettings())
    return SimpleNamespace(schema=SCHEMA, folder=SimpleNamespace(path=folder), plan=SimpleNamespace(dataset=dataset))


def raw(**columns: list[Any]) -> pd.DataFrame:
    rows = {"said": ["yes", "no", "no"], "s": [0.2, 0.7, 0.6], "paid": ["yes", None, "no"], "sex": ["f", " ", None]}
    return pd.DataFrame({**rows, **columns})


def test_a_score_is_that_of_the_positive_class_and_the_other_class_has_the_rest(tmp_path: Path) -> None:
    found = decided_rows(context(tmp_path), raw(), Columns(decision="said", score="s"), clustered=False).frame
    assert found["score.no"].tolist() == [0.2, 0.7, 0.6]
    assert found["score.yes"].tolist() == pytest.approx([0.8, 0.3, 0.4])
    assert found["y_pred"].tolist() == ["yes", "no", "no"]


def test_truths_may_lack_of_some_rows_and_groups_that_nobody_wrote_are_missing(tmp_path: Path) -> None:
    found = decided_rows(context(tmp_path), raw(), Columns(decision="said", truth="paid"), clustered=False).frame
    assert found["y_true"].isna().tolist() == [False, True, False]
    assert found["group.sex"].tolist() == ["f", MISSING, MISSING]
    with pytest.raises(DataError, match="no row has a truth"):
        decided_rows(context(tmp_path), raw(paid=[None, "", None]), Columns(decision="said", truth="paid"), clustered=False)


def test_the_truth_that_is_named_takes_the_place_of_the_targets_own_column(tmp_path: Path) -> None:
    columns = Columns(decision="said", truth="later")
    found = decided_rows(context(tmp_path), raw(later=["no", "no", "no"]), columns, clustered=False).frame
    assert found["y_true"].tolist() == ["no", "no", "no"]


def test_rows_without_a_cluster_are_clusters_of_their_own(tmp_path: Path) -> None:
    columns = Columns(decision="said", cluster="who")
    found = decided_rows(context(tmp_path), raw(who=["a", None, " "]), columns, clustered=True)
    assert found.clusters is not None
    assert len(set(found.clusters)) == 3


def followed(schema: Schema = SCHEMA) -> dict[str, list[float]]:
    """What is followed of five decided rows, the truth of one of which is not known; NaN shown as -1."""
    frame = pd.DataFrame({
        "y_pred": ["no", "no", "yes", "yes", "no"],
        "y_true": ["no", "yes", "no", "yes", None],
        "score.no": [0.9, 0.6, 0.3, 0.2, 0.8],
        "score.yes": [0.1, 0.4, 0.7, 0.8, 0.2],
        "group.sex": ["f", "f", "m", "m", "x"],
    })  # fmt: skip
    found = followed_means(DecidedRows(frame=frame), schema, Classes(), {"sex": ["f", "m"]})
    return {key: np.nan_to_num(values, nan=-1).round(3).tolist() for key, values in found.items()}


def test_errors_are_followed_by_the_truth_and_by_the_kind_that_they_are() -> None:
    found = followed()
    assert found["performance|error rate"] == [0, 1, 1, 0, -1]
    assert found["rates|false negative rate|sex=f"] == [0, -1, -1, -1, -1]
    assert found["rates|false negative rate|sex=f|others"] == [-1, -1, 1, -1, -1]
    assert found["rates|false positive rate|sex=f"] == [-1, 1, -1, -1, -1]
    assert found["rates|false positive rate|sex=f|others"] == [-1, -1, -1, 0, -1]
    assert found["rates|rate of no|sex=f"] == [1, 1, -1, -1, -1]
    assert found["rates|rate of no|sex=f|others"] == [-1, -1, 0, 0, 1]


def test_shares_scores_and_how_far_probabilities_are_off_are_followed_as_numbers_from_0_to_1() -> None:
    found = followed()
    assert found["decisions|share of no"] == [1, 1, 0, 0, 1]
    assert found["scores|mean of the highest score"] == [0.9, 0.6, 0.7, 0.8, 0.8]
    assert found["performance|Brier score"] == pytest.approx([0.01, 0.36, 0.49, 0.04, -1])
    # one half, plus half of what was true (1 for "no") less its probability
    assert found["calibration|actual no minus stated probability"] == pytest.approx([0.55, 0.2, 0.85, 0.4, -1])
    positive = followed(replace(SCHEMA, target=replace(SCHEMA.target, positive="yes")))
    assert positive["calibration|actual yes minus stated probability"] == pytest.approx([0.45, 0.8, 0.15, 0.6, -1])
    assert found["groups|sex=f"] == [1, 1, 0, 0, 0]
    assert found["groups|sex not in the run"] == [0, 0, 0, 0, 1]


def test_a_cluster_counts_once_by_its_rows_that_are_known() -> None:
    values, clusters = np.array([1.0, 0.0, np.nan, np.nan, 1.0]), np.array(["a", "a", "a", "b", "c"])
    counted = count_means({"k": values}, clusters)["k"]
    assert (counted.n, counted.mean) == (2, 0.75)
    assert first_rows(clusters, 5).tolist() == [True, False, False, True, True]
    assert count_means({"k": values}, None)["k"].n == 3


def test_of_two_groups_one_is_compared_and_of_more_each() -> None:
    assert list(each_group({"sex": ["f", "m"], "age": ["a", "b", "c"], "one": ["x"]})) == [
        ("sex", "f"), ("age", "a"), ("age", "b"), ("age", "c")
    ]  # fmt: skip


def test_frames_are_known_by_their_cells_and_the_names_of_their_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(Monitor, "_look", lambda self, rows, columns, name, digest: seen.append(digest))
    monitor, rows = object.__new__(Monitor), raw()
    for frame in (rows, rows.copy(), rows.rename(columns={"s": "t"}), rows.assign(s=[0.2, 0.7, 0.5]), rows.iloc[::-1]):
        monitor.look(frame, Columns())
    assert seen[0] == seen[1]
    assert len(set(seen)) == 4
