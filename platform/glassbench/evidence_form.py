"""What `result.json` must look like to be read as an audit's result."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from pydantic import TypeAdapter

from glassbench.evidence import AuditResult

_FORM = TypeAdapter(AuditResult)
_FIELDS = {field.name for field in fields(AuditResult)}


def result_from_json(content: Mapping[str, Any]) -> AuditResult:
    """Rebuild an audit's result from its JSON after checking the type of every part.

    Raises:
        ValueError, KeyError, TypeError: It is not of the form that `AuditResult.to_json` gives.
    """
    files = [{"name": name} for name in content.get("files", ())]
    parts = {key: value for key, value in content.items() if key in _FIELDS} | {"files": files}
    _FORM.validate_json(json.dumps(parts), strict=True)
    return AuditResult.from_json(content)
