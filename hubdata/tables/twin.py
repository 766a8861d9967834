"""The pydantic model that says the same as a class of ours: asked when a table is not plainly right, and for schemas.

It is made when first asked for, of the same annotations, bounds and methods, so that nothing is declared twice.
"""

from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import pydantic

from hubdata.tables.declared import AfterValidator, BeforeValidator, Column, Field, Rule, WithJsonSchema
from hubdata.tables.table import Table

T = TypeVar("T", bound=Table)

_OURS = frozenset({"__dict__", "__weakref__", "_reader", "own_columns", "own_rules", "model_fields"})


_MODELS: dict[type[Table], type[pydantic.BaseModel]] = {}
_TABLES: dict[type[pydantic.BaseModel], type[Table]] = {}


def twin(table: type[Table]) -> type[pydantic.BaseModel]:
    """Return the pydantic model of `table`."""
    if table not in _MODELS:
        model = _MODELS[table] = _model(table)
        _TABLES[model] = table
    return _MODELS[table]


def _model(table: type[Table]) -> type[pydantic.BaseModel]:
    body = {name: value for name, value in vars(table).items() if name not in _OURS}
    body |= {name: _rule(rule) for name, rule in table.own_rules.items()}
    body |= {name: _field(column) for name, column in table.own_columns.items() if column.said or not column.required}
    body["__annotations__"] = dict(table.__annotations__) | {
        name: _annotation(column.whole) for name, column in table.own_columns.items()
    }
    body["model_config"] = pydantic.ConfigDict(**table.model_config)  # type: ignore[typeddict-item]
    bases = tuple(pydantic.BaseModel if base is Table else twin(base) for base in table.__bases__)
    made: Any = type(pydantic.BaseModel)
    model: type[pydantic.BaseModel] = made(table.__name__, bases, body)
    return model


def _annotation(whole: Any) -> Any:
    """Return an annotation in pydantic's own words."""
    if isinstance(whole, type) and not get_args(whole):
        return twin(whole) if issubclass(whole, Table) else whole
    if hasattr(whole, "__metadata__"):
        return Annotated[(_annotation(whole.__origin__), *map(_said, whole.__metadata__))]
    origin, args = get_origin(whole), get_args(whole)
    if origin is None or origin is Literal:
        return whole
    inner = tuple(map(_annotation, args))
    return Union[inner] if origin is UnionType else origin[inner]  # noqa: UP007 - made of values


def _said(said: Any) -> Any:
    match said:
        case Field():
            return pydantic.Field(**said.said)
        case BeforeValidator():
            return pydantic.BeforeValidator(said.func)
        case AfterValidator():
            return pydantic.AfterValidator(said.func)
        case WithJsonSchema():
            return pydantic.WithJsonSchema(dict(said.json_schema))
        case _:
            return said


def _field(column: Column) -> Any:
    return pydantic.Field(**column.said) if column.required else pydantic.Field(_there(column.default), **column.said)


def _rule(rule: Rule) -> Any:
    if rule.fields:
        return pydantic.field_validator(*rule.fields, mode=rule.mode)(rule.method)  # type: ignore[call-overload]
    return pydantic.model_validator(mode=rule.mode)(rule.method)  # type: ignore[call-overload]


def read(table: type[T], data: Any) -> T:
    """Return `data` as a table, read by pydantic. Raises its ValidationError."""
    return _back(twin(table).model_validate(_there(data)))  # type: ignore[no-any-return]


def twin_of_value(value: Table) -> pydantic.BaseModel:
    """Return the value as its model holds it; nothing is checked again."""
    return twin(type(value)).model_construct(**{name: _there(inner) for name, inner in value.__dict__.items()})


def _there(value: Any) -> Any:
    """Return `value` with every table of ours in it as one of pydantic's."""
    if isinstance(value, Table):
        return twin_of_value(value)
    if type(value) in (list, tuple):
        return type(value)(map(_there, value))
    if type(value) is dict:
        return {name: _there(inner) for name, inner in value.items()}
    return value


def _back(value: Any) -> Any:
    """Return `value` with every one of pydantic's tables in it as one of ours."""
    if (table := _TABLES.get(type(value))) is not None:
        return table.made_of({name: _back(inner) for name, inner in value})
    if type(value) in (list, tuple):
        return type(value)(map(_back, value))
    if type(value) is dict:
        return {name: _back(inner) for name, inner in value.items()}
    return value
