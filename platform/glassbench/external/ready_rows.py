"""A model and its rows made ready: how it is asked, and the rows in the form in which it is asked with them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Encoder, Split
from glassbench.contracts.external_subject import EncodedModel
from glassbench.contracts.facts import Facts
from glassbench.errors import DataError
from glassbench.external.adapters import ModelAdapter, adapter_for
from glassbench.external.output_format import Outputs
from glassbench.external.rows import Form, form_of, table_of
from glassbench.rows.foreign_frames import as_pandas, giver_of


@dataclass(frozen=True, eq=False, kw_only=True)
class ReadyRows:
    """A model and its rows made ready.

    Args:
        adapter: How the model is asked.
        X: The rows as they were given, frames of other libraries as pandas.
        rows: The rows as the model is asked with them.
        form: How it reads rows; None where no tensor stands for them.
        raw: The rows as a person knows them, or None.
        background: Rows like those it was trained on; none where they were not given.
        encoder: What turns raw rows into inputs, where a plugin does.
        facts: What is known of such rows beside their shape.
    """

    adapter: ModelAdapter
    X: Any
    rows: Any
    form: Form | None
    raw: pd.DataFrame | None
    background: Split
    encoder: Encoder | None = None
    facts: Facts | None = None


class EncodedRows(Form):
    """Rows that a plugin encodes and a network reads, `(n, ...)`.

    Args:
        encoded: The model and its rows.
    """

    def __init__(self, encoded: EncodedModel) -> None:
        self.modality = encoded.modality

    def encode(self, rows: Any) -> Tensor:
        """Return encoded rows as they are."""
        tensor: Tensor = torch.as_tensor(rows)
        return tensor

    def decode(self, inputs: Tensor) -> Any:
        """Return the tensor as it is: the network reads it."""
        return inputs


def ready_rows(model: Any, X: Any, background: Any) -> ReadyRows:
    """Return a model and its rows made ready.

    Args:
        model: The model.
        X: Its rows.
        background: Rows like those it was trained on, or None.

    Raises:
        DataError: Model or rows cannot be used as they are.
        ComponentError: The model needs packages that are not installed.
    """
    adapter = _reading_frames_of(adapter_for(model), giver_of(X))
    X = as_pandas(_even(X) if _nested(X) else X)
    rows = _as_network_reads(adapter, X)
    form = form_of(rows, tuple(map(str, X.columns)) if isinstance(X, pd.DataFrame) else ())
    return ReadyRows(
        adapter=adapter,
        X=X,
        rows=rows,
        form=form,
        raw=table_of(X if isinstance(X, pd.DataFrame) else rows, form),
        background=_background(adapter, _in_columns_of(X, as_pandas(background)), form),
    )


def ready_encoded(encoded: EncodedModel, X: Any) -> ReadyRows:
    """Return a model whose rows a plugin encodes, and these rows, made ready."""
    adapter = ModelAdapter(
        ask=encoded.network,
        kind=encoded.kind,
        network=encoded.network,
        predicts=encoded.predicts,
        classes=encoded.classes,
        form=None if encoded.predicts == "value" else "logits",
        notes=encoded.notes,
        at_once=encoded.at_once,
    )
    return ReadyRows(
        adapter=adapter,
        X=as_pandas(X),
        rows=encoded.encoder.encode(encoded.raw).batch(slice(None)).inputs[0],
        form=EncodedRows(encoded),
        raw=encoded.raw,
        background=_encoded_background(encoded),
        encoder=encoded.encoder,
        facts=encoded.facts,
    )


def outputs_of(encoded: EncodedModel | None, outputs: Outputs) -> Outputs:
    """Return what a person says a model answers; a network whose rows a plugin encodes gives logits, whatever its pipeline makes
    of them.

    Raises:
        DataError: It is said to answer labels.
    """
    if encoded is None or outputs in ("auto", "values"):
        return outputs
    if outputs == "labels":
        raise DataError("this model is asked for its scores", where="outputs", got=outputs, fix="leave outputs out")
    return "auto"


def _encoded_background(encoded: EncodedModel) -> Split:
    if encoded.background is None:
        return Split(inputs=(), rows=np.arange(0))
    split = encoded.encoder.encode(encoded.background)
    return replace(split, rows=-1 - np.arange(len(split)))


def _reading_frames_of(adapter: ModelAdapter, give: Callable[[Any], Any] | None) -> ModelAdapter:
    """Ask a model with frames of the library that its rows came in."""
    if give is None or adapter.network is not None:
        return adapter
    ask, decide = adapter.ask, adapter.decide
    return replace(
        adapter, ask=lambda rows: ask(give(rows)), decide=None if decide is None else (lambda rows: decide(give(rows)))
    )


def _in_columns_of(X: Any, background: Any) -> Any:
    """Return the background with the columns of X in their order, where both are frames.

    Raises:
        DataError: A column is missing.
    """
    if not (isinstance(X, pd.DataFrame) and isinstance(background, pd.DataFrame)):
        return background
    absent = [str(name) for name in X.columns if name not in background.columns]
    if absent:
        raise DataError(
            f"the background has no column '{absent[0]}'", got=absent[0], available=list(map(str, background.columns))
        )
    return background[list(X.columns)]


def _even(X: list[Any]) -> np.ndarray:
    lengths = sorted({len(row) for row in X})
    if len(lengths) > 1:
        raise DataError(
            "the rows have different lengths", got=", ".join(map(str, lengths[:10])), fix="give every row as many numbers"
        )
    return np.array(X)


def _nested(X: Any) -> bool:
    """Whether rows are lists of numbers."""
    return isinstance(X, list) and bool(X) and isinstance(X[0], list | tuple) and all(isinstance(v, int | float) for v in X[0])


def _as_network_reads(adapter: ModelAdapter, X: Any) -> Any:
    """Turn a table into a tensor where a network reads it; whole numbers stay whole where the network embeds them."""
    if adapter.network is None or isinstance(X, Tensor):
        return X
    array = X.to_numpy() if isinstance(X, pd.DataFrame) else np.asarray(X)
    if array.dtype.kind not in "biuf":
        raise DataError(
            "a network reads numbers",
            got=f"rows of type {array.dtype}",
            fix="encode texts and categories, or give a function that does",
        )
    embeds = any(isinstance(module, nn.Embedding) for module in adapter.network.modules())
    return torch.as_tensor(array.astype(np.int64 if embeds and array.dtype.kind in "iu" else np.float32))


def _background(adapter: ModelAdapter, background: Any, form: Form | None) -> Split:
    """Return rows that explanations compare with; none where they were not given."""
    if background is None or form is None:
        return Split(inputs=(), rows=np.arange(0))
    encoded = form.encode(_as_network_reads(adapter, background))
    return Split(inputs=(encoded,), rows=-1 - np.arange(len(encoded)))
