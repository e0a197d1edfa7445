"""What a task's predictions are; audits ask it, and decline what it does not offer."""

from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import pandas as pd
from torch import Tensor

from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.class_codes import unlike
from glassbench.contracts.predictions.outputs import (
    AnswerOutput,
    BaselinePredictions,
    ClassOutput,
    EpisodeOutput,
    ExplainedOutput,
    GeneratedOutput,
    IntervalOutput,
    Losses,
    NotableRows,
    RankingOutput,
    RegionOutput,
    RowErrors,
    ValueOutput,
)
from glassbench.contracts.schema import Schema
from glassbench.errors import DataError
from glassbench.printable import plural
from glassbench.stats.percent import in_percent

Agreement = Callable[[np.ndarray], float]
"""From an order of the rows `(n,)` to how well predictions agree with the truths put into that order; more is better."""


class PredictionKind:
    """What a row of predictions means. A kind overrides what it offers; every default says that it offers nothing.

    Frames hold predictions as `predictions.parquet` does, n rows: `row`, `y_pred`, `y_true` (absent where it is known of no
    row, missing in rows whose outcome is not known), scores and whatever the kind adds.

    Attributes:
        name: What the kind is called in lists and messages.
        required: Columns that predictions must have.
        softmax: Whether the last axis of the explained output holds scores whose softmax are probabilities: explanations speak
            of log-odds then.
        self_supervised: Whether a row is its own truth, so that the metrics of rows made up by an audit are known.
        compared_rows: The most rows that `agreement` is asked of.
        truth_axes: How many axes truths have as a model learns them: 1 for one number or class per row, 2 for several, 3 for a
            mask; `baseline` is given training truths of so many.
        together: The column that names the list each row is predicted in, such as the query of a candidate: its prediction
            depends on the others of the list, so audits draw whole lists and make no attack on single rows. None where rows are
            predicted one by one.
    """

    name: ClassVar[str]
    required: ClassVar[tuple[str, ...]] = ("row", "y_pred")
    softmax: ClassVar[bool] = False
    self_supervised: ClassVar[bool] = False
    compared_rows: ClassVar[int] = 5000
    truth_axes: ClassVar[int] = 1
    together: ClassVar[str | None] = None

    def check(self, frame: pd.DataFrame, schema: Schema) -> None:
        """Raise `DataError` where a frame is none of this kind."""
        needed = (*self.required, *([] if self.together is None else [self.together]))
        lacking = [name for name in needed if name not in frame]
        if lacking:
            raise DataError(
                f"predictions of {self.name} lack the column '{lacking[0]}'",
                got=", ".join(map(str, frame.columns)) or "no columns",
                fix=f"return a frame with {', '.join(dict.fromkeys(needed))} from Task.predict",
            )

    def row_errors(self, frame: pd.DataFrame, schema: Schema) -> RowErrors | None:
        """Return how wrong each row is; None where a prediction is neither right nor wrong, or a truth is not known."""
        return None

    def changes(self, before: pd.DataFrame, after: pd.DataFrame, schema: Schema) -> RowErrors | None:
        """Return how far each row's prediction moved between two frames of the same rows; None where that has no meaning."""
        moved = unlike(before["y_pred"], after["y_pred"]).astype(float)
        return RowErrors(
            size=moved,
            binary=True,
            words="share of predictions changed",
            measure="changed",
            complement="share of predictions kept",
        )

    def decided_words(self, schema: Schema) -> str:
        """Return what is decided of each row, in words: "decides class (fast, slow) of each patient"; empty where unknown."""
        return ""

    def remedy(self, schema: Schema) -> str:
        """Return what can be done where groups of rows fare differently, in the imperative without a full stop."""
        return f"train with more {plural(schema.unit)} like theirs, or give these more weight"

    def losses(self, frame: pd.DataFrame, schema: Schema) -> Losses | None:
        """Return losses beside those of the best constant guess; None where the guess loses nothing or there are none."""
        return None

    def agreement(self, frame: pd.DataFrame, schema: Schema) -> Agreement | None:
        """Return how well predictions agree with the truths in any order, for a permutation test; None where they cannot."""
        return None

    def class_outputs(self, frame: pd.DataFrame, schema: Schema) -> tuple[ClassOutput, ...]:
        """Return the choices among classes that each row was given; none where predictions are no choices."""
        return ()

    def value_output(self, frame: pd.DataFrame, schema: Schema) -> ValueOutput | None:
        """Return the number each row was given; None where it is given none."""
        return None

    def interval_output(self, frame: pd.DataFrame, schema: Schema) -> IntervalOutput | None:
        """Return the interval each row was given for its number; None where it was given none."""
        return None

    def answer_output(self, frame: pd.DataFrame, schema: Schema) -> AnswerOutput | None:
        """Return the answer written for each row; None where none is written."""
        return None

    def generated_output(self, frame: pd.DataFrame, schema: Schema) -> GeneratedOutput | None:
        """Return the row that was generated for each held-out row; None where none is."""
        return None

    def episode_output(self, frame: pd.DataFrame, schema: Schema) -> EpisodeOutput | None:
        """Return which episode each row is a step of; None where rows are no steps."""
        return None

    def ranking_output(self, frame: pd.DataFrame, schema: Schema) -> RankingOutput | None:
        """Return the items each row was recommended; None where none are."""
        return None

    def region_output(self, frame: pd.DataFrame, positions: np.ndarray, schema: Schema) -> RegionOutput | None:
        """Return where in some pictures predictions and truths lie; None where they lie nowhere.

        Args:
            frame: Predictions.
            positions: Which rows, `(k,)`.
            schema: What rows are.
        """
        return None

    def group_metrics(self, metrics: Sequence[Metric], frame: pd.DataFrame, schema: Schema) -> tuple[Metric, ...]:
        """Return what groups are compared by beside the rates of choices; all metrics of the task that can be computed.

        Args:
            metrics: The task's metrics.
            frame: Predictions.
            schema: What rows are.
        """
        return tuple(metric for metric in metrics if "y_true" in frame or not metric.compares)

    def spread(self, frame: pd.DataFrame, schema: Schema) -> float:
        """Return the unit in which gaps of numbers that are no shares are allowed: 1 unless a kind says otherwise.

        Values take the standard deviation of the truths.
        """
        return 1.0

    def baseline(self, frame: pd.DataFrame, schema: Schema, learnt: np.ndarray | None) -> BaselinePredictions | None:
        """Return the rows as predicted without looking at them; None where there is no such answer.

        Args:
            frame: Predictions with their truths.
            schema: What rows are.
            learnt: The truths of the training rows as the model learnt them `(m,)`, with two `truth_axes` `(m, k)`; None to take
                those of the frame; with three `(m, height, width)`.
        """
        return None

    def from_expected(self, frame: pd.DataFrame, schema: Schema, expected: np.ndarray) -> pd.DataFrame | None:
        """Return the frame as another model predicts its rows; None for kinds without several choices (`class_outputs`).

        Args:
            frame: Predictions with their truths.
            schema: What rows are.
            expected: The probability that the spoken class of each choice is true `(n, k)`.
        """
        return None

    def notable_rows(self, frame: pd.DataFrame, schema: Schema) -> tuple[NotableRows, ...]:
        """Return the rows whose single explanations are worth showing."""
        return ()

    def encoded_truth(self, frame: pd.DataFrame, schema: Schema) -> Tensor | None:
        """Return the truths as a model learns them, `Batch.target` `(n, ...)`; None where predictions do not tell."""
        return None

    def choice_codes(self, target: Tensor, schema: Schema) -> Tensor | None:
        """Return the truth of each of several choices (`class_outputs`) as a place among its classes; None where there is one.

        Args:
            target: Truths as a model learns them, `Split.target`.
            schema: What rows are.

        Returns:
            Long `(n, choices)`, -1 where a truth is not known.
        """
        return None

    def explained_outputs(self, frame: pd.DataFrame, schema: Schema) -> tuple[ExplainedOutput, ...]:
        """Return the outputs that are explained one by one beside each row's own, the most important first; none by default."""
        return ()

    def certainty(self, frame: pd.DataFrame) -> np.ndarray | None:
        """Return the probability the model gives to each prediction, float64 `(n,)`; None where it gives none."""
        return None

    def said(self, value: object, schema: Schema) -> str:
        """Return a prediction or a truth in words."""
        return str(value)

    def said_with_certainty(self, frame: pd.DataFrame, position: int, schema: Schema) -> str:
        """Return a row's prediction in words, with its certainty where the model gives one."""
        text, sure = self.said(frame["y_pred"].iloc[position], schema), self.certainty(frame)
        return text if sure is None or not 0 <= sure[position] <= 1 else f"{text}, {in_percent(sure[position], 1)} certain"

    def attribution_words(self, schema: Schema) -> str:
        """Return in words what an explanation explains."""
        return f"the predicted {schema.target.name}"

    def sides(self, frame: pd.DataFrame, schema: Schema) -> np.ndarray | None:
        """Return on which side of its question each row was explained, 1 or -1 `(n,)`; None where there are more than two."""
        return np.ones(len(frame), dtype=int)

    def one_sided(self, index: Tensor | None, schema: Schema) -> Tensor | None:
        """Return which explained output directions are said of, for every row alike; `index` itself where there is one output.

        Args:
            index: Which output each row's prediction took.
            schema: What rows are.

        Raises:
            LookupError: There is no single output that directions could be said of.
        """
        return index
