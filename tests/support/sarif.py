"""SARIF logs held to the standard's own schema (tests/data/sarif, with its notice)."""

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]

_SCHEMA = json.loads(
    (Path(__file__).parents[1] / "data" / "sarif" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8")
)


class NotSarif(AssertionError):
    """A log breaks the schema."""


def run_of(log: Any) -> Any:
    """Return the one run of a valid log. Raises NotSarif with what the schema says of any other."""
    try:
        jsonschema.validate(log, _SCHEMA)
    except jsonschema.ValidationError as err:
        raise NotSarif(str(err)) from err
    (run,) = log["runs"]
    return run
