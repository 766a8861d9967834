"""The JSON Schema of `manifest.json`: what whoever reads a published manifest may count on.

Fields may be added without a new number in `schema`, so unknown ones are let through, and readers must do so too.
"""

from typing import Any

from hubdata.model.manifest import ABSENT, SCHEMA

_SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_MOMENT = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$"}
_COUNT = {"type": "integer", "minimum": 0}
_TEXT = {"type": "string"}


def schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "manifest.json of a target that hubdata publishes to",
        "type": "object",
        "required": ["schema", "generation", "published_at", "run_id", "files"],
        "properties": {
            "schema": {"const": SCHEMA},
            "generation": _COUNT | {"description": "Grows by one with every publication."},
            "published_at": _MOMENT | {"description": "When this generation was published, UTC."},
            "run_id": _TEXT | {"description": "The run that published it: `hubdata history` names it."},
            "files": {
                "description": "Every published file by its key.",
                "type": "object",
                "propertyNames": {"minLength": 1, "pattern": "^[^/]"},
                "additionalProperties": _entry(),
            },
            "withdrawn": {
                "description": "By key, the SHA-256 of bytes that a rollback took back and nobody let out since.",
                "type": "object",
                "additionalProperties": {"type": "array", "items": {"anyOf": [_SHA256, {"const": ABSENT}]}},
            },
            "promoted": {
                "description": "What was promoted to here last, where the target is a stage.",
                "type": "object",
                "required": ["from", "generation"],
                "properties": {"from": _TEXT, "generation": _COUNT, "partial": {"type": "boolean"}},
            },
        },
    }


def _entry() -> dict[str, Any]:
    counts = ("entries", "ipv4_addresses", "ipv6_64s", "build_epoch")
    properties = {
        "size": _COUNT | {"description": "In bytes, as stored."},
        "sha256": _SHA256 | {"description": "Of the whole content."},
        "kind": _TEXT | {"minLength": 1, "description": "What it was judged as."},
        "job": _TEXT | {"minLength": 1, "description": "The job that published it."},
        "etag": _TEXT | {"minLength": 1, "description": "As the store gave it, without quotes."},
        "version_id": {"type": ["string", "null"], "description": "Null where the store keeps no versions."},
        "changed_at": _MOMENT | {"description": "When these bytes were first published, UTC."},
        "content_type": _TEXT | {"minLength": 1},
        "cache_control": _TEXT,
        "source": {
            "description": "Where it came from; which names there are depends on the type of source.",
            "type": "object",
            "additionalProperties": _TEXT,
        },
        "stats": {
            "description": "What it holds, where its kind counts that.",
            "type": "object",
            "properties": dict.fromkeys(counts, _COUNT),
        },
    }
    tag = {"cache_tag": _TEXT | {"minLength": 1, "description": "The tag that its CDN knows it by."}}
    return {"type": "object", "required": list(properties), "properties": {**properties, **tag}}
