"""Whether each row is unlike the others."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from torch import Tensor

from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.choices import Choices, in_order, score_columns
from glassbench.contracts.predictions.classes import class_agreement, class_output, wrong_rows
from glassbench.contracts.predictions.kind import Agreement
from glassbench.contracts.predictions.outputs import ClassOutput, NotableRows, RowErrors
from glassbench.contracts.schema import Schema

FLAGS = ("normal", "unusual")
"""What rows are called that are not flagged, and that are, where the target names no classes."""


class Flags(Choices):
    """A flag per row, raised where a score is above a threshold."""

    name = "flags"

    def decided_words(self, schema: Schema) -> str:
        """Return that rows are flagged."""
        return f"flags each {schema.unit} that is unusual"

    def row_errors(self, frame: pd.DataFrame, schema: Schema) -> RowErrors | None:
        """Return whether each row is flagged wrongly; None where a truth is not known."""
        return wrong_rows(frame)

    def agreement(self, frame: pd.DataFrame, schema: Schema) -> Agreement | None:
        """Return how many flags are right."""
        return class_agreement(frame)

    def class_outputs(self, frame: pd.DataFrame, schema: Schema) -> tuple[ClassOutput, ...]:
        """Return the one choice between normal and unusual."""
        return (replace(class_output(frame, schema, schema.target.classes or FLAGS), symmetric=False),)

    def group_metrics(self, metrics: Sequence[Metric], frame: pd.DataFrame, schema: Schema) -> tuple[Metric, ...]:
        """Return none: rates say it all."""
        return ()

    def certainty(self, frame: pd.DataFrame) -> np.ndarray | None:
        """Return None: a score is no probability."""
        return None

    def notable_rows(self, frame: pd.DataFrame, schema: Schema) -> tuple[NotableRows, ...]:
        """Return the most unusual rows, those just inside and just outside the threshold, and those missed."""
        if score_columns(frame) != ["score"]:
            return super().notable_rows(frame, schema)
        score = frame["score"].to_numpy(dtype=float)
        flagged = (frame["y_pred"].astype(str) == flag_names(schema)[1]).to_numpy()
        falling, rising = in_order(-score), in_order(score)
        found = [
            NotableRows(title="the most unusual row", rows=falling),
            NotableRows(title="flagged, but only just", rows=rising[flagged[rising]]),
            NotableRows(title="not flagged, but nearly", rows=falling[~flagged[falling]]),
        ]
        if (missed := self.missed(frame)) is not None:
            unseen = missed & ~flagged
            found.append(NotableRows(title="missed: actually unusual, with the lowest score", rows=rising[unseen[rising]]))
        return tuple(found)

    def attribution_words(self, schema: Schema) -> str:
        """Return that the score is explained."""
        return "the score"

    def sides(self, frame: pd.DataFrame, schema: Schema) -> np.ndarray | None:
        """Return the same side for every row: the score means the same whether a row is flagged or not."""
        return np.ones(len(frame), dtype=int)

    def one_sided(self, index: Tensor | None, schema: Schema) -> Tensor | None:
        """Return the only output, the score."""
        return index


def flag_names(schema: Schema) -> tuple[str, str]:
    """Return what rows are called that are not flagged, and that are."""
    target = schema.target
    positive = target.positive or (target.classes[1] if len(target.classes) == 2 else FLAGS[1])
    others = [name for name in (target.classes or FLAGS) if name != positive]
    return others[0], positive
