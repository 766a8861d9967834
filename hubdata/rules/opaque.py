"""Rules of the kind `opaque`: files that no engine loads."""

from hubdata.model.rule import ERROR, WARNING, Example, Rule

RULES = (
    Rule(
        "opaque.empty",
        WARNING,
        "Nothing: no engine loads it. It is published, and whoever downloads it gets nothing.",
        Example("opaque", note="a file of no bytes"),
        "Remove it, or ignore it in the job file.",
    ),
    Rule(
        "opaque.executable",
        ERROR,
        "A program, script or page under a trusted address: it is run by whoever downloads or opens it.",
        Example("opaque", b"#!/bin/sh\n"),
        "Publish data only.",
    ),
)
