"""What one `data:` entry of a hub's item says: what is downloaded, under which name, and as what.

An engine reads these strictly: one key more than it knows, and the whole item does not load.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hubdata.grammar.yaml_text import Mapping, Node, Scalar, Sequence
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


def is_item_file(key: str) -> bool:
    """Tell whether `key` may hold items: YAML, and not below a directory whose name begins with a dot."""
    return key.endswith(_SUFFIXES) and not any(part.startswith(".") for part in key.split("/"))


def entry_tables(key: str, document: Node, findings: list[Finding]) -> Iterator[Mapping]:
    """Yield the table of each data entry of one document; what is none is a finding."""
    data = document.values.get("data") if isinstance(document, Mapping) else None
    if data is None or (isinstance(data, Scalar) and data.text in ("", "null", "~")):
        return
    if not isinstance(data, Sequence):
        findings.append(
            _malformed(key, data.line, "`data` is no list of entries", "write `data:` and `  - source_url:`")
        )
        return
    for node in data.items:
        if isinstance(node, Mapping):
            yield node
        else:
            findings.append(
                _malformed(key, node.line, "this `data` entry is no table", "give it source_url and dest_file")
            )


def data_entries(key: str, document: Node, findings: list[Finding]) -> Iterator[Entry]:
    """Yield the data entries of one document of the file `key`; what an engine would refuse is a finding."""
    for node in entry_tables(key, document, findings):
        findings.extend(_faults(key, node))
        yield Entry(node.line, node.text("source_url"), node.text("dest_file"), node.text("type"), _is_cached(node))


def unreadable(key: str, line: int | None, problem: str) -> Finding:
    """Return the finding about a file that is no YAML."""
    return Finding(
        key,
        line,
        "audit.unreadable",
        Severity.ERROR,
        f"this cannot be read as YAML: {problem}",
        "mend the item; until then nothing of it is known here, and no engine loads it",
    )


def _is_cached(entry: Mapping) -> bool:
    return any(entry.text(name) for name in ("strategy", "size", "ttl")) and entry.text("cache") != "false"


def _faults(key: str, entry: Mapping) -> Iterator[Finding]:
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
