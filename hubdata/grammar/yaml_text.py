"""Read YAML that strangers wrote, within bounds, and keep the line of every value.

Only the parser's events are used: no tag ever makes an object, nothing is expanded, and nothing recurses. An alias is
a second reference to the same value, so a text whose aliases would grow to billions of values costs what its bytes
cost, as long as whoever walks it visits each value once. Engines refuse duplicate keys; so does this. They take what a
table inherits (`<<: *base`) for its own; so does this, within a bound, and each value stays where it was written.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

MAX_BYTES = 1 << 20
_MAX_DEPTH = 100
_MAX_EVENTS = 200_000
LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # without the C library ten times slower, else the same


class YamlProblem(Exception):
    """A text cannot be read; `line` counts from 1."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


@dataclass(slots=True, eq=False)
class Scalar:
    """A text, a number, a date: as written, its quotes taken off. `line` counts from 1."""

    text: str
    line: int
    quoted: bool = False


@dataclass(slots=True, eq=False)
class Sequence:
    """A list."""

    line: int
    items: list["Node"] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Mapping:
    """A table; `key_lines` has the line of each key, `value_events` the parser's event that each value begins with."""

    line: int
    values: dict[str, "Node"] = field(default_factory=dict)
    key_lines: dict[str, int] = field(default_factory=dict)
    value_events: dict[str, int] = field(default_factory=dict)

    def text(self, key: str) -> str:
        """Return the scalar at `key`; empty when there is none, or when it is null."""
        node = self.values.get(key)
        if not isinstance(node, Scalar) or (not node.quoted and node.text in ("null", "~", "Null", "NULL")):
            return ""
        return node.text


Node = Scalar | Sequence | Mapping


def documents(body: bytes) -> tuple[Node, ...]:
    """Return every document of `body`. Raises YamlProblem with the line where it cannot be read."""
    if len(body) > MAX_BYTES:
        raise YamlProblem(f"{len(body):,} bytes, more than the {MAX_BYTES:,} that are read")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        raise YamlProblem("it is not UTF-8", body.count(b"\n", 0, err.start) + 1) from None
    composer = _Composer()
    try:
        for event in yaml.parse(text, Loader=LOADER):
            composer.take(event)
    except yaml.MarkedYAMLError as err:
        mark = err.problem_mark or err.context_mark
        raise YamlProblem(err.problem or "it is no YAML", mark.line + 1 if mark else None) from None
    except yaml.YAMLError as err:  # a character that YAML does not have
        raise YamlProblem(str(err).splitlines()[0]) from None
    return tuple(composer.documents)


def scalars(root: Node) -> Iterator[Scalar]:
    """Yield every scalar value below `root` once, however many aliases lead to it; keys are left out."""
    seen: set[int] = set()
    pending: list[Node] = [root]
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Scalar):
            yield node
        else:
            pending.extend(node.items if isinstance(node, Sequence) else node.values.values())


class _Composer:
    """Puts events together to documents, with a stack of its own."""

    def __init__(self) -> None:
        self.documents: list[Node] = []
        self._open: list[tuple[Sequence | Mapping, Scalar | None]] = []  # with the key that waits for its value
        self._anchors: dict[str, Node] = {}
        self._bases: dict[int, tuple[Node, int]] = {}  # by the table that inherits them, with the line
        self._events = 0
        self._inherited = 0

    def take(self, event: yaml.Event) -> None:
        self._events += 1
        line = event.start_mark.line + 1 if event.start_mark else 0
        if self._events > _MAX_EVENTS:
            raise YamlProblem(f"it holds more than {_MAX_EVENTS:,} values", line)
        if isinstance(event, yaml.DocumentStartEvent):
            self._anchors.clear()
        elif isinstance(event, yaml.ScalarEvent):
            self._add(Scalar(event.value, line, quoted=event.style in ("'", '"', "|", ">")), event.anchor)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise YamlProblem(f"the alias *{event.anchor} refers to nothing before it", line)
            self._add(self._anchors[event.anchor], None)
        elif isinstance(event, yaml.CollectionStartEvent):
            node = Mapping(line) if isinstance(event, yaml.MappingStartEvent) else Sequence(line)
            if len(self._open) >= _MAX_DEPTH:
                raise YamlProblem(f"it is nested more than {_MAX_DEPTH} deep", line)
            self._add(node, event.anchor)
            self._open.append((node, None))
        elif isinstance(event, yaml.CollectionEndEvent):
            node, _ = self._open.pop()
            if isinstance(node, Mapping) and id(node) in self._bases:
                self._inherit(node, *self._bases.pop(id(node)))

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = node
        if not self._open:
            self.documents.append(node)
            return
        parent, key = self._open[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif key is None:
            if not isinstance(node, Scalar):
                raise YamlProblem("a key is no text", node.line)
            self._open[-1] = (parent, node)
        else:
            if key.text in parent.values or (_is_merge(key) and id(parent) in self._bases):
                raise YamlProblem(f"the key `{key.text}` stands twice", key.line)
            self._open[-1] = (parent, None)
            if _is_merge(key):
                self._bases[id(parent)] = (node, key.line)
                return
            parent.values[key.text] = node
            parent.key_lines[key.text] = key.line
            parent.value_events[key.text] = self._events - 1

    def _inherit(self, table: Mapping, base: Node, line: int) -> None:
        """Give `table` what it does not say itself; of several bases the first that says it counts (YAML 1.1)."""
        for each in base.items if isinstance(base, Sequence) else (base,):
            if not isinstance(each, Mapping):
                raise YamlProblem("`<<` names no table to inherit from", line)
            self._inherited += len(each.values)
            if self._inherited > _MAX_EVENTS:
                raise YamlProblem(f"its tables inherit more than {_MAX_EVENTS:,} values", line)
            for name in each.values.keys() - table.values.keys():
                table.values[name] = each.values[name]
                table.key_lines[name] = each.key_lines[name]
                table.value_events[name] = each.value_events[name]


def _is_merge(key: Scalar) -> bool:
    return key.text == "<<" and not key.quoted
