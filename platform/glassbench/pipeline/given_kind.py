"""A model given with its rows, of a kind that a plugin knows: who wraps it, and what stands in the experiment for it."""

from collections.abc import Mapping
from typing import Any, cast

from glassbench.contracts.external_subject import EncodedModel, ExternalSubject, GivenRows
from glassbench.contracts.specs import DatasetSpec, ModelSpec
from glassbench.entry_points import built_in_or_all
from glassbench.errors import ComponentError, DataError
from glassbench.experiments.settings import arguments, settle
from glassbench.external.components import MODEL
from glassbench.registry import Component, Registry, load_target
from glassbench.rows.foreign_frames import as_pandas

_OF_DECISIONS = ("y", "weight", "classes", "positive", "favourable")


def known_kind(registry: Registry, model: Any) -> Component | None:
    """Return the data set that reads rows for a model of its kind; None where none knows it.

    Raises:
        ComponentError: Several know it, and none of them is built in.
    """
    found = []
    for component in registry.of_kind("dataset"):
        target = cast(DatasetSpec, component.spec).recognises
        if target is not None and load_target(target, f"what recognises models for '{component.name}'")(model):
            found.append(component)
    return _only(found)


def encoded_by_plugin(registry: Registry, model: Any, X: Any, background: Any, reading: Mapping[str, Any]) -> EncodedModel | None:
    """Return a model and its rows as the plugin that knows models of its kind encodes them; None where none knows it.

    Args:
        registry: The plugins.
        model: The model.
        X: Its rows.
        background: Rows like those it was trained on, or None.
        reading: How rows are read: settings of that plugin.

    Raises:
        ComponentError: Several plugins know it, none of them built in.
        DataError: Model and rows cannot be used.
        SettingsError: The plugin has no such setting.
    """
    found, X = [], as_pandas(X)
    for component in registry.of_kind("model"):
        target = cast(ModelSpec, component.spec).recognises
        if target is not None and load_target(target, f"what recognises models for '{component.name}'")(model, X):
            found.append(component)
    knows = _only(found)
    if knows is None:
        return None
    encode = load_target(str(cast(ModelSpec, knows.spec).encodes), f"what encodes rows for '{knows.name}'")
    return cast(EncodedModel, encode(model, X, as_pandas(background), **arguments(settle(encode, reading, "reading"))))


def _only(found: list[Component]) -> Component | None:
    chosen = built_in_or_all(found)
    if len(chosen) > 1:
        names = ", ".join(component.canonical for component in chosen)
        raise ComponentError("several plugins audit models of this kind", got=names, where="model")
    return chosen[0] if chosen else None


def refuse_decisions(given: Mapping[str, Any]) -> None:
    """Refuse what speaks of decisions about rows, where the rows hold all that the model is judged by.

    Raises:
        DataError: Such an argument was given.
    """
    extra = [name for name in _OF_DECISIONS if given.get(name) is not None and not _empty(given[name])]
    if given.get("outputs", "auto") != "auto":
        extra.append("outputs")
    if extra:
        problem = f"a model of this kind is judged by the rows themselves and takes no {extra[0]}"
        raise DataError(problem, where=extra[0], fix=f"leave {extra[0]} out")


def wrap_kind(
    component: Component, model: Any, rows: GivenRows, reading: Mapping[str, Any]
) -> tuple[ExternalSubject, dict[str, Any]]:
    """Wrap a model and its rows by the plugin that knows its kind; return both and what stands in the experiment for them.

    Args:
        component: The data set that knows the kind.
        model: The model.
        rows: Its rows.
        reading: How rows are read: settings of that plugin.

    Raises:
        DataError: Model and rows cannot be used.
        SettingsError: The plugin has no such setting.
    """
    wrap = load_target(str(cast(DatasetSpec, component.spec).wraps_rows), f"what wraps for '{component.name}'")
    external = cast(ExternalSubject, wrap(model, rows, **arguments(settle(wrap, reading, "reading"))))
    facts = external.facts
    chosen = {
        "dataset": {"use": component.canonical, **facts["rows"]},
        "task": dict(facts["task"]),
        "model": {"use": MODEL, **facts["model"]},
    }
    return external, chosen


def _empty(given: Any) -> bool:
    return isinstance(given, tuple) and not given
