"""One number per row."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.metric import Metric
from glassbench.contracts.positive_class import favourable_classes
from glassbench.contracts.predictions.choices import in_order
from glassbench.contracts.predictions.classes import comparable
from glassbench.contracts.predictions.kind import Agreement, PredictionKind
from glassbench.contracts.predictions.outputs import BaselinePredictions, Losses, NotableRows, RowErrors, ValueOutput
from glassbench.contracts.readable import in_its_unit
from glassbench.contracts.schema import Schema
from glassbench.stats.sampling import Sampling

_MEAN = Metric(name="mean_prediction", compute=lambda frame, w: w @ frame["y_pred"].to_numpy(dtype=float) / w.sum(axis=1))
"""What is predicted, where nobody says what is true."""


class Values(PredictionKind):
    """A number per row.

    Args:
        continues: Whether the numbers continue a series, so that groups of rows differ by nature and only errors are compared.
    """

    name = "values"

    def decided_words(self, schema: Schema) -> str:
        """Return the value that is predicted."""
        unit = f" in {schema.target.unit}" if schema.target.unit else ""
        return f"predicts {schema.target.name}{unit} of each {schema.unit}"

    def __init__(self, *, continues: bool = False) -> None:
        self.continues = continues

    def row_errors(self, frame: pd.DataFrame, schema: Schema) -> RowErrors | None:
        """Return how far each row is off; None where a truth is not known."""
        if "y_true" not in frame:
            return None
        size = np.abs(_numbers(frame, "y_true") - _numbers(frame, "y_pred"))
        return _sizes(size, frame, schema, "mean absolute error", "mean_absolute_error") if np.isfinite(size).all() else None

    def changes(self, before: pd.DataFrame, after: pd.DataFrame, schema: Schema) -> RowErrors | None:
        """Return by how much each number moved."""
        size = np.abs(_numbers(after, "y_pred") - _numbers(before, "y_pred"))
        return _sizes(size, before, schema, "mean change", "change")

    def losses(self, frame: pd.DataFrame, schema: Schema) -> Losses | None:
        """Return squared errors beside those of the mean truth."""
        truth = _numbers(frame, "y_true")
        return comparable((truth - _numbers(frame, "y_pred")) ** 2, (truth - Sampling.of(frame).mean(truth)) ** 2)

    def agreement(self, frame: pd.DataFrame, schema: Schema) -> Agreement | None:
        """Return the covariance of predictions and truths, times the number of rows."""
        truth, predicted = _numbers(frame, "y_true"), _numbers(frame, "y_pred")
        centred = truth - truth.mean()
        return lambda order: float(centred[order] @ predicted)

    def value_output(self, frame: pd.DataFrame, schema: Schema) -> ValueOutput | None:
        """Return the numbers beside the true ones."""
        target = schema.target
        good = favourable_classes(target)
        return ValueOutput(
            predicted=_numbers(frame, "y_pred"),
            actual=_numbers(frame, "y_true") if "y_true" in frame else None,
            name=target.name,
            unit=target.unit,
            favourable=good[0] if good else None,
            continues=self.continues,
        )

    def group_metrics(self, metrics: Sequence[Metric], frame: pd.DataFrame, schema: Schema) -> tuple[Metric, ...]:
        """Return the task's metrics; without a truth also the mean of what is predicted."""
        found = super().group_metrics(metrics, frame, schema)
        return found if "y_true" in frame else (*found, _MEAN)

    def spread(self, frame: pd.DataFrame, schema: Schema) -> float:
        """Return the standard deviation of the truths, without any that of the predictions; 1 where the numbers continue a series
        and are on a standardised scale."""
        if self.continues:
            return 1.0
        return _deviation(frame, "y_true" if "y_true" in frame else "y_pred")

    def baseline(self, frame: pd.DataFrame, schema: Schema, learnt: np.ndarray | None) -> BaselinePredictions | None:
        """Return the mean value for every row."""
        known = Sampling.of(frame).mean(_numbers(frame, "y_true")) if learnt is None else np.mean(learnt, dtype=np.float64)
        value = float(known)
        columns = [c for c in ("y_pred", "score") if c in frame]
        words = f"always answering the mean, {value:.4g}" + (f" {schema.target.unit}" if schema.target.unit else "")
        return BaselinePredictions(frame=frame.assign(**dict.fromkeys(columns, value)), words=words)

    def notable_rows(self, frame: pd.DataFrame, schema: Schema) -> tuple[NotableRows, ...]:
        """Return the highest predictions, the lowest, and those furthest from the truth."""
        predicted = _numbers(frame, "y_pred")
        found = [
            NotableRows(title="the highest prediction", rows=in_order(-predicted)),
            NotableRows(title="the lowest prediction", rows=in_order(predicted)),
        ]
        if (errors := self.row_errors(frame, schema)) is not None:
            found.append(NotableRows(title="a prediction far from the truth", rows=in_order(-errors.size)))
        return tuple(found)

    def encoded_truth(self, frame: pd.DataFrame, schema: Schema) -> Tensor | None:
        """Return the true numbers, float32 `(n,)`."""
        return torch.as_tensor(np.array(frame["y_true"], dtype=np.float32))

    def said(self, value: object, schema: Schema) -> str:
        """Return a number in its unit."""
        return in_its_unit(float(str(value)), schema.target)

    def attribution_words(self, schema: Schema) -> str:
        """Return that the number itself is explained."""
        target = schema.target
        return f"the predicted {target.name}" + (f" ({target.unit})" if target.unit else "")


def _numbers(frame: pd.DataFrame, column: str) -> np.ndarray:
    return frame[column].to_numpy(dtype=float)


def _deviation(frame: pd.DataFrame, column: str) -> float:
    """Return the standard deviation of the known numbers of a column, each counted as often as it stands for one; 1 for 0."""
    return Sampling.of(frame).deviation(_numbers(frame, column)) or 1.0


def _sizes(size: np.ndarray, frame: pd.DataFrame, schema: Schema, words: str, measure: str) -> RowErrors:
    usual = _deviation(frame, "y_pred")
    return RowErrors(size=size, binary=False, words=words, measure=measure, unit=schema.target.unit, usual=usual)
