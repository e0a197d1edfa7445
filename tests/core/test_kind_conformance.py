"""What `check_kind` finds: kinds of prediction that say another thing of a row by its place, or forget how often it counts."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glassbench import Schema, Target
from glassbench.contracts.predictions.outputs import BaselinePredictions, Losses, RowErrors
from glassbench.contracts.predictions.values import Values
from glassbench.testing import check_kind

SCHEMA = Schema(modality="table", shape=(1,), target=Target(name="weight", kind="value"))
FRAME = pd.DataFrame({"row": range(8), "y_true": [1.0, 2, 4, 8, 9, 3, 7, 20], "y_pred": [2.0, 2, 3, 9, 7, 1, 8, 12]})


class ByPlace(Values):
    """Errors grow with the place of a row."""

    def row_errors(self, frame, schema):
        return RowErrors(size=np.arange(len(frame), dtype=float), binary=False, words="errors", measure="error")


class FirstRow(Values):
    """Values are held against the first row's."""

    def value_output(self, frame, schema):
        found = super().value_output(frame, schema)
        return replace(found, predicted=found.predicted - found.predicted[0])


class PlainSpread(Values):
    def spread(self, frame, schema):
        return float(frame["y_true"].std(ddof=0))


class PlainBaseline(Values):
    def baseline(self, frame, schema, learnt):
        return BaselinePredictions(frame=frame.assign(y_pred=frame["y_true"].mean()), words="the mean")


class PlainGuess(Values):
    def losses(self, frame, schema):
        truth = frame["y_true"].to_numpy()
        return Losses(predicted=np.abs(truth - frame["y_pred"]), guessed=np.abs(truth - truth.mean()))


class PlainChange(Values):
    def changes(self, before, after, schema):
        return replace(super().changes(before, after, schema), usual=float(before["y_pred"].std()))


def test_values_keep_their_promises():
    check_kind(Values(), FRAME, SCHEMA)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (ByPlace(), "errors must not hang on the order"),
        (FirstRow(), "values must not hang on the order"),
        (PlainSpread(), "the spread of rows that stand for several"),
        (PlainBaseline(), "a baseline of rows that stand for several"),
        (PlainGuess(), "losses of a guess, of rows that stand for several"),
        (PlainChange(), "the usual change of rows that stand for several"),
    ],
)
def test_a_broken_promise_is_named(kind, told):
    with pytest.raises(AssertionError, match=told):
        check_kind(kind, FRAME, SCHEMA)
