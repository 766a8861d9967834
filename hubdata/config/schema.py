"""Return JSON Schemas of what may be written, for editors and for CI that never runs hubdata.

The options of each adapter are part of them: an editor completes `bucket` under `type = "s3"` and nothing else.
"""

from typing import Any

from hubdata.config.job_file import JobFile
from hubdata.config.settings_file import SettingsFile
from hubdata.errors import ConfigError
from hubdata.plugins import TABLES, Seam, options_model, words
from hubdata.tables import BaseModel

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def json_schema() -> dict[str, Schema]:
    """Return two JSON Schemas (2020-12): `hubdata.toml`, and `job` for each file of the jobs directory."""
    return {"hubdata.toml": _settings(), "job": _job()}


def _settings() -> Schema:
    schema = _base(SettingsFile)
    defs = schema["$defs"]
    shared = {key: value for key, value in defs["TargetTable"]["properties"].items() if key != "type"}
    defs["TargetTable"] = _one_of(Seam.TARGET, defs, shared)
    defs["CdnTable"] = _one_of(Seam.CDN, defs, {})
    return schema


def _job() -> Schema:
    schema = _base(JobFile)
    defs = schema["$defs"]
    defs["SourceTable"] = _one_of(Seam.SOURCE, defs, {})
    file = defs["FileTable"]
    file["properties"]["kind"] = {"enum": list(_usable(Seam.KIND))}
    file["allOf"] = [
        {
            "if": {"properties": {"kind": {"const": kind}}},
            "then": {"properties": {"options": _options(Seam.KIND, kind, defs)}},
        }
        for kind in _usable(Seam.KIND)
    ]
    return schema


def _usable(seam: Seam) -> tuple[str, ...]:
    """Return the words of `seam`; those of other packages as far as their options can be had."""
    found = []
    for word in words(seam):
        try:
            options_model(seam, word)
        except ConfigError:
            if word in TABLES[seam]:
                raise
        else:
            found.append(word)
    return tuple(found)


def _base(model: type[BaseModel]) -> Schema:
    return {"$schema": _DIALECT, **model.model_json_schema()}


def _one_of(seam: Seam, defs: Schema, shared: Schema) -> Schema:
    """Return a table whose `type` decides which further keys it has."""
    variants = []
    for word in _usable(seam):
        options = _options(seam, word, defs)
        options["properties"] = {"type": {"const": word}, **shared, **options.get("properties", {})}
        options["required"] = ["type", *options.get("required", [])]
        options["title"] = f"{seam} {word}"
        variants.append(options)
    return {"oneOf": variants}


def _options(seam: Seam, word: str, defs: Schema) -> Schema:
    """Return the schema of an adapter's options; what it refers to goes into `defs` under names of its own."""
    prefix = f"{seam}-{word}-"
    schema = options_model(seam, word).model_json_schema(ref_template=f"#/$defs/{prefix}{{model}}")
    for name, definition in schema.pop("$defs", {}).items():
        defs[prefix + name] = definition
    return schema
