"""Read a list of items that lies in a repository already: a JSON array of {name, url, output, jq_filter, header}.

It is read as it stands, so that whoever keeps it goes on keeping it there. It is judged as strictly as a job file: a
key that nobody knows may be a limit that somebody relies on.
"""

import json
from pathlib import Path
from typing import Any

from hubdata import tables
from hubdata.errors import ConfigError
from hubdata.sources.http.filtering import shortened
from hubdata.sources.http.options import MAX_ITEMS, Item, named_twice

_MAX_BYTES = 1 << 20
_ADVICE = (
    'write it as [{"name": ..., "url": ..., "output": ..., "jq_filter": ..., "header": ...}]; the last two as needed'
)


def items_in(path: Path) -> tuple[Item, ...]:
    """Return the items of the file at `path`. Raises ConfigError that names every mistake in it."""
    problems: list[str] = []
    items: list[Item] = []
    for number, found in enumerate(_array(path), 1):
        where = f"item {number}"
        if isinstance(found, dict) and isinstance(found.get("name"), str):
            where += f" ({found['name'][:64]!r})"
        try:
            items.append(_item(found))
        except tables.ValidationError as err:
            problems += [f"{where}: {fault}" for fault in _faults(err)]
        except ValueError as err:
            problems.append(f"{where}: {err}")
    if not problems and (twice := named_twice(tuple(items))):
        problems.append(f"two items make {twice}: each file has one origin")
    if problems:
        raise ConfigError(f"items_file {path}: " + "; ".join(problems), advice=_ADVICE)
    return tuple(items)


def _array(path: Path) -> list[Any]:
    try:
        with path.open("rb") as file:
            body = file.read(_MAX_BYTES + 1)
    except OSError as err:
        raise ConfigError(
            f"items_file {path}: {err.strerror or err}",
            advice="check `items_file` (relative to the job file); was the checkout made?",
        ) from err
    if len(body) > _MAX_BYTES:
        raise ConfigError(
            f"items_file {path}: more than {_MAX_BYTES:,} bytes", advice="see whether it is the right file"
        )
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as err:
        raise ConfigError(f"items_file {path}: this is not JSON ({err})", advice=_ADVICE) from err
    if not isinstance(found, list) or not 0 < len(found) <= MAX_ITEMS:
        raise ConfigError(f"items_file {path}: expected a list of 1 to {MAX_ITEMS} items", advice=_ADVICE)
    return found


def _item(found: object) -> Item:
    if not isinstance(found, dict):
        raise ValueError("expected an object")  # noqa: TRY004 - told like the other mistakes
    if "jq" in found:
        raise ValueError("unknown key `jq`: here it is called `jq_filter`")
    renamed = {("jq" if name == "jq_filter" else name): value for name, value in found.items()}
    return Item.model_validate(renamed)


def _faults(err: "tables.ValidationError") -> list[str]:
    """Return what is wrong with one item, a line each, nothing of it quoted but its keys."""
    said = []
    for fault in err.errors(include_url=False, include_context=False, include_input=False):
        key = "".join("jq_filter" if part == "jq" else shortened(str(part)) for part in fault["loc"][:1])
        told = {"extra_forbidden": "unknown key", "missing": "it is missing"}
        said.append(f"`{key}`: {told.get(fault['type'], fault['msg'].removeprefix('Value error, '))}")
    return said
