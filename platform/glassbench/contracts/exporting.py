"""What leaves a run with its model: how rows become inputs and outputs become predictions, as data and never as code."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from glassbench.contracts.schema import Schema

Link = Literal["identity", "probabilities", "logistic", "softmax", "log_odds", "scores"]


@runtime_checkable
class ExportedEncoder(Protocol):
    """An encoder whose work can be told as data."""

    def preprocessing(self) -> Mapping[str, Any]:
        """Return how raw rows become inputs, plain JSON values.

        `kind` says what the rest means:

        - `table`: `columns`, each a number (`median`, `mean`, `std`, `indicator`, `low`, `high`) or a category (`categories`), in
          the order of the encoded columns; `cells` and `labels`, how raw cells read; `groups`, where the row tells its groups,
          each the `name` of a sensitive feature, the `column` it is read off, and `bins` and `names` of bands or None.
        - `scaled`: numbers of the `dtype` and `shape` of one row become `(x / divide - mean) / std` along the axis `axis`.
        - `tokens`: long token numbers of the `shape` of one row; `tokenizer` is the tokenizer that made them, as JSON.
        """
        ...


@runtime_checkable
class ExportedTask(Protocol):
    """A task whose predictions can be told from a model's output by data alone."""

    def decision(self) -> Mapping[str, Any]:
        """Return how a model's output becomes a prediction, plain JSON values; called once the task knows the schema.

        `kind` says what the rest means:

        - `classes`: `classes`, their names; scores are the softmax of the outputs. `threshold` and `positive` where not the most
          probable class is decided.
        - `labels`: `labels`; scores are the logistic function of the outputs, a label is given from `threshold` on.
        - `value`: the output is the prediction.
        - `quantiles`: `levels`, in rising order, `ends`, the places of the ends of the interval, `middle`, that of the median,
          and `offset`, by which the interval is widened on either side; `by`, None or the `feature` and the `offsets` of its
          groups, which stand in place of `offset` for their rows.
        - `forecast`: `channel`, the one that predictions speak of, `mean` and `std` of every channel.

        Raises:
            GlassbenchError: The predictions take more than that; the message says what.
        """
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class Tree:
    """One decision tree; a row goes left where its input is at most the threshold.

    Args:
        feature: Which input each node asks, int64 `(nodes,)`; of leaves anything.
        threshold: What it is compared with, float64 `(nodes,)`.
        left, right: Where the next node stands, int64 `(nodes,)`; of leaves anything.
        leaf: Which nodes are leaves, truth values `(nodes,)`; node 0 is the root.
        value: What leaves answer, float64 or float32 `(nodes, outputs)`.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    leaf: np.ndarray
    value: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class TreeSum:
    """Trees whose answers are added up, one after the other, in the precision of their values.

    Thresholds are compared in that precision too, so those of trees in single precision must be numbers of single precision.

    Args:
        trees: In the order in which they are added.
        outputs: For each tree, the outputs that its values are added to.
        start: What the sum starts from `(outputs,)`.
        divide: What the sum is divided by at the end.
        link: From the sum to the model's answer: as it is (`identity`), probabilities already, or by the `logistic` function of
            one number or the `softmax` of several to probabilities. `log_odds` are one number for two classes, whose scores are
            its half, negative and positive; `scores` are one for each class; the softmax of both are probabilities.
        present: The classes the outputs stand for, as places among those of the schema; None where there is one for each.
        classes: How many classes the schema has; None for values.
        asked: Weights of the inputs in each column that trees ask, float64 `(inputs, columns)`; None where they ask the inputs
            themselves.
        double: Whether the answer stays in double precision; a network's is in single precision.
    """

    trees: tuple[Tree, ...]
    outputs: tuple[tuple[int, ...], ...]
    start: tuple[float, ...]
    divide: float = 1.0
    link: Link = "identity"
    present: tuple[int, ...] | None = None
    classes: int | None = None
    asked: np.ndarray | None = None
    double: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class LinearMap:
    """Weighted sums of the inputs, in the precision of `weight`.

    Args:
        weight: `(outputs, inputs)`, float32 or float64.
        bias: `(outputs,)`.
        link: As of `TreeSum`.
        present: As of `TreeSum`.
        classes: As of `TreeSum`.
    """

    weight: np.ndarray
    bias: np.ndarray
    link: Link = "identity"
    present: tuple[int, ...] | None = None
    classes: int | None = None


@runtime_checkable
class ExportedModel(Protocol):
    """A model that is no network inside and says what it computes as arrays."""

    def exported(self, schema: Schema) -> TreeSum | LinearMap:
        """Return what the fitted model computes from encoded rows."""
        ...
