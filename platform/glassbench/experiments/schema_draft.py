"""From the JSON Schema that pydantic writes, draft 2020-12, to draft 7, which editors and SchemaStore read."""

from typing import Any

DRAFT = "http://json-schema.org/draft-07/schema#"


def draft_seven(schema: Any) -> Any:
    """Return a schema in the words of draft 7: `definitions`, tuples as lists of `items`, nothing beside a `$ref`.

    Example:
        >>> draft_seven({"$ref": "#/$defs/A", "default": 1})
        {'default': 1, 'allOf': [{'$ref': '#/definitions/A'}]}
        >>> draft_seven({"type": "array", "prefixItems": [{"type": "integer"}]})
        {'type': 'array', 'items': [{'type': 'integer'}], 'additionalItems': False}
    """
    if isinstance(schema, list):
        return [draft_seven(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "properties" in schema and isinstance(schema["properties"], dict):
        named = {name: draft_seven(part) for name, part in schema["properties"].items()}
        schema = {**schema, "properties": named}
    done = {_WORDS.get(key, key): value if key in _LITERAL else draft_seven(value) for key, value in schema.items()}
    if "prefixItems" in schema:
        rest = done.pop("items", False) if "items" in schema else False
        done = {("items" if key == "prefixItems" else key): value for key, value in done.items()} | {"additionalItems": rest}
    if isinstance(done.get("$ref"), str):
        done["$ref"] = done["$ref"].replace("#/$defs/", "#/definitions/")
        if len(done) > 1:
            done["allOf"] = [{"$ref": done.pop("$ref")}]
    return done


_WORDS = {"$defs": "definitions"}
_LITERAL = {"default", "enum", "const", "examples", "properties"}
"""What holds values instead of schemas; properties are done by name, since one may be called like a keyword."""
