"""`@frozen` is `@dataclass(frozen=True, slots=True)`, later: each test asks both."""

import copy
import inspect
import pickle
from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any

import pytest

from hubdata.values import frozen

Make = Callable[[type[Any]], type[Any]]
BOTH: tuple[Make, ...] = (frozen, dataclass(frozen=True, slots=True))


def _made(by: Make) -> type[Any]:
    class Point:
        """Where something is."""

        x: int
        y: int = 2
        tags: tuple[str, ...] = ()
        more: Mapping[str, int] = field(default_factory=dict, compare=False)
        hidden: str = field(default="h", repr=False)
        born: int = field(default=0, init=False)

        def __post_init__(self) -> None:
            if self.x < 0:
                raise ValueError("negative")

        @property
        def sum(self) -> int:
            return self.x + self.y

    return by(Point)


@frozen
class Kept:
    """One that pickle finds by its name."""

    x: int
    y: str = "y"


@frozen
class Narrower(Kept):
    """One that adds a field."""

    z: int = 0


@pytest.mark.parametrize("by", BOTH)
def test_it_is_made_compared_hashed_and_shown_as_a_dataclass_is(by: Make) -> None:
    """Positions, names, defaults, factories, `compare`, `repr`, `init` and `__post_init__` mean what they mean."""
    point = _made(by)
    one, same, other = point(1, more={"a": 1}), point(x=1, y=2, more={}), point(1, 3)
    assert (one == same, one == other, one != other, one == 1) == (True, False, True, False)
    assert hash(one) == hash(same)
    assert len({one, same, other}) == 2
    assert repr(one) == f"{point.__qualname__}(x=1, y=2, tags=(), more={{'a': 1}}, born=0)"
    assert (one.sum, one.hidden, point(1).more is not point(1).more) == (3, "h", True)
    with pytest.raises(ValueError, match="negative"):
        point(-1)
    with pytest.raises(TypeError):
        point()
    with pytest.raises(TypeError):
        point(1, 2, (), {}, "h", 5)
    with pytest.raises(TypeError):
        point(1, born=3)


@pytest.mark.parametrize("by", BOTH)
def test_it_stays_as_it_was_made(by: Make) -> None:
    """No field can be set, none deleted, none added."""
    one = _made(by)(1)
    with pytest.raises(FrozenInstanceError):
        one.x = 2
    with pytest.raises(FrozenInstanceError):
        del one.x
    with pytest.raises((FrozenInstanceError, TypeError)):
        one.further = 2
    assert not hasattr(one, "__dict__")


@pytest.mark.parametrize("by", BOTH)
def test_the_tools_for_dataclasses_take_it(by: Make) -> None:
    """`replace`, `fields`, `asdict`, copies, and patterns that match by position."""
    point: Any = _made(by)
    one = point(1)
    assert is_dataclass(_made(by))
    assert [each.name for each in fields(point)] == ["x", "y", "tags", "more", "hidden", "born"]
    assert replace(one, y=5) == point(1, 5)
    assert asdict(one)["tags"] == ()
    assert copy.deepcopy(one) == copy.copy(one) == one
    assert point.__match_args__ == ("x", "y", "tags", "more", "hidden")
    with pytest.raises(ValueError, match="negative"):
        replace(one, x=-1)


def test_it_can_be_pickled_and_inherited() -> None:
    """Other processes get an equal one; a class that inherits has all fields and methods of its own."""
    assert pickle.loads(pickle.dumps(Kept(1))) == Kept(1)
    assert Narrower(1, z=3) == Narrower(1, "y", 3) != Kept(1)
    assert repr(Narrower(1)) == "Narrower(x=1, y='y', z=0)"


def test_after_the_first_call_its_methods_are_those_that_dataclass_writes() -> None:
    """The stand-ins cost one call; whatever is called a million times is as fast as ever, and not called through us."""
    point = _made(frozen)
    assert all("stands_in" in vars(vars(point)[name]) for name in ("__init__", "__eq__", "__hash__", "__repr__"))
    point(1)
    assert not any(getattr(vars(point)[name], "stands_in", False) for name in ("__init__", "__eq__", "__hash__"))
    assert list(inspect.signature(point).parameters) == ["x", "y", "tags", "more", "hidden"]


def test_a_method_that_the_class_has_of_its_own_stays() -> None:
    """As with `dataclass`, what is written out counts."""

    @frozen
    class Shy:
        x: int

        def __repr__(self) -> str:
            return "shy"

    assert (repr(Shy(1)), Shy(1) == Shy(1)) == ("shy", True)
