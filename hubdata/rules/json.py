"""Rules of the kind `json`: documents that no engine loads, but people and scripts read."""

from hubdata.model.rule import ERROR, Example, Rule

_READERS = "No engine loads the file; the scripts that do stop, or differ in what they read."

RULES = (
    Rule(
        "json.executable",
        ERROR,
        "A program, script or page under a trusted address: it is run by whoever downloads or opens it.",
        Example("json", b"#!/bin/sh\n"),
        "Publish data only.",
    ),
    Rule("json.empty", ERROR, _READERS, Example("json", b"\n"), "Write a JSON value, or remove the file."),
    Rule("json.syntax", ERROR, _READERS, Example("json", b'{"a": 1,}\n'), "Correct it; `jq . FILE` shows the place."),
    Rule(
        "json.nesting",
        ERROR,
        "Brackets nested thousands deep use up a reader's stack.",
        Example("json", b"[", times=100_000, note="100,000 opening brackets"),
        "Flatten it.",
    ),
    Rule(
        "json.duplicate-key",
        ERROR,
        "A key stands twice in one object: one reader takes the first, another the last.",
        Example("json", b'{"a": 1, "a": 2}\n'),
        "Leave one of the two.",
    ),
    Rule("json.constant", ERROR, _READERS, Example("json", b'{"a": NaN}\n'), "Write a string, or null."),
    Rule(
        "json.number",
        ERROR,
        "A number of thousands of digits keeps a reader busy for long, or is rounded.",
        Example("json", b"1", times=5_000, note="a number of 5,000 digits"),
        "Write it as a string.",
    ),
)
