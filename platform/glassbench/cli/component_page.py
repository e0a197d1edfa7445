"""A component's page: its settings, types, defaults and docstring."""

import inspect
from dataclasses import asdict
from typing import Any

from glassbench.experiments.settings import settings_model, type_words
from glassbench.registry import Component


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
        "notes": [list(note) for note in component.spec.notes],
        "settings": [
            {
                "name": name,
                "type": type_words(prop, schema),
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
    lines += [f"{heading}: {words}" for heading, words in page["notes"]] + [""] * bool(page["notes"])
    if not page["settings"]:
        lines.append("It takes no settings.")
    for setting in page["settings"]:
        default = "required" if setting["required"] else f"default {setting['default']!r}"
        lines.append(f"  {setting['name']}: {setting['type']}, {default}")
        if setting["doc"]:
            lines.append(f"      {setting['doc']}")
    return "\n".join(lines)
