"""What an audit's result must look like to be written as `result.json` and read again."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter

from glassbench.contracts.evidence import SCHEMA_VERSION, AuditResult

_FORM = TypeAdapter(AuditResult)
_FIELDS = {field.name for field in fields(AuditResult)}


def result_from_json(content: Mapping[str, Any]) -> AuditResult:
    """Rebuild an audit's result from its JSON after checking the type of every part.

    Raises:
        ValueError, KeyError, TypeError: It is not of the form that `AuditResult.to_json` gives.
    """
    if (version := content.get("schema_version")) != SCHEMA_VERSION:
        raise ValueError(f"it is of schema version {version}, and this version of Glassbench reads {SCHEMA_VERSION}")
    files = [{"name": name} for name in content.get("files", ())]
    parts = {key: value for key, value in content.items() if key in _FIELDS} | {"files": files}
    _FORM.validate_json(json.dumps(parts), strict=True)
    return AuditResult.from_json(content)


def misnamed(result: AuditResult, name: str) -> str | None:
    """Return what is wrong with the names of a result's measures, or None.

    Args:
        result: What an audit returned.
        name: The audit's name, which starts the name of each of its measures.
    """
    stray = [measure.name for measure in result.measures if not measure.name.startswith(f"{name}.")]
    if stray:
        return f"a measure of this audit must be named '{name}.<measure>', got '{stray[0]}'"
    seen: set[tuple[Any, ...]] = set()
    for measure in result.measures:
        key = measure.name, measure.by, tuple(sorted((measure.group or {}).items()))
        if key in seen:
            return f"the measure '{measure.name}' is given twice" + (f" of the group {key[2]}" if key[2] else "")
        seen.add(key)
    return None
