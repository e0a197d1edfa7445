"""A component's typed keyword arguments, read as its settings schema."""

import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import PydanticUndefined

from glassbench.errors import PluginError, SettingsError, suggest

_ARGUMENT = re.compile(r"^(\*{0,2}[\w, ]+?)\s*(?:\([^)]*\))?:\s+(.*)$")


@cache
def settings_model(component: Callable[..., Any]) -> type[BaseModel]:
    """Return the pydantic model of a component's keyword-only arguments.

    Args:
        component: A function or class; what stands before `*` in its signature is given by the platform, what stands after is
            a setting with a type and, unless it is required, a default.

    Raises:
        PluginError: The signature cannot be read as settings.
    """
    name = getattr(component, "__name__", repr(component))
    try:
        hints = get_type_hints(_initializer(component), include_extras=True)
        fields: dict[str, Any] = {}
        notes = argument_notes(inspect.getdoc(component) or "")
        for argument in _keyword_arguments(component):
            default = PydanticUndefined if argument.default is inspect.Parameter.empty else argument.default
            field = Field(default=default, description=notes.get(argument.name))
            fields[argument.name] = (hints.get(argument.name, Any), field)
        config = ConfigDict(extra="forbid", frozen=True, strict=True, protected_namespaces=())
        return create_model(f"{name}_settings", __config__=config, **fields)
    except (TypeError, NameError, ValueError) as error:
        raise PluginError(f"the settings of {name} cannot be read from its signature", got=str(error)) from error


def settle(component: Callable[..., Any], given: Mapping[str, Any], where: str) -> BaseModel:
    """Return a component's settings, complete: those given, checked, and the defaults of the rest.

    Values are checked as JSON is: strictly by type, save that a list may stand for a tuple and a whole number for a fraction.

    Raises:
        SettingsError: A key is unknown or missing, or a value is of the wrong type or out of range.
    """
    model = settings_model(component)
    unknown = [key for key in given if key not in model.model_fields]
    if unknown:
        raise SettingsError(
            f"unknown setting '{unknown[0]}'",
            where=f"{where}.{unknown[0]}",
            got=unknown[0],
            available=sorted(model.model_fields),
            fix=suggest(unknown[0], list(model.model_fields)),
        )
    try:
        return model.model_validate_json(json.dumps(dict(given), default=str))
    except ValidationError as error:
        raise settings_error(error, where, model) from error


def arguments(settled: BaseModel) -> dict[str, Any]:
    """Return settled settings as the keyword arguments of their component."""
    return {name: getattr(settled, name) for name in type(settled).model_fields}


def settings_error(error: ValidationError, where: str, model: type[BaseModel]) -> SettingsError:
    """Turn pydantic's first complaint about a model into one error that names the key's path, the value and what is accepted."""
    complaints = error.errors(include_url=False)
    first = complaints[0]
    # A union reports each member; the path ends where members' own labels begin.
    path = [str(part) for part in first["loc"] if not re.search(r"[\[\]()]|^(str|int|float|bool|tuple|list)$", str(part))]
    at = ".".join([where, *path]) if where else ".".join(path)
    if first["type"] == "extra_forbidden":
        known = sorted((_node(path[:-1], model.model_json_schema()) or {}).get("properties", {}))
        fix = suggest(path[-1], known)
        return SettingsError(f"there is no setting '{path[-1]}'", where=at, got=path[-1], available=known, fix=fix)
    got = repr(first["input"]) if first["type"] != "missing" else "nothing"
    same_key = [e for e in complaints if e["loc"][:1] == first["loc"][:1]]
    accepted = {str(e["msg"]).removeprefix("Input should be ").removeprefix("Value error, ") for e in same_key}
    if all(str(e["type"]).endswith(("_type", "_parsing")) for e in same_key):
        words = _accepted_at(path, model.model_json_schema())
        accepted = accepted if words is None else {words}
    problem = "a required setting is missing" if first["type"] == "missing" else "a setting has a value it does not take"
    fix = f"add '{path[-1]}'" if first["type"] == "missing" else f"it takes: {' or '.join(sorted(accepted))}{_as_share(first)}"
    return SettingsError(problem, where=at, got=got[:200], fix=fix)


def _as_share(complaint: Any) -> str:
    """Suggest the share where a percentage stands for one: 0.95 for 95."""
    limits, given = complaint.get("ctx", {}), complaint["input"]
    most = limits.get("lt", limits.get("le"))
    meant = complaint["type"] in ("less_than", "less_than_equal") and most == 1 and isinstance(given, int | float)
    return f"; did you mean {given / 100:g}?" if meant and 1 < given <= 100 else ""


def _accepted_at(path: Sequence[str], schema: Mapping[str, Any]) -> str | None:
    """Return in words what a JSON Schema accepts at a path, or None where it leads through a choice of forms."""
    at = _node(path, schema)
    return None if at is None else type_words(dict(at), dict(schema))


def schema_of_setting(settings: BaseModel, path: Sequence[str]) -> Mapping[str, Any] | None:
    """Return what the JSON Schema of a component's settings says of one of them; None where nothing is known of it.

    Args:
        settings: The component's settings.
        path: The setting's name, and names within it.
    """
    return _node(path, type(settings).model_json_schema())


def _node(path: Sequence[str], schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what a JSON Schema says at a path, or None where it leads through a choice of forms."""
    at: Mapping[str, Any] = schema
    for part in path:
        step = at.get("properties", {}).get(part) or (at.get("items") if part.isdecimal() else None)
        if step is None:
            return None
        at = schema["$defs"][str(step["$ref"]).rpartition("/")[2]] if "$ref" in step else step
    return at


def argument_notes(docstring: str) -> dict[str, str]:
    """Return what a Google-style docstring says of each argument.

    Example:
        >>> argument_notes("A.\\n\\nArgs:\\n    width: Units per layer,\\n        a list.\\n    depth: Layers.\\n")
        {'width': 'Units per layer, a list.', 'depth': 'Layers.'}
    """
    notes: dict[str, str] = {}
    current: list[str] = []
    inside, indent = False, 0
    for line in docstring.splitlines():
        stripped = line.strip()
        if stripped == "Args:":
            inside, indent = True, len(line) - len(line.lstrip())
            continue
        if not inside or not stripped:
            continue
        depth = len(line) - len(line.lstrip())
        if depth <= indent:
            inside = False
            continue
        match = _ARGUMENT.match(stripped) if depth <= indent + 4 else None
        if match:
            current = [name.strip().lstrip("*") for name in match.group(1).split(",")]
            notes |= dict.fromkeys(current, match.group(2))
        else:
            notes |= {name: f"{notes[name]} {stripped}" for name in current}
    return notes


def type_words(prop: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return a JSON Schema property's type in a person's words."""
    if "$ref" in prop:
        return type_words(schema["$defs"][prop["$ref"].rpartition("/")[2]], schema)
    if "enum" in prop:
        return " | ".join(map(str, prop["enum"]))
    if "const" in prop:
        return str(prop["const"])
    if "anyOf" in prop:
        return " | ".join(dict.fromkeys(type_words(option, schema) for option in prop["anyOf"]))
    if isinstance(prop.get("type"), list):
        return " | ".join(type_words({**prop, "type": one}, schema) for one in prop["type"])
    if prop.get("type") == "array":
        inner = prop.get("items") or {}
        return f"list of {type_words(inner, schema)}" if inner else "list"
    if prop.get("type") == "object" and "properties" in prop:
        return "{" + ", ".join(f"{n}: {type_words(p, schema)}" for n, p in prop["properties"].items()) + "}"
    if prop.get("type") == "object":
        inner = prop.get("additionalProperties")
        return f"mapping of names to {type_words(inner, schema)}" if isinstance(inner, dict) and inner else "mapping"
    return {
        "integer": "whole number",
        "number": "number",
        "string": "text",
        "boolean": "true | false",
        "null": "null",
    }.get(str(prop.get("type")), "anything")


def _keyword_arguments(component: Callable[..., Any]) -> list[inspect.Parameter]:
    parameters = inspect.signature(component).parameters.values()
    return [p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]


def _initializer(component: Callable[..., Any]) -> Any:
    return component.__init__ if inspect.isclass(component) else component
