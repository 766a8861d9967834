"""Decide what the items of a hub name instead of public addresses: the same files on a mirror that really has them.

Pure: texts in, texts out. Nothing of an item changes but the value of `source_url`, and that only where the mirror
publishes what it names.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from hubdata.grammar.data_entries import entry_tables, unreadable
from hubdata.grammar.yaml_edit import replaced
from hubdata.grammar.yaml_text import YamlProblem, documents
from hubdata.model.finding import Finding, Severity
from hubdata.model.rewrite import Changed
from hubdata.transfer.public_url import canonical_url

_SAFE = "/:@!$&'()*+,;=-._~"


@dataclass(frozen=True, slots=True)
class Mirror:
    """Where the mirror is, the `keys` that it publishes, and which address each of them stands for.

    `by_url` is what the mirror's manifest says of its own files; `origins` are addresses below which every path is a
    key.
    """

    base: str
    keys: frozenset[str]
    by_url: Mapping[str, str] = field(default_factory=dict)
    origins: tuple[str, ...] = ()

    def key_of(self, url: str) -> str | None:
        """Return the key of the mirror's copy of `url`, None where it has none."""
        told = self.by_url.get(canonical_url(url))
        if told is not None:
            return told
        return next((key for origin in self.origins if (key := _below(origin, url)) in self.keys), None)

    def own(self, url: str) -> str | None:
        """Return the key that `url` names on the mirror itself, None where it leads elsewhere."""
        return _below(self.base, url)

    def address(self, key: str) -> str:
        """Return where the mirror serves `key`."""
        return f"{self.base}/{quote(key, safe=_SAFE)}"


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What became of one file: its new text, None where it stays as it is."""

    body: bytes | None
    changed: tuple[Changed, ...] = ()
    already: int = 0
    findings: tuple[Finding, ...] = ()


def rewritten(item: str, body: bytes, mirror: Mirror) -> Rewritten:
    """Return one file of a hub with the mirror's addresses."""
    try:
        found = documents(body)
    except YamlProblem as err:
        return Rewritten(None, findings=(unreadable(item, err.line, str(err)),))
    values: dict[int, str] = {}
    changed: list[Changed] = []
    findings: list[Finding] = []
    already = 0
    for document in found:
        for table in entry_tables(item, document, findings):
            url, number = table.text("source_url"), table.value_events.get("source_url")
            if not url or number is None or number in values:
                continue
            line = table.key_lines["source_url"]
            if (own := mirror.own(url)) is not None and own in mirror.keys:
                already += 1
            elif own is None and (key := mirror.key_of(url)) is not None:
                values[number] = mirror.address(key)
                changed.append(Changed(item, line, url, values[number]))
            else:
                findings.append(_unpublished(item, line, url))
    if not values:
        return Rewritten(None, already=already, findings=tuple(findings))
    try:
        new = replaced(body, values)
    except YamlProblem as err:
        findings.append(_unclear(item, err.line, str(err)))
        return Rewritten(None, already=already, findings=tuple(findings))
    return Rewritten(new, tuple(changed), already, tuple(findings))


def reindexed(index: bytes, bodies: Mapping[str, tuple[bytes, bytes]]) -> tuple[bytes, int, tuple[Finding, ...]]:
    """Return a hub's index with the digests of changed items, how many, and a finding for each that did not fit.

    `bodies` are the old and the new text by path. Digests, and texts where the index has them, are exchanged in place;
    nothing else of its bytes changes.
    """
    fitting, findings = 0, []
    expected = _loaded(index)
    if expected is None:
        return index, 0, (_index("", "it is no index that can be read"),)
    new = index
    for item in _items_of(expected):
        path = item.get("path")
        if not isinstance(path, str) or path not in bodies:
            continue
        old_body, new_body = bodies[path]
        old, digest = hashlib.sha256(old_body).hexdigest(), hashlib.sha256(new_body).hexdigest()
        latest = _latest(item)
        if latest is None or latest.get("digest") not in (old, digest):
            findings.append(_index(path, "the index has another digest of it, so engines would call it tainted"))
            continue
        fitting += 1
        if latest["digest"] == digest:
            continue
        for version in item["versions"].values():
            if isinstance(version, dict) and version.get("digest") == old:
                version["digest"] = digest
        new = new.replace(f'"{old}"'.encode(), f'"{digest}"'.encode())
        told, text = item.get("content"), base64.b64encode(old_body).decode()
        if told == text:
            item["content"] = base64.b64encode(new_body).decode()
            new = new.replace(f'"{text}"'.encode(), f'"{item["content"]}"'.encode())
    if _loaded(new) != expected:
        return index, 0, (_index("", "its digests cannot be exchanged without changing more"),)
    return new, fitting, tuple(findings)


def _latest(item: Mapping[str, Any]) -> dict[str, Any] | None:
    versions, version = item.get("versions"), item.get("version")
    latest = versions.get(version) if isinstance(versions, dict) and isinstance(version, str) else None
    return latest if isinstance(latest, dict) else None


def _items_of(index: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for kind in index.values():
        if isinstance(kind, dict):
            yield from (item for item in kind.values() if isinstance(item, dict))


def _loaded(index: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(index)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _below(base: str, url: str) -> str | None:
    """Return the path of `url` below `base`, unquoted; None where it is not below, or no plain path."""
    try:
        mine, theirs = urlsplit(canonical_url(base)), urlsplit(canonical_url(url))
    except ValueError:
        return None
    prefix, path = unquote(mine.path).rstrip("/") + "/", unquote(theirs.path)
    if (mine.scheme, mine.netloc) != (theirs.scheme, theirs.netloc) or theirs.query or not path.startswith(prefix):
        return None
    return path.removeprefix(prefix)


def _unpublished(item: str, line: int, url: str) -> Finding:
    return Finding(
        item,
        line,
        "rewrite.unpublished",
        Severity.ERROR,
        f"{url[:300]} is left as it is: the mirror publishes no copy of it",
        "have the mirror's job fetch it (see what its last run says of it), then rewrite again",
    )


def _unclear(item: str, line: int | None, why: str) -> Finding:
    return Finding(
        item,
        line,
        "rewrite.unclear",
        Severity.ERROR,
        f"this file is left as it is: {why}",
        "write each source_url out, without an alias",
    )


def _index(item: str, why: str) -> Finding:
    advice = "generate the index anew once the items are rewritten"
    return Finding(item or ".index.json", None, "rewrite.index", Severity.ERROR, why, advice)
