"""A class for every pixel of a picture: semantic segmentation."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.predictions.choices import in_order
from glassbench.contracts.predictions.classes import comparable
from glassbench.contracts.predictions.kind import Agreement, PredictionKind
from glassbench.contracts.predictions.mask_counts import ACTUAL, CORRECT, PREDICTED, class_names, counted, mask_columns
from glassbench.contracts.predictions.named_classes import named_classes
from glassbench.contracts.predictions.outputs import (
    BaselinePredictions,
    ExplainedOutput,
    Losses,
    NotableRows,
    RegionOutput,
    RowErrors,
)
from glassbench.contracts.predictions.run_lengths import UNKNOWN, decoded_mask
from glassbench.contracts.schema import Schema
from glassbench.errors import DataError
from glassbench.stats.percent import in_percent
from glassbench.stats.sampling import Sampling

CERTAINTY = "certainty"
"""The column of the mean probability of the classes that a picture's pixels were given."""


class Masks(PredictionKind):
    """A class for every pixel of each picture.

    `y_pred` and `y_true` hold masks as text (`encoded_mask`). Beside them a frame counts pixels by class, as `mask_columns` does:
    `predicted.<class>`, `actual.<class>`, `correct.<class>`, and `boundary_error` in pixels; `certainty` may be absent. Metrics
    need the counts alone.

    Args:
        left_out: The class that is no object, such as a background, which errors leave out; None where all count.
    """

    name = "masks"
    compared_rows = 500
    truth_axes = 3

    def __init__(self, *, left_out: str | None = None) -> None:
        self.left_out = left_out

    def check(self, frame: pd.DataFrame, schema: Schema) -> None:
        """Raise `DataError` where a frame lacks a class's pixels, or a truth comes without its counts."""
        super().check(frame, schema)
        wanted = (PREDICTED, ACTUAL, CORRECT) if "y_true" in frame else (PREDICTED,)
        for what in wanted:
            for name in schema.target.classes:
                if f"{what}.{name}" not in frame:
                    raise DataError(
                        f"predictions of masks lack the column '{what}.{name}'",
                        got=", ".join(map(str, frame.columns)),
                        fix="return the columns that glassbench.contracts.predictions.mask_counts.mask_columns makes",
                    )

    def decided_words(self, schema: Schema) -> str:
        """Return the classes that each pixel may have."""
        return f"gives each pixel of each {schema.unit} a class: {named_classes(schema.target.classes)}"

    def objects(self, frame: pd.DataFrame) -> tuple[str, ...]:
        """Return the classes that errors speak of: all but the one left out."""
        names = class_names(frame)
        return tuple(name for name in names if name != self.left_out) or names

    def row_errors(self, frame: pd.DataFrame, schema: Schema) -> RowErrors | None:
        """Return 1 minus the mean Dice coefficient of each picture's classes; None where a truth is not known."""
        if "y_true" not in frame or frame["y_true"].isna().any():
            return None
        size = 1 - picture_dice(frame, self.objects(frame))
        return RowErrors(size=size, binary=False, words="mean Dice loss of a picture", measure="dice_loss")

    def changes(self, before: pd.DataFrame, after: pd.DataFrame, schema: Schema) -> RowErrors | None:
        """Return the share of each picture's pixels whose class changed."""
        pairs = zip(before["y_pred"], after["y_pred"], strict=True)
        moved = [0.0 if one == other else float((decoded_mask(one) != decoded_mask(other)).mean()) for one, other in pairs]
        size = np.array(moved, dtype=np.float64)
        return RowErrors(size=size, binary=False, words="share of pixels changed", measure="changed")

    def losses(self, frame: pd.DataFrame, schema: Schema) -> Losses | None:
        """Return the share of pixels that are wrong beside that of giving every pixel the commonest class."""
        actual, right = (counted(frame, what, class_names(frame)) for what in (ACTUAL, CORRECT))
        known = np.maximum(actual.sum(axis=1), 1)
        commonest = int((Sampling.of(frame).weight @ actual).argmax())
        return comparable(1 - right.sum(axis=1) / known, 1 - actual[:, commonest] / known)

    def agreement(self, frame: pd.DataFrame, schema: Schema) -> Agreement | None:
        """Return in how many pixels predictions are as the truths put into an order; None where masks differ in size."""
        predicted, truth = (_stacked(frame[name]) for name in ("y_pred", "y_true"))
        if predicted is None or truth is None or predicted.shape != truth.shape:
            return None
        return lambda order: float((predicted == truth[order]).mean())

    def region_output(self, frame: pd.DataFrame, positions: np.ndarray, schema: Schema) -> RegionOutput:
        """Return the masks of some pictures, the class left out not drawn."""
        names = schema.target.classes
        hidden = names.index(self.left_out) if self.left_out in names else UNKNOWN

        def drawn(column: str) -> tuple[np.ndarray, ...]:
            masks = (decoded_mask(str(text)) for text in frame[column].iloc[positions])
            return tuple(np.where(mask == hidden, UNKNOWN, mask) for mask in masks)

        return RegionOutput(names=names, predicted=drawn("y_pred"), actual=drawn("y_true") if "y_true" in frame else None)

    def baseline(self, frame: pd.DataFrame, schema: Schema, learnt: np.ndarray | None) -> BaselinePredictions | None:
        """Return for every picture the class that is commonest at each place of the training masks, or over all of them."""
        names, truth = class_names(frame), _stacked(frame["y_true"])
        if truth is None:
            return None
        masks, weight = (truth, Sampling.of(frame).weight) if learnt is None else (np.asarray(learnt), np.ones(len(learnt)))
        votes = np.stack([np.tensordot(weight, masks == k, axes=1) for k in range(len(names))])
        same = votes.shape[1:] == truth.shape[1:]
        constant = votes.argmax(axis=0) if same else np.full(truth.shape[1:], int(votes.sum(axis=(1, 2)).argmax()))
        guessed = np.broadcast_to(constant, truth.shape)
        columns = mask_columns(guessed, truth, names)
        words = "giving each place its commonest class" if same else f"calling every pixel “{names[int(constant.flat[0])]}”"
        sure = {CERTAINTY: 1.0} if CERTAINTY in frame else {}
        return BaselinePredictions(frame=frame.assign(**columns, **sure)[list(frame.columns)], words=words, constant=True)

    def notable_rows(self, frame: pd.DataFrame, schema: Schema) -> tuple[NotableRows, ...]:
        """Return the pictures that are segmented worst and best, and the least certain one."""
        errors, sure, found = self.row_errors(frame, schema), self.certainty(frame), []
        if errors is not None:
            found.append(NotableRows(title="the picture with the lowest Dice coefficient", rows=in_order(-errors.size)))
            found.append(NotableRows(title="the picture with the highest Dice coefficient", rows=in_order(errors.size)))
        if sure is not None:
            found.append(NotableRows(title="the least certain picture", rows=in_order(sure)))
        return tuple(found)

    def encoded_truth(self, frame: pd.DataFrame, schema: Schema) -> Tensor | None:
        """Return the true masks, int16 `(n, height, width)`; None where they differ in size."""
        masks = _stacked(frame["y_true"])
        return None if masks is None else torch.as_tensor(masks)

    def explained_outputs(self, frame: pd.DataFrame, schema: Schema) -> tuple[ExplainedOutput, ...]:
        """Return the area of each class but the one left out, those that most pictures have first."""
        names = schema.target.classes
        rows = (counted(frame, PREDICTED, names) > 0).sum(axis=0)
        spoken = set(self.objects(frame))
        return tuple(
            ExplainedOutput(name=names[k], index=(int(k),), rows=int(rows[k])) for k in in_order(-rows) if names[k] in spoken
        )

    def certainty(self, frame: pd.DataFrame) -> np.ndarray | None:
        """Return the mean probability of the classes that each picture's pixels were given `(n,)`."""
        return frame[CERTAINTY].to_numpy(dtype=np.float64) if CERTAINTY in frame else None

    def said(self, value: object, schema: Schema) -> str:
        """Return the share of a mask that each class has."""
        mask, names = decoded_mask(str(value)), schema.target.classes
        shares = [(name, float((mask == k).mean())) for k, name in enumerate(names)]
        return ", ".join(f"{name} {in_percent(share, 1)}" for name, share in shares if share > 0) or "nothing known"

    def said_with_certainty(self, frame: pd.DataFrame, position: int, schema: Schema) -> str:
        """Return the shares of a row's classes, and how certain its pixels are on average."""
        text, sure = self.said(frame["y_pred"].iloc[position], schema), self.certainty(frame)
        return text if sure is None else f"{text}; pixels {in_percent(float(sure[position]), 1)} certain on average"

    def attribution_words(self, schema: Schema) -> str:
        """Return that the area of one class is explained."""
        return "the predicted area of each picture's largest class"

    def sides(self, frame: pd.DataFrame, schema: Schema) -> np.ndarray | None:
        """Return None: rows speak of different classes."""
        return None

    def one_sided(self, index: Tensor | None, schema: Schema) -> Tensor | None:
        """Raise `LookupError`: there is no one class that directions could be said of."""
        raise LookupError("directions are said of one class")


def picture_dice(frame: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """Return each picture's Dice coefficient `(n,)`, the mean over those of the classes that it truly has or is said to have.

    A picture that has none of them, and is said to have none, is right: 1.
    """
    actual, predicted, right = (counted(frame, what, classes) for what in (ACTUAL, PREDICTED, CORRECT))
    both = actual + predicted
    there = both > 0
    each = np.where(there, 2 * right / np.where(there, both, 1), 0)
    return np.asarray(np.where(there.any(axis=1), each.sum(axis=1) / np.maximum(there.sum(axis=1), 1), 1.0))


def _stacked(texts: pd.Series) -> np.ndarray | None:
    """Return masks of one size `(n, height, width)`; None where they differ, or one is not known."""
    if texts.isna().any():
        return None
    masks = [decoded_mask(str(text)) for text in texts]
    return np.stack(masks) if masks and len({mask.shape for mask in masks}) == 1 else None
