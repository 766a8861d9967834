"""What may be said of a field: kept as it was said, for whoever reads by it, the plain reader or pydantic."""

from collections.abc import Callable, Mapping
from typing import Any

MISSING: Any = object()
"""Stands for a default that is not there: the key is required."""

ConfigDict = dict
"""What a class says of itself as a whole: `extra`, `strict`, `frozen` and what only pydantic heeds."""


class Field:
    """The bounds of a value, its default and its description, under pydantic's names."""

    __slots__ = ("default", "said")

    def __init__(self, default: Any = MISSING, **said: Any) -> None:
        self.default = default
        self.said = said


class AfterValidator:
    """A function that is given the checked value, and returns it or another one. ValueError refuses it."""

    __slots__ = ("func",)

    def __init__(self, func: Callable[[Any], Any]) -> None:
        self.func = func


class BeforeValidator(AfterValidator):
    """A function that is given the value as written."""

    __slots__ = ()


class WithJsonSchema:
    """What a JSON Schema says of a value in place of what its type says."""

    __slots__ = ("json_schema",)

    def __init__(self, json_schema: Mapping[str, Any]) -> None:
        self.json_schema = json_schema


class Rule:
    """A method that checks: `fields` in `mode` before or after their types, the whole table where none is named."""

    __slots__ = ("fields", "method", "mode")

    def __init__(self, fields: tuple[str, ...], mode: str, method: Any) -> None:
        self.fields = fields
        self.mode = mode
        self.method = method


def field_validator(*fields: str, mode: str = "after") -> Callable[[Any], Rule]:
    """Return a decorator that has a class method check these fields."""
    return lambda method: Rule(fields, mode, method)


def model_validator(*, mode: str) -> Callable[[Any], Rule]:
    """Return a decorator that has a method check the whole table."""
    return lambda method: Rule((), mode, method)


class Column:
    """One field of a class: its `annotation` with and without what `Annotated` adds, and its `default`."""

    __slots__ = ("alias", "annotation", "default", "said", "whole")

    def __init__(self, whole: Any, given: Any) -> None:
        self.whole = whole
        self.annotation = whole.__origin__ if hasattr(whole, "__metadata__") else whole
        self.alias: str | None = None
        self.default = given.default if isinstance(given, Field) else given
        self.said: Mapping[str, Any] = given.said if isinstance(given, Field) else {}
        if type(given).__module__.startswith("pydantic"):
            raise TypeError("a field of hubdata's own tables is declared by hubdata.tables.Field, not by pydantic's")

    @property
    def required(self) -> bool:
        """Tell whether the key has to be there."""
        return self.default is MISSING
