"""What every kind of prediction promises."""

import numpy as np
import pandas as pd

from glassbench.contracts.predictions.kind import PredictionKind
from glassbench.contracts.predictions.outputs import RowErrors
from glassbench.contracts.schema import Schema
from glassbench.testing.repeated import counts_of_rows, repeated_rows


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
    _check_order(kind, frame, schema)
    _check_counts(kind, frame, schema)
    assert frame.equals(before), "asking a kind must leave the predictions as they were"


def _by_row(kind: PredictionKind, frame: pd.DataFrame, schema: Schema) -> dict[str, np.ndarray]:
    """Return everything that a kind says of each row, `(n, ...)`, by what it is."""
    told: dict[str, object] = {"certainty": kind.certainty(frame), "sides": kind.sides(frame, schema)}
    if (errors := kind.row_errors(frame, schema)) is not None:
        told["errors"] = errors.size
    for place, output in enumerate(kind.class_outputs(frame, schema)):
        told |= {f"choices {place}": output.predicted, f"true choices {place}": output.actual, f"scores {place}": output.scores}
    if (values := kind.value_output(frame, schema)) is not None:
        told |= {"values": values.predicted, "true values": values.actual}
    if (interval := kind.interval_output(frame, schema)) is not None:
        told |= {"low ends": interval.low, "high ends": interval.high, "holding intervals": interval.holds}
    if (answers := kind.answer_output(frame, schema)) is not None:
        told |= {"answers": answers.written, "qualities": answers.quality}
    if (episodes := kind.episode_output(frame, schema)) is not None:
        told["returns"] = episodes.returns
    if "y_true" in frame and frame["y_true"].notna().all():
        told["encoded truths"] = kind.encoded_truth(frame, schema)
        if (losses := kind.losses(frame, schema)) is not None:
            told["losses"] = losses.predicted
    return {what: np.asarray(values) for what, values in told.items() if values is not None}


def _check_order(kind: PredictionKind, frame: pd.DataFrame, schema: Schema) -> None:
    """Check that what is said of a row does not hang on where it stands."""
    order = np.random.default_rng(0).permutation(len(frame))
    here, there = (_by_row(kind, rows, schema) for rows in (frame, frame.iloc[order].reset_index(drop=True)))
    assert here.keys() == there.keys(), "rows in another order offer the same"
    for what, values in here.items():
        assert _alike(values[order], there[what]), f"{what} must not hang on the order of rows"


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    if one.dtype.kind in "fc" and other.dtype.kind in "fc":
        return bool(np.allclose(one, other, equal_nan=True))
    return pd.DataFrame(one.reshape(len(one), -1)).equals(pd.DataFrame(other.reshape(len(other), -1)))


def _check_counts(kind: PredictionKind, frame: pd.DataFrame, schema: Schema) -> None:
    """Check that a row that stands for several counts as often in what is said of all rows."""
    plain = frame.drop(columns=["weight", "frequency"], errors="ignore").reset_index(drop=True)
    counts = counts_of_rows(plain, kind.together, least=1)
    counted, several = plain.assign(frequency=counts.astype(float)), repeated_rows(plain, counts, kind.together)
    one, other = kind.spread(counted, schema), kind.spread(several, schema)
    assert np.isclose(one, other), "the spread of rows that stand for several is that of as many"
    for what, errors in (("error", kind.row_errors), ("change", lambda rows, schema: kind.changes(rows, rows, schema))):
        single, copied = (
            1.0 if found is None else found.usual for found in (errors(rows, schema) for rows in (counted, several))
        )
        assert np.isclose(single, copied), f"the usual {what} of rows that stand for several is that of as many"
    if "y_true" not in frame or not frame["y_true"].notna().all():
        return
    losses = [kind.losses(rows, schema) for rows in (counted, several)]
    if losses[0] is not None and losses[1] is not None:
        guessed, expected = losses[0].guessed, losses[1].guessed[np.cumsum(counts) - 1]
        assert np.allclose(guessed, expected), "losses of a guess, of rows that stand for several, are those of as many"
    guesses = [kind.baseline(rows, schema, None) for rows in (counted, several)]
    if guesses[0] is not None and guesses[1] is not None:
        told, expected = guesses[0].frame["y_pred"], guesses[1].frame["y_pred"].iloc[np.cumsum(counts) - 1]
        assert _alike(told.to_numpy(), expected.to_numpy()), "a baseline of rows that stand for several is that of as many"


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
