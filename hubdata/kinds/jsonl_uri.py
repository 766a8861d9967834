"""Judges a list of `{"cve", "uri"}` lines, of which an engine asks `path contains JsonExtract(row, "uri")`.

The engine extracts the uri from each line by itself, and an extraction that fails gives the empty string, which
every path contains: a pretty-printed file bans every visitor who meets a 404. It happened upstream once.
"""

import re
from typing import ClassVar

from hubdata.grammar.entries import too_few
from hubdata.grammar.gather import Gather, shown
from hubdata.grammar.go_regexp import ORDINARY
from hubdata.grammar.json_row import Member, read_objects
from hubdata.grammar.lines import read_rows
from hubdata.grammar.named import named_rows
from hubdata.model.snapshot import Artifact, Stats
from hubdata.ports import Body, Demands, Verdict
from hubdata.tables import BaseModel, ConfigDict

KEYS = ("cve", "uri")
MIN_URI = 2
"""A uri of one character is part of every path."""

_CVE = re.compile(r"CVE-(?:199\d|2\d\d\d)-\d{4,19}")
_HARM = "an engine extracts an empty uri from it, which is part of every path"


class JsonlUriKind:
    """One JSON object a line, with a CVE's id and a part of the path that its exploit asks for."""

    name: ClassVar[str] = "jsonl-uri"
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
        seen: dict[str, int] = {}
        for row, members in read_objects(rows, gather, harm=_HARM):
            values = _strings(members, row.number, gather)
            if "cve" in values and not _CVE.fullmatch(values["cve"][0]):
                cve, column = values["cve"]
                gather.error(
                    row.number, "cve", f"{shown(cve)} is not a CVE id", "write it as CVE-2024-3400", column=column
                )
            if "uri" in values:
                uri, column = values["uri"]
                if not row.text.startswith(f'{uri}"', column):  # what stands between the quotes is what engines take
                    gather.error(
                        row.number,
                        "escaped",
                        f"the uri {shown(uri)} is written with escapes, which engines look for as they stand",
                        "write each of its characters as itself; `/` needs no backslash",
                        column=column,
                    )
                _judge_uri(*values["uri"], row.number, gather, seen)
        few = too_few(artifact.key, len(rows), demands.limits)
        named = named_rows(artifact.key, seen, demands.limits)
        return Verdict(gather.findings([*findings, *few, *named]), Stats(entries=len(rows)))


def _strings(members: tuple[Member, ...], line: int, gather: Gather) -> dict[str, tuple[str, int]]:
    """Return the values of the two keys with their columns, where they are non-empty strings."""
    values = {}
    for member in members:
        if member.key not in KEYS:
            gather.error(
                line,
                "unknown-key",
                f"the key {shown(member.key)} is not one of cve and uri",
                "leave exactly these two keys",
                column=member.key_column,
            )
        elif not isinstance(member.value, str) or not member.value:
            gather.error(
                line,
                "empty" if member.value == "" else "type",
                f"`{member.key}` must be a non-empty string, found {shown(repr(member.value))}: {_HARM}",
                "write a string, or remove the line",
                column=member.value_column,
            )
        else:
            values[member.key] = (member.value, member.value_column)
    for key in KEYS:
        if all(member.key != key for member in members):
            gather.error(line, "missing-key", f"the key `{key}` is missing: {_HARM}", f"add `{key}`", column=1)
    return values


def _judge_uri(uri: str, column: int, line: int, gather: Gather, seen: dict[str, int]) -> None:
    if len(uri) < MIN_URI:
        gather.error(
            line, "short", f"the uri {shown(uri)} is part of nearly every path", "name more of the path", column=column
        )
        return
    if uri != uri.strip():
        gather.warning(
            line, "space", f"white space at an end of {shown(uri)} must match too", "remove it", column=column
        )
    ordinary = next((what for what, text in ORDINARY if text.startswith("/") and uri in text), None)
    if ordinary is not None:
        gather.error(
            line,
            "overmatch",
            f"the uri {shown(uri)} is part of {ordinary}",
            "name more of the path: an engine bans who asks for it",
            column=column,
        )
    first = seen.setdefault(uri, line)
    if first != line:
        gather.warning(
            line, "duplicate", f"the uri {shown(uri)} stands in line {first} already", "remove one", column=column
        )
