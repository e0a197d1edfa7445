"""A component's page: its settings, types, defaults and docstring."""

import inspect
from dataclasses import asdict
from typing import Any

from glassbench.registry import Component
from glassbench.settings import settings_model


def describe(component: Component) -> dict[str, Any]:
    """Import a component and return what a person may set."""
    factory = component.load()
    schema = settings_model(factory).model_json_schema()
    doc = (inspect.getdoc(factory) or "").partition("\nArgs:")[0].strip()
    return {
        "kind": component.spec.kind,
        "name": component.spec.name,
        "canonical": component.canonical,
        "plugin": component.plugin,
        "spec": asdict(component.spec),
        "doc": doc,
        "settings": [
            {
                "name": name,
                "type": type_name(prop, schema),
                "required": name in schema.get("required", []),
                "default": prop.get("default"),
                "doc": prop.get("description"),
            }
            for name, prop in schema.get("properties", {}).items()
        ],
    }


def text(page: dict[str, Any]) -> str:
    """Return a component's page as lines for a terminal."""
    lines = [f"{page['kind']} {page['canonical']}  ({page['plugin']})", page["doc"], ""]
    if not page["settings"]:
        lines.append("It takes no settings.")
    for setting in page["settings"]:
        default = "required" if setting["required"] else f"default {setting['default']!r}"
        lines.append(f"  {setting['name']}: {setting['type']}, {default}")
        if setting["doc"]:
            lines.append(f"      {setting['doc']}")
    return "\n".join(lines)


def type_name(prop: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return a JSON Schema property's type in a person's words."""
    if "$ref" in prop:
        return type_name(schema["$defs"][prop["$ref"].rpartition("/")[2]], schema)
    if "enum" in prop:
        return " | ".join(map(str, prop["enum"]))
    if "const" in prop:
        return str(prop["const"])
    if "anyOf" in prop:
        return " | ".join(dict.fromkeys(type_name(option, schema) for option in prop["anyOf"]))
    if prop.get("type") == "array":
        inner = prop.get("items") or {}
        return f"list of {type_name(inner, schema)}" if inner else "list"
    if prop.get("type") == "object" and "properties" in prop:
        return "{" + ", ".join(f"{n}: {type_name(p, schema)}" for n, p in prop["properties"].items()) + "}"
    return {
        "integer": "whole number",
        "number": "number",
        "string": "text",
        "boolean": "true | false",
        "null": "null",
    }.get(str(prop.get("type")), "anything")
