"""JSON documents that people and scripts read: one strict value."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.kinds.json import JsonKind
from hubdata.model.job import Limits
from tests.support.judged import errors, judged, places, rules
from tests.support.real import SEC_LISTS, needs_real


@pytest.mark.parametrize(("text", "entries"), [("[1, 2]\n", 2), ('{"a": {"b": 1}}\n', 1), ("true\n", 1), ("{}\n", 0)])
def test_a_good_document_has_no_finding(text: str, entries: int) -> None:
    """Members of the outermost value are counted."""
    verdict = judged(JsonKind, text.encode())
    assert (verdict.findings, verdict.stats.entries) == ((), entries)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", [("json.empty", None, None)]),
        (b"[1,\n2,]\n", [("json.syntax", 2, 3)]),
        (b'{"a": 1}\n{"b": 2}\n', [("json.syntax", 2, 1)]),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}\n', [("json.duplicate-key", 1, 24)]),
        (b"{" + b"".join(b'"k%d":1,' % n for n in range(50_000)) + b'\n"k1":2}\n', [("json.duplicate-key", 2, 1)]),
        (b"[NaN]\n", [("json.constant", 1, 2)]),
        (b"[" * 100_000 + b"\n", [("json.nesting", 1, 901)]),
        (b"[" + b"9" * 5_000 + b"]\n", [("json.number", 1, 2)]),
        (b"#!/bin/sh\n", [("json.executable", 1, None)]),
        (b"<!doctype html>\n", [("json.executable", 1, None)]),
        (b'["\xff"]\n', [("text.not-utf8", 1, 3)]),
        (b"\xef\xbb\xbf[]\n", [("text.bom", 1, None)]),
    ],
)
def test_each_way_to_break_a_document_has_its_rule(
    body: bytes, expected: list[tuple[str, int | None, int | None]]
) -> None:
    """One fault, one error, with the line and the column in which it begins."""
    verdict = judged(JsonKind, body)
    assert places(verdict) == expected
    assert errors(verdict)


def test_too_few_members_are_an_error_by_the_job_s_limit() -> None:
    """A document that shrank must not replace a whole one."""
    assert rules(judged(JsonKind, b"[1]\n", limits=Limits(min_entries=2))) == ["limits.min-entries"]


@given(st.binary(max_size=200) | st.text(alphabet='{}[]":,\\ntrue #\n1-.', max_size=100).map(str.encode))
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_the_judge_raise_and_what_passes_is_json(body: bytes) -> None:
    """Whatever the bytes; and what has no error is read by a plain reader."""
    if not errors(judged(JsonKind, body)):
        json.loads(body)


@needs_real
def test_a_real_document_passes() -> None:
    """The list of upstream addresses that the data repository keeps."""
    verdict = judged(JsonKind, (SEC_LISTS / ".github/sync-sources.json").read_bytes())
    assert errors(verdict) == []
