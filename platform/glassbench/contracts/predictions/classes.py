"""One of two or more classes per row."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.metric import Metric
from glassbench.contracts.positive_class import favourable_classes
from glassbench.contracts.predictions.choices import Choices, not_the_truth, score_columns, scores_of
from glassbench.contracts.predictions.class_codes import class_codes, unlike
from glassbench.contracts.predictions.kind import Agreement
from glassbench.contracts.predictions.named_classes import named_classes
from glassbench.contracts.predictions.outputs import BaselinePredictions, ClassOutput, Losses, RowErrors
from glassbench.contracts.schema import Schema
from glassbench.stats.sampling import Sampling


class Classes(Choices):
    """A class per row, and a probability of each class where the model gives them."""

    name = "classes"
    softmax = True

    def decided_words(self, schema: Schema) -> str:
        """Return the classes that each row may be given."""
        named = f": {named_classes(schema.target.classes)}" if schema.target.classes else ""
        return f"decides {schema.target.name} of each {schema.unit}{named}"

    def remedy(self, schema: Schema) -> str:
        """Return that weights, training or thresholds can be changed, which `glassbench mitigate` tries."""
        return "try “glassbench mitigate”, which changes weights, training or thresholds"

    def row_errors(self, frame: pd.DataFrame, schema: Schema) -> RowErrors | None:
        """Return whether each row is predicted wrongly; None where a truth is not known."""
        return wrong_rows(frame)

    def losses(self, frame: pd.DataFrame, schema: Schema) -> Losses | None:
        """Return Brier scores, without scores whether rows are wrong, beside those of stating how often each class is true."""
        return class_losses(frame)

    def agreement(self, frame: pd.DataFrame, schema: Schema) -> Agreement | None:
        """Return the summed scores of the true classes; of predictions alone the number that are right."""
        return class_agreement(frame)

    def class_outputs(self, frame: pd.DataFrame, schema: Schema) -> tuple[ClassOutput, ...]:
        """Return the one choice among the target's classes; where the target names none, among all that rows show."""
        return (class_output(frame, schema, schema.target.classes or shown_classes(frame)),)

    def group_metrics(self, metrics: Sequence[Metric], frame: pd.DataFrame, schema: Schema) -> tuple[Metric, ...]:
        """Return the metrics that judge scores, and those that say what rates do not."""
        scored = bool(score_columns(frame))
        chosen = tuple(m for m in metrics if m.grouped or (m.scored and scored))
        return tuple(m for m in chosen if "y_true" in frame or not m.compares)

    def baseline(self, frame: pd.DataFrame, schema: Schema, learnt: np.ndarray | None) -> BaselinePredictions | None:
        """Return the commonest class for every row, with the shares of the classes as scores."""
        truth = frame["y_true"] if learnt is None else pd.Series(np.array(schema.target.classes)[learnt.astype(int)])
        held = np.ones(len(truth)) if learnt is not None else Sampling.of(frame).weight
        names = truth.reset_index(drop=True)
        names = names if isinstance(names.dtype, pd.CategoricalDtype) else names.astype(str)
        shares = pd.Series(held / held.sum()).groupby(names, observed=True).sum()
        commonest = str(shares.idxmax())
        scores = {c: float(shares.get(c.removeprefix("score."), 0.0)) for c in map(str, frame.columns) if c.startswith("score.")}
        repeated = pd.Series([commonest]).astype(frame["y_pred"].dtype).array.take(np.zeros(len(frame), dtype=np.int64))
        decided = frame.assign(y_pred=pd.Series(repeated, index=frame.index), **scores)
        return BaselinePredictions(frame=decided, words=f"always answering “{commonest}”", constant=True)

    def encoded_truth(self, frame: pd.DataFrame, schema: Schema) -> Tensor | None:
        """Return the index of each true class, long `(n,)`; -1 where it is not known."""
        return torch.as_tensor(class_codes(frame["y_true"], schema.target.classes).astype(np.int64))

    def attribution_words(self, schema: Schema) -> str:
        """Return that log-odds are explained."""
        return "the log-odds of the predicted class against all others"


def class_output(frame: pd.DataFrame, schema: Schema, classes: tuple[str, ...]) -> ClassOutput:
    """Return the choice of predictions among some classes."""
    scores, target = scores_of(frame), schema.target
    good = favourable_classes(replace(target, classes=classes))
    return ClassOutput(
        classes=classes,
        predicted=frame["y_pred"],
        actual=frame.get("y_true"),
        scores=scores if scores.shape[1] else None,
        positive=target.positive,
        favourable=tuple(name for name in good if name in classes),
    )


def shown_classes(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return all classes that predictions and truths name, in order of their names."""
    return tuple(sorted({str(v) for c in ("y_true", "y_pred") if c in frame for v in frame[c].dropna().unique()}))


def wrong_rows(frame: pd.DataFrame) -> RowErrors | None:
    """Return whether each row is predicted wrongly; None where a truth is not known."""
    if "y_true" not in frame or frame["y_true"].isna().any():
        return None
    wrong = not_the_truth(frame).astype(float)
    return RowErrors(size=wrong, binary=True, words="share predicted wrongly", measure="error_rate", complement="accuracy")


def class_losses(frame: pd.DataFrame) -> Losses | None:
    """Return Brier scores beside those of stating how often each class is true; of predictions alone, whether they are wrong."""
    scores = scores_of(frame)
    codes = class_codes(frame["y_true"], [str(name) for name in scores.columns])
    if scores.shape[1] < 2 or (codes < 0).any():
        said, held = frame["y_true"].astype(str), pd.Series(Sampling.of(frame).weight, frame.index)
        commonest = held.groupby(said).sum().idxmax()
        return comparable(unlike(said, frame["y_pred"]).astype(float), (said != commonest).to_numpy(dtype=float))
    right, weight = np.eye(scores.shape[1])[codes], Sampling.of(frame).weight
    rates = weight @ right / weight.sum()
    return comparable(((scores.to_numpy(dtype=float) - right) ** 2).sum(axis=1), 1 - 2 * rates[codes] + float(rates @ rates))


def comparable(predicted: np.ndarray, guessed: np.ndarray) -> Losses | None:
    """Return losses beside those of a guess; None where the guess loses nothing or a loss is not finite."""
    return Losses(predicted=predicted, guessed=guessed) if guessed.sum() > 0 and np.isfinite(predicted).all() else None


def class_agreement(frame: pd.DataFrame) -> Agreement:
    """Return the summed scores of the true classes; where scores do not name them all, the number of right predictions."""
    truth, scores = frame["y_true"].astype(str), scores_of(frame)
    names = [str(name) for name in scores.columns]
    codes = pd.Index(names).get_indexer(pd.Index(truth))
    if (codes < 0).any() or len(names) < 2:
        names = sorted(set(truth) | set(frame["y_pred"].astype(str)))
        codes = pd.Index(names).get_indexer(pd.Index(truth))
        values = (frame["y_pred"].astype(str).to_numpy()[:, None] == np.asarray(names)).astype(float)
    else:
        values = scores.to_numpy(dtype=float)
    rows = np.arange(len(codes))
    return lambda order: float(values[rows, codes[order]].sum())
