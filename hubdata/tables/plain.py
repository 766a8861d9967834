"""Turn an annotation into a check that accepts what is plainly right, and declines everything else.

To decline is always safe: pydantic is asked then. To accept is a promise that pydantic would have accepted too, with
the very same value; the tests hold both against each other. So types are exact (no text becomes a number here), texts
under a pattern are printable ASCII (beyond it, regular expressions of Python and of Rust may differ), and whatever is
unknown here is declined.
"""

import operator
import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from hubdata.tables.declared import AfterValidator, BeforeValidator, Field, WithJsonSchema

Check = Callable[[Any], Any]
"""Takes a value as written and returns it as it is handed on. Raises Declined."""

_EXACT = frozenset({int, bool, date, timedelta})
_BOUNDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "ge": operator.ge,
    "gt": operator.gt,
    "le": operator.le,
    "lt": operator.lt,
    "min_length": lambda value, least: len(value) >= least,
    "max_length": lambda value, most: len(value) <= most,
    "multiple_of": lambda value, step: type(value) is int and value % step == 0,
    "pattern": lambda value, pattern: value.isascii() and value.isprintable() and re.search(pattern, value) is not None,
}
_SAY_NOTHING = frozenset({"description", "title", "examples"})


class Declined(Exception):
    """It is not plainly right."""


def check_of(annotation: Any, *, strict: bool) -> Check:
    """Return the check for `annotation`; with `strict`, a list is no tuple and a text is no path or choice."""
    if annotation is str:
        return _text
    if annotation is Any:
        return _anything
    if annotation is float:
        return _number
    if get_origin(annotation) is not None or hasattr(annotation, "__metadata__"):
        return _composed(annotation, strict=strict)
    if annotation in _EXACT:
        return _exactly(annotation)
    if hasattr(annotation, "read_plainly"):
        return _table(annotation)
    if isinstance(annotation, type) and not strict:
        if annotation is Path:
            return _path
        if issubclass(annotation, Enum):
            return _member(annotation)
    return declined


def bounded(check: Check, said: Mapping[str, Any]) -> Check:
    """Return `check` with the bounds that a `Field` says besides."""
    bounds = [(name, bound) for name, bound in said.items() if name not in _SAY_NOTHING]
    if not bounds:
        return check
    if any(name not in _BOUNDS for name, _ in bounds):
        return declined
    tests = [(_BOUNDS[name], bound) for name, bound in bounds]

    def within(value: Any) -> Any:
        found = check(value)
        if found is not None and not all(test(found, bound) for test, bound in tests):
            raise Declined
        return found

    return within


def then(first: Check, second: Check) -> Check:
    """Return a check that hands what the first returns to the second."""
    return lambda value: second(first(value))


def declined(value: Any) -> Any:  # noqa: ARG001 - a check as the others
    """Decline whatever it is."""
    raise Declined


def _composed(annotation: Any, *, strict: bool) -> Check:
    if hasattr(annotation, "__metadata__"):
        return _annotated(annotation, strict=strict)
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType) and len(args) == 2 and args[1] is NoneType:
        return _optional(check_of(args[0], strict=strict))
    if origin is Literal and all(type(arg) is str for arg in args):
        return _one_of(frozenset(args))
    if origin is list and len(args) == 1:
        return _list(check_of(args[0], strict=strict), list)
    if origin is tuple and len(args) == 2 and args[1] is ... and not strict:
        return _list(check_of(args[0], strict=strict), tuple)
    if origin is dict and len(args) == 2:
        return _dict(check_of(args[0], strict=strict), check_of(args[1], strict=strict))
    return declined


def _annotated(annotation: Any, *, strict: bool) -> Check:
    check = check_of(annotation.__origin__, strict=strict)
    for said in annotation.__metadata__:
        match said:
            case Field():
                check = bounded(check, said.said)
            case BeforeValidator():
                check = then(said.func, check)
            case AfterValidator():
                check = then(check, said.func)
            case WithJsonSchema():
                pass
            case _:
                return declined
    return check


def _exactly(wanted: Any) -> Check:
    def exactly(value: Any) -> Any:
        if type(value) is not wanted:
            raise Declined
        return value

    return exactly


def _text(value: Any) -> Any:
    if type(value) is not str or not (value.isascii() or value.isprintable() or _encodable(value)):
        raise Declined
    return value


def _encodable(text: str) -> bool:
    """Tell whether it is Unicode throughout: what stands for undecodable bytes of an environment is not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _anything(value: Any) -> Any:
    return value


def _number(value: Any) -> Any:
    if type(value) is int and abs(value) < 1 << 53:
        return float(value)
    if type(value) is not float or value - value != 0:  # neither infinite nor no number at all
        raise Declined
    return value


def _path(value: Any) -> Any:
    if isinstance(value, Path):
        return value
    return Path(_text(value))


def _table(table: Any) -> Check:
    def nested(value: Any) -> Any:
        return value if type(value) is table else table.read_plainly(value)

    return nested


def _member(enum: Any) -> Check:
    def member(value: Any) -> Any:
        if type(value) is not str and type(value) is not enum:
            raise Declined
        return enum(value)

    return member


def _one_of(words: frozenset[Any]) -> Check:
    def one_of(value: Any) -> Any:
        if type(value) is not str or value not in words:
            raise Declined
        return value

    return one_of


def _optional(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _list(check: Check, wanted: Any) -> Check:
    def every(value: Any) -> Any:
        if type(value) is not list and type(value) is not wanted:
            raise Declined
        return wanted(map(check, value))

    return every


def _dict(key: Check, check: Check) -> Check:
    def every(value: Any) -> Any:
        if type(value) is not dict:
            raise Declined
        return {key(name): check(inner) for name, inner in value.items()}

    return every
