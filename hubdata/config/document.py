"""One TOML file as read: its values, the line of each, and whatever keeps it from being used.

Secrets are refused here, for every file alike, whatever the adapter would make of them.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hubdata.config.problems import Problem
from hubdata.model.secret import holds_secret, names_secret
from hubdata.plugins import Fault, Place

ESCAPES = "a backslash in double quotes begins an escape: write paths in single quotes, or with slashes"
MAX_BYTES = 1024 * 1024
"""Far beyond any settings file; what is larger was put here by mistake."""


@dataclass(frozen=True)
class Document:
    """A parsed TOML file. `name` is how messages call it; `base` is what its relative paths are relative to."""

    name: str
    base: Path
    data: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""

    @cached_property
    def lines(self) -> Mapping[Place, int]:
        """Return the line of every place; computed when first asked for, mostly when something is wrong."""
        from hubdata.config.toml_lines import toml_lines

        return toml_lines(self.text)

    def line(self, place: Place) -> int | None:
        """Return the line of `place`, or of the nearest table around it."""
        for end in range(len(place), 0, -1):
            if (found := self.lines.get(place[:end])) is not None:
                return found
        return None

    def problem(self, fault: Fault) -> Problem:
        """Return `fault` with its file and line."""
        return Problem(self.name, self.line(fault.path), dotted(fault.path), fault.message, fault.advice)


def dotted(place: Place) -> str:
    """Return a place as a person writes it: `files[2].limits.max_change`, list elements counted from 1."""
    text = ""
    for step in place:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def read_document(path: Path, name: str) -> tuple[Document, tuple[Problem, ...]]:
    """Return the file at `path`, and its problems: unreadable, not TOML, or holding a secret."""
    empty = Document(name, path.parent)
    try:
        with path.open("rb") as file:
            body = file.read(MAX_BYTES + 1)
    except OSError as err:
        return empty, (Problem(name, None, "", f"cannot be read: {err.strerror}", "name a readable file"),)
    if len(body) > MAX_BYTES:
        return empty, (Problem(name, None, "", f"is larger than {MAX_BYTES:,} bytes", "this is not a settings file"),)
    try:
        text = body.decode("utf-8-sig")  # some editors of Windows begin a file with a mark
        data = tomllib.loads(text)
    except UnicodeDecodeError as err:
        line = body.count(b"\n", 0, err.start) + 1
        return empty, (Problem(name, line, "", "is not UTF-8", "save the file as UTF-8"),)
    except ValueError as err:  # TOMLDecodeError, and numbers beyond what Python reads
        return empty, (_syntax_problem(name, text, err),)
    except RecursionError:
        return empty, (Problem(name, None, "", "is nested too deeply", "this is not a settings file"),)
    document = Document(name, path.parent, data, text)
    return document, tuple(document.problem(fault) for fault in _secrets(data))


def _syntax_problem(name: str, text: str, error: ValueError) -> Problem:
    """Return a syntax error with its line, which the parser only tells in words (its fields are newer than 3.11)."""
    message = str(error)
    words, _, place = message.partition(" (at ")
    number = place.removeprefix("line ").partition(",")[0]
    line = int(number) if number.isdigit() else text.count("\n") + 1
    if "\\" in words or "hex value" in words:
        return Problem(name, line, "", f"is not valid TOML: {words}", ESCAPES)
    advice = 'texts stand in quotes, as key = "text"' if words == "Invalid value" else "see https://toml.io"
    return Problem(name, line, "", f"is not valid TOML: {words}", advice)


def _secrets(data: Mapping[str, Any]) -> Iterator[Fault]:
    for place, value in leaves(data):
        key = next((step for step in reversed(place) if isinstance(step, str)), "")
        if names_secret(key):
            yield Fault(
                place,
                "secrets are not accepted in this file",
                "take it out, and set it in the environment, or put it in a file named by the variable's `_FILE` form",
            )
        elif isinstance(value, str) and holds_secret(value):
            yield Fault(place, "the URL holds a password", "take it out: secrets come from the environment")


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Return every value below `value` that is not itself a table or a list, with its place."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, (*place, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*place, index))
    else:
        yield place, value
