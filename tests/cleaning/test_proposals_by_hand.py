"""What a cleaning proposes of single rows, and which rows are compared before and after it, from findings given by hand."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.cleaning import proposing
from glassbench.cleaning.proposing import _line, _merged, _of_concern
from glassbench.cleaning.trying import _same_truth
from glassbench.contracts.data import Data, Split
from glassbench.contracts.evidence import AuditResult, Finding, Method
from glassbench.contracts.row_change import RowChange
from glassbench.contracts.schema import Schema, Target
from glassbench.errors import DataError, ExperimentError
from glassbench.experiments.cleaning import Cleaning, CleaningLine, _lines
from glassbench.pipeline.cleaned_data import cleaned, source_fingerprint


def change(row: str, action: str, split: str = "training", **more: object) -> RowChange:
    return RowChange(row=row, split=split, action=action, measure="data.x", reason="why", **more)


def test_a_row_gets_one_line_that_drops_before_it_relabels_and_relabels_before_it_keeps() -> None:
    found = _merged([
        change("1", "keep"), change("1", "relabel", new_label="a"), change("2", "relabel", new_label="b"), change("2", "drop"),
        change("2", "keep", "test"), change("3", "keep"),
    ])  # fmt: skip
    assert {(one.split, one.row): one.action for one in found} == {
        ("training", "1"): "relabel", ("training", "2"): "drop", ("test", "2"): "keep", ("training", "3"): "keep"
    }  # fmt: skip
    assert _line(change("1", "relabel", label="b", new_label="a", chance_wrong=0.75)).chance_wrong == "0.75"


def test_rows_are_named_for_findings_of_concern_alone() -> None:
    grades = ("concern", "unclear", "ok", "not applicable")
    findings = tuple(Finding(sentence="said", grade=grade, measures=(f"data.{grade}",)) for grade in grades)
    assert _of_concern([AuditResult(method=Method(summary=""), findings=findings)]) == {"data.concern"}


def test_rows_whose_truth_a_cleaning_changed_are_not_compared() -> None:
    first = pd.DataFrame({"row": [1, 2, 3, 4], "y_true": ["a", "b", "a", "b"], "y_pred": "a"})
    second = pd.DataFrame({"row": [4, 2, 1], "y_true": ["a", "b", "a"], "y_pred": "a"})
    assert _same_truth(first, second)["row"].tolist() == [1, 2, 3]  # row 3 is not there to differ
    assert _same_truth(first, second.drop(columns="y_true")).equals(first)


def test_a_cleaning_is_known_by_what_it_does() -> None:
    line = CleaningLine(row="1", split="training", action="relabel", label="a", new_label="b", reason="x")
    one = Cleaning(name="x", data="d", lines=(line,))
    same = [
        replace(one, name="y", run="r"),
        replace(one, lines=(replace(line, remark="read"), replace(line, row="2", action="keep"))),
    ]
    others = [
        replace(one, lines=(replace(line, **{name: value}),))
        for name, value in (("new_label", "c"), ("row", "2"), ("split", "test"), ("action", "drop"))
    ]
    assert {other.version for other in same} == {one.version}
    assert len({one.version, *(other.version for other in others), replace(one, data="e").version}) == 6


def test_rows_of_one_id_in_two_splits_are_two_rows_and_one_row_has_one_line() -> None:
    head = "row,split,action,label,new_label\n"
    lines = _lines(f"{head}7,training,drop,,\n7,test,keep,,\n 8 ,validation,relabel,a,b\n\n", "cleaning.csv")
    assert [(one.row, one.split, one.action, one.new_label) for one in lines] == [
        ("7", "training", "drop", ""),
        ("7", "test", "keep", ""),
        ("8", "validation", "relabel", "b"),
    ]
    with pytest.raises(ExperimentError, match="training row 7 has two lines") as caught:
        _lines(f"{head}7,training,drop,,\n8,training,drop,,\n7,training,keep,,\n", "cleaning.csv")
    assert "cleaning.csv:4" in str(caught.value)
    assert "cleaning.csv:2" in str(caught.value)


def test_a_class_may_not_lose_all_its_rows_and_those_of_no_known_class_may() -> None:
    target = Target(name="y", kind="class", classes=("a", "b"))
    train = Split(inputs=(torch.zeros(5, 1),), rows=np.arange(5), target=torch.tensor([-1, 0, 1, 0, -1]))
    data = Data(schema=Schema(modality="table", shape=(1,), target=target), train=train, test=train.take(np.arange(1, 3)))

    def left(*rows: int, **more: CleaningLine) -> list[int]:
        lines = tuple(CleaningLine(row=str(row), split="training", action="drop") for row in rows)
        cleaning = Cleaning(name="x.yaml", data=source_fingerprint(data), lines=(*lines, *more.values()))
        return cleaned(data, cleaning).train.target.tolist()

    assert left(0, 4) == [0, 1, 0]
    assert left(1) == [-1, 1, 0, -1]
    with pytest.raises(DataError, match="no training row of class 'b'"):
        left(2)
    relabelled = CleaningLine(row="2", split="training", action="relabel", new_label="a")
    with pytest.raises(DataError, match="no training row of class 'b'"):
        left(0, relabel=relabelled)
    back = CleaningLine(row="1", split="training", action="relabel", label="a", new_label="b")
    assert left(2, relabel=back) == [-1, 1, 0, -1]
    with pytest.raises(DataError, match="leaves no training row"):
        left(0, 1, 2, 3, 4)


def test_what_a_run_was_cleaned_by_goes_before_what_its_audits_propose_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    own = [CleaningLine(row=row, split="training", action="keep", remark="looked at") for row in ("1", "9")]
    before = Cleaning(name="x", data="d", lines=tuple(own), changes_test=True)
    finding = Finding(sentence="said", grade="concern", measures=("data.x",))
    run = SimpleNamespace(
        run="r", require=lambda phase: None, results=lambda: [AuditResult(method=Method(summary=""), findings=(finding,))]
    )
    plan = SimpleNamespace(external=None, cleaning=before)
    monkeypatch.setattr(proposing, "RunFolder", lambda folder: run)
    monkeypatch.setattr(proposing, "replan", lambda *_: plan)
    monkeypatch.setattr(proposing, "RunContext", lambda folder, plan, *_: SimpleNamespace(plan=plan))
    monkeypatch.setattr(proposing, "source_data", lambda plan: None)
    monkeypatch.setattr(proposing, "source_fingerprint", lambda data: "d")
    aside = replace(change("4", "drop"), measure="data.y")
    monkeypatch.setattr(proposing, "_found", lambda context: [change("1", "drop"), change("2", "drop"), aside])
    found = proposing.propose(Path("r"), None)
    assert {line.row: (line.action, line.remark) for line in found.cleaning.lines} == {
        "1": ("keep", "looked at"), "2": ("drop", ""), "9": ("keep", "looked at")
    }  # fmt: skip
    assert (found.cleaning.changes_test, found.aside) == (True, {"data.y": 1})
