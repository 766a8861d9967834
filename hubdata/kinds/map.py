"""Judges a `map` file: lines of `{"pattern", "tag", "type"}` that an engine looks paths up in.

A line the engine cannot decode stops the loading, and every look-up then answers "": the whole file is disabled. A
bad regular expression loses its line, and of two equal `equals` patterns the last one wins.
"""

from typing import ClassVar

from hubdata.grammar.entries import too_few
from hubdata.grammar.gather import Gather, shown
from hubdata.grammar.go_regexp import ORDINARY, labour, overmatch, regexp_problem
from hubdata.grammar.json_row import Member, read_objects
from hubdata.grammar.lines import read_rows
from hubdata.model.snapshot import Artifact, Stats
from hubdata.ports import Body, Demands, Verdict
from hubdata.tables import BaseModel, ConfigDict

KEYS = ("pattern", "tag", "type")
TYPES = ("equals", "contains", "regex")
MIN_CONTAINED = 2
"""A text of one character is part of nearly every path."""

_HARM = "an engine stops loading here, and the whole file answers nothing"


class MapKind:
    """One JSON object of strings a line: what to look for, how, and the answer."""

    name: ClassVar[str] = "map"
    lasting = True
    content_type = "application/x-ndjson"
    max_bytes = 32 << 20

    class Options(BaseModel):
        """No settings."""

        model_config = ConfigDict(extra="forbid")

    def __init__(self, options: Options) -> None:
        self._options = options

    def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
        """Return every finding about the lines of `body`; entries are lines."""
        rows, findings = read_rows(artifact.key, body)
        gather = Gather(artifact.key, self.name)
        equals: dict[str, tuple[int, str]] = {}
        for row, members in read_objects(rows, gather, harm=_HARM):
            values = _strings(members, row.number, gather)
            if "pattern" in values and "type" in values:
                _judge_pattern(values, row.number, gather, equals)
        few = too_few(artifact.key, len(rows), demands.limits)
        return Verdict(gather.findings([*findings, *few]), Stats(entries=len(rows)))


def _strings(members: tuple[Member, ...], line: int, gather: Gather) -> dict[str, tuple[str, int]]:
    """Return the values of the three keys with their columns, where an engine can use them."""
    values = {}
    for member in members:
        if not isinstance(member.value, str):
            gather.error(
                line,
                "type",
                f"`{member.key}` must be a string, found {shown(repr(member.value))}: {_HARM}",
                "write a string",
                column=member.value_column,
            )
        elif member.key not in KEYS:
            gather.error(
                line,
                "unknown-key",
                f"the key {shown(member.key)} is not one of pattern, tag and type",
                "leave exactly these three keys; case matters",
                column=member.key_column,
            )
        elif not member.value:
            harm = "everything contains it" if member.key == "pattern" else "an empty answer means: not found"
            gather.error(
                line,
                f"empty-{member.key}",
                f"`{member.key}` is empty: {harm}",
                "fill it, or remove the line",
                column=member.value_column,
            )
        else:
            values[member.key] = (member.value, member.value_column)
    for key in KEYS:
        if all(member.key != key for member in members):
            gather.error(line, "missing-key", f"the key `{key}` is missing: {_HARM}", f"add `{key}`", column=1)
    return values


def _judge_pattern(
    values: dict[str, tuple[str, int]], line: int, gather: Gather, equals: dict[str, tuple[int, str]]
) -> None:
    pattern, column = values["pattern"]
    how, how_column = values["type"]
    if how not in TYPES:
        gather.error(
            line,
            "unknown-type",
            f"the type {shown(how)} is not one of {', '.join(TYPES)}: {_HARM}",
            "correct the type",
            column=how_column,
        )
        return
    ordinary = None
    if how == "regex":
        problem = regexp_problem(pattern)
        gather.spend(labour(pattern), on=pattern)
        if problem is not None:
            gather.error(
                line,
                "regexp",
                f"Go's regexp refuses {shown(pattern)}: {problem}; an engine skips the line",
                "write it in RE2's syntax",
                column=column,
            )
            return
        ordinary = overmatch(pattern)
    elif how == "contains":
        found = (what for what, text in ORDINARY if text.startswith("/") and pattern in text)
        ordinary = next(found, "nearly every path" if len(pattern) < MIN_CONTAINED else None)
    else:
        ordinary = next((what for what, text in ORDINARY if text.startswith("/") and pattern == text), None)
        _repeated(values, line, gather, equals)
    if ordinary is not None:
        gather.error(
            line, "overmatch", f"{shown(pattern)} ({how}) matches {ordinary}", "name more of the path", column=column
        )


def _repeated(
    values: dict[str, tuple[str, int]], line: int, gather: Gather, equals: dict[str, tuple[int, str]]
) -> None:
    pattern, column = values["pattern"]
    tag = values.get("tag", ("", 0))[0]
    before = equals.get(pattern)
    equals[pattern] = (line, tag)
    if before is not None:
        gather.warning(
            line,
            "duplicate",
            f"{shown(pattern)} stands in line {before[0]} already, with the tag {shown(before[1])}: this one wins",
            "remove one of the two",
            column=column,
        )
