"""JSON Schemas as a page: one table for each table that may be written, with every key, its type and its default."""

import json
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_HEAD = """\
# Settings and job files by schema

Every key that there is, from the JSON Schemas that `hubdata config schema` prints; what each is for stands in
[settings](../settings.md) and [configuration](../configuration.md). For editors and CI:
[hubdata.toml.schema.json](hubdata.toml.schema.json), [job.schema.json](job.schema.json).
"""


def page(schemas: dict[str, Schema]) -> str:
    """Return the page as Markdown."""
    out = [_HEAD]
    for name, schema in schemas.items():
        out.append(f"## {name if '.' in name else 'A job file'}\n")
        for title, table in _tables(schema):
            out.append(f"### {title}\n\n{_rows(table)}")
    return "\n".join(out)


def as_json(schema: Schema) -> str:
    """Return a schema as it lies in a file."""
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _tables(schema: Schema) -> Iterator[tuple[str, Schema]]:
    yield schema.get("title", ""), schema
    for name, table in sorted(schema.get("$defs", {}).items()):
        for variant in (table, *table.get("oneOf", ())):
            if variant.get("properties"):
                yield variant.get("title", name), variant


def _rows(table: Schema) -> str:
    must = set(table.get("required", ()))
    out = ["| key | type | default |", "|---|---|---|"]
    for key, value in table["properties"].items():
        out.append(f"| `{key}` | {_type(value)} | {'required' if key in must else _default(value)} |")
    return "\n".join(out) + "\n"


def _default(value: Schema) -> str:
    given = value.get("default")
    return "" if given is None else f"`{json.dumps(given, ensure_ascii=False)}`"


def _type(value: Schema) -> str:
    if "$ref" in value:
        return str(value["$ref"].rpartition("/")[2])
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    for word in ("anyOf", "oneOf", "allOf"):
        if word in value:
            return " or ".join(dict.fromkeys(_type(one) for one in value[word]))
    kind = value.get("type", "anything")
    if kind == "array":
        return f"array of {_type(value.get('items', {}))}"
    if kind == "object" and isinstance(value.get("additionalProperties"), dict):
        return f"table of {_type(value['additionalProperties'])}"
    bounds = [f"{sign} {value[word]}" for word, sign in _BOUNDS.items() if word in value]
    return " ".join([str(kind), *bounds])
