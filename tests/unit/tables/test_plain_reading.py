"""What is read without pydantic is what pydantic would have read: both are asked, over every table of the house."""

import math
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel as Pydantic
from pydantic import Field as PydanticField

from hubdata import tables
from hubdata.config.job_file import JobFile
from hubdata.config.settings_file import SettingsFile
from hubdata.plugins import TABLES, options_model
from hubdata.tables import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from hubdata.tables.plain import Declined
from hubdata.tables.twin import read, twin


class _Colour(StrEnum):
    RED = "red"


class _Inner(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    name: Annotated[str, Field(min_length=1)]
    parts: tuple[str, ...] = ()
    share: float = 0


class _Loose(BaseModel):
    """Every form that a field may take."""

    model_config = ConfigDict(extra="forbid")

    kept: ClassVar[int] = 3
    text: str | None = Field(default=None, pattern=r"^[\w -]+$", max_length=5)
    count: int = Field(default=2, ge=0, le=10, multiple_of=2)
    share: float = Field(default=0.5, gt=0, lt=1)
    flag: bool = False
    day: date | None = None
    span: timedelta = timedelta(seconds=1)
    where: Path | None = None
    colour: _Colour = _Colour.RED
    word: Literal["a", "b"] = "a"
    inner: _Inner = _Inner(name="default")
    inners: list[_Inner] = Field(default=[], max_length=2)
    table: dict[str, Any] = Field(default={})
    listed: Annotated[tuple[int, ...], BeforeValidator(lambda v: [1] if v == "one" else v)] = ()
    shouted: Annotated[str, AfterValidator(str.upper)] = "X"
    either: int | str = 1

    @field_validator("text", mode="before")
    @classmethod
    def _empty(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("text")
    @classmethod
    def _no_b(cls, value: str | None) -> str | None:
        if value is not None and value.startswith("b"):
            raise ValueError("no b")
        return value

    @model_validator(mode="after")
    def _agreed(self) -> Self:
        if self.flag and self.count == 4:
            raise ValueError("not both")
        return self


class _Narrow(_Loose):
    model_config = ConfigDict(strict=True)

    count: int = Field(default=4, le=8)


def _tables() -> Iterator[type[Any]]:
    waiting: list[Any] = [SettingsFile, JobFile, _Loose, _Narrow]
    waiting += [options_model(seam, word) for seam, table in TABLES.items() for word in table]
    seen: set[type[Any]] = set()
    while waiting:
        each = waiting.pop()
        if isinstance(each, type) and hasattr(each, "model_fields"):
            if each not in seen:
                seen.add(each)
                waiting += [column.whole for column in each.model_fields.values()]
        else:
            waiting += getattr(each, "__args__", ())
    return iter(sorted(seen, key=lambda table: table.__qualname__))


ALL = tuple(_tables())
_TEXTS = (
    *("", "a", "b", "one", "red", "4", "1.5", "true", "30m", "2027-01-31", "/tmp/x", "~/x", "*", "*.txt", "cidr", "s3"),
    *("https://example.net/x", "http://127.0.0.1:9000", "https://u:p@example.net", "data/", "../up", "a\n", "é", "a b"),
    *(
        "\udc80",
        "a\x1fb",
        "1.2.3.4",
        "::1",
        "cidr.host-bits",
        "17 * * * *",
        "en,de",
        "ASN",
        "GeoLite2-City",
        "EU",
        "0" * 64,
    ),
)
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 2, 4, -1, 30, 600, 1 << 60, 10**400, 0.5, 1.0, 30.5, -0.0, math.inf, math.nan),
    *(date(2027, 1, 31), datetime(2027, 1, 31, tzinfo=UTC), timedelta(seconds=5), Path("x"), _Colour.RED),
    *([], {}, ["a"], ["a", "a"], [1], ("a",), ["ipv4"], {"a": 1}, {1: "a"}, {"a": "b"}, b"a"),
)
RIGHT: dict[str, dict[str, Any]] = {
    "CanaryTable": {"ip": "1.2.3.4", "expect": {"country.iso_code": "AU"}},
    "CloudflareCdn.Options": {"zone_id": "0" * 32, "base_url": "https://example.net"},
    "CloudfrontCdn.Options": {"distribution_id": "E1"},
    "DbipOptions": {"editions": ["dbip-city-lite"]},
    "FileTable": {"match": "*.txt", "kind": "cidr", "limits": {"max_change": 1}},
    "GitSource.Options": {"url": "https://example.net/x.git"},
    "GithubTable": {"repository": "o/r", "ref": "main", "jobs": ["a"]},
    "HttpOptions": {"items": [{"url": "https://example.net/x", "output": "x"}]},
    "HooksTable": {"on_published": ["true"]},
    "IpinfoOptions": {"editions": ["ipinfo_lite"]},
    "Item": {"url": "https://example.net/x", "output": "x"},
    "JobFile": {"source": {"type": "git"}, "files": [{"match": "*", "kind": "cidr"}]},
    "S3Options": {"bucket": "b-1"},
    "SignTable": {"public_key": "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"},
    "UrlOptions": {"url": "https://example.net/x", "key": "x", "sha256": "0" * 64},
    "VerifyTable": {"url": "https://example.net"},
    "WaiverTable": {"key": "a", "rule": "cidr.host-bits", "reason": "r", "until": date(2027, 1, 31)},
}
"""What each table has to have, right as it is, so that what else is written decides."""

_anything = st.recursive(
    st.sampled_from(_TEXTS) | st.sampled_from(_VALUES),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "name", "match", "kind", "path", "url", "key", "x"]), inner, max_size=3
        )
    ),
    max_leaves=4,
)


@st.composite
def _written(draw: st.DrawFn, table: Any) -> dict[Any, Any]:
    """Return something that somebody may write for `table`: mostly its keys, mostly of a fitting type."""
    columns = table.model_fields
    names = [name for name, column in columns.items() if column.required]
    names += draw(st.lists(st.sampled_from(sorted(columns)), max_size=2, unique=True)) if columns else []
    right = RIGHT.get(table.__qualname__, {}) if draw(st.integers(0, 2)) else {}
    data: dict[Any, Any] = {
        name: right[name]
        if name in right
        else draw(_fitting(columns[name].whole) if draw(st.integers(0, 5)) else _anything)
        for name in names
    }
    if draw(st.integers(0, 9)) == 0:
        data[draw(st.sampled_from(["further", "", 7]))] = draw(_anything)
    return data


def _fitting(whole: Any) -> st.SearchStrategy[Any]:
    plain = getattr(whole, "__origin__", whole) if hasattr(whole, "__metadata__") else whole
    if isinstance(plain, type) and hasattr(plain, "model_fields"):
        return _written(plain)
    args: tuple[Any, ...] = getattr(plain, "__args__", ())
    origin = getattr(plain, "__origin__", None)
    if origin in (list, tuple):
        return st.lists(_fitting(args[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(st.sampled_from(_TEXTS), _fitting(args[1]), max_size=2)
    if origin is Literal:
        return st.sampled_from(args)
    if args:
        return st.one_of([st.none() if arg is type(None) else _fitting(arg) for arg in args])
    if plain in (int, float):
        return st.sampled_from([v for v in _VALUES if type(v) in (int, float)])
    return st.sampled_from(_TEXTS) if plain in (str, Path) else _anything


def _same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same, down to their types."""
    if isinstance(one, BaseModel):
        return type(one) is type(other) and _same(one.__dict__, other.__dict__)
    if isinstance(one, dict):
        return type(other) is dict and one.keys() == other.keys() and all(_same(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and (one == other or one != one)


@pytest.mark.parametrize("table", ALL, ids=lambda table: table.__qualname__)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_read_plainly_is_what_pydantic_reads(table: Any, data: st.DataObject) -> None:
    """Whatever is written, the plain reader declines it or returns pydantic's value, down to the types."""
    written = data.draw(_written(table))
    try:
        plain = table.read_plainly(written)
    except (Declined, ValueError, AssertionError):
        return
    assert _same(plain, read(table, written)), (written, plain)


def test_what_is_plainly_right_is_read_plainly() -> None:
    """The plain reader is no reader that declines everything: each form of field has values that it takes."""
    written = {
        "text": "a b",
        "count": 8,
        "share": 0.25,
        "flag": True,
        "day": date(2027, 1, 31),
        "span": timedelta(minutes=1),
        "where": "/tmp/x",
        "colour": "red",
        "word": "b",
        "inner": {"name": "n", "share": 1, "more": [1]},
        "inners": [{"name": "m"}],
        "table": {"a": 1},
        "listed": "one",
        "shouted": "ab",
    }
    plain: Any = _Loose.read_plainly(written)  # type: ignore[attr-defined]
    assert (plain.inner.share, plain.inner.more, plain.listed, plain.shouted) == (1.0, [1], (1,), "AB")
    assert (plain.where, plain.colour, plain.either, plain.kept) == (Path("/tmp/x"), _Colour.RED, 1, 3)
    assert _same(plain, read(_Loose, written))  # type: ignore[type-var]


@pytest.mark.parametrize(
    "wrong",
    [
        *({"text": "b"}, {"text": "toolong"}, {"text": "a\n"}, {"count": 3}, {"count": True}, {"share": math.nan}),
        *({"flag": True, "count": 4}, {"inner": {}}, {"inner": {"name": "n", "parts": ["a"]}}, {"further": 1}),
        *({"word": "c"}, {"colour": "blue"}, {"inners": [{"name": "a"}] * 3}, {"table": [1]}, {"day": "x"}),
    ],
    ids=str,
)
def test_what_is_wrong_is_refused_in_pydantics_words(wrong: dict[str, Any]) -> None:
    """The plain way adds no message of its own: what it declines, pydantic explains."""
    with pytest.raises(ValidationError) as plain:
        _Loose.model_validate(wrong)
    with pytest.raises(ValidationError) as theirs:
        twin(_Loose).model_validate(wrong)  # type: ignore[arg-type]
    assert plain.value.errors(include_url=False, include_context=False) == theirs.value.errors(
        include_url=False, include_context=False
    )


def test_what_only_pydantic_understands_comes_back_as_the_same_class() -> None:
    """A number as text, from a variable of the environment, is pydantic's to read; nobody sees that it was."""
    read_by_pydantic = _Loose.model_validate({"count": "8", "inner": _Inner(name="a"), "inners": [{"name": "b"}]})
    assert read_by_pydantic == _Loose(count=8, inner=_Inner(name="a"), inners=[_Inner(name="b")])
    assert {type(read_by_pydantic), type(read_by_pydantic.inners[0])} == {_Loose, _Inner}
    assert not isinstance(read_by_pydantic, Pydantic)


def test_a_table_inherits_fields_rules_and_strictness() -> None:
    """A narrower table keeps the wider one's fields and methods; its own word on a field counts."""
    assert (_Narrow().count, _Narrow(text="").text) == (4, None)
    for wrong in ({"count": 9}, {"where": "/tmp"}, {"text": "b"}):
        with pytest.raises(ValidationError):
            _Narrow.model_validate(wrong)


def test_a_table_is_a_value() -> None:
    """It compares, prints and copies by what it holds, stays as it was read, and shares no list with another."""
    one, other = _Loose(), _Loose()
    assert one == other
    assert one.table is not other.table
    assert "count=2" in repr(one)
    assert one.model_copy(update={"count": 6}).count == 6
    assert one.model_dump(mode="json")["inner"] == {"name": "default", "parts": [], "share": 0}
    with pytest.raises(AttributeError, match="stays as it was read"):
        one.count = 3


def test_a_schema_is_pydantics() -> None:
    """Editors are told what pydantic tells of the same declaration."""
    schema = _Loose.model_json_schema()
    assert schema["properties"]["text"]["anyOf"][0] == {"type": "string", "maxLength": 5, "pattern": r"^[\w -]+$"}
    assert schema["$defs"]["_Inner"]["required"] == ["name"]


def test_tables_name_nothing_that_they_do_not_have() -> None:
    """A name that is misspelt in an import is an error, not pydantic's."""
    with pytest.raises(AttributeError):
        _ = tables.RootModel  # type: ignore[attr-defined]


def test_a_field_of_pydantics_own_is_refused_and_not_taken_for_a_default() -> None:
    """Whoever mixes the two is told when the class is declared, not when bounds fail to hold."""
    with pytest.raises(TypeError, match="declared by hubdata"):

        class _Mixed(BaseModel):
            count: int = PydanticField(default=1, ge=1)


def test_reading_the_built_in_jobs_imports_no_pydantic() -> None:
    """Job files and their adapters' options that are right cost no library."""
    code = (
        "import sys; from hubdata.config.builtin import builtin_jobs_dir; from hubdata.config.jobs import load_jobs;"
        "print(len(load_jobs(builtin_jobs_dir())) > 2, [m for m in sys.modules if m.startswith('pydantic')])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout.strip() == "True []"
