"""A Croissant description of a run's data: columns, types and size, and no row."""

import re
from collections.abc import Mapping
from typing import Any

from glassbench.contracts.schema import Feature, Schema

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "samplingRate": "cr:samplingRate",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def croissant(name: str, schema: Schema, provenance: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the description as JSON-LD values, Croissant 1.0.

    Args:
        name: What the experiment is called.
        schema: What rows are.
        provenance: Where the run's numbers come from.
        data: What the run's data are.
    """
    described = _safe(f"data-of-{name}")
    columns = [(feature.name, _type(feature), feature.unit) for feature in schema.features]
    columns += [(one, "sc:Text", None) for one in schema.sensitive if one not in {c[0] for c in columns}]
    if schema.target.kind != "none" and schema.target.name not in {c[0] for c in columns}:
        columns.append((schema.target.name, "sc:Float" if schema.target.kind == "value" else "sc:Text", schema.target.unit))
    rows = data.get("rows")
    size = ", ".join(f"{count} {part}" for part, count in rows.items()) if isinstance(rows, dict) else "not described"
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": described,
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "description": f"Data of the experiment {name}: one row is one {schema.unit}; rows: {size}. The rows are not part of "
        "this pack; sha256 is the fingerprint of the data as the run read them.",
        "datePublished": str(provenance["created"])[:10],
        "version": "1.0.0",
        "license": "not provided",
        "url": "about:blank",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": "rows-as-read",
                "name": "rows-as-read",
                "contentUrl": "rows-as-read",
                "encodingFormat": "application/octet-stream",
                "sha256": str(data.get("fingerprint", "")).rjust(64, "0")[:64],
            }
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "rows",
                "name": "rows",
                "field": [_field(place, *column) for place, column in enumerate(columns)],
            }
        ]
        if columns
        else [],
    }


def _field(place: int, name: str, kind: str, unit: str | None) -> dict[str, Any]:
    identity = f"rows/{place}-{_safe(name)}"
    described = name if unit is None else f"{name}, in {unit}"
    source = {"fileObject": {"@id": "rows-as-read"}, "extract": {"column": name}}
    return {
        "@type": "cr:Field",
        "@id": identity,
        "name": _safe(name),
        "description": described,
        "dataType": kind,
        "source": source,
    }


def _type(feature: Feature) -> str:
    return "sc:Text" if feature.categorical else "sc:Float"


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:200] or "unnamed"
