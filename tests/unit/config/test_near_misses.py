"""Every key and every chosen word that may be written is found again when a letter of it is wrong, wherever it stands.

The tables are those of the JSON Schemas, with hubdata's real adapters: a key that is new is tried here by itself.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hubdata.config.check import check
from hubdata.config.problems import Problem
from hubdata.config.schema import json_schema

SCHEMAS = json_schema()  # before the samples of this directory's tests take the adapters' places
BASE: dict[str, dict[str, Any]] = {
    "hubdata.toml": {"targets": {"local": {"type": "directory", "path": "public"}}},
    "job": {"source": {"type": "directory", "path": "."}, "files": [{"match": "*", "kind": "opaque"}]},
}


@pytest.fixture(autouse=True)
def _sample_adapters() -> None:
    """Leave the real adapters where they are."""


def wrong(word: str) -> str:
    """Return `word` with a letter missing, or two changed places where it is short."""
    return word[:-2] + word[-1] if len(word) > 4 else word + word[-1]


def tables(file: str) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any], dict[str, Any]]]:
    """Yield each table that a file may hold: where, what it has to hold to be that one, and its keys' schemas."""
    schema = SCHEMAS[file]
    yield from _below(schema, schema["$defs"], (), {})


def _below(
    schema: dict[str, Any], defs: dict[str, Any], place: tuple[str | int, ...], given: dict[str, Any]
) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any], dict[str, Any]]]:
    schema = defs[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    for variant in schema.get("oneOf", ()):
        word = variant["properties"]["type"]["const"]
        yield from _below(variant, defs, place, {"type": word})
    for rule in schema.get("allOf", ()):
        if "then" in rule:
            kind = rule["if"]["properties"]["kind"]["const"]
            options = rule["then"]["properties"]["options"]
            yield from _below(options, defs, (*place, "options"), {"": {"kind": kind}})
    properties = schema.get("properties", {})
    if properties:
        yield place, given, properties
    for key, value in properties.items():
        for part in (value, *value.get("anyOf", ()), *value.get("allOf", ())):
            for inner, step in ((part, ()), (part.get("items"), (0,)), (part.get("additionalProperties"), ("x",))):
                if isinstance(inner, dict) and ("$ref" in inner or "oneOf" in inner):
                    yield from _below(inner, defs, (*place, key, *step), {"..": given} if "type" in given else {})


CASES = [(file, *table) for file in SCHEMAS for table in tables(file)]


def written(file: str, place: tuple[str | int, ...], given: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    """Return a document whose table at `place` has `key`, and what makes it the table that is meant."""
    document: Any = json.loads(json.dumps(BASE[file]))
    table: Any = document
    for number, step in enumerate(place):
        into: Any = [{}] if place[number + 1 : number + 2] == (0,) else {}
        if isinstance(table, list):
            table = table[0]
            continue
        if step not in table or not isinstance(table[step], type(into)):
            table[step] = into
        table.update(given.get("", {}) if step == "options" else {})
        table.update(given.get("..", {}) if len(place) - number <= 2 else {})
        table = table[step]
    if isinstance(table, list):
        table = table[0]
    table.update({name: word for name, word in given.items() if name == "type"}, **{key: value})
    return dict(document)


def toml(value: object) -> str:
    """Return a value as TOML has it in a line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def problems(root: Path, file: str, document: dict[str, Any]) -> tuple[Problem, ...]:
    """Return what `config check` finds in a document."""
    text = "".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in document.items())
    jobs = root / "jobs"
    jobs.mkdir(exist_ok=True)
    if file == "job":
        (jobs / "a.toml").write_text(text)
        (root / "hubdata.toml").write_text('jobs = "jobs"\n')
    else:
        (jobs / "a.toml").write_text("".join(f"{k} = {toml(v)}\n" for k, v in BASE["job"].items()))
        (root / "hubdata.toml").write_text(('jobs = "jobs"\n' if "jobs" not in document else "") + text)
    return check(config=None, environment={"HOME": str(root)}, flags={}, cwd=root)


def test_the_tables_are_all_there() -> None:
    """What is walked is all that the documents tell of: 40 tables at the least."""
    places = {".".join(map(str, place)) for _, place, _, _ in CASES}
    assert len(CASES) >= 40
    assert places >= {
        "", "targets.x", "cdns.x", "verify", "hooks", "notify", "lease", "sign", "http", "http.github", "metrics",
        "page", "fleet", "source", "source.items.0", "files.0", "files.0.limits", "files.0.options", "groups.0",
        "waivers.0", "canaries.0", "ignore.0", "retention",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("file", "place", "given", "keys"),
    CASES,
    ids=[
        f"{f}:{'.'.join(map(str, p))}:{'-'.join(map(str, g.get('', g.get('..', g)).values()))}" for f, p, g, _ in CASES
    ],
)
def test_a_key_with_a_wrong_letter_is_found_again(
    tmp_path: Path, file: str, place: tuple[str | int, ...], given: dict[str, Any], keys: dict[str, Any]
) -> None:
    """In every table, for every key: the problem stands at the key, and names the right one."""
    missed = []
    for key in keys:
        document = written(file, place, given, wrong(key), 1)
        found = problems(tmp_path, file, document)
        mine = [p for p in found if p.key.rpartition(".")[2] == wrong(key) or p.key == wrong(key)]
        near = [p for p in mine if p.advice == f"did you mean `{key}`?"]
        if not near:
            missed.append((wrong(key), [str(p) for p in found][:3]))
    assert missed == []


def choices(schema: dict[str, Any], defs: dict[str, Any]) -> tuple[list[str], bool]:
    """Return the words that a key chooses from, and whether it holds a list of them."""
    for each in (schema, *schema.get("anyOf", ()), *schema.get("allOf", ())):
        part = defs[each["$ref"].rpartition("/")[2]] if "$ref" in each else each
        if "enum" in part:
            return [word for word in part["enum"] if isinstance(word, str)], False
        if "items" in part and isinstance(part["items"], dict) and "enum" in part["items"]:
            return part["items"]["enum"], True
    return [], False


def test_a_chosen_word_with_a_wrong_letter_is_found_again(tmp_path: Path) -> None:
    """`unit = "fle"`, `families = ["ipv44"]`, `kind = "cidrr"`: the right word is named."""
    tried, missed = 0, []
    for file, place, given, keys in CASES:
        for key, schema in keys.items():
            words, many = choices(schema, SCHEMAS[file]["$defs"])
            for word in words:
                tried += 1
                value = [wrong(word)] if many else wrong(word)
                found = problems(tmp_path, file, written(file, place, given, key, value))
                if not any(p.advice == f"did you mean `{word}`?" for p in found):
                    missed.append((key, wrong(word), [str(p) for p in found][:3]))
    assert tried > 30
    assert missed == []


@pytest.mark.parametrize(
    ("table", "word", "right"),
    [
        ('[targets.x]\ntype = "s4"', "s4", "s3"),
        ('[targets.x]\ntype = "S3"', "S3", "s3"),
        ('[targets.x]\ntype = "dirctory"', "dirctory", "directory"),
        ('[cdns.x]\ntype = "cloud-front"', "cloud-front", "cloudfront"),
        ('[cdns.x]\ntype = "nome"', "nome", "none"),
    ],
)
def test_a_type_with_a_wrong_letter_is_found_again(tmp_path: Path, table: str, word: str, right: str) -> None:
    """Short words as well."""
    (tmp_path / "hubdata.toml").write_text(f"{table}\n")
    found = check(config=None, environment={"HOME": str(tmp_path)}, flags={}, cwd=tmp_path)
    assert f"did you mean `{right}`?" in [p.advice for p in found if f"`{word}`" in p.message]


@pytest.mark.parametrize(
    ("variable", "right"),
    [
        ("HUBDATA_SPOL", "HUBDATA_SPOOL"),
        ("HUBDATA_TARGET__AWS__BUCKET", "HUBDATA_TARGETS__"),
        ("HUBDATA_VERFY__URL", "HUBDATA_VERIFY__"),
    ],
)
def test_a_variable_with_a_wrong_letter_is_found_again(tmp_path: Path, variable: str, right: str) -> None:
    """The tables that variables name, too."""
    found = check(config=None, environment={"HOME": str(tmp_path), variable: "x"}, flags={}, cwd=tmp_path)
    assert [p.advice for p in found if p.key == variable] == [f"did you mean `{right}`?"]
