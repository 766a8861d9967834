"""The class that tables of settings are declared by, and that holds one when it has been read.

Reading tries the plain way first. Whatever declines there, for whatever reason, is read by pydantic from the same
declaration, and comes back as a value of this class all the same, or as pydantic's ValidationError.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn, Self, get_origin

from hubdata.tables.declared import MISSING, Column, Rule
from hubdata.tables.plain import Check, Declined, bounded, check_of, then

_NO_FIELD: tuple[Any, ...] = (ClassVar,)
_HEEDED = frozenset({"extra", "strict", "frozen", "defer_build", "hide_input_in_errors"})


class Table:
    """A table as read: an attribute a key. Declared and used as pydantic's BaseModel is."""

    model_config: ClassVar[Mapping[str, Any]] = {}
    model_fields: ClassVar[Mapping[str, Column]] = {}

    own_columns: ClassVar[Mapping[str, Column]] = {}
    own_rules: ClassVar[Mapping[str, Rule]] = {}

    def __init_subclass__(cls) -> None:
        """Take the declarations out of the class body, for `_Reader` and for the twin; nothing is worked out yet."""
        own = vars(cls)
        typed = {name: whole for name, whole in cls.__annotations__.items() if get_origin(whole) not in _NO_FIELD}
        cls.own_columns = {name: Column(whole, own.get(name, MISSING)) for name, whole in typed.items()}
        cls.own_rules = {name: value for name, value in own.items() if isinstance(value, Rule)}
        for name in typed.keys() & own.keys():
            delattr(cls, name)
        for name, rule in cls.own_rules.items():
            setattr(cls, name, rule.method)
        around = [base for base in reversed(cls.__mro__[1:]) if issubclass(base, Table)]
        cls.model_config = {key: value for base in (*around, cls) for key, value in base.model_config.items()}
        cls.model_fields = {name: column for base in (*around, cls) for name, column in base.own_columns.items()}

    def __init__(self, /, **data: Any) -> None:
        self.__dict__.update(self.model_validate(data).__dict__)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} stays as it was read")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"

    @classmethod
    def model_validate(cls, data: Any) -> Self:
        """Return `data` as a table. Raises pydantic's ValidationError with everything that is wrong with it."""
        if type(data) is cls:
            return data
        try:
            return cls.read_plainly(data)
        except (Declined, ValueError, AssertionError):
            from hubdata.tables.twin import read

            return read(cls, data)

    @classmethod
    def read_plainly(cls, data: Any) -> Self:
        """Return `data` as a table if it is plainly right. Raises Declined, or what a rule of the class raised."""
        reader = cls.__dict__.get("_reader")
        if reader is None:
            reader = _Reader(cls)
            type.__setattr__(cls, "_reader", reader)
        found: Self = reader(data)
        return found

    @classmethod
    def made_of(cls, values: Mapping[str, Any]) -> Self:
        """Return a table that holds these values, which nobody checks."""
        made = cls.__new__(cls)
        made.__dict__.update(values)
        return made

    def model_copy(self, *, update: Mapping[str, Any]) -> Self:
        """Return the table with other values in places; nobody checks them."""
        return self.made_of({**self.__dict__, **update})

    def model_dump(self, **how: Any) -> dict[str, Any]:
        """Return the table as plain values, as pydantic does it."""
        from hubdata.tables.twin import twin_of_value

        dumped: dict[str, Any] = twin_of_value(self).model_dump(**how)
        return dumped

    @classmethod
    def model_json_schema(cls, **how: Any) -> dict[str, Any]:
        """Return the JSON Schema of the table, as pydantic makes it."""
        from hubdata.tables.twin import twin

        schema: dict[str, Any] = twin(cls).model_json_schema(**how)
        return schema


class _Reader:
    """The plain way to read one class, worked out when it is first read."""

    def __init__(self, table: type[Table]) -> None:
        config = table.model_config
        strict = bool(config.get("strict", False))
        bases = [base for base in reversed(table.__mro__) if issubclass(base, Table)]
        rules = {name: rule for base in bases for name, rule in base.own_rules.items()}
        of_all = {name: rule for name, rule in rules.items() if not rule.fields}
        self.table = table
        self.extra = config.get("extra", "ignore")
        self.before = [getattr(table, name) for name, rule in of_all.items() if rule.mode == "before"]
        self.after = [getattr(table, name) for name, rule in of_all.items() if rule.mode == "after"]
        self.fields = [
            (name, _check(table, name, column, rules, strict=strict), column.default)
            for name, column in table.model_fields.items()
        ]
        self.able = config.keys() <= _HEEDED and all(rule.mode in ("before", "after") for rule in rules.values())

    def __call__(self, data: Any) -> Any:
        """Return `data` as a table. Raises Declined, or what a rule raised."""
        for rule in reversed(self.before):
            data = rule(data)
        if type(data) is not dict or not self.able:
            raise Declined
        values = {}
        for name, check, default in self.fields:
            if name in data:
                values[name] = check(data[name])
            elif default is MISSING:
                raise Declined
            else:
                values[name] = default.copy() if type(default) in (list, dict) else default
        if self.extra != "ignore":
            more = {name: value for name, value in data.items() if name not in values}
            if more and self.extra == "forbid":
                raise Declined
            if not all(type(name) is str for name in more):
                raise Declined
            values.update(more)
        found = self.table.made_of(values)
        for rule in self.after:
            found = rule(found)
        return found


def _check(table: type[Table], name: str, column: Column, rules: Mapping[str, Rule], *, strict: bool) -> Check:
    """Return the check of one field: its type, its bounds, and the methods that say they check it."""
    check = bounded(check_of(column.whole, strict=strict), column.said)
    for method, rule in rules.items():
        if name in rule.fields:
            called = getattr(table, method)
            check = then(called, check) if rule.mode == "before" else then(check, called)
    return check
