"""From a model's outputs to predictions: the same arithmetic as the run's own, in NumPy."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from glassbench.export.scorer.group_column import EVERYONE

Decision = Mapping[str, Any]
Columns = dict[str, np.ndarray]
NO_LABEL = "none"


def decided(outputs: np.ndarray, decision: Decision, groups: Sequence[str] | None = None) -> Columns:
    """Return the columns of predictions, `(n,)` each.

    Args:
        outputs: What the model gives, float32 `(n, ...)`.
        decision: How outputs become predictions; its `kind` says what the rest means.
        groups: The group of each row, where the decision asks for it and rows tell it.
    """
    if decision.get("by"):
        return _quantiles_by_group(outputs.astype(np.float64), decision, groups)
    return _KINDS[decision["kind"]](outputs.astype(np.float64), decision)


def softmax(outputs: np.ndarray) -> np.ndarray:
    """Return probabilities `(n, classes)` of logits, in double precision."""
    raised = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    shares: np.ndarray = raised / raised.sum(axis=1, keepdims=True)
    return shares


def _classes(outputs: np.ndarray, decision: Decision) -> Columns:
    scores, names = softmax(outputs), np.array(decision["classes"], dtype=object)
    threshold = decision["threshold"]
    if threshold is None:
        chosen = scores.argmax(axis=1)
    else:
        positive = decision["classes"].index(decision["positive"])
        chosen = np.where(scores[:, positive] >= threshold, positive, 1 - positive)
    return {"y_pred": names[chosen], **{f"score.{name}": scores[:, k] for k, name in enumerate(names)}}


def _labels(outputs: np.ndarray, decision: Decision) -> Columns:
    names = decision["labels"]
    scores = 1 / (1 + np.exp(-outputs))
    given = scores >= decision["threshold"]
    words = np.empty(len(given), dtype=object)
    words[:] = [", ".join(name for name, has in zip(names, row, strict=True) if has) or NO_LABEL for row in given.tolist()]
    columns: Columns = {"y_pred": words}
    columns |= {f"y_pred.{name}": given[:, k].astype(np.int64) for k, name in enumerate(names)}
    return columns | {f"score.{name}": scores[:, k] for k, name in enumerate(names)}


def _value(outputs: np.ndarray, decision: Decision) -> Columns:
    values = outputs.reshape(len(outputs))
    return {"y_pred": values, "score": values}


def _quantiles(outputs: np.ndarray, decision: Decision) -> Columns:
    return _interval(outputs, decision, decision["offset"])


def _quantiles_by_group(outputs: np.ndarray, decision: Decision, groups: Sequence[str] | None) -> Columns:
    """Widen each row's interval by the offset of its group, by that of all rows where it has none."""
    offsets = decision["by"]["offsets"]
    known = [name if name in offsets else EVERYONE for name in groups or [EVERYONE] * len(outputs)]
    offset = np.array([offsets.get(name, decision["offset"]) for name in known])
    return {**_interval(outputs, decision, offset), "corrected_as": np.array(known, dtype=object)}


def _interval(outputs: np.ndarray, decision: Decision, offset: Any) -> Columns:
    ordered, (low, high) = np.sort(outputs, axis=1), decision["ends"]
    middle = ordered[:, decision["middle"]]
    return {
        "y_pred": middle,
        "low": np.minimum(ordered[:, low] - offset, middle),
        "high": np.maximum(ordered[:, high] + offset, middle),
        **{f"quantile.{level:g}": ordered[:, k] for k, level in enumerate(decision["levels"])},
        "crossed": (np.diff(outputs, axis=1) < 0).any(axis=1),
    }


_KINDS: Mapping[str, Callable[[np.ndarray, Decision], Columns]] = {
    "classes": _classes,
    "labels": _labels,
    "value": _value,
    "quantiles": _quantiles,
}
