"""The keys of an experiment, from its JSON Schema."""

from typing import Any

from components import cell

from glassbench.experiments.experiment_schema import experiment_schema
from glassbench.experiments.settings import type_words
from glassbench.registry import Registry

_PAGES = {
    "dataset": "datasets",
    "task": "tasks",
    "model": "models",
    "trainer": "trainers",
    "audits": "audits",
    "mitigations": "mitigations",
    "trackers": "trackers",
}


def page(registry: Registry) -> str:
    """Return the page of all keys, and of the keys of a gate."""
    schema = experiment_schema(registry)
    gate = schema["properties"]["gates"]["items"]
    lines = [
        "# Keys of an experiment\n",
        "Made from the JSON Schema that `glassbench schema` prints; editors that know YAML schemas complete and check by it.",
        "[Experiments, commands and files](using.md) says what each key is for.\n",
        "| key | type | required | |",
        "|---|---|---|---|",
        *(row(name, prop, schema) for name, prop in schema["properties"].items()),
        "\n## A gate\n",
        str(gate.get("description", "")).partition("\n")[0] + "\n",
        "| key | type | required | |",
        "|---|---|---|---|",
        *(row(name, prop, {**schema, **gate}) for name, prop in gate["properties"].items()),
    ]
    return "\n".join(lines) + "\n"


def row(name: str, prop: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return a key's row: its type in words, whether it must be there, and what the schema says of it."""
    required = "yes" if name in schema["required"] else f"no, `{prop['default']}`" if prop.get("default") is not None else "no"
    if name in _PAGES:
        words = f"a [component](components/{_PAGES[name]}.md): its name, or `{{use: NAME, setting: value}}`"
        words = {"audits": "[audits](components/audits.md) by name with settings, or a list of names"}.get(name, words)
        words = {"trackers": f"list: {words}", "mitigations": f"list: {words}"}.get(name, words)
    else:
        words = "list of [gates](#a-gate)" if name == "gates" else cell(type_words(prop, schema))
    return f"| `{name}` | {words} | {required} | {cell(prop.get('description', ''))} |"
