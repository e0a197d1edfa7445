"""The documents of a pack against the schemas of their standards."""

import json
import warnings
from collections.abc import Mapping
from typing import Any

from glassbench.errors import GlassbenchError, said
from glassbench.packs.signature import required


def check_bom(content: Mapping[str, Any]) -> None:
    """Raise `GlassbenchError` where a bill of materials is no valid CycloneDX 1.6."""
    _installed("cyclonedx")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(content))
    if error is not None:
        raise GlassbenchError("the ML-BOM is not valid CycloneDX 1.6", got=str(error)[:300], fix="report it")


def check_croissant(content: Mapping[str, Any]) -> None:
    """Raise `GlassbenchError` where a description of data is no valid Croissant."""
    _installed("mlcroissant")
    import mlcroissant

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own use of what others have deprecated
            mlcroissant.Metadata.from_json(ctx=mlcroissant.Context(), json_=json.loads(json.dumps(content)))
    except Exception as error:
        raise GlassbenchError("the description of the data is not valid Croissant", got=said(error), fix="report it") from error


def _installed(module: str) -> None:
    required()
    try:
        __import__(module)
    except ImportError as error:
        raise GlassbenchError(
            "packs need packages that are not installed", got=said(error), fix="pip install 'glassbench[pack]'"
        ) from error
