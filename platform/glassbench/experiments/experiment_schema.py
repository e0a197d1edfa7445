"""One JSON Schema of everything installed, so that editors complete and check as one types."""

from typing import Any, cast

from glassbench.errors import GlassbenchError
from glassbench.experiments.about import About
from glassbench.experiments.experiment import CleaningUse
from glassbench.experiments.gates import Gate
from glassbench.experiments.schema_draft import DRAFT, draft_seven
from glassbench.experiments.settings import argument_notes, settings_model
from glassbench.registry import Component, Registry

ID = "https://json.schemastore.org/glassbench.json"
"""What the schema is called; SchemaStore names its schemas so."""

_BUDGET = {
    "type": ["string", "number"],
    "description": "Seconds all audits may take together, such as 120s; beyond, they sample rows.",
}

_DESCRIPTIONS = {
    "name": "What reports call the experiment.",
    "about": "What no audit finds out: purpose, owner, limits, contacts.",
    "dataset": "The rows: what they are, which columns are audited, how they are divided.",
    "task": "What is to be learnt.",
    "model": "What learns it; none where decisions are given.",
    "trainer": "How the model is trained; without it, the one that trains this form of model.",
    "audits": "What the model is examined by; without it, every installed audit that is on by default.",
    "gates": "Thresholds that the run must meet.",
    "cleaning": "Which rows are dropped or relabelled: a file that `glassbench clean` proposed and a person has read.",
    "mitigations": "What changes how the run learns or decides, in this order.",
    "trackers": "Who else is told what happens in the run.",
    "allow_failed": "Whether a run may pass although an audit failed.",
    "training_share": "Share of the training rows to learn from; rows to be judged stay as they are.",
    "seed": "Seed of everything random.",
}


def experiment_schema(registry: Registry) -> dict[str, Any]:
    """Return the JSON Schema (draft 7) of experiment files.

    Components whose packages are missing or whose module is broken are left out.
    """
    definitions: dict[str, Any] = {}
    roles = {role: _role(registry, role, definitions) for role in ("dataset", "task", "model", "trainer")}
    gate = Gate.model_json_schema(ref_template="#/$defs/{model}")
    gate["properties"]["by"] = {"anyOf": [{"type": "string"}, *gate["properties"]["by"]["anyOf"]]}
    about = About.model_json_schema(ref_template="#/$defs/{model}")
    about["properties"]["contacts"] = {"anyOf": [{"type": "string"}, about["properties"]["contacts"]]}
    for name, note in argument_notes(Gate.__doc__ or "").items():
        gate["properties"][name]["description"] = note
    schema: dict[str, Any] = {
        "$schema": DRAFT,
        "$id": ID,
        "title": "Glassbench experiment",
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "dataset", "task"],
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 120},
            "about": about,
            **roles,
            "audits": _audits(registry, definitions),
            "budget": _BUDGET,
            "gates": {"type": "array", "items": gate},
            "cleaning": {"anyOf": [{"type": "string", "minLength": 1}, CleaningUse.model_json_schema()]},
            "mitigations": {"type": "array", "items": _role(registry, "mitigation", definitions)},
            "trackers": {"type": "array", "items": _role(registry, "tracker", definitions)},
            "allow_failed": {"type": "boolean", "default": False},
            "training_share": {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": 1},
            "seed": {"type": "integer", "minimum": 0, "exclusiveMaximum": 2**31, "default": 0},
        },
        "$defs": definitions,
    }
    for name, description in _DESCRIPTIONS.items():
        schema["properties"][name]["description"] = description
    return cast(dict[str, Any], draft_seven(schema))


def _role(registry: Registry, kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    options: list[dict[str, Any]] = []
    names: list[str] = []
    for component in registry.of_kind(kind):
        settings = _settings(component, definitions)
        if settings is None:
            continue
        spellings = _spellings(registry, component)
        names += spellings
        use = {"enum": spellings, "description": component.spec.summary}
        required = ["use", *settings.get("required", [])]
        options.append({**settings, "properties": {"use": use, **settings.get("properties", {})}, "required": required})
    return {"anyOf": [{"enum": names}, *options]}


def _audits(registry: Registry, definitions: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for component in registry.of_kind("audit"):
        settings = _settings(component, definitions)
        if settings is not None:
            properties |= {name: {"anyOf": [settings, {"type": "null"}]} for name in _spellings(registry, component)}
    names = {"type": "array", "items": {"enum": list(properties)}}
    properties["budget"] = _BUDGET
    return {"anyOf": [{"type": "object", "properties": properties, "additionalProperties": False}, names]}


def _spellings(registry: Registry, component: Component) -> list[str]:
    same = [c for c in registry.of_kind(component.spec.kind) if c.spec.name == component.spec.name]
    return [component.spec.name, component.canonical] if len(same) == 1 else [component.canonical]


def _settings(component: Component, definitions: dict[str, Any]) -> dict[str, Any] | None:
    """Return the schema of a component's settings; its nested definitions go under names of their own."""
    try:
        model = settings_model(component.load())
    except GlassbenchError:
        return None
    prefix = f"{component.spec.kind}.{component.canonical}".replace("/", ".")
    schema = model.model_json_schema(ref_template=f"#/$defs/{prefix}.{{model}}")
    definitions |= {f"{prefix}.{name}": body for name, body in schema.pop("$defs", {}).items()}
    if getattr(component.spec, "variants", None) is not None:
        schema["additionalProperties"] = True  # which settings there are depends on one of them
    return {**schema, "description": component.spec.summary}
