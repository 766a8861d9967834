"""Reads the one JSON object that a line of a data file must be, and says in which column it goes wrong.

Engines are lenient in ways that lose data: of two equal keys the last wins, what follows the object is ignored, and
`NaN` fails only at the first reader that is strict. Here all of that is refused, nesting is bounded, and every member
keeps the column it stands in, so that a finding can point at it.
"""

import json
from collections.abc import Iterable, Iterator
from json.decoder import JSONDecodeError
from typing import Any, NoReturn

from hubdata.grammar.gather import Gather, shown
from hubdata.grammar.lines import Row
from hubdata.values import frozen

MAX_NESTING = 64
"""Far more than any row needs; Python's reader would take about 1,000."""

_SPACE = " \t\r\n"
_OPENING = ("{", "[", "{,", "[{")
_ONE_LINE = "write one object a line, with no comma between lines: `jq -c .[]` does it"


class RowError(ValueError):
    """A line is not one strict JSON object. `problem` is the rule's last part; `column` counts from 1."""

    def __init__(self, problem: str, message: str, column: int) -> None:
        super().__init__(message)
        self.problem = problem
        self.column = column


@frozen
class Member:
    """One key of an object with its value; columns count characters from 1."""

    key: str
    value: Any
    key_column: int
    value_column: int


class _Duplicate(ValueError):
    """Two equal keys in one nested object."""


def parse_object(text: str) -> tuple[Member, ...]:
    """Return the members of the one object that `text` holds, in order.

    Raises RowError (syntax, not-an-object, duplicate-key, constant, nesting, surrogate, trailing) for anything else.
    """
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        if at == len(text) or text[at] not in '["-0123456789tfnNI':
            raise RowError("syntax", "a JSON object begins with a brace", at + 1)
        raise RowError("not-an-object", "this is a JSON value, but not an object", at + 1)
    _bound_nesting(text)
    members: list[Member] = []
    seen: set[str] = set()
    at = _skip(text, at + 1)
    if text[at : at + 1] == "}":
        at += 1
    else:
        while True:
            member, at = _member(text, at)
            if member.key in seen:
                raise RowError("duplicate-key", f"the key {shown(member.key)} stands twice", member.key_column)
            seen.add(member.key)
            members.append(member)
            at = _skip(text, at)
            following = text[at : at + 1]
            if following not in {",", "}"}:
                raise RowError("syntax", "a comma or the closing brace is missing", at + 1)
            at = _skip(text, at + 1)
            if following == "}":
                break
    at = _skip(text, at)
    if at < len(text):
        raise RowError("trailing", f"the object ends, but the line goes on with {shown(text[at:])}", at + 1)
    return tuple(members)


def _member(text: str, at: int) -> tuple[Member, int]:
    if text[at : at + 1] != '"':
        raise RowError("syntax", "a key in double quotes is missing", at + 1)
    key_column = at + 1
    key, at = _value(text, at)
    at = _skip(text, at)
    if text[at : at + 1] != ":":
        raise RowError("syntax", "a colon is missing after the key", at + 1)
    at = _skip(text, at + 1)
    value, end = _value(text, at)
    if "\\" in text[key_column:end] and _has_surrogate((key, value)):
        raise RowError("surrogate", "half of a surrogate pair, which is no character", at + 1)
    return Member(key, value, key_column, at + 1), end


def _value(text: str, at: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except JSONDecodeError as err:
        raise RowError("syntax", err.msg, err.pos + 1) from err
    except _Duplicate as err:
        raise RowError("duplicate-key", str(err), at + 1) from err
    except RecursionError as err:
        raise RowError("nesting", f"nested more than {MAX_NESTING} deep", at + 1) from err
    except ValueError as err:  # a constant, or a number of thousands of digits
        raise RowError("constant", str(err), at + 1) from err


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Duplicate("a key stands twice in a nested object")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_constant)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _bound_nesting(text: str) -> None:
    """Refuse brackets nested too deep; those within strings are not counted."""
    if text.count("[") + text.count("{") <= MAX_NESTING:
        return
    depth = 0
    in_string = escaped = False
    for at, char in enumerate(text):
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "[{":
            depth += 1
            if depth > MAX_NESTING:
                raise RowError("nesting", f"nested more than {MAX_NESTING} deep", at + 1)
        elif char in "]}":
            depth -= 1


def _has_surrogate(value: object) -> bool:
    if isinstance(value, str):
        return any("\ud800" <= char <= "\udfff" for char in value)
    if isinstance(value, dict):
        return any(_has_surrogate(item) for pair in value.items() for item in pair)
    return isinstance(value, (list, tuple)) and any(map(_has_surrogate, value))


def element_columns(text: str, array_column: int) -> list[int]:
    """Return the column of each element of the array that begins at `array_column` of a line that was parsed."""
    columns = []
    at = _skip(text, array_column)
    while text[at] != "]":
        columns.append(at + 1)
        at = _skip(text, _DECODER.raw_decode(text, at)[1])
        if text[at] == ",":
            at = _skip(text, at + 1)
    return columns


def read_objects(rows: Iterable[Row], gather: Gather, *, harm: str) -> Iterator[tuple[Row, tuple[Member, ...]]]:
    """Yield the rows that are strict objects, with their members; the others become findings.

    `harm` says what an engine makes of a row that is none. A pretty-printed document is one finding, not one a line.
    """
    alone = True
    for row in gather.patient(rows):
        try:
            members = parse_object(row.text)
        except RowError as err:
            if alone and row.text.strip() in _OPENING:
                gather.error(
                    row.number,
                    "pretty-printed",
                    f"the JSON is spread over several lines, but each line is read by itself: {harm}",
                    _ONE_LINE,
                    column=1,
                )
                return
            gather.error(row.number, err.problem, f"{err}: {harm}", _ONE_LINE, column=err.column)
        else:
            alone = False
            yield row, members
