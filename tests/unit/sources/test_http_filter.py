"""jq in a process of its own: what it gives, what it says, and that nothing it does goes on for ever."""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from hubdata.errors import SourceError
from hubdata.sources.http.filtering import filtered, jq_place


def run(body: bytes, program: str, *, seconds: float = 20, max_bytes: int = 1 << 20) -> bytes:
    """Return what a filter makes of `body`."""
    return filtered(body, program, place=jq_place(), timeout=timedelta(seconds=seconds), max_bytes=max_bytes)


@pytest.mark.parametrize(
    ("body", "program", "expected"),
    [
        (b'{"a": ["b", "c"]}', ".a[]", b"b\nc\n"),
        (b'[{"b": 1, "c": "\xc3\xa9"}, [1, 2], 1.5]', ".[]", b'{"b":1,"c":"\xc3\xa9"}\n[1,2]\n1.5\n'),
        (b"\xef\xbb\xbf[1]", ".[]", b"1\n"),
        (b'{"a":1}\n{"a":2}\n', ".a", b"1\n2\n"),
        (b'{"a":1}', "def f: .a; f # the last line may be a comment", b"1\n"),
        (b'["b","a","b"]', "unique[]", b"a\nb\n"),
    ],
)
def test_results_are_lines_as_on_the_command_line(body: bytes, program: str, expected: bytes) -> None:
    """Strings bare (`jq -r`), everything else compact (`jq -c`)."""
    assert run(body, program) == expected


@pytest.mark.parametrize(
    ("body", "program", "words"),
    [
        (b'{"a": null}', ".a[]", r"the filter .a\[\]: jq says: Cannot iterate over null"),
        (b"{}", ".a[", "jq says: syntax error"),
        (b"{}", ".a", "gives null: a name that it asks for is not in the answer"),
        (b'{"a": []}', ".a[]", "finds nothing in the answer"),
        (b"<html></html>", ".", "jq says: parse error"),
        (b'{"a":', ".", "jq says: parse error: Unfinished JSON term"),
        (b"\xff\xfe{", ".", "jq says: parse error"),
        (b"{}", 'error("a\\u001b[2Jb")', r"jq says: a\\x1b\[2Jb"),
        (b"{}", 'import "/etc/passwd" as $p; $p', "jq says: syntax error"),
        (b"{}", 'include "a"; .', "jq says: syntax error"),
        (b"[" * 20_000, ".", "jq says"),
    ],
)
def test_what_goes_wrong_is_said_in_jqs_words(body: bytes, program: str, words: str) -> None:
    """With the filter, on one line, and nothing of it can control a terminal."""
    with pytest.raises(SourceError, match=words) as caught:
        run(body, program)
    assert caught.value.advice
    assert str(caught.value).isprintable()


def test_a_filter_sees_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets of this process are not in its reach."""
    monkeypatch.setenv("SENTINEL", "sentinel")
    assert b"sentinel" not in run(b"{}", "$ENV, env | tojson")


@pytest.mark.parametrize("program", ["def f: f; f", "last(range(1e15))", "[limit(1; repeat(empty))]"])
def test_one_that_loops_is_ended(program: str) -> None:
    """When its time is up, and not much later."""
    began = time.monotonic()
    with pytest.raises(SourceError, match="had not ended after 1 s"):
        run(b"{}", program, seconds=1)
    assert time.monotonic() - began < 30


def test_one_that_writes_without_end_is_ended() -> None:
    """At the bound, whatever time it has."""
    with pytest.raises(SourceError, match="gives more than 100,000 bytes"):
        run(b"{}", 'repeat("x" * 1000)', seconds=60, max_bytes=100_000)


def test_one_that_eats_memory_is_ended() -> None:
    """By its own bound, before its time is up; this process goes on."""
    with pytest.raises(SourceError, match="the filter") as caught:
        run(b"{}", 'reduce range(21) as $i ("x" * 1000; . + .) | length', seconds=60)
    assert "had not ended" not in str(caught.value)


def test_it_is_found_where_it_is_installed() -> None:
    """Also where that is no usual place: the child is told."""
    assert list(Path(jq_place()).glob("jq*"))
