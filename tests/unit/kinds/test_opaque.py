"""Files that no engine loads: nothing in them may run."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.kinds.opaque import OpaqueKind
from hubdata.model.finding import Severity
from tests.support.judged import judged, rules
from tests.support.real import SEC_LISTS, needs_real


def test_text_has_no_finding() -> None:
    """Any UTF-8 text will do."""
    assert judged(OpaqueKind, "Größe: 1 < 2\n".encode()).findings == ()


@pytest.mark.parametrize(
    "body",
    [
        b"\x7fELF\x02\x01\x01",
        b"MZ\x90\0",
        b"\xcf\xfa\xed\xfe\x07",
        b"\xca\xfe\xba\xbe\0\0",
        b"\0asm\x01",
        b"#!/bin/sh\nrm -rf /\n",
        b"\xef\xbb\xbf#!/usr/bin/env python3\n",
        b"<?php system($_GET[0]);\n",
        b" \n<SCRIPT>alert(1)</SCRIPT>\n",
        b"<svg onload=alert(1)>\n",
        b"<html>\n",
    ],
)
@pytest.mark.parametrize("binary", [False, True])
def test_programs_and_scripts_are_refused_binary_or_not(body: bytes, binary: bool) -> None:
    """A data bucket must not hand out anything that runs."""
    assert rules(judged(OpaqueKind, body, binary=binary)) == ["opaque.executable"]


def test_an_empty_file_is_only_a_warning() -> None:
    """One is published today, and nobody loads it."""
    (finding,) = judged(OpaqueKind, b"").findings
    assert (finding.rule, finding.severity) == ("opaque.empty", Severity.WARNING)


def test_bytes_that_are_no_text_need_the_job_to_say_so() -> None:
    """`binary = true` lifts the demand for UTF-8."""
    assert rules(judged(OpaqueKind, b"\x89PNG\0\xff\n")) == ["text.nul", "text.not-utf8"]
    assert judged(OpaqueKind, b"\x89PNG\0\xff\n", binary=True).findings == ()


@given(st.binary(max_size=200), st.booleans())
@settings(max_examples=100, deadline=None)
def test_no_bytes_make_the_judge_raise(body: bytes, binary: bool) -> None:
    """Whatever the bytes; and what passes as text is UTF-8."""
    if not judged(OpaqueKind, body, binary=binary).findings and not binary:
        body.decode()


@needs_real
@pytest.mark.parametrize(("name", "expected"), [("test", ["opaque.empty"]), ("README.md", []), ("LICENSE", [])])
def test_real_files_pass(name: str, expected: list[str]) -> None:
    """What the data repository holds besides its lists."""
    assert rules(judged(OpaqueKind, (SEC_LISTS / name).read_bytes())) == expected
