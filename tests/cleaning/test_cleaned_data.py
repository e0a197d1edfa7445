"""What a cleaning does to data, against counts made by hand, and what it refuses."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.data import Data
from glassbench.errors import DataError, ExperimentError
from glassbench.experiments.cleaning import COLUMNS, Cleaning, CleaningLine, read_cleaning
from glassbench.experiments.experiment import read_experiment
from glassbench.experiments.planning import make_plan
from glassbench.pipeline.cleaned_data import account, cleaned, source_fingerprint
from glassbench.pipeline.run_data import read_data
from glassbench.registry import Registry


def data_of(frame: pd.DataFrame, folder: Path, experiment: dict, **changes: object) -> Data:
    frame.to_parquet(folder / "rows.parquet")
    dataset = {**experiment["dataset"], "path": str(folder / "rows.parquet"), **changes}
    return read_data(make_plan(read_experiment({**experiment, "dataset": dataset}), Registry()))


@pytest.fixture(scope="module")
def frame(applicants) -> pd.DataFrame:
    return applicants(200)


@pytest.fixture(scope="module")
def data(frame, experiment, tmp_path_factory) -> Data:
    return data_of(frame, tmp_path_factory.mktemp("data"), experiment)


def line(row: object, action: str, split: str = "training", **more: str) -> CleaningLine:
    return CleaningLine(row=str(row), split=split, action=action, **more)


def cleaning(data: Data, *lines: CleaningLine, **more: object) -> Cleaning:
    return Cleaning(name="cleaning.yaml", data=source_fingerprint(data), lines=lines, **more)


def other(label: str) -> str:
    return "no" if label == "yes" else "yes"


def test_rows_are_dropped_and_relabelled_where_lines_say_so_and_nowhere_else(data, frame):
    label = frame.granted[7]
    lines = line(3, "drop"), line(7, "relabel", label=label, new_label=other(label)), line(9, "keep"), line(150, "drop", "test")
    found = cleaned(data, cleaning(data, *lines))
    assert found.train.rows.tolist() == [row for row in range(120) if row != 3]
    assert found.test.rows.tolist() == [row for row in range(140, 200) if row != 150]
    assert found.validation.rows.tolist() == data.validation.rows.tolist()
    truth = dict(zip(found.train.rows.tolist(), found.train.target.tolist(), strict=True))
    expected = {row: ["no", "yes"].index(frame.granted[row]) for row in range(120) if row != 3}
    assert truth == {**expected, 7: ["no", "yes"].index(other(label))}
    assert found.train.raw["granted"].tolist() == [["no", "yes"][truth[row]] for row in found.train.rows.tolist()]
    assert data.train.raw["granted"].tolist() == frame.granted[:120].tolist()
    assert [str(one) for one in found.treatments][-1].startswith("of 60 test rows the cleaning ")


def test_the_account_counts_what_was_done_to_whom(data, frame):
    women = frame.index[(frame.sex == "f") & (frame.part == "train")].tolist()
    men = frame.index[(frame.sex == "m") & (frame.part == "train")].tolist()
    lines = [line(row, "drop", measure="data.duplicates") for row in women[:4]]
    lines += [line(row, "relabel", new_label=other(frame.granted[row]), measure="data.label_errors") for row in men[:3]]
    lines += [line(row, "relabel", new_label=frame.granted[row]) for row in men[3:4]]  # its label already
    found = account(data, cleaning(data, *lines, line(141, "keep", "test")))
    assert found["splits"] == {"training": {"rows": 120, "dropped": 4, "relabelled": 3}}
    assert found["groups"]["sex"]["f"]["training"] == {"rows": len(women), "dropped": 4, "relabelled": 0}
    assert found["groups"]["sex"]["m"]["training"] == {"rows": len(men), "dropped": 0, "relabelled": 3}
    assert sum(of["training"]["dropped"] for of in found["classes"].values()) == 4
    assert {"split": "training", "action": "drop", "measure": "data.duplicates", "rows": 4} in found["changes"]
    assert (found["listed"], found["emptied"]) == (1, [])
    json.dumps(found)


def test_rows_that_stand_for_several_count_as_often(data, frame):
    """Row k of the training rows stands for k + 1 rows of the data: counts are sums of these."""
    often = np.arange(1, 121)
    counted = replace(data, train=replace(data.train, frequency=often))
    lines = [line(3, "drop"), line(8, "drop"), line(20, "relabel", new_label=other(frame.granted[20]))]
    found = account(counted, cleaning(counted, *lines))
    assert found["splits"]["training"] == {"rows": int(often.sum()), "dropped": 4 + 9, "relabelled": 21}
    train = frame[:120]
    for part, column in ((found["groups"]["sex"], train.sex), (found["classes"], train.granted)):
        rows = {name: int(often[(column == name).to_numpy()].sum()) for name in column.unique()}
        assert {name: of["training"]["rows"] for name, of in part.items()} == rows
        assert sum(of["training"]["dropped"] for of in part.values()) == 13
        assert part[column[20]]["training"]["relabelled"] == 21


def test_a_group_that_loses_all_its_rows_is_named(data, frame):
    women = frame.index[(frame.sex == "f") & (frame.part == "test")]
    found = account(data, cleaning(data, *(line(row, "drop", "test") for row in women)))
    assert found["emptied"] == [{"feature": "sex", "group": "f", "split": "test"}]


def test_what_does_not_fit_the_data_is_refused(data, frame):
    granted = frame.index[(frame.part == "train") & (frame.granted == "yes")]
    refused = {
        "other data": Cleaning(name="c", data="0" * 64, lines=(line(3, "drop"),)),
        "do not exist": cleaning(data, line("3a", "drop"), line(150, "drop")),
        "no class of": cleaning(data, line(3, "relabel", new_label="maybe")),
        "another label": cleaning(data, line(3, "drop", label=other(frame.granted[3]))),
        "labels of test rows": cleaning(data, line(150, "relabel", "test", new_label="no")),
        "no training row of class 'yes'": cleaning(data, *(line(row, "relabel", new_label="no") for row in granted)),
        "leaves no validation row": cleaning(data, *(line(row, "drop", "validation") for row in range(120, 140))),
    }
    for words, one in refused.items():
        with pytest.raises(DataError, match=words):
            cleaned(data, one)


def test_labels_of_test_rows_change_where_the_head_allows_it_and_that_is_recorded(data, frame):
    one = cleaning(data, line(150, "relabel", "test", new_label=other(frame.granted[150])), changes_test=True)
    assert (cleaned(data, one).test.target != data.test.target).sum() == 1
    assert account(data, one)["test_labels"] is True
    assert account(data, one)["splits"]["test"]["relabelled"] == 1


def test_rows_of_values_are_dropped_and_not_relabelled(frame, experiment, tmp_path):
    changed = {**experiment, "task": "regression", "model": "ridge-regression"}
    names = {"target": "skill", "positive": None}
    dataset = {key: value for key, value in {**experiment["dataset"], **names}.items() if value is not None}
    values = data_of(frame, tmp_path, {**changed, "model": {"use": "sklearn", "estimator": "Ridge"}, "dataset": dataset})
    assert len(cleaned(values, cleaning(values, line(3, "drop"))).train) == 119
    with pytest.raises(DataError, match="have no class"):
        cleaned(values, cleaning(values, line(3, "relabel", new_label="1.5")))


def test_training_rows_that_are_read_part_by_part_are_refused(data):
    streamed = replace(data, stream=object())
    with pytest.raises(DataError, match="part by part"):
        cleaned(streamed, cleaning(data, line(3, "drop")))
    assert len(cleaned(streamed, cleaning(data, line(150, "drop", "test"))).test) == 59


def test_the_same_rows_divided_otherwise_are_other_data(frame, experiment, tmp_path, data):
    divided = data_of(frame.drop(columns="part"), tmp_path, experiment, split={"by": "random"}, drop=["applicant"])
    with pytest.raises(DataError, match="divided in another way"):
        cleaned(divided, cleaning(data, line(3, "drop")))


def written(folder: Path, one: Cleaning) -> Path:
    for name, text in one.files().items():
        (folder / name).write_text(text)
    return folder / "cleaning.yaml"


def test_a_cleaning_is_read_as_it_was_written_and_remarks_do_not_change_its_version(data, tmp_path):
    lines = (
        line("=3", "drop", reason='twice, "so"'),
        line(7, "relabel", label="-", new_label="+x"),
        line(9, "keep", remark="right"),
    )
    one = cleaning(data, *lines, run="20261129T000000Z-abcdef")
    found = read_cleaning(written(tmp_path, one))
    assert (found.lines, found.data, found.run, found.version) == (one.lines, one.data, one.run, one.version)
    remarked = cleaning(data, *lines, line(10, "keep"))
    assert remarked.version == one.version != cleaning(data, lines[0]).version
    assert "'=3" in (tmp_path / "cleaning.csv").read_text()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("row,split\n3,training\n", "lack the column 'action'"),
        ("row,split,action,lable\n3,training,drop,x\n", "unknown column 'lable'"),
        ("row,split,action\n3,train,drop\n", "'train' is no split"),
        ("row,split,action\n3,training,remove\n", "'remove' is no action"),
        ("row,split,action\n3,training,relabel\n", "no new_label"),
        ("row,split,action\n3,training\n", "another number of cells"),
        ("row,split,action\n3,training,drop,x\n", "another number of cells"),
        ("row,split,action\n3,training,drop\n3,training,keep\n", "two lines"),
        ('row,split,action\n3,training,"drop\n', "no CSV"),
    ],
)
def test_a_wrong_line_is_named(rows, words, data, tmp_path):
    path = written(tmp_path, cleaning(data))
    path.with_suffix(".csv").write_text(rows)
    with pytest.raises(ExperimentError, match=words) as caught:
        read_cleaning(path)
    assert "cleaning.csv:" in str(caught.value)


def test_missing_files_and_other_versions_are_refused(data, tmp_path):
    path = written(tmp_path, cleaning(data, line(3, "drop")))
    with pytest.raises(ExperimentError, match="another version"):
        read_cleaning(path, version="0" * 16)
    path.with_suffix(".csv").unlink()
    with pytest.raises(ExperimentError, match="file is missing"):
        read_cleaning(path)
    with pytest.raises(ExperimentError, match="file is missing") as caught:
        read_cleaning(tmp_path / "cleanin.yaml")
    assert "cleaning.yaml" in str(caught.value)
    path.write_text("format: 2\ndata: x\n")
    (tmp_path / "cleaning.csv").write_text(",".join(COLUMNS) + "\n")
    with pytest.raises(ExperimentError, match="format"):
        read_cleaning(path)
