"""The exported JSON Schemas accept what hubdata accepts, and refuse what it refuses."""

import json
import tomllib
from datetime import date
from importlib import import_module
from typing import Any

import pytest

from hubdata.config.schema import json_schema
from tests.unit.config.test_jobs import CONTRACT
from tests.unit.config.test_settings import FULL

jsonschema: Any = import_module("jsonschema")  # comes with the S3 simulator of the test extra


def errors(part: str, text: str) -> list[str]:
    """Return what a validator of JSON Schema says of a TOML text."""
    data = json.loads(json.dumps(tomllib.loads(text), default=date.isoformat))
    validator = jsonschema.Draft202012Validator(json_schema()[part])
    return [error.message for error in validator.iter_errors(data)]


def test_the_schemas_are_valid_and_plain_json() -> None:
    """Any tool can read them: two parts, each complete in itself."""
    schemas = json.loads(json.dumps(json_schema()))
    assert set(schemas) == {"hubdata.toml", "job"}
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_what_hubdata_accepts_is_accepted() -> None:
    """The files of the other tests, which use every key."""
    assert errors("hubdata.toml", FULL) == []
    assert errors("job", CONTRACT) == []


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("hubdata.toml", "bucket =", "buket ="),
        ("hubdata.toml", '"s3"', '"s4"'),
        ("hubdata.toml", "distribution_id", "distribution"),
        ("hubdata.toml", "spool =", "spol ="),
        ("job", '"git"', '"gti"'),
        ("job", "url =", "uri ="),
        ("job", '"cidr"', '"cdir"'),
        ("job", '"ipv4"', '"ipv5"'),
        ("job", "max_change", "max_chnage"),
        ("job", '"job"', '"all"'),
        ("job", 'kind = "mmdb"', 'kind = "mmdb"\noptions = { family = "ipv4" }'),
    ],
)
def test_what_hubdata_refuses_is_refused(part: str, old: str, new: str) -> None:
    """Adapters' own keys and values are part of the schema: an editor marks the mistake while it is typed."""
    text = {"hubdata.toml": FULL, "job": CONTRACT}[part]
    assert text.count(old) == 1
    assert errors(part, text.replace(old, new)) != []


HOOKS = '[hooks]\non_published = ["reload", "--all"]\ntimeout_s = 5\npass_environment = ["CHAT_TOKEN"]\n'


def test_hooks_and_retention_are_part_of_the_schemas() -> None:
    """An editor marks a command written as one text, and a day that is none."""
    assert errors("hubdata.toml", FULL + HOOKS) == []
    assert errors("hubdata.toml", FULL + HOOKS.replace('["reload", "--all"]', '"reload --all"')) != []
    assert errors("job", f"{CONTRACT}\n[retention]\ndays = 28\n") == []
    assert errors("job", f"{CONTRACT}\n[retention]\ndays = 0\n") != []
