"""What predictions that choose one of several have in common."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.predictions.class_codes import class_codes, unlike
from glassbench.contracts.predictions.kind import PredictionKind
from glassbench.contracts.predictions.outputs import NotableRows
from glassbench.contracts.schema import Schema


class Choices(PredictionKind):
    """One of several per row, with a score for each where the model gives them.

    Attributes:
        wrong: Why rows are shown whose prediction is not the truth.
    """

    wrong = "a wrong prediction, one the model was sure of"

    def certainty(self, frame: pd.DataFrame) -> np.ndarray | None:
        """Return each row's highest score `(n,)`."""
        scores = scores_of(frame)
        return scores.to_numpy(dtype=float).max(axis=1) if scores.shape[1] else None

    def notable_rows(self, frame: pd.DataFrame, schema: Schema) -> tuple[NotableRows, ...]:
        """Return the most certain predictions, the least certain ones, and of the wrong ones those the model was surest of."""
        sure = self.certainty(frame)
        found = []
        if sure is not None:
            found.append(NotableRows(title="the most certain prediction", rows=in_order(-sure)))
            found.append(NotableRows(title="the least certain prediction", rows=in_order(sure)))
        if (missed := self.missed(frame)) is not None:
            order = in_order(-(sure if sure is not None else np.zeros(len(frame))))
            found.append(NotableRows(title=self.wrong, rows=order[missed[order]]))
        return tuple(found)

    def sides(self, frame: pd.DataFrame, schema: Schema) -> np.ndarray | None:
        """Return 1 where the positive (or second) of two choices was made, else -1 `(n,)`; None where there are more than two."""
        name = positive_of_two(schema)
        return None if name is None else np.where(class_codes(frame["y_pred"], [name]) == 0, 1, -1)

    def one_sided(self, index: Tensor | None, schema: Schema) -> Tensor | None:
        """Return the positive (or second) of two choices for every row."""
        name = positive_of_two(schema)
        if name is None or index is None:
            raise LookupError("directions are said of one of two choices")
        return torch.full_like(index, schema.target.classes.index(name))

    def missed(self, frame: pd.DataFrame) -> np.ndarray | None:
        """Return which predictions are not the truth, bool `(n,)`; None where truths are none of the choices."""
        return not_the_truth(frame) if "y_true" in frame else None


def positive_of_two(schema: Schema) -> str | None:
    """Return the class that directions speak of: the positive or second of two; None with more classes or none."""
    classes = schema.target.classes
    return (schema.target.positive or classes[1]) if len(classes) == 2 else None


def score_columns(frame: pd.DataFrame) -> list[str]:
    """Return the names of the score columns of predictions: `score.CLASS`, or `score`."""
    return [c for c in frame.columns if c == "score" or str(c).startswith("score.")]


def scores_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the score columns of predictions, named by class, or `score`."""
    columns = score_columns(frame)
    if not columns:  # choosing none of the columns, and naming none, take a millisecond each
        return pd.DataFrame(index=frame.index)
    return frame[columns].rename(columns=lambda c: str(c).removeprefix("score."))


def not_the_truth(frame: pd.DataFrame) -> np.ndarray:
    """Return which rows are predicted as something else than their known truth, bool `(n,)`."""
    return np.asarray(frame["y_true"].notna().to_numpy() & unlike(frame["y_true"], frame["y_pred"]))


def in_order(keys: np.ndarray) -> np.ndarray:
    """Return the positions of ascending keys, equal ones in the order of rows."""
    return np.argsort(keys, kind="stable")
