"""What every kind of prediction promises."""

import numpy as np
import pandas as pd

from glassbench.contracts.predictions.kind import PredictionKind
from glassbench.contracts.predictions.outputs import RowErrors
from glassbench.contracts.schema import Schema


def check_kind(kind: PredictionKind, frame: pd.DataFrame, schema: Schema) -> None:
    """Check that a kind of prediction keeps its promises on predictions made.

    Args:
        kind: The kind.
        frame: Predictions of this kind, as `Task.predict` returns them.
        schema: What the rows are.

    Raises:
        AssertionError: It does not; the message says which promise is broken.
    """
    kind.check(frame, schema)
    before = frame.copy()
    _check_errors(kind.row_errors(frame, schema), len(frame))
    _check_errors(kind.changes(frame, frame, schema), len(frame), unchanged=True)
    _check_outputs(kind, frame, schema)
    if "y_true" in frame and frame["y_true"].notna().all():
        _check_against_truth(kind, frame, schema)
    for notable in kind.notable_rows(frame, schema):
        rows = np.asarray(notable.rows)
        assert ((rows >= 0) & (rows < len(frame))).all(), f"'{notable.title}' names rows that there are not"
        assert len(np.unique(rows)) == len(rows), f"'{notable.title}' names a row twice"
    assert isinstance(kind.said_with_certainty(frame, 0, schema), str), "a prediction is said in words"
    sure, sides = kind.certainty(frame), kind.sides(frame, schema)
    assert sure is None or np.shape(sure) == (len(frame),), "there is one certainty per row"
    assert sides is None or set(np.unique(sides)) <= {-1, 1}, "sides are 1 or -1"
    assert np.isfinite(kind.spread(frame, schema)), "the spread is a finite number"
    assert kind.spread(frame, schema) > 0, "the spread is above 0"
    assert frame.equals(before), "asking a kind must leave the predictions as they were"


def _check_errors(found: RowErrors | None, rows: int, *, unchanged: bool = False) -> None:
    if found is None:
        return
    assert found.size.shape == (rows,), "there is one error per row"
    assert (found.size >= 0).all(), "errors are at least 0"
    assert found.usual > 0, "a change is held against a number above 0"
    if found.binary:
        assert set(np.unique(found.size)) <= {0.0, 1.0}, "binary errors are 0 or 1"
        assert found.complement, "binary errors say what the share without an error is called"
    assert not unchanged or not found.size.any(), "rows that are as they were have not moved"


def _check_outputs(kind: PredictionKind, frame: pd.DataFrame, schema: Schema) -> None:
    names = [output.name for output in kind.class_outputs(frame, schema)]
    assert len(names) == len(set(names)), "several choices have names that differ"
    for output in kind.class_outputs(frame, schema):
        strange = set(output.predicted.astype(str)) - set(output.classes)
        assert not strange, f"predictions name classes that the choice does not have: {sorted(strange)}"
        assert output.positive is None or output.positive in output.classes, "the positive class is one of the classes"
        assert set(output.favourable) <= set(output.classes), "favourable outcomes are classes"
        assert output.scores is None or len(output.scores) == len(frame), "there are scores for every row"
    explained = kind.explained_outputs(frame, schema)
    assert len({output.name for output in explained}) == len(explained), "outputs explained one by one have names that differ"
    values = kind.value_output(frame, schema)
    assert values is None or values.predicted.shape == (len(frame),), "there is one number per row"


def _check_against_truth(kind: PredictionKind, frame: pd.DataFrame, schema: Schema) -> None:
    baseline = kind.baseline(frame, schema, None)
    if baseline is not None:
        assert list(baseline.frame.columns) == list(frame.columns), "a baseline has the columns of the predictions"
        assert len(baseline.frame) == len(frame), "a baseline predicts every row"
    losses = kind.losses(frame, schema)
    assert losses is None or losses.predicted.shape == losses.guessed.shape == (len(frame),), "there are losses of every row"
    agreement = kind.agreement(frame, schema)
    if agreement is not None:
        assert np.isfinite(agreement(np.arange(len(frame))[::-1])), "agreement in any order is a finite number"
    target = kind.encoded_truth(frame, schema)
    assert target is None or len(target) == len(frame), "there is one encoded truth per row"
