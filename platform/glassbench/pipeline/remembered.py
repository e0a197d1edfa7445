"""What a run remembers of its data, its model's blueprint and the inputs that mitigations change."""

import json
from collections.abc import Sequence
from typing import Any

from glassbench.contracts.blueprint import Blueprinted
from glassbench.contracts.data import Data
from glassbench.contracts.mitigation import Mitigation
from glassbench.pipeline.mitigated_data import MITIGATIONS, fitted_inputs
from glassbench.runs.provenance import describe_data

BLUEPRINT = "model.json"
"""What builds a model again that started from weights kept elsewhere."""


def remembered(data: Data, model: Any = None, mitigations: Sequence[Mitigation] = ()) -> dict[str, str]:
    """Return what a run remembers of its data, of a model's blueprint and of changed inputs, the text of each file by name."""
    files: dict[str, Any] = {"schema.json": data.schema.to_json(), "data.json": describe_data(data)}
    if data.encoder is not None:
        files["encoder.json"] = data.encoder.to_json()
    if mitigations:
        files[MITIGATIONS] = {"inputs": fitted_inputs(mitigations, data)}
    if isinstance(model, Blueprinted):
        files[BLUEPRINT] = dict(model.blueprint)
    return {name: json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n" for name, content in files.items()}
