"""docs/settings.md has every key that may be written, with the default, the bounds and the choices of its model."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hubdata.config.schema import json_schema

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "settings.md").read_text(encoding="utf-8")
FILES = {"hubdata.toml": "hubdata.toml", "job": "jobs/NAME.toml"}
"""What the schemas are called, and what the page calls them."""

Schema = Mapping[str, Any]
Place = tuple[str, str]
"""A table as TOML writes it, and the word (`type` or `kind`) that decides about its keys; empty where none does."""


@dataclass(frozen=True)
class Table:
    """What one table may hold: the schema of each key that is no table itself, and which keys it must hold."""

    keys: Mapping[str, Schema]
    required: frozenset[str]


@dataclass(frozen=True)
class Row:
    """What the page says of one key."""

    default: str
    bounds: str
    meaning: str


def tables(schema: Schema, defs: Schema, title: str, path: str = "") -> Iterator[tuple[Place, Table]]:
    """Yield every table that `schema` allows, its own (`title`) last; `path` is where it lies."""
    keys: dict[str, Schema] = {}
    for name, value in schema.get("properties", {}).items():
        inner = next(below(value, defs), None)
        if inner is None:
            keys[name] = value
            continue
        shape, model = inner
        here = f"{path}.{name}".lstrip(".")
        named = {"one": f"[{here}]", "many": f"[[{here}]]", "named": f"[{here}.NAME]"}[shape]
        for variant in model.get("oneOf", ()):
            yield (named, variant["properties"]["type"]["const"]), table(variant)
        if "oneOf" not in model:
            yield from tables(model, defs, named, here)
    for rule in schema.get("allOf", ()):
        options = rule["then"]["properties"]["options"]
        yield (f"[{path}.options]", rule["if"]["properties"]["kind"]["const"]), table(options)
    yield (title, ""), Table(keys, frozenset(schema.get("required", ())))


def table(schema: Schema) -> Table:
    """Return a table that holds values only."""
    return Table(schema.get("properties", {}), frozenset(schema.get("required", ())))


def below(value: Schema, defs: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield the table that a key holds: `one`, `many` in a list, or `named` ones; nothing where it holds a value."""
    for each in (value, *value.get("anyOf", ()), *value.get("allOf", ())):
        for shape, part in (("one", each), ("many", each.get("items")), ("named", each.get("additionalProperties"))):
            model = defs.get(str(part.get("$ref", "")).removeprefix("#/$defs/"), {}) if isinstance(part, dict) else {}
            if "properties" in model or "oneOf" in model:
                yield shape, model


def parts(value: Any, defs: Schema) -> Iterator[Schema]:
    """Yield `value` and all that it is made of."""
    if isinstance(value, dict):
        yield value
        if "$ref" in value:
            yield from parts(defs[value["$ref"].removeprefix("#/$defs/")], defs)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from parts(each, defs)


def accepted(file: str) -> tuple[Schema, dict[Place, Table]]:
    """Return the definitions of a file's schema, and every table that may be written in it."""
    schema = json_schema()[file]
    return schema["$defs"], dict(tables(schema, schema["$defs"], FILES[file]))


def told() -> dict[Place, dict[str, Row]]:
    """Return the page's rows by table. A heading may name several words: then its rows stand for each of them."""
    found: dict[Place, dict[str, Row]] = {}
    for section in re.split(r"^#+ ", PAGE, flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        names = re.findall(r"`([^`]+)`", heading)
        rows = re.findall(r"^\| `([^`]+)` \|([^|]*)\|([^|]*)\|([^|]*)\|$", body, re.MULTILINE) if names else []
        for word in names[1:] or [""]:
            for key, *said in rows:
                place = found.setdefault((names[0], word), {})
                assert key not in place, f"{names[0]} {word}: {key} stands there twice"
                place[key] = Row(*map(str.strip, said))
    return found


def rows_of(place: Place, page: Mapping[Place, Mapping[str, Row]]) -> dict[str, Row]:
    """Return what the page says of one table: the rows that all words share, and those of its word."""
    return {**page.get((place[0], ""), {}), **page.get(place, {})}


def faults(value: Schema, row: Row, *, required: bool, defs: Schema) -> Iterator[str]:
    """Yield what a row leaves out, or has wrong, of the key it stands for."""
    default = value.get("default")
    written = json.dumps(int(default) if isinstance(default, float) and default.is_integer() else default)
    if required != (row.default == "required"):
        yield f"expected {'required' if required else 'a default'}, found {row.default}"
    elif default not in (None, "", [], {}) and f"`{written}`" not in row.default:
        yield f"expected the default `{written}`, found {row.default}"
    if not row.default.strip() or not row.meaning.strip():
        yield "says too little"
    for part in parts(value, defs):
        for word in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            if word in part and f"{part[word]:.15g}" not in re.findall(r"[0-9]+(?:\.[0-9]+)?", row.bounds):
                yield f"expected the bound {part[word]:.15g}, found {row.bounds or 'none'}"
        for choice in (*part.get("enum", ()), *([part["const"]] if "const" in part else [])):
            if f"`{choice}`" not in row.meaning and f'`"{choice}"`' not in row.meaning:
                yield f"expected the choice {choice}, found {row.meaning}"


@pytest.mark.parametrize("file", FILES)
def test_every_key_that_is_accepted_stands_in_the_reference_and_no_other(file: str) -> None:
    """An option that is new in a model and not on the page, or gone and still there, is found here."""
    page, wrong = told(), []
    for place, allowed in accepted(file)[1].items():
        rows = rows_of(place, page)
        wrong += [f"{' '.join(place)}: `{key}` is not on the page" for key in allowed.keys.keys() - rows.keys()]
        wrong += [f"{' '.join(place)}: `{key}` is no key" for key in rows.keys() - allowed.keys.keys()]
    assert wrong == []


@pytest.mark.parametrize("file", FILES)
def test_every_default_bound_and_choice_is_the_models_own(file: str) -> None:
    """The page says of a key what the model does: whether it must be there, what holds without it, what fits."""
    defs, places = accepted(file)
    page, wrong = told(), []
    for place, allowed in places.items():
        for key, row in rows_of(place, page).items():
            if key in allowed.keys:
                found = faults(allowed.keys[key], row, required=key in allowed.required, defs=defs)
                wrong += [f"{' '.join(place)}: `{key}`: {fault}" for fault in found]
    assert wrong == []


def test_no_table_of_the_reference_is_unknown() -> None:
    """A heading with rows stands for tables that may be written; and all of them together are many."""
    known = {place for file in FILES for place in accepted(file)[1]}
    shared = {(name, "") for name, _ in known}
    assert {"[lease]", "[hooks]", "[targets.NAME]", "[source]", "[[files]]", "[files.limits]"} <= {n for n, _ in known}
    assert told().keys() - known - shared == set()


def test_every_table_of_the_settings_stands_among_the_layers() -> None:
    """docs/configuration.md says of each table which variables it is set by, and what holds without it."""
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    rows = [
        line for line in page.partition("## Layers")[2].partition("\n## ")[0].splitlines() if line.startswith("| `")
    ]
    named = {re.split(r"[.`]", row.removeprefix("| `"))[0] for row in rows}
    assert named == set(json_schema()["hubdata.toml"]["properties"])


def test_the_page_of_jobs_names_every_source() -> None:
    """jobs/README.md lists the types that a job's source may be of, and no other."""
    page = (DOCS.parent / "jobs" / "README.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith("| `[source]` |"))
    listed = re.findall(r"`([a-z]+)`", row.partition("`type` (")[2].partition(")")[0])
    assert set(listed) == {word for name, word in accepted("job")[1] if name == "[source]" and word}
