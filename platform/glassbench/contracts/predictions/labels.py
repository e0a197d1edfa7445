"""Any number of labels per row, each given or not: multi-label classification."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.predictions.choices import in_order
from glassbench.contracts.predictions.classes import comparable
from glassbench.contracts.predictions.kind import Agreement, PredictionKind
from glassbench.contracts.predictions.named_classes import named_classes
from glassbench.contracts.predictions.outputs import (
    BaselinePredictions,
    ClassOutput,
    ExplainedOutput,
    Losses,
    NotableRows,
    RowErrors,
)
from glassbench.contracts.schema import Schema
from glassbench.errors import DataError
from glassbench.stats.percent import in_percent
from glassbench.stats.sampling import Sampling

NO_LABEL = "none"
"""What a prediction without any label is called."""


class Labels(PredictionKind):
    """Each label given to a row or not, and a probability of each where the model gives them.

    Beside `y_pred` and `y_true`, which name the labels of a row, a frame holds for each label `y_pred.<label>` and
    `y_true.<label>`, 1 where the row has it and 0 where not, and `score.<label>`, its probability. Where a label is not known,
    its `y_true.<label>` and the row's `y_true` are missing.
    """

    name = "labels"
    required = ("row", "y_pred")
    truth_axes = 2

    def decided_words(self, schema: Schema) -> str:
        """Return the labels that each row may have."""
        return f"decides which {schema.target.name} each {schema.unit} has: {named_classes(schema.target.classes)}"

    def check(self, frame: pd.DataFrame, schema: Schema) -> None:
        """Raise `DataError` where a frame lacks a column that says which rows have a label, or one does not hold 0 and 1."""
        super().check(frame, schema)
        lacking = [name for name in schema.target.classes if f"y_pred.{name}" not in frame]
        if lacking:
            raise DataError(
                f"predictions of labels lack the column 'y_pred.{lacking[0]}'",
                got=", ".join(map(str, frame.columns)),
                fix="return a column y_pred.<label> of 0 and 1 for every label",
            )
        for name in schema.target.classes:
            if not frame[f"y_pred.{name}"].isin([0, 1]).all():
                raise DataError(f"the column 'y_pred.{name}' holds other values than 0 and 1")

    def row_errors(self, frame: pd.DataFrame, schema: Schema) -> RowErrors | None:
        """Return the share of its labels that are wrong, for each row (Hamming loss); None where a truth is not known."""
        names = label_names(frame)
        if "y_true" not in frame or frame["y_true"].isna().any():
            return None
        wrong = label_values(frame, "y_true", names) != label_values(frame, "y_pred", names)
        return RowErrors(size=wrong.mean(axis=1), binary=False, words="share of labels wrong", measure="hamming_loss")

    def changes(self, before: pd.DataFrame, after: pd.DataFrame, schema: Schema) -> RowErrors | None:
        """Return the share of each row's labels that changed."""
        names = label_names(before)
        moved = label_values(before, "y_pred", names) != label_values(after, "y_pred", names)
        return RowErrors(size=moved.mean(axis=1), binary=False, words="share of labels changed", measure="changed")

    def losses(self, frame: pd.DataFrame, schema: Schema) -> Losses | None:
        """Return mean Brier scores of labels, without scores Hamming losses, beside those of stating how often each is true."""
        names = label_names(frame)
        truth, stated = label_values(frame, "y_true", names), _stated(frame, names)
        weight = Sampling.of(frame).weight
        shares = weight @ truth / weight.sum()
        return comparable(((stated - truth) ** 2).mean(axis=1), ((shares - truth) ** 2).mean(axis=1))

    def agreement(self, frame: pd.DataFrame, schema: Schema) -> Agreement | None:
        """Return the summed scores of the true labels; of predictions alone how many of them are predicted."""
        names = label_names(frame)
        truth, stated = label_values(frame, "y_true", names), _stated(frame, names)
        return lambda order: float((truth[order] * stated).sum())

    def class_outputs(self, frame: pd.DataFrame, schema: Schema) -> tuple[ClassOutput, ...]:
        """Return for each label the choice between having it and not."""
        good = schema.target.favourable
        named = () if good is None else (good,) if isinstance(good, str) else good
        return tuple(_output(frame, name, named) for name in label_names(frame))

    def baseline(self, frame: pd.DataFrame, schema: Schema, learnt: np.ndarray | None) -> BaselinePredictions | None:
        """Return each label's commonest value for every row, with the shares of rows that have it as scores."""
        names = label_names(frame)
        truth = label_values(frame, "y_true", names) if learnt is None else np.asarray(learnt, dtype=float)
        held = np.ones(len(truth)) if learnt is not None else Sampling.of(frame).weight
        shares = (held @ np.nan_to_num(truth)) / (held @ np.isfinite(truth))
        given = np.broadcast_to(shares > 0.5, (len(frame), len(names)))
        scores = {f"score.{name}": share for name, share in zip(names, shares, strict=True) if f"score.{name}" in frame}
        decided = frame.assign(y_pred=joined_labels(given, names), **prediction_columns(given, names), **scores)
        return BaselinePredictions(frame=decided, words=f"always answering “{decided['y_pred'].iloc[0]}”", constant=True)

    def from_expected(self, frame: pd.DataFrame, schema: Schema, expected: np.ndarray) -> pd.DataFrame | None:
        """Return predictions of the labels that are more likely than not, with these probabilities `(n, labels)`."""
        names = label_names(frame)
        kept = frame.drop(columns=[c for c in frame if str(c).startswith("score.")])
        scores = {f"score.{name}": expected[:, k] for k, name in enumerate(names)}
        given = expected > 0.5
        return kept.assign(y_pred=joined_labels(given, names), **prediction_columns(given, names), **scores)

    def notable_rows(self, frame: pd.DataFrame, schema: Schema) -> tuple[NotableRows, ...]:
        """Return the rows whose least certain label is most and least certain, and those with most labels wrong."""
        sure, errors, found = self.certainty(frame), self.row_errors(frame, schema), []
        if sure is not None:
            found.append(NotableRows(title="the most certain prediction", rows=in_order(-sure)))
            found.append(NotableRows(title="the least certain prediction", rows=in_order(sure)))
        if errors is not None:
            order = in_order(-errors.size)
            found.append(NotableRows(title="a prediction with most labels wrong", rows=order[errors.size[order] > 0]))
        return tuple(found)

    def encoded_truth(self, frame: pd.DataFrame, schema: Schema) -> Tensor | None:
        """Return which labels each row has, float32 `(n, labels)`, NaN where that is not known."""
        return torch.as_tensor(label_values(frame, "y_true", schema.target.classes).astype(np.float32))

    def choice_codes(self, target: Tensor, schema: Schema) -> Tensor | None:
        """Return 1 where a row has a label, 0 where not, -1 where that is not known, long `(n, labels)`."""
        return torch.where(torch.isfinite(target), target, -1.0).long()

    def explained_outputs(self, frame: pd.DataFrame, schema: Schema) -> tuple[ExplainedOutput, ...]:
        """Return the log-odds of each label, those predicted most often first."""
        names = schema.target.classes
        often = label_values(frame, "y_pred", names).sum(axis=0)
        return tuple(ExplainedOutput(name=names[k], index=(int(k),), rows=int(often[k])) for k in in_order(-often))

    def certainty(self, frame: pd.DataFrame) -> np.ndarray | None:
        """Return the probability of each row's least certain label, having it or not as predicted `(n,)`."""
        names = label_names(frame)
        if not _scored(frame, names):
            return None
        given, scores = label_values(frame, "y_pred", names), label_values(frame, "score", names)
        return np.asarray(np.where(given == 1, scores, 1 - scores).min(axis=1))

    def said_with_certainty(self, frame: pd.DataFrame, position: int, schema: Schema) -> str:
        """Return a row's labels, and how certain the least certain of them is."""
        text, sure = self.said(frame["y_pred"].iloc[position], schema), self.certainty(frame)
        return text if sure is None else f"{text}; the least certain label {in_percent(sure[position], 1)} certain"

    def attribution_words(self, schema: Schema) -> str:
        """Return that the log-odds of one label are explained."""
        return "the log-odds of each row's most probable label"

    def sides(self, frame: pd.DataFrame, schema: Schema) -> np.ndarray | None:
        """Return None: rows speak of different labels."""
        return None

    def one_sided(self, index: Tensor | None, schema: Schema) -> Tensor | None:
        """Raise `LookupError`: there is no one label that directions could be said of."""
        raise LookupError("directions are said of one label")


def label_names(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the labels that predictions speak of, in the order of their columns."""
    return tuple(str(name).removeprefix("y_pred.") for name in frame.columns if str(name).startswith("y_pred."))


def label_values(frame: pd.DataFrame, what: str, names: Sequence[str]) -> np.ndarray:
    """Return the column of each label, float64 `(n, labels)`.

    Args:
        frame: Predictions of labels.
        what: `y_pred`, `y_true` or `score`.
        names: The labels.
    """
    return np.stack([frame[f"{what}.{name}"].to_numpy(dtype=float, na_value=np.nan) for name in names], axis=1)


def joined_labels(given: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Return the labels of each row in words `(n,)`, None where one of them is not known.

    Args:
        given: Which labels each row has, truth values or 0, 1 and NaN `(n, labels)`.
        names: The labels.
    """
    known, words = np.isfinite(np.asarray(given, dtype=float)).all(axis=1), np.empty(len(given), dtype=object)
    rows, which = np.unique(np.nan_to_num(np.asarray(given, dtype=float)) > 0, axis=0, return_inverse=True)
    said = np.array([", ".join(n for n, has in zip(names, row, strict=True) if has) or NO_LABEL for row in rows], dtype=object)
    words[known] = said[which.ravel()[known]]
    return words


def prediction_columns(given: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the columns `y_pred.<label>` of predicted labels `(n, labels)`."""
    return {f"y_pred.{name}": given[:, k].astype(np.int64) for k, name in enumerate(names)}


def truth_columns(truth: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the columns `y_true.<label>` of true labels `(n, labels)`: whole numbers where all are known, else with NaN."""
    known = np.isfinite(truth).all(axis=0)
    return {f"y_true.{name}": truth[:, k].astype(np.int64 if known[k] else np.float64) for k, name in enumerate(names)}


def absence(label: str) -> str:
    """Return what not having a label is called."""
    return f"not {label}"


def _stated(frame: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Return the probabilities of labels `(n, labels)`, or which are predicted where there are none."""
    return label_values(frame, "score" if _scored(frame, names) else "y_pred", names)


def _scored(frame: pd.DataFrame, names: Sequence[str]) -> bool:
    return bool(names) and all(f"score.{name}" in frame for name in names)


def _output(frame: pd.DataFrame, name: str, favourable: Sequence[str]) -> ClassOutput:
    classes = (absence(name), name)
    scores, words = None, np.array([*classes, None], dtype=object)
    if f"score.{name}" in frame:
        having = frame[f"score.{name}"].to_numpy(dtype=float)
        scores = pd.DataFrame({classes[0]: 1 - having, classes[1]: having}, index=frame.index)
    actual = None
    if f"y_true.{name}" in frame:
        truth = frame[f"y_true.{name}"].to_numpy(dtype=float, na_value=np.nan)
        codes = np.where(np.isfinite(truth), np.nan_to_num(truth), 2).astype(int)
        actual = pd.Series(words[codes], index=frame.index)
    return ClassOutput(
        name=name,
        classes=classes,
        predicted=pd.Series(words[frame[f"y_pred.{name}"].to_numpy(dtype=int)], index=frame.index),
        actual=actual,
        scores=scores,
        positive=name,
        favourable=tuple(c for c in classes if c in favourable),
        symmetric=False,
    )
