"""Tables of settings, declared in pydantic's words and read without pydantic while they are plainly right.

A run on an unchanged tree lasts a third of a second, and half of that went into importing pydantic and building its
models. So the names below are our own at run time: they keep what a class declares, and read a table by it if every
value has exactly the type that is wanted. Whatever is not plainly right is given to pydantic, by a model made from the
same declaration: it has the last word, and every message to a person is its own. So are JSON Schemas.

A type checker sees pydantic itself.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import (
        AfterValidator,
        BaseModel,
        BeforeValidator,
        ConfigDict,
        Field,
        ValidationError,
        WithJsonSchema,
        field_validator,
        model_validator,
    )
else:
    from hubdata.tables.declared import (
        AfterValidator,
        BeforeValidator,
        ConfigDict,
        Field,
        WithJsonSchema,
        field_validator,
        model_validator,
    )
    from hubdata.tables.table import Table as BaseModel

    def __getattr__(name: str) -> object:
        """Return pydantic's ValidationError, imported when somebody asks whether he has met one."""
        if name != "ValidationError":
            raise AttributeError(name)
        from pydantic import ValidationError

        return ValidationError


__all__ = [
    "AfterValidator",
    "BaseModel",
    "BeforeValidator",
    "ConfigDict",
    "Field",
    "ValidationError",
    "WithJsonSchema",
    "field_validator",
    "model_validator",
]
