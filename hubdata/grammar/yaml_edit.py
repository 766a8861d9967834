"""Replace values in YAML and leave every other byte as it is: comments, layout, line ends, the way of quoting.

A parser says where a value stands; just that is exchanged. Then the new text is parsed, and must be the old one event
for event but for the new values, or nothing is changed at all. An alias is replaced by the value itself; a value that
others refer to by an alias is replaced only if they all want the same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from hubdata.grammar.yaml_text import LOADER, YamlProblem

_BOM = b"\xef\xbb\xbf"
_PLAIN = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]+)?/[A-Za-z0-9/_.~%+=&-]*[A-Za-z0-9/_~-]")
"""What needs no quotes wherever it stands: in a list in brackets, before a comment, at the end of a line."""


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a value stands, in characters, and what is written there instead."""

    start: int
    end: int
    text: str


def replaced(body: bytes, values: Mapping[int, str]) -> bytes:
    """Return `body` with other `values`, by the number of the parser's event (`yaml_text.Mapping.value_events`).

    `body` has been read by `yaml_text.documents`, which bounds it. Raises YamlProblem when it cannot be done exactly.
    """
    text = body.removeprefix(_BOM).decode()
    events = _events(text)
    wanted = _without_followers(events, values)
    spans = sorted((_span(text, events, number, new) for number, new in wanted.items()), key=lambda span: span.start)
    pieces, place = [], 0
    for span in spans:
        pieces += [text[place : span.start], span.text]
        place = span.end
    new_text = "".join((*pieces, text[place:]))
    _compare(events, _events(new_text), values)
    return (_BOM if body.startswith(_BOM) else b"") + new_text.encode()


def _events(text: str) -> list[Any]:
    try:
        return list(yaml.parse(text, Loader=LOADER))
    except yaml.YAMLError as err:
        raise YamlProblem(f"it would be no YAML any more: {str(err).splitlines()[0]}") from None


def _without_followers(events: list[Any], values: Mapping[int, str]) -> dict[int, str]:
    """Return `values` without aliases that follow their anchor. Raises YamlProblem where others follow it, too."""
    anchors: dict[str | None, int] = {}
    wanted = dict(values)
    for number, event in enumerate(events):
        if isinstance(event, yaml.DocumentStartEvent):
            anchors.clear()
        elif isinstance(event, yaml.AliasEvent):
            origin = anchors.get(event.anchor, -1)
            if origin not in values:
                continue
            if values.get(number) != values[origin]:
                line = event.start_mark.line + 1 if event.start_mark else None
                raise YamlProblem(f"the alias *{event.anchor} means the same URL, and not as a source_url", line)
            del wanted[number]
        elif getattr(event, "anchor", None):
            anchors[event.anchor] = number
    return wanted


def _span(text: str, events: list[Any], number: int, new: str) -> _Span:
    event = events[number]
    start, end = event.start_mark.index, event.end_mark.index
    if isinstance(event, yaml.AliasEvent):
        return _Span(start, end, _scalar(new))
    if not isinstance(event, yaml.ScalarEvent):
        raise YamlProblem("this is no text", event.start_mark.line + 1)
    start = _after_properties(text, event, start, end)
    old, style = text[start:end], event.style
    if style == "'":
        return _Span(start, end, "'" + new.replace("'", "''") + "'")
    if style == '"':
        return _Span(start, end, _double_quoted(new))
    if style in ("|", ">"):
        told = event.value.strip()
        if event.value == told and old.count(told) == 1:
            begin = start + old.index(told)
            return _Span(begin, begin + len(told), new)
        return _Span(start, end, _scalar(new) + old[len(old.rstrip()) :])
    return _Span(start, end, _scalar(new))


def _after_properties(text: str, event: Any, start: int, end: int) -> int:
    """Return where the value itself begins, behind an anchor and a tag."""
    if text[start] not in "&!":
        return start
    starts = {
        token.end_mark.index: token.start_mark.index
        for token in yaml.scan(text, Loader=LOADER)
        if isinstance(token, yaml.ScalarToken)
    }
    if end not in starts:
        raise YamlProblem("this value is not where it seems to be", event.start_mark.line + 1)
    return int(starts[end])


def _scalar(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else _double_quoted(value)


def _double_quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _compare(before: list[Any], after: list[Any], values: Mapping[int, str]) -> None:
    """Raise YamlProblem unless `after` is `before` but for these values."""
    same = len(before) == len(after)
    for number, (old, new) in enumerate(zip(before, after, strict=False)):
        if not same:
            break
        if number not in values:
            same = _told(old) == _told(new)
        elif isinstance(new, yaml.ScalarEvent):
            kept = old.anchor == new.anchor and old.tag == new.tag if isinstance(old, yaml.ScalarEvent) else True
            same = kept and new.value == values[number]
        else:
            same = _told(old) == _told(new)  # an alias that follows
    if not same:
        raise YamlProblem("its other values would not stay what they are")


def _told(event: Any) -> tuple[object, ...]:
    """Return all that an event says, but for where."""
    names = ("anchor", "tag", "implicit", "value", "style", "flow_style", "explicit", "version", "tags", "encoding")
    return (type(event).__name__, *(getattr(event, name, None) for name in names))
