"""One strict JSON object a line: what is read, and where what is not goes wrong."""

import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar.gather import Gather
from hubdata.grammar.json_row import Member, RowError, element_columns, parse_object, read_objects
from hubdata.grammar.lines import Row


def test_members_keep_their_order_and_their_columns() -> None:
    """Keys and values come back with the columns they stand in, so that a finding can point at them."""
    assert parse_object(' {"a": "x",  "b":[1, {"c": null}]}\t') == (
        Member("a", "x", 3, 8),
        Member("b", [1, {"c": None}], 14, 18),
    )


def test_an_empty_object_has_no_members() -> None:
    """Braces alone are an object; that keys are missing is for the kind to say."""
    assert parse_object("{ }") == ()


@pytest.mark.parametrize(
    ("text", "problem", "column"),
    [
        ("", "syntax", 1),
        ("hello", "syntax", 1),
        ("{", "syntax", 2),
        ('{"a"', "syntax", 5),
        ('{"a" "b"}', "syntax", 6),
        ('{"a":}', "syntax", 6),
        ('{"a":1', "syntax", 7),
        ('{"a":1,}', "syntax", 8),
        ('{"a":1 "b":2}', "syntax", 8),
        ("{'a':1}", "syntax", 2),
        ('{"a":"x}', "syntax", 6),
        ('{"a":"tab\there"}', "syntax", 10),
        ('{"a":01}', "syntax", 7),
        ("[1]", "not-an-object", 1),
        ('"a"', "not-an-object", 1),
        ("null", "not-an-object", 1),
        ('{"a":1,"a":2}', "duplicate-key", 8),
        ('{"a":1,"\\u0061":2}', "duplicate-key", 8),
        ('{"a":{"b":1,"b":2}}', "duplicate-key", 6),
        ('{"a":1}{"b":2}', "trailing", 8),
        ('{"a":1} # note', "trailing", 9),
        ('{"a":1},', "trailing", 8),
        ('{"a":NaN}', "constant", 6),
        ('{"a":-Infinity}', "constant", 6),
        ('{"a":' + "9" * 5000 + "}", "constant", 6),
        ('{"a":"\\ud800"}', "surrogate", 6),
        ('{"a":' + "[" * 100 + "]" * 100 + "}", "nesting", 69),
        ('{"a":' + '{"b":' * 5000 + "1" + "}" * 5001, "nesting", 321),
    ],
)
def test_what_is_not_one_strict_object_is_refused_where_it_goes_wrong(text: str, problem: str, column: int) -> None:
    """Each way to break the object has its rule and the column of the first wrong character."""
    with pytest.raises(RowError) as caught:
        parse_object(text)
    assert (caught.value.problem, caught.value.column) == (problem, column)


def test_brackets_within_strings_are_not_nesting() -> None:
    """A pattern full of brackets is text, however deep it looks."""
    text = json.dumps({"pattern": "[{" * 500 + '\\"'})
    assert parse_object(text)[0].value == "[{" * 500 + '\\"'


def test_elements_of_an_array_have_columns_too() -> None:
    """The column of each element can be found again, whatever stands in the strings before it."""
    text = '{"ips": ["a,]", "b" , "c"]}'
    (member,) = parse_object(text)
    assert element_columns(text, member.value_column) == [10, 17, 23]
    assert element_columns('{"ips":[]}', 8) == []


def test_a_pretty_printed_document_is_one_finding() -> None:
    """Twelve lines of a pretty-printed file say one thing, once."""
    lines = json.dumps([{"cve": "CVE-2024-0001", "uri": "/x"}] * 2, indent=2).splitlines()
    gather = Gather("k", "map")
    assert not list(read_objects([Row(at, line) for at, line in enumerate(lines, 1)], gather, harm="h"))
    assert [(f.rule, f.line) for f in gather.findings()] == [("map.pretty-printed", 1)]


def test_a_bad_row_between_good_ones_costs_only_itself() -> None:
    """The rows around a bad one are still judged in the same pass."""
    gather = Gather("k", "map")
    rows = [Row(1, '{"a":1}'), Row(2, "{"), Row(4, '{"b":2}')]
    assert [row.number for row, _ in read_objects(rows, gather, harm="h")] == [1, 4]
    assert [(f.rule, f.line, f.column) for f in gather.findings()] == [("map.syntax", 2, 2)]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), _VALUES, max_size=5), st.booleans())
@settings(max_examples=200, deadline=None)
def test_what_json_writes_is_read_back(value: dict[str, Any], escape: bool) -> None:
    """Every object without half characters comes back as it was, and its columns point at its members."""
    text = json.dumps(value, ensure_ascii=escape)
    members = parse_object(text)
    assert {m.key: m.value for m in members} == value
    for member in members:
        assert text[member.key_column - 1] == '"'
        assert json.JSONDecoder().raw_decode(text, member.value_column - 1)[0] == member.value


@given(st.text() | st.text(alphabet='{}[]":,\\ an1-.', max_size=40))
@settings(max_examples=200, deadline=None)
def test_no_text_raises_anything_else(text: str) -> None:
    """Any text is an object or a RowError, whose column lies within the line or right behind it."""
    column = 1
    try:
        parse_object(text)
    except RowError as err:
        column = err.column
    assert 1 <= column <= len(text) + 1


def test_the_bound_on_nesting_lies_below_the_reader_s_own() -> None:
    """The limit is reached long before Python's recursion limit could be."""
    from hubdata.grammar.json_row import MAX_NESTING

    assert sys.getrecursionlimit() > MAX_NESTING * 4
