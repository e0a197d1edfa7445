"""Quantiles of a number per row, and an interval that holds it with a stated chance."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from glassbench.contracts.predictions.choices import in_order
from glassbench.contracts.predictions.classes import comparable
from glassbench.contracts.predictions.outputs import BaselinePredictions, ExplainedOutput, IntervalOutput, Losses, NotableRows
from glassbench.contracts.predictions.values import Values
from glassbench.contracts.schema import Schema
from glassbench.errors import DataError
from glassbench.stats.sampling import Sampling

_PREFIX = "quantile."


class Quantiles(Values):
    """A number per row, the median; around it an interval with a stated coverage, and quantiles by level.

    Columns beyond those of values: `low` and `high`, the ends of the interval, `quantile.<level>` for each level, and `crossed`,
    whether a row's quantiles were out of order before they were sorted; the last two may be absent.

    Args:
        coverage: The share of rows whose interval is said to hold the truth.
        words: How the intervals came about.
        explained: Names of the explained outputs, where the task explains more than the median; the median is the first.
    """

    name = "quantiles"
    required = ("row", "y_pred", "low", "high")

    def decided_words(self, schema: Schema) -> str:
        """Return the value that intervals are predicted of."""
        unit = f" in {schema.target.unit}" if schema.target.unit else ""
        return f"predicts {schema.target.name}{unit} of each {schema.unit}, with an interval"

    def __init__(
        self, *, coverage: float = 0.9, words: str = "as the predictions state them", explained: tuple[str, ...] = ()
    ) -> None:
        super().__init__()
        self.coverage = coverage
        self.words = words
        self.explained = explained

    def check(self, frame: pd.DataFrame, schema: Schema) -> None:
        """Raise `DataError` where columns lack, ends are no finite numbers, or a low end lies above the high one."""
        super().check(frame, schema)
        low, high = (frame[name].to_numpy(dtype=float) for name in ("low", "high"))
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise DataError("ends of intervals are no finite numbers", fix="return finite `low` and `high` from Task.predict")
        if (upside_down := int((low > high).sum())) > 0:
            raise DataError(f"{upside_down} of {len(frame)} intervals have their low end above the high one")

    def interval_output(self, frame: pd.DataFrame, schema: Schema) -> IntervalOutput:
        """Return the intervals, and the quantiles beside them."""
        truth = frame["y_true"].to_numpy(dtype=float) if "y_true" in frame else None
        return IntervalOutput(
            low=frame["low"].to_numpy(dtype=float),
            high=frame["high"].to_numpy(dtype=float),
            coverage=self.coverage,
            actual=truth if truth is not None and np.isfinite(truth).all() else None,
            quantiles=quantiles_of(frame),
            crossed=frame["crossed"].to_numpy(dtype=bool) if "crossed" in frame else None,
            name=schema.target.name,
            unit=schema.target.unit,
            words=self.words,
        )

    def losses(self, frame: pd.DataFrame, schema: Schema) -> Losses | None:
        """Return absolute errors beside those of the median truth, since the median is what is predicted."""
        truth, predicted = (frame[name].to_numpy(dtype=float) for name in ("y_true", "y_pred"))
        return comparable(np.abs(truth - predicted), np.abs(truth - Sampling.of(frame).quantile(truth, 0.5)))

    def baseline(self, frame: pd.DataFrame, schema: Schema, learnt: np.ndarray | None) -> BaselinePredictions | None:
        """Return the same quantiles of the truths for every row."""
        truths = np.asarray(frame["y_true"] if learnt is None else learnt, dtype=np.float64)
        sampling = Sampling.of(frame) if learnt is None else Sampling(weight=np.ones(len(truths)))
        tail = (1 - self.coverage) / 2
        levels = {"y_pred": 0.5, "low": tail, "high": 1 - tail} | {f"{_PREFIX}{level:g}": level for level in quantiles_of(frame)}
        values = {name: sampling.quantile(truths, level) for name, level in levels.items()}
        middle, low, high = (self.said(values[name], schema) for name in ("y_pred", "low", "high"))
        words = f"always answering the median, {middle}, and the interval from {low} to {high}"
        columns = {**values, **({"crossed": False} if "crossed" in frame else {})}
        return BaselinePredictions(frame=frame.assign(**columns), words=words)

    def notable_rows(self, frame: pd.DataFrame, schema: Schema) -> tuple[NotableRows, ...]:
        """Return those of values, the widest interval, and the truths furthest outside their interval."""
        output = self.interval_output(frame, schema)
        widest = NotableRows(title="the prediction with the widest interval", rows=in_order(-output.width))
        found = [*super().notable_rows(frame, schema), widest]
        if output.actual is not None:
            beyond = np.maximum(output.low - output.actual, output.actual - output.high)
            order = in_order(-beyond)
            found.append(NotableRows(title="a prediction whose interval misses the truth", rows=order[beyond[order] > 0]))
        return tuple(found)

    def said_with_certainty(self, frame: pd.DataFrame, position: int, schema: Schema) -> str:
        """Return a row's median with its interval."""
        middle, low, high = (self.said(frame[name].iloc[position], schema) for name in ("y_pred", "low", "high"))
        return f"{middle}, {self.coverage * 100:g} % interval {low} to {high}"

    def explained_outputs(self, frame: pd.DataFrame, schema: Schema) -> tuple[ExplainedOutput, ...]:
        """Return the outputs that a task names, each for every row."""
        return tuple(ExplainedOutput(name=name, index=(k,), rows=len(frame)) for k, name in enumerate(self.explained))

    def attribution_words(self, schema: Schema) -> str:
        """Return that the median is explained, not the interval."""
        target = schema.target
        return f"the predicted median of {target.name}" + (f" ({target.unit})" if target.unit else "")


def quantiles_of(frame: pd.DataFrame) -> Mapping[float, np.ndarray]:
    """Return the columns `quantile.<level>` of predictions by level, in rising order, each float64 `(n,)`."""
    columns = {float(str(c).removeprefix(_PREFIX)): c for c in frame.columns if str(c).startswith(_PREFIX)}
    return {level: frame[columns[level]].to_numpy(dtype=float) for level in sorted(columns)}
