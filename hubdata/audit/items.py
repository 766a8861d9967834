"""What the hub's items say of data files: what they download, under which name, as what, and what they do with it."""

from collections.abc import Iterable
from dataclasses import dataclass

from hubdata.audit.expressions import Use, uses
from hubdata.audit.yaml_text import Mapping, Node, Scalar, Sequence, YamlProblem, documents, scalars
from hubdata.model.finding import Finding, Severity

ENTRY_KEYS = ("source_url", "dest_file", "type", "cache", "strategy", "size", "ttl")
"""All that an engine knows of a `data:` entry: its YAML is strict, one more key and the item does not load."""

_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Entry:
    """One `data:` entry. `cached` tells that the engine remembers answers of its patterns."""

    line: int
    source_url: str
    dest_file: str
    type: str
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Used:
    """One use of a file, and the line where the expression begins."""

    line: int
    use: Use


@dataclass(frozen=True, slots=True)
class Item:
    """One document of a hub file that downloads or uses data. `hot`: its expressions are asked for every event."""

    key: str
    name: str
    line: int
    entries: tuple[Entry, ...]
    uses: tuple[Used, ...]
    hot: bool = True


@dataclass(frozen=True, slots=True)
class Read:
    """The items of one file, and what is wrong with their form."""

    items: tuple[Item, ...]
    findings: tuple[Finding, ...]


def is_item_file(key: str) -> bool:
    """Tell whether `key` may hold items: YAML, and not below a directory whose name begins with a dot."""
    return key.endswith(_SUFFIXES) and not any(part.startswith(".") for part in key.split("/"))


def read_items(key: str, body: bytes) -> Read:
    """Return the items of one file; every fault in it is a finding."""
    try:
        found = documents(body)
    except YamlProblem as err:
        return Read((), (_unreadable(key, err.line, str(err)),))
    items: list[Item] = []
    findings: list[Finding] = []
    for document in found:
        if isinstance(document, Mapping):
            entries = tuple(_entries(key, document, findings))
            used = tuple(_uses(document))
            if entries or used:
                items.append(Item(key, document.text("name"), document.line, entries, used, _is_hot(key)))
    return Read(tuple(items), tuple(findings))


def _is_hot(key: str) -> bool:
    """Tell whether an engine asks these expressions often: all but those for what has overflowed already."""
    return not {"postoverflows", "contexts", "notifications"} & set(key.split("/"))


def _uses(document: Node) -> Iterable[Used]:
    found = (Used(scalar.line, use) for scalar in scalars(document) for use in uses(scalar.text))
    return sorted(dict.fromkeys(found), key=lambda used: (used.line, used.use.name))


def _entries(key: str, document: Mapping, findings: list[Finding]) -> Iterable[Entry]:
    data = document.values.get("data")
    if data is None or (isinstance(data, Scalar) and data.text in ("", "null", "~")):
        return
    if not isinstance(data, Sequence):
        findings.append(
            _malformed(key, data.line, "`data` is no list of entries", "write `data:` and `  - source_url:`")
        )
        return
    for node in data.items:
        if not isinstance(node, Mapping):
            findings.append(
                _malformed(key, node.line, "this `data` entry is no table", "give it source_url and dest_file")
            )
            continue
        findings.extend(_faults(key, node))
        yield Entry(node.line, node.text("source_url"), node.text("dest_file"), node.text("type"), _is_cached(node))


def _is_cached(entry: Mapping) -> bool:
    return any(entry.text(name) for name in ("strategy", "size", "ttl")) and entry.text("cache") != "false"


def _faults(key: str, entry: Mapping) -> Iterable[Finding]:
    for name, line in entry.key_lines.items():
        if name not in ENTRY_KEYS:
            yield _malformed(
                key, line, f"engines do not know `{name}` in a data entry, and refuse the whole item", "remove it"
            )
    for name in ("source_url", "dest_file"):
        if not entry.text(name):
            yield _malformed(key, entry.line, f"this data entry has no {name}", f"add {name}, or remove the entry")
    dest = entry.text("dest_file")
    if dest.startswith("/") or ".." in dest.split("/"):
        yield _malformed(
            key,
            entry.key_lines["dest_file"],
            f"dest_file {dest} leaves the engine's data directory, so it is refused",
            "name a file below that directory",
        )


def _malformed(key: str, line: int, message: str, advice: str) -> Finding:
    return Finding(key, line, "audit.data-entry", Severity.ERROR, message, advice)


def _unreadable(key: str, line: int | None, problem: str) -> Finding:
    return Finding(
        key,
        line,
        "audit.unreadable",
        Severity.ERROR,
        f"this cannot be read as YAML: {problem}",
        "mend the item; until then nothing of it was audited, and no engine loads it",
    )
