"""The manifest: what is public, with sizes, digests and origins. `manifest.json` at a target's root.

Swapping it is the commit point of a publication, so it names only objects that are already in place.
Format: CONTRACT.md, "At the target".
"""

import json
from collections.abc import Mapping
from dataclasses import field
from io import BytesIO
from json.encoder import encode_basestring as _quoted
from typing import Any

from hubdata.errors import TargetError
from hubdata.model.snapshot import Provenance, Stats
from hubdata.model.stage import Promoted
from hubdata.values import frozen

SCHEMA = 1
KEY = "manifest.json"

_COUNTED = ("entries", "ipv4_addresses", "ipv6_64s", "build_epoch")

ABSENT = "absent"
"""What stands for a key's bytes where there are none."""


@frozen
class Entry:
    """One published file. `etag` is as the store gave it, unquoted; `changed_at` is UTC, `YYYY-MM-DDTHH:MM:SSZ`.

    `cache_tag` is the tag that the object was put with while its CDN read tags; empty where nobody can say so.
    """

    size: int
    sha256: str
    kind: str
    job: str
    etag: str
    version_id: str | None
    changed_at: str
    content_type: str
    cache_control: str
    source: Provenance
    stats: Stats = Stats()
    cache_tag: str = ""


@frozen
class Manifest:
    """A generation: everything public at one moment. Generation 0 is a target that holds nothing yet.

    `withdrawn` are by key the SHA-256 (or ABSENT) of what rollbacks have taken back, and that nobody let out since.

    `promoted` is what was promoted to here last, where the target is a stage.
    """

    generation: int = 0
    published_at: str = ""
    run_id: str = ""
    files: Mapping[str, Entry] = field(default_factory=dict)
    withdrawn: Mapping[str, tuple[str, ...]] = field(default_factory=dict, kw_only=True)
    promoted: Promoted | None = None

    def to_bytes(self) -> bytes:
        """Return the canonical JSON: keys sorted, two spaces, a final line feed."""
        around = {
            "schema": SCHEMA,
            "generation": self.generation,
            "published_at": self.published_at,
            "run_id": self.run_id,
            "files": {},
            **({"withdrawn": {key: list(states) for key, states in self.withdrawn.items()}} if self.withdrawn else {}),
            **({} if self.promoted is None else {"promoted": _promoted_json(self.promoted)}),
        }
        before, empty, after = (_text(around, "") + "\n").partition('\n  "files": {}')
        if not self.files:
            return (before + empty + after).encode()
        shared: dict[int, str] = {}
        body = BytesIO()  # it gives its bytes away uncopied: of a large manifest there is one
        body.write(f'{before}\n  "files": {{'.encode())
        comma = ""
        for key in sorted(self.files):
            body.write(f"{comma}\n    {_quoted(key)}: {_entry_text(self.files[key], shared)}".encode())
            comma = ","
        body.write(f"\n  }}{after}".encode())
        return body.getvalue()

    @staticmethod
    def from_bytes(body: bytes) -> "Manifest":
        """Return the manifest that `body` holds; unknown fields are left out.

        Raises TargetError when it is not a manifest of this schema: somebody else wrote it, so nothing may be planned.
        """
        try:
            data = json.loads(body, object_hook=_Entries().slim)
            if data["schema"] != SCHEMA:
                raise TargetError(
                    f"{KEY}: expected schema {SCHEMA}, found {data['schema']!r}",
                    advice="a newer hubdata wrote it: update this one",
                )
            return Manifest(
                generation=int(data["generation"]),
                published_at=str(data["published_at"]),
                run_id=str(data["run_id"]),
                files=_files(data["files"]),
                withdrawn={key: _states(value) for key, value in data.get("withdrawn", {}).items()},
                promoted=_promoted(data.get("promoted")),
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as err:
            raise TargetError(
                f"{KEY}: this is not a hubdata manifest ({type(err).__name__}: {err})",
                advice=f"restore the last good {KEY} from the store's versions, or remove it to adopt what is there",
            ) from err


class _Entries:
    """Makes entries while the JSON is read, and says what many have in common once.

    A manifest of 100,000 files takes a third of the memory so: no tree of it all ever stands beside the entries.
    """

    def __init__(self) -> None:
        self._words: dict[str, str] = {}
        self._origins: dict[tuple[tuple[str, str], ...], Provenance] = {}
        self._counts: dict[tuple[int | None, ...], Stats] = {}

    def slim(self, data: dict[str, Any]) -> Any:
        """Return the entry that an object of the JSON is; the object where it is none, or not a right one."""
        if "changed_at" not in data or "sha256" not in data:
            return data
        try:
            return self._entry(data)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            return data  # what is wrong with it is told where entries belong

    def _entry(self, data: Mapping[str, Any]) -> Entry:
        return Entry(
            size=int(data["size"]),
            sha256=str(data["sha256"]),
            kind=self._word(data["kind"]),
            job=self._word(data["job"]),
            etag=str(data["etag"]),
            version_id=None if data["version_id"] is None else str(data["version_id"]),
            changed_at=self._word(data["changed_at"]),
            content_type=self._word(data["content_type"]),
            cache_control=self._word(data.get("cache_control", "")),
            source=self._source(data["source"]),
            stats=self._stats(data.get("stats", {})),
            cache_tag=self._word(data.get("cache_tag", "")),
        )

    def _word(self, value: Any) -> str:
        return self._words.setdefault(word := str(value), word)

    def _source(self, data: Mapping[str, Any]) -> Provenance:
        words = tuple((self._word(name), self._word(value)) for name, value in data.items())
        return self._origins.get(words) or self._origins.setdefault(words, dict(words))

    def _stats(self, data: Mapping[str, Any]) -> Stats:
        counts = tuple(_count(data.get(name)) for name in _COUNTED)
        return self._counts.get(counts) or self._counts.setdefault(counts, Stats(*counts))


def _files(data: dict[str, Any]) -> Mapping[str, Entry]:
    """Return `data`, whose values are entries. Raises what a value that is none is wrong in."""
    for value in data.values():
        if not isinstance(value, Entry):
            _Entries()._entry(value)
            raise TypeError(f"expected an entry, found {value!r:.80}")
    return data


def _promoted_json(promoted: Promoted) -> dict[str, Any]:
    partial = {"partial": True} if promoted.partial else {}
    return {"from": promoted.source, "generation": promoted.generation, **partial}


def _promoted(data: Mapping[str, Any] | None) -> Promoted | None:
    if data is None:
        return None
    return Promoted(str(data["from"]), int(data["generation"]), partial=bool(data.get("partial", False)))


def _states(data: Any) -> tuple[str, ...]:
    if not isinstance(data, list):
        raise TypeError(f"expected a list of digests, found {data!r}")
    return tuple(str(state) for state in data)


def _text(value: Any, indent: str) -> str:
    """Return the canonical JSON of a value whose lines begin with `indent`."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    return text.replace("\n", f"\n{indent}") if indent else text


def _entry_text(entry: Entry, shared: dict[int, str]) -> str:
    """Return the canonical JSON of one entry, as `json.dumps` has it, in a tenth of its time and memory.

    `shared` keeps the text of what many entries have in common, by identity: they all live as long as the manifest.
    """
    origin, counted = shared.get(id(entry.source)), shared.get(id(entry.stats))
    if origin is None:
        origin = shared[id(entry.source)] = _text(dict(entry.source), "      ")
    if counted is None:
        counts = ((name, getattr(entry.stats, name)) for name in _COUNTED)
        counted = shared[id(entry.stats)] = _text({name: n for name, n in counts if n is not None}, "      ")
    tag = f'\n      "cache_tag": {_quoted(entry.cache_tag)},' if entry.cache_tag else ""
    version = "null" if entry.version_id is None else _quoted(entry.version_id)
    return (
        f'{{\n      "cache_control": {_quoted(entry.cache_control)},{tag}'
        f'\n      "changed_at": {_quoted(entry.changed_at)},'
        f'\n      "content_type": {_quoted(entry.content_type)},'
        f'\n      "etag": {_quoted(entry.etag)},'
        f'\n      "job": {_quoted(entry.job)},'
        f'\n      "kind": {_quoted(entry.kind)},'
        f'\n      "sha256": {_quoted(entry.sha256)},'
        f'\n      "size": {entry.size:d},'
        f'\n      "source": {origin},'
        f'\n      "stats": {counted},'
        f'\n      "version_id": {version}\n    }}'
    )


def _count(value: Any) -> int | None:
    if value is not None and type(value) is not int:
        raise TypeError(f"expected a whole number, found {value!r}")
    return value
