"""JSON judged without being built: the same texts pass as with a reader that builds them, and the same are refused."""

import json
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar.json_document import MAX_DIGITS, MAX_NESTING, DocumentError, count_members

MANY = 25_000
"""Keys enough to be looked through in several pieces, and sorted."""


def refusal(text: str) -> tuple[str, int]:
    """Return by which rule `text` is refused, and where."""
    with pytest.raises(DocumentError) as caught:
        count_members(text)
    return caught.value.problem, caught.value.at


def keyed(keys: list[str]) -> str:
    """Return an object with these keys."""
    return "{" + ",".join(f'"{key}":0' for key in keys) + "}"


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("[]", 0),
        (" {\n} ", 0),
        ("null", 0),
        ("true", 1),
        ("-0.5e+3", 1),
        ('"[1,2]"', 1),
        ("[[1,2],[3],4]", 3),
        ('{"a": {"b": 1, "c": 2}, "d" : [ ]}', 2),
        ('{"a": {"k": 1}, "b": {"k": {"k": 1}}}', 2),
        ("[" * MAX_NESTING + "1" + "]" * MAX_NESTING, 1),
        (f"[{'9' * MAX_DIGITS}, {'9' * 5_000}.0, -{'9' * 5_000}e-1]", 3),
        (keyed([f"k{number}" for number in range(MANY)]), MANY),
    ],
)
def test_the_members_of_the_outermost_value_are_counted(text: str, members: int) -> None:
    """Those of inner ones are not; a value that holds none is one itself, and null is nothing."""
    assert count_members(text) == members


@pytest.mark.parametrize(
    ("text", "problem", "at"),
    [
        ("", "syntax", 0),
        ("[1,]", "syntax", 3),
        ("[1 2]", "syntax", 3),
        ("[}", "syntax", 1),
        ("{]", "syntax", 1),
        ('{"a":1,}', "syntax", 7),
        ('{"a" 1}', "syntax", 5),
        ('{"a":}', "syntax", 5),
        ("{a:1}", "syntax", 1),
        ("[01]", "syntax", 2),
        ("[1.]", "syntax", 2),
        ("[+1]", "syntax", 1),
        ("[-]", "syntax", 1),
        ("[nul]", "syntax", 1),
        ("[1] [2]", "syntax", 4),
        ("1,", "syntax", 1),
        ("[[1]}", "syntax", 4),
        ('["a', "syntax", 1),
        ('["a\tb"]', "syntax", 3),
        (r'["\x41"]', "syntax", 2),
        (r'{"\u12": 1}', "syntax", 3),
        ("[1,\xa02]", "syntax", 3),
        ("[NaN]", "constant", 1),
        ("[1,-Infinity]", "constant", 3),
        (f"[{'9' * (MAX_DIGITS + 1)}]", "number", 1),
        ("[" * (MAX_NESTING + 1), "nesting", MAX_NESTING),
        ('{"a":1,"b":2,"b":3,"a":4}', "duplicate-key", 13),
        ('[{"a":1},{"a":1,"\\u0061":2}]', "duplicate-key", 16),
        ('{"\\ud83d\\ude00":1,"\U0001f600":2}', "duplicate-key", 18),
        ('{"a":{"b":1},"a":1', "syntax", 18),
    ],
)
def test_the_first_fault_is_found_where_it_stands(text: str, problem: str, at: int) -> None:
    """Each way to break a document has its rule; keys of an object are compared when it ends, spelled however."""
    assert refusal(text) == (problem, at)


@pytest.mark.parametrize(
    ("first", "second"), [(0, 1), (0, 9_999), (0, MANY), (9_000, 10_001), (9_000, MANY), (19_000, MANY)]
)
def test_a_key_that_is_repeated_among_very_many_is_found(first: int, second: int) -> None:
    """Wherever the two stand, within one piece of those looked through at once or in two."""
    keys = [f"{number:05}" for number in range(MANY)]
    keys.insert(second, keys[first])
    assert refusal(keyed(keys)) == ("duplicate-key", 1 + second * len('"00000":0,'))


def test_keys_of_many_small_objects_are_not_mixed_up() -> None:
    """The same key in each of 25,000 objects, all within one object of 25,000 keys."""
    text = "{" + ",".join(f'"{number}":{{"a":1,"b":2}}' for number in range(MANY)) + "}"
    assert count_members(text) == MANY


def reference(text: str) -> int | None:
    """Return what `count_members` must, by Python's own reader made strict; None: refused."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            raise ValueError(pairs)
        return value

    def constant(name: str) -> NoReturn:
        raise ValueError(name)

    try:
        value = json.loads(text, object_pairs_hook=unique, parse_constant=constant)
    except ValueError:
        return None
    return len(value) if isinstance(value, dict | list) else int(value is not None)


def counted(text: str) -> int | None:
    """Return what `count_members` does; None: refused."""
    try:
        return count_members(text)
    except DocumentError:
        return None


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=12,
)
_SLIPS = st.sampled_from([*'{}[]",:\\ \n-.eE01tn', "", "NaN", '"a":1,', "[]", "\x00", "\ufeff", "\xa0", r"\ud800"])


@given(_VALUES, st.booleans(), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 2), _SLIPS), max_size=3))
@settings(max_examples=500, deadline=None)
def test_the_same_texts_pass_as_with_a_reader_that_builds_them(
    value: object, escape: bool, slips: list[tuple[int, int, str]]
) -> None:
    """Documents as they should be, and with a slip of the hand in a few places."""
    text = json.dumps(value, ensure_ascii=escape)
    for at, lost, piece in slips:
        text = text[:at] + piece + text[at + lost :]
    assert counted(text) == reference(text)


@given(st.text(alphabet='{}[]",:\\ntrue 1-.\n\u00e9', max_size=40))
@settings(max_examples=300, deadline=None)
def test_noise_is_judged_as_by_a_reader_that_builds_it(text: str) -> None:
    """Brackets, quotes and numbers in any order."""
    assert counted(text) == reference(text)
