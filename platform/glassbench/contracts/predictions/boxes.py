"""Boxes around the objects of a picture: detection."""

import numpy as np
import pandas as pd

from glassbench.contracts.predictions.box_lists import BoxList, decoded_boxes, encoded_boxes
from glassbench.contracts.predictions.box_matching import right_and_wrong
from glassbench.contracts.predictions.choices import in_order
from glassbench.contracts.predictions.classes import comparable
from glassbench.contracts.predictions.kind import Agreement, PredictionKind
from glassbench.contracts.predictions.named_classes import named_classes
from glassbench.contracts.predictions.outputs import BaselinePredictions, Losses, NotableRows, RegionOutput, RowErrors
from glassbench.contracts.schema import Schema
from glassbench.errors import DataError

OVERLAP = 0.5
"""The least intersection over union of boxes that are the same."""

_NONE = encoded_boxes([], np.zeros((0, 4)))


class Boxes(PredictionKind):
    """Any number of boxes in each picture, each with a class and a score.

    `y_pred` and `y_true` hold boxes as text (`encoded_boxes`), in pixels of the picture as the model sees it. `y_pred` holds
    every box that the model finds at all, for average precision; errors, counts and words speak of those above the threshold.

    Args:
        threshold: The score from which a box counts as predicted.
    """

    name = "boxes"
    compared_rows = 60
    truth_axes = 3

    def __init__(self, *, threshold: float = 0.4) -> None:
        self.threshold = threshold

    def check(self, frame: pd.DataFrame, schema: Schema) -> None:
        """Raise `DataError` where predictions are no boxes, or one is of a class that there is not."""
        super().check(frame, schema)
        for text in frame["y_pred"]:
            strange = set(decoded_boxes(str(text)).names) - set(schema.target.classes)
            if strange:
                got = ", ".join(sorted(strange))
                raise DataError("a predicted box is of no known class", got=got, available=schema.target.classes)

    def decided_words(self, schema: Schema) -> str:
        """Return the classes that boxes may have."""
        return f"finds the objects in each {schema.unit}: {named_classes(schema.target.classes)}"

    def predicted(self, frame: pd.DataFrame) -> list[BoxList]:
        """Return the predicted boxes of each row above the threshold."""
        return [decoded_boxes(str(text)).above(self.threshold) for text in frame["y_pred"]]

    def row_errors(self, frame: pd.DataFrame, schema: Schema) -> RowErrors | None:
        """Return 1 minus the F1 score of each picture's boxes; None where a truth is not known."""
        if "y_true" not in frame or frame["y_true"].isna().any():
            return None
        size = np.array([_apart(*pair) for pair in zip(self.predicted(frame), _truths(frame), strict=True)], dtype=np.float64)
        return RowErrors(size=size, binary=False, words="mean share of boxes wrong (1 minus F1)", measure="boxes_wrong")

    def changes(self, before: pd.DataFrame, after: pd.DataFrame, schema: Schema) -> RowErrors | None:
        """Return 1 minus the F1 score of each picture's boxes against those before."""
        pairs = zip(self.predicted(after), self.predicted(before), strict=True)
        size = np.array([_apart(*pair) for pair in pairs], dtype=np.float64)
        return RowErrors(size=size, binary=False, words="share of boxes changed", measure="changed")

    def losses(self, frame: pd.DataFrame, schema: Schema) -> Losses | None:
        """Return 1 minus F1 of each picture beside that of predicting no box."""
        errors = self.row_errors(frame, schema)
        guessed = np.array([float(len(boxes) > 0) for boxes in _truths(frame)], dtype=np.float64)
        return None if errors is None else comparable(errors.size, guessed)

    def agreement(self, frame: pd.DataFrame, schema: Schema) -> Agreement | None:
        """Return how many boxes match those of the truths put into an order."""
        found, truths = self.predicted(frame), _truths(frame)
        known = np.full((len(found), len(truths)), np.nan)

        def agreement(order: np.ndarray) -> float:
            for place, other in enumerate(order):
                if np.isnan(known[place, other]):
                    known[place, other] = 1 - _apart(found[place], truths[other])
            return float(known[np.arange(len(order)), order].sum())

        return agreement

    def region_output(self, frame: pd.DataFrame, positions: np.ndarray, schema: Schema) -> RegionOutput | None:
        """Return the edges of the boxes of some pictures."""
        height, width = (int(side or 0) for side in schema.shape[-2:])
        names = schema.target.classes
        chosen = frame.iloc[positions]

        def drawn(boxes: list[BoxList]) -> tuple[np.ndarray, ...]:
            return tuple(_edges(each, names, height, width) for each in boxes)

        actual = drawn(_truths(chosen)) if "y_true" in frame and chosen["y_true"].notna().all() else None
        return RegionOutput(names=names, predicted=drawn(self.predicted(chosen)), actual=actual)

    def baseline(self, frame: pd.DataFrame, schema: Schema, learnt: np.ndarray | None) -> BaselinePredictions | None:
        """Return no box for every picture."""
        return BaselinePredictions(frame=frame.assign(y_pred=_NONE), words="predicting no box", constant=True, learnt=False)

    def notable_rows(self, frame: pd.DataFrame, schema: Schema) -> tuple[NotableRows, ...]:
        """Return the pictures with the largest and the smallest share of boxes wrong, and the one with most boxes."""
        errors, found = self.row_errors(frame, schema), []
        counts = np.array([len(boxes) for boxes in self.predicted(frame)])
        if errors is not None:
            found.append(NotableRows(title="the picture with the largest share of boxes wrong", rows=in_order(-errors.size)))
            found.append(NotableRows(title="the picture with the smallest share of boxes wrong", rows=in_order(errors.size)))
        found.append(NotableRows(title="the picture with most predicted boxes", rows=in_order(-counts)))
        return tuple(found)

    def said(self, value: object, schema: Schema) -> str:
        """Return how many boxes of each class there are."""
        return _counted(decoded_boxes(str(value)), schema)

    def said_with_certainty(self, frame: pd.DataFrame, position: int, schema: Schema) -> str:
        """Return how many boxes of each class are predicted above the threshold."""
        return _counted(decoded_boxes(str(frame["y_pred"].iloc[position])).above(self.threshold), schema)

    def attribution_words(self, schema: Schema) -> str:
        """Return that one box is explained."""
        return "the log-odds of the box with the highest score"

    def sides(self, frame: pd.DataFrame, schema: Schema) -> np.ndarray | None:
        """Return None: rows speak of different boxes."""
        return None


def _truths(frame: pd.DataFrame) -> list[BoxList]:
    return [decoded_boxes(str(text)) for text in frame["y_true"]]


def _apart(predicted: BoxList, truth: BoxList) -> float:
    """Return 1 minus the F1 score of boxes; 0 where there are none and none are predicted."""
    right, extra, missed = right_and_wrong(predicted, truth, OVERLAP)
    return (extra + missed) / (2 * right + extra + missed) if right + extra + missed else 0.0


def _edges(boxes: BoxList, names: tuple[str, ...], height: int, width: int) -> np.ndarray:
    """Return the class at the edges of boxes, int64 `(height, width)`, -1 elsewhere."""
    drawn, line = np.full((height, width), -1, dtype=np.int64), max(1, max(height, width) // 200)
    for name, corners in zip(boxes.names, boxes.corners, strict=True):
        left, top, right, bottom = (np.clip(np.rint(corners), 0, [width, height, width, height])).astype(int)
        inside = drawn[top:bottom, left:right]
        for edge in (inside[:line], inside[-line:], inside[:, :line], inside[:, -line:]):
            edge[...] = names.index(name)
    return drawn


def _counted(boxes: BoxList, schema: Schema) -> str:
    counts = {name: boxes.names.count(name) for name in schema.target.classes}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "no box"
