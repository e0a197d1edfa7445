"""Wrap an external model and its rows for a run: data, model, and the model's own decisions."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.external_subject import EncodedModel
from glassbench.contracts.facts import TextFacts
from glassbench.contracts.positive_class import checked_favourable
from glassbench.contracts.schema import Modality, Schema, Target
from glassbench.errors import DataError, GlassbenchError, said
from glassbench.external.adapters import ModelAdapter, evaluating
from glassbench.external.classes import classes_of, named_classes
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
from glassbench.external.ready_rows import EncodedRows, ReadyRows, outputs_of, ready_encoded, ready_rows
from glassbench.external.rows import Form, Tensors
from glassbench.external.wrapped_model import WrappedModel
from glassbench.external.wrappers import CallableWrapper, NetworkWrapper, device_of
from glassbench.rows.foreign_frames import as_pandas
from glassbench.rows.pooled_groups import with_pooled_groups

Kind = Literal["class", "value"]

_FEW = 20
"""Whole numbers with no more different values than these are taken for classes."""

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
    encoded: EncodedModel | None = None,
) -> WrappedModel:
    """Ask a model once for the rows, and make of both what a run works on; see `glassbench.audit` for the arguments.

    Where a plugin knows the kind of the model, `encoded` holds its network and how the plugin encodes the rows.

    Raises:
        DataError: Rows, truth, groups or answers cannot be used as they are.
        ComponentError: The model needs packages that are not installed.
    """
    ready = ready_rows(model, X, background) if encoded is None else ready_encoded(encoded, X)
    outputs = outputs_of(encoded, outputs)
    adapter, X, rows, form = ready.adapter, ready.X, ready.rows, ready.form
    order = RowOrder.of(X)
    y = one_column(order.join("the truth y", as_pandas(y)))
    beside = _beside(order, sensitive_columns(sensitive, X), cluster_column(cluster, X), weight_column(weight, X))
    kind = kind or _kind(adapter, y, outputs)
    answer = order.answers(_ask(adapter, rows))
    _check_answers(answer, len(rows))
    named = named_classes(classes, adapter.classes) if kind == "class" else ()
    names = classes_of(named, y, answer, positive) if kind == "class" else ()
    output_format = _output_format(adapter, answer, names, outputs)
    answers = output_format.read(answer).detach()
    good = checked_favourable(favourable_names(favourable), names, where="favourable")
    target = Target(name=target_name(y), kind=kind, classes=names, positive=positive_of(positive, names), favourable=good)
    inputs = () if form is None else (form.encode(rows),)
    audited = Split(inputs=inputs, rows=np.arange(len(rows)), target=truth_of(y, target), raw=ready.raw, **beside)
    schema = _schema(ready, audited, target, unit, scored=output_format.scored)
    wrapper, reason = (None, _NO_TENSOR) if form is None else _wrapper(adapter, output_format, form, rows, answers)
    lacks = schema.layout.tabular and not len(ready.background)
    notes = (*adapter.notes, *order.notes, *_unknown(y), *weight_notes(audited.weights))
    notes += _notes(output_format, reason, held_out, lacks=lacks)
    data = Data(
        schema=schema, train=ready.background, test=audited, encoder=ready.encoder, notes=notes, source="given from Python"
    )
    decides = adapter.decide if kind == "class" and output_format.scored else None
    return WrappedModel(
        data=with_pooled_groups(data),
        model=wrapper,
        facts=_facts(ready, schema, held_out),
        answers=answers,
        decided=None if decides is None else names_of(order.answers(decides(rows))),
        scored=output_format.scored,
        unasked=reason,
        held_out=held_out,
    )


def _beside(order: RowOrder, sensitive: Any, cluster: Any, weight: Any) -> dict[str, Any]:
    """Return groups, clusters and weights in the order of the rows, as a split holds them; None where there are none."""
    return {
        "groups": groups_of(order.join("sensitive", sensitive)),
        "clusters": clusters_of(order.join("cluster", cluster)),
        "weights": weights_of(order.join("weight", weight)),
    }


def _unknown(y: Any) -> list[str]:
    """Say how many rows have no truth, where some have one."""
    unknown = 0 if y is None else int(y.isna().sum())
    if not unknown:
        return []
    return [f"{unknown} of {len(y)} rows have no truth: they count towards selection rates, not towards errors."]


def _facts(ready: ReadyRows, schema: Schema, held_out: bool | None) -> dict[str, dict[str, Any]]:
    """Return what stands in the experiment for rows and model."""
    rows = {"rows": len(ready.rows), "columns": [feature.name for feature in schema.features]}
    rows |= {} if held_out is None else {"held_out": held_out}
    return {"rows": rows, "model": {"kind": ready.adapter.kind, "sha256": ready.adapter.sha256}}


def _schema(ready: ReadyRows, audited: Split, target: Target, unit: str, *, scored: bool) -> Schema:
    inputs, form = audited.inputs if isinstance(audited.inputs, tuple) else (), ready.form
    modality = _modality(form, ready.rows)
    return Schema(
        modality=modality,
        shape=tuple(inputs[0].shape[1:]) if inputs else (),
        target=target,
        features=() if form is None else form.features,
        sensitive=() if audited.groups is None else tuple(map(str, audited.groups.columns)),
        unit=unit,
        facts=ready.facts or (TextFacts() if modality == "text" else None),
        scored=scored,
    )


def _ask(adapter: ModelAdapter, rows: Any) -> Any:
    network = adapter.network
    try:
        if network is None:
            return adapter.ask(rows)
        with torch.no_grad(), evaluating(network):
            parts = [plain(network(part.to(device_of(network)))) for part in rows.split(adapter.at_once)]
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


def _wrapper(
    adapter: ModelAdapter, output_format: OutputFormat, form: Form, rows: Any, answers: Tensor
) -> tuple[nn.Module | None, str | None]:
    """Return the model wrapped as a network, or None and why: it must answer rows from a tensor as it did before."""
    if adapter.network is not None and isinstance(form, Tensors | EncodedRows):
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


def _notes(output_format: OutputFormat, reason: str | None, held_out: bool | None, *, lacks: bool) -> tuple[str, ...]:
    notes = [
        f"The model's answers were read as {output_format.form}.",
        *([f"Only its decisions were audited: {reason}."] if reason else []),
        HELD_OUT[held_out],
    ]
    if output_format.form == "labels":
        notes.append("The model decides without saying how sure it is: nothing that needs scores was audited.")
    if reason is None and lacks:
        notes.append("No background was given: explanations compare with the audited rows themselves.")
    return tuple(notes)
