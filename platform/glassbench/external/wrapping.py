"""Wrap an external model and its rows for a run: data, model, and the model's own decisions."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.facts import TextFacts
from glassbench.contracts.positive_class import checked_favourable
from glassbench.contracts.schema import Modality, Schema, Target
from glassbench.errors import DataError, GlassbenchError, said
from glassbench.external.adapters import ModelAdapter, adapter_for, evaluating
from glassbench.external.classes import classes_of
from glassbench.external.columns import (
    cluster_column,
    clusters_of,
    favourable_names,
    groups_of,
    one_column,
    positive_of,
    sensitive_columns,
    target_name,
    truth_of,
    weight_column,
    weight_notes,
    weights_of,
)
from glassbench.external.given_rows import HELD_OUT
from glassbench.external.joining import RowOrder
from glassbench.external.output_format import OutputFormat, Outputs, array_of, names_of, output_format_of, plain
from glassbench.external.rows import Form, Tensors, form_of, table_of
from glassbench.external.wrapped_model import WrappedModel
from glassbench.external.wrappers import CallableWrapper, NetworkWrapper, device_of
from glassbench.rows.foreign_frames import as_pandas, giver_of
from glassbench.rows.pooled_groups import with_pooled_groups

Kind = Literal["class", "value"]

_FEW = 20
"""Whole numbers with no more different values than these are taken for classes."""

_PASS = 4096
"""Rows a network is asked at a time."""

_TRIED = 64
"""Rows on which a model behind tensors must answer as it did before."""

_NO_TENSOR = "no tensor stands for rows of this kind"


def wrap_model(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    sensitive: Any = None,
    cluster: Any = None,
    weight: Any = None,
    kind: Kind | None = None,
    classes: Sequence[Any] = (),
    positive: Any = None,
    favourable: Any = None,
    outputs: Outputs = "auto",
    background: Any = None,
    held_out: bool | None = None,
    unit: str = "row",
) -> WrappedModel:
    """Ask a model once for the rows, and make of both what a run works on; see `glassbench.audit` for the arguments.

    Raises:
        DataError: Rows, truth, groups or answers cannot be used as they are.
        ComponentError: The model needs packages that are not installed.
    """
    adapter = _reading_frames_of(adapter_for(model), giver_of(X))
    X = as_pandas(_even(X) if _nested(X) else X)
    rows = _as_network_reads(adapter, X)
    form = form_of(rows, tuple(map(str, X.columns)) if isinstance(X, pd.DataFrame) else ())
    order = RowOrder.of(X)
    y = one_column(order.join("the truth y", as_pandas(y)))
    groups = groups_of(order.join("sensitive", sensitive_columns(sensitive, X)))
    clusters = clusters_of(order.join("cluster", cluster_column(cluster, X)))
    weights = weights_of(order.join("weight", weight_column(weight, X)))
    kind = kind or _kind(adapter, y, outputs)
    answer = order.answers(_ask(adapter, rows))
    _check_answers(answer, len(rows))
    output_format = _output_format(
        adapter, answer, classes_of(classes or adapter.classes, y, answer, positive) if kind == "class" else (), outputs
    )
    answers = output_format.read(answer).detach()
    names = output_format.classes
    good = checked_favourable(favourable_names(favourable), names, where="favourable")
    target = Target(name=target_name(y), kind=kind, classes=names, positive=positive_of(positive, names), favourable=good)
    audited = Split(
        inputs=() if form is None else (form.encode(rows),),
        rows=np.arange(len(rows)),
        target=truth_of(y, target),
        groups=groups,
        clusters=clusters,
        weights=weights,
        raw=table_of(X if isinstance(X, pd.DataFrame) else rows, form),
    )
    known = _background(adapter, _in_columns_of(X, as_pandas(background)), form)
    schema = _schema(form, rows, audited, target, unit, scored=output_format.scored)
    wrapper, reason = (None, _NO_TENSOR) if form is None else _wrapper(adapter, output_format, form, rows, answers)
    unknown = 0 if y is None else int(y.isna().sum())
    partly = [f"{unknown} of {len(rows)} rows have no truth: they count towards selection rates, not towards errors."]
    said = (*(partly if unknown else ()), *weight_notes(weights))
    notes = (*adapter.notes, *order.notes, *said, *_notes(output_format, known, reason, held_out))
    return WrappedModel(
        data=with_pooled_groups(Data(schema=schema, train=known, test=audited, notes=notes, source="given from Python")),
        model=wrapper,
        facts={
            "rows": {
                "rows": len(rows),
                "columns": [feature.name for feature in schema.features],
                **({} if held_out is None else {"held_out": held_out}),
            },
            "model": {"kind": adapter.kind, "sha256": adapter.sha256},
        },
        decided=names_of(order.answers(adapter.decide(rows)))
        if adapter.decide is not None and kind == "class" and output_format.scored
        else None,
        scored=output_format.scored,
        answers=answers,
        unasked=reason,
        held_out=held_out,
    )


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


def _schema(form: Form | None, rows: Any, audited: Split, target: Target, unit: str, *, scored: bool) -> Schema:
    inputs = audited.inputs if isinstance(audited.inputs, tuple) else ()
    modality = _modality(form, rows)
    return Schema(
        modality=modality,
        shape=tuple(inputs[0].shape[1:]) if inputs else (),
        target=target,
        features=() if form is None else form.features,
        sensitive=() if audited.groups is None else tuple(map(str, audited.groups.columns)),
        unit=unit,
        facts=TextFacts() if modality == "text" else None,
        scored=scored,
    )


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


def _ask(adapter: ModelAdapter, rows: Any) -> Any:
    network = adapter.network
    try:
        if network is None:
            return adapter.ask(rows)
        with torch.no_grad(), evaluating(network):
            parts = [plain(network(part.to(device_of(network)))) for part in rows.split(_PASS)]
        return torch.cat(parts)
    except GlassbenchError:
        raise
    except Exception as error:  # an external model may raise whatever it likes
        if any(kind.__name__ == "NotFittedError" for kind in type(error).__mro__):
            raise DataError(
                "the model is not fitted", got=adapter.kind, fix="fit it first: model.fit(X_train, y_train)"
            ) from error
        raise DataError(
            "the model cannot read the rows", got=said(error), fix="give X in the form that the model was trained on"
        ) from error


def _check_answers(answer: Any, n: int) -> None:
    given = len(array_of(answer))
    if given != n:
        raise DataError(f"the model gave {given} answers for {n} rows", fix="let it answer every row, in the rows' order")


def _output_format(adapter: ModelAdapter, answer: Any, classes: tuple[str, ...], outputs: Outputs) -> OutputFormat:
    if not classes:
        return OutputFormat(form="values")
    how = adapter.form if outputs == "auto" and adapter.form else outputs
    return output_format_of(answer, how, classes, network=adapter.network is not None)


def _kind(adapter: ModelAdapter, y: Any, outputs: Outputs) -> Kind:
    """Return what is predicted: as the model says, else as the truth looks."""
    if adapter.predicts is not None:
        return adapter.predicts  # type: ignore[return-value]
    if outputs != "auto":
        return "value" if outputs == "values" else "class"
    if y is None:
        raise DataError(
            "is a class predicted or a value?", got="no truth to tell from", fix='say task="classification" or "regression"'
        )
    series = pd.Series(y)
    if not pd.api.types.is_numeric_dtype(series) or pd.api.types.is_bool_dtype(series):
        return "class"
    return "class" if bool((series.dropna() % 1 == 0).all()) and series.nunique() <= _FEW else "value"


def _background(adapter: ModelAdapter, background: Any, form: Form | None) -> Split:
    """Return rows that explanations compare with; none where they were not given."""
    if background is None or form is None:
        return Split(inputs=(), rows=np.arange(0))
    encoded = form.encode(_as_network_reads(adapter, background))
    return Split(inputs=(encoded,), rows=-1 - np.arange(len(encoded)))


def _wrapper(
    adapter: ModelAdapter, output_format: OutputFormat, form: Form, rows: Any, answers: Tensor
) -> tuple[nn.Module | None, str | None]:
    """Return the model wrapped as a network, or None and why: it must answer rows from a tensor as it did before."""
    if adapter.network is not None and isinstance(form, Tensors):
        return NetworkWrapper(adapter.network, output_format, rows.dtype), None
    wrapper = CallableWrapper(adapter, output_format, form)
    try:
        again = wrapper(form.encode(rows)[:_TRIED])
    except Exception as error:  # an external model may raise whatever it likes
        return (
            None,
            f"the model could not be asked again ({type(error).__name__}: {str(error)[:120]})",
        )
    same = again.shape == answers[:_TRIED].shape and torch.allclose(again.double(), answers[:_TRIED].double(), atol=1e-3)
    return (wrapper, None) if same else (None, "the model answers the same rows differently when asked again")


def _modality(form: Form | None, rows: Any) -> Modality:
    if form is not None:
        return form.modality
    return "text" if all(isinstance(row, str) for row in rows) else "table"


def _notes(output_format: OutputFormat, known: Split, reason: str | None, held_out: bool | None) -> tuple[str, ...]:
    notes = [
        f"The model's answers were read as {output_format.form}.",
        *([f"Only its decisions were audited: {reason}."] if reason else []),
        HELD_OUT[held_out],
    ]
    if output_format.form == "labels":
        notes.append("The model decides without saying how sure it is: nothing that needs scores was audited.")
    if reason is None and not len(known):
        notes.append("No background was given: explanations compare with the audited rows themselves.")
    return tuple(notes)
