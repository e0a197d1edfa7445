"""What a search may draw settings from, held against the typed settings of the components."""

from collections.abc import Mapping
from typing import Any

from glassbench.errors import ExperimentError, GlassbenchError
from glassbench.experiments.choice import Choice
from glassbench.experiments.experiment_file import Document, override
from glassbench.experiments.plan import Plan
from glassbench.experiments.planning import make_plan
from glassbench.experiments.settings import schema_of_setting
from glassbench.registry import Registry
from glassbench.studies.trials import overrides
from glassbench.studies.vary import Dimension

_ROLES = ("dataset", "task", "model", "trainer")


def check_space(space: Mapping[str, Dimension], experiment: Document, study: Document, registry: Registry) -> Plan:
    """Plan the experiment with the ends of each range and with each choice; return the plan with the first of all.

    Raises:
        GlassbenchError: A setting does not exist, does not take one of the values, or is no number where a range is given.
    """
    first = {name: dimension.ends[0] for name, dimension in space.items()}
    plan = _planned(first, None, experiment, study, registry)
    for name, dimension in space.items():
        if dimension.choices is None:
            _check_range(name, dimension, plan, study)
        for value in dimension.ends[1:]:
            _planned({**first, name: value}, name, experiment, study, registry)
    return plan


def first_plan(space: Mapping[str, Dimension], experiment: Document, registry: Registry) -> Plan:
    """Return the plan of the experiment with the first value of each range and choice."""
    first = {name: dimension.ends[0] for name, dimension in space.items()}
    return make_plan(override(experiment, overrides(first)), registry)


def whole_numbers(name: str, dimension: Dimension, plan: Plan) -> bool:
    """Whether a range draws whole numbers: its setting takes no others, or where nothing is known of it, its ends are whole."""
    schema = _schema(name, plan)
    whole = all(isinstance(value, int) for value in (dimension.from_, dimension.to, dimension.step or 1))
    return whole and (schema is None or "number" not in _types(schema))


def _planned(settings: Mapping[str, Any], blamed: str | None, experiment: Document, study: Document, registry: Registry) -> Plan:
    try:
        return make_plan(override(experiment, overrides(settings)), registry)
    except GlassbenchError as error:
        named = [blamed] if blamed is not None else [name for name in settings if (error.where or "").endswith(f"  {name}")]
        if not named or error.problem.startswith("a range"):
            raise
        where = f"{study.where(f'vary.search.{named[0]}')}"
        raise ExperimentError(error.problem, where=where, got=error.got, available=error.available, fix=error.fix) from error


def _check_range(name: str, dimension: Dimension, plan: Plan, study: Document) -> None:
    schema = _schema(name, plan)
    types = set() if schema is None else _types(schema)
    if schema is not None and not types & {"number", "integer"}:
        problem = "a range needs a setting that takes any number between its ends"
        got = f"from {dimension.from_} to {dimension.to}"
        known = [str(value) for value in schema.get("enum", ())]
        fix = "name values: {choices: [...]}"
        raise ExperimentError(problem, where=study.where(f"vary.search.{name}"), got=got, available=known, fix=fix)
    whole = all(isinstance(value, int) for value in dimension.ends)
    if "number" not in types and types and not (whole and isinstance(dimension.step or 1, int)):
        got = f"from {dimension.from_} to {dimension.to}"
        problem = "the setting takes whole numbers"
        raise ExperimentError(problem, where=study.where(f"vary.search.{name}"), got=got, fix="whole `from`, `to` and `step`")


def _schema(name: str, plan: Plan) -> Mapping[str, Any] | None:
    """Return the JSON Schema of a setting, or None where nothing is known of it."""
    role, *path = name.split(".")
    if role == "audits" and len(path) > 1:
        choice: Choice | None = plan.audits.get(path.pop(0))
    else:
        choice = getattr(plan, role) if role in _ROLES else None
    return None if choice is None or not path else schema_of_setting(choice.settings, path)


def _types(schema: Mapping[str, Any]) -> set[str]:
    """Return the JSON types that a schema takes; values named one by one have none."""
    if "enum" in schema or "const" in schema:
        return set()
    if "anyOf" in schema:
        return set().union(*(_types(option) for option in schema["anyOf"]))
    types = schema.get("type", ())
    return {types} if isinstance(types, str) else set(types)
