"""Lay the settings over each other, lowest first: defaults, `hubdata.toml`, `HUBDATA_*`, flags.

The result remembers of each value where it came from, so that a message can name the place and a relative path is
read from where it was written: beside the file, or where the command was started.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hubdata.config.builtin import DEFAULT_TARGET
from hubdata.config.document import Document, dotted, leaves
from hubdata.config.problems import Level, Problem
from hubdata.model.notify import URL_VARIABLE
from hubdata.plugins import Fault, Place, suggest
from hubdata.signing.variables import KEY_VARIABLE, PASSWORD_VARIABLE
from hubdata.values import frozen

DEFAULT = "default"
PREFIX = "HUBDATA_"
TABLES = (
    "targets",
    "cdns",
    "checkouts",
    "verify",
    "hooks",
    "notify",
    "lease",
    "sign",
    "http",
    "metrics",
    "page",
    "validation",
)
VALUES = ("jobs", "spool", "sha256sums")
_SECRETS = (KEY_VARIABLE, f"{KEY_VARIABLE}_FILE", PASSWORD_VARIABLE, f"{PASSWORD_VARIABLE}_FILE")
_OF_THE_WORKER = (
    "HUBDATA_HTTP_TOKEN",
    "HUBDATA_HTTP_TOKEN_FILE",
    "HUBDATA_GITHUB_SECRET",
    "HUBDATA_GITHUB_SECRET_FILE",
)
_WEBHOOK = (URL_VARIABLE, f"{URL_VARIABLE}_FILE")
_OTHERS = ("HUBDATA_CONFIG", "HUBDATA_CHECKOUT", "HUBDATA_LOG_FORMAT", *_SECRETS, *_OF_THE_WORKER)
_SHORT: Mapping[str, Place] = {"HUBDATA_HTTP_LISTEN": ("http", "listen")}
"""Variables with a name of their own, besides the one that tables give them."""
_TOLD = tuple(
    PREFIX + name
    for name in (
        "RUN_ID",
        "JOB",
        "TARGET",
        "GENERATION",
        "OUTCOME",
        "EXIT_CODE",
        "CHANGED_COUNT",
        "CHANGED_KEYS",
        "CHANGED_KEYS_FILE",
        "TREE",
    )
)
"""What hooks and gates are told: one may well run hubdata itself, and these are no settings misspelt."""
EVERY_REPOSITORY = "*"
"""The checkout that stands for whatever repository a job names."""


@frozen
class Origin:
    """Where a value came from: `file` and `line`, or a `name` such as `HUBDATA_SPOOL`, `--jobs`, `default`."""

    name: str
    base: Path
    line: int | None = None

    def __str__(self) -> str:
        return self.name if self.line is None else f"{self.name}:{self.line}"


@dataclass(frozen=True)
class Layers:
    """All settings, merged but not yet checked, and the origin of each leaf."""

    data: dict[str, Any]
    origins: dict[Place, Origin] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    document: Document | None = None

    def origin(self, place: Place) -> Origin | None:
        """Return where `place` came from, or the first thing in the nearest table around it."""
        for end in range(len(place), 0, -1):
            around = place[:end]
            if found := next((o for p, o in self.origins.items() if p[:end] == around), None):
                return found
        return None

    def base(self, place: Place) -> Path:
        """Return the directory from which a relative path at `place` is read."""
        origin = self.origin(place)
        return origin.base if origin else Path()

    def defaulted(self, table: str) -> bool:
        """Tell whether nobody named anything in `table`, so that it is the default."""
        return all(o.name == DEFAULT for p, o in self.origins.items() if p[0] == table)

    def problem(self, fault: Fault) -> Problem:
        """Return `fault` with its origin; a key that is missing, with its table's."""
        origin = self.origins.get(fault.path) or self._table(fault.path) or self.origin(fault.path)
        name, line = (origin.name, origin.line) if origin else ("settings", None)
        return Problem(name, line, dotted(fault.path), fault.message, fault.advice)

    def _table(self, place: Place) -> Origin | None:
        """Return where the file has the table around `place`; `[targets.a]` says nothing of `targets.b`."""
        if self.document is None:
            return None
        known = (place[:end] in self.document.lines for end in range(len(place), min(len(place), 2) - 1, -1))
        return Origin(self.document.name, self.document.base, self.document.line(place)) if any(known) else None


def lay(
    default: Mapping[str, Any],
    document: Document | None,
    environment: Mapping[str, str],
    flags: Mapping[str, Any],
    cwd: Path,
) -> Layers:
    """Return the four layers as one. The default target goes when another is named above it."""
    merged = Layers({})
    problems: list[Problem] = []
    lowest = dict(default)
    above: list[tuple[Place, Any, Origin]] = []
    if document is not None:
        above += _from_document(document)
    names = _names(document.data if document else {})
    above += _from_environment(environment, names, cwd, problems)
    above += _from_flags(flags, cwd)
    if not _adjusts_default_target([place for place, _, _ in above]):
        del lowest["targets"]
    for place, value in leaves(lowest):
        _set(merged, place, value, Origin(DEFAULT, cwd))
    for place, value, origin in above:
        _set(merged, place, value, origin)
    return Layers(merged.data, merged.origins, tuple(problems), document)


def _adjusts_default_target(above: list[Place]) -> bool:
    """Tell whether the default target stays: no other is named, and what is said of it leaves its type alone."""
    said = [place for place in above if place[0] == "targets"]
    return all(place[1:2] == (DEFAULT_TARGET,) and place[2:] != ("type",) for place in said)


def _set(layers: Layers, place: Place, value: Any, origin: Origin) -> None:
    table = layers.data
    for depth, step in enumerate(place[:-1]):
        inner = table.setdefault(str(step), {})
        if not isinstance(inner, dict):  # a value below a value: the upper layer wins, and the check will complain
            inner = table[str(step)] = {}
            layers.origins.pop(place[: depth + 1], None)
        table = inner
    table[str(place[-1])] = dict(value) if isinstance(value, dict) else value
    layers.origins[place] = origin


def _from_document(document: Document) -> Iterator[tuple[Place, Any, Origin]]:
    for place, value in _settings(document.data):
        yield place, value, Origin(document.name, document.base, document.line(place))


def _settings(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Return the values of a file; a list is one value, and so is an empty table."""
    if isinstance(value, Mapping) and (value or not place):
        for key, inner in value.items():
            yield from _settings(inner, (*place, key))
    elif value == {} and place[0] in TABLES and len(place) == 1:
        return  # `[targets]` alone names no target
    else:
        yield place, value


def _from_environment(
    environment: Mapping[str, str], names: Mapping[str, tuple[str, ...]], cwd: Path, problems: list[Problem]
) -> Iterator[tuple[Place, Any, Origin]]:
    for variable, text in sorted(environment.items()):
        if not variable.startswith(PREFIX) or not text:  # compose and CI hand on unset variables as empty ones
            continue
        origin = Origin(variable, cwd)
        table, *rest = variable.removeprefix(PREFIX).lower().split("__")
        if variable == "HUBDATA_CHECKOUT":
            url, directory = split_checkout(text, cwd)
            yield ("checkouts", url), directory, origin
        elif variable in _SHORT:
            yield _SHORT[variable], _value(text), origin
        elif variable in _WEBHOOK:  # it says by itself where its secret is to be read
            yield ("notify", "url_env"), URL_VARIABLE, origin
        elif table in VALUES and not rest:
            yield (table,), text, origin
        elif table in TABLES and rest and all(rest):
            name = next((n for n in names.get(table, ()) if n.lower().replace("-", "_") == rest[0]), rest[0])
            yield (table, name, *rest[1:]), _value(text), origin
        elif variable not in (*_OTHERS, *_TOLD):
            known = [PREFIX + word.upper() for word in VALUES] + [f"{PREFIX}{t.upper()}__" for t in TABLES]
            advice = suggest(variable if not rest else f"{PREFIX}{table.upper()}__", known)
            problems.append(Problem("environment", None, variable, "nothing reads it", advice, Level.WARNING))


def _value(text: str) -> Any:
    """Return a list or a table when the text is one in TOML, and the text itself otherwise."""
    if text[0] not in "[{":
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _names(data: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the names given to targets and the like, so that `AWS` in a variable can mean `aws` in the file."""
    return {table: tuple(data[table]) for table in TABLES if isinstance(data.get(table), Mapping)}


def _from_flags(flags: Mapping[str, Any], cwd: Path) -> Iterator[tuple[Place, Any, Origin]]:
    for name in VALUES:
        if flags.get(name) is not None:
            yield (name,), str(flags[name]), Origin(f"--{name}", cwd)
    for text in flags.get("checkout") or ():
        url, directory = split_checkout(str(text), cwd)
        yield ("checkouts", url), directory, Origin("--checkout", cwd)


def split_checkout(text: str, cwd: Path) -> tuple[str, str]:
    """Return the URL and the directory of `URL=DIR`; for a bare `DIR`, every repository's."""
    url, equals, directory = text.rpartition("=")
    if not equals or (cwd / text).is_dir():
        return EVERY_REPOSITORY, text
    return url, directory
