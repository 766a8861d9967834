"""`@frozen` makes what `@dataclass(frozen=True, slots=True)` makes, and makes its methods when they are first called.

`dataclass` writes six methods as source and compiles each: half a millisecond a class, 60 ms for the hundred and more
classes that a run imports to find that nothing has changed. Most of them it never makes an instance of, and hardly one
it prints. So a class gets stand-ins; the first call of one has `dataclass` itself write the methods, and puts these in
their place, where they are as fast as ever.
"""

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields, make_dataclass
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")

_WRITTEN = ("__init__", "__repr__", "__eq__", "__hash__")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Return `cls` as a frozen, slotted dataclass."""
    made: Any = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    own = vars(cls)
    for name in _WRITTEN:
        if name not in own or (name == "__hash__" and own[name] is None):
            setattr(made, name, _stand_in(made, name))
    made.__setattr__, made.__delattr__ = _refuse, _refuse
    made.__getstate__, made.__setstate__ = _state, _restored
    return made  # type: ignore[no-any-return]


def _stand_in(cls: type[Any], name: str) -> Callable[..., Any]:
    """Return what stands for one method until it is called for the first time."""

    def first(self: Any, *args: Any, **kwargs: Any) -> Any:
        written = _write(cls)
        return getattr(written, name)(self, *args, **kwargs)

    first.__name__, first.__qualname__ = name, f"{cls.__qualname__}.{name}"
    vars(first)["stands_in"] = True
    return first


def _write(cls: type[Any]) -> type[Any]:
    """Have all stand-ins of `cls` replaced by what `dataclass` writes; return the class that it wrote them for."""
    after = getattr(cls, "__post_init__", None)
    of = [(each.name, each.type, _again(each)) for each in fields(cls)]
    more = {} if after is None else {"__post_init__": after}
    written = make_dataclass(cls.__name__, of, frozen=True, slots=True, namespace=more)
    for name in _WRITTEN:
        if hasattr(vars(cls).get(name), "stands_in"):
            setattr(cls, name, getattr(written, name))
    return written


def _again(each: "Field[Any]") -> Any:
    """Return a field that says the same as `each`, which belongs to another class."""
    said: dict[str, Any] = {name: getattr(each, name) for name in ("init", "repr", "hash", "compare", "kw_only")}
    said |= {} if each.default is MISSING else {"default": each.default}
    said |= {} if each.default_factory is MISSING else {"default_factory": each.default_factory}
    return field(**said)


def _refuse(self: object, name: str, _value: object = None) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to or delete field {name!r} of {type(self).__name__}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, each.name) for each in fields(self)]


def _restored(self: Any, state: list[Any]) -> None:
    for each, held in zip(fields(self), state, strict=True):
        object.__setattr__(self, each.name, held)
