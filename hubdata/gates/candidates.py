"""Decide which files of a candidate tree an engine can be asked about, and as what it loads each of them.

The job files say what kind a file is, and the kind says how hub items load it. What the engine in Debian (1.4) does
not know is loaded as the next thing that it does know: `map` and `bots` as lines, with their regular expressions
gathered into a list of their own; phrase files as lines. Firewall rules (`modsec`) and files that nothing reads line by
line are left out, and said to be.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hubdata.model.job import Canary, Job, Options
from hubdata.model.snapshot import SourceFile
from hubdata.planning.claims import ignored, rule_for


class Loads(StrEnum):
    """As what the engine loads a file: two types of `data`, and the two databases of its GeoIP enrichment."""

    REGEXPS = "regexp"
    LINES = "string"
    CITY = "GeoLite2-City.mmdb"
    ASN = "GeoLite2-ASN.mmdb"


_LOADS = {
    "regexp": Loads.REGEXPS,
    "rdns-regexp": Loads.REGEXPS,
    "cidr": Loads.LINES,
    "ip-exact": Loads.LINES,
    "rdns-suffix": Loads.LINES,
    "needle": Loads.LINES,
    "jsonl-uri": Loads.LINES,
    "map": Loads.LINES,
    "bots": Loads.LINES,
    "phrases": Loads.LINES,
}
_LEFT = {
    "modsec": "this engine has no firewall to load rules",
    "json": "no engine loads it",
    "opaque": "no engine loads it",
}


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A file for the engine. `rows` is how many data rows its lines should give; 0 for a database."""

    key: str
    path: Path
    kind: str
    loads: Loads
    options: Options
    rows: int = 0
    canaries: tuple[Canary, ...] = ()

    @property
    def is_database(self) -> bool:
        """Tell whether it is opened as a GeoIP database; anything else is read line by line."""
        return self.loads in (Loads.CITY, Loads.ASN)


@dataclass(frozen=True, slots=True)
class Sorted:
    """The files for the engine; those it cannot be asked about, with the reason; and those of no known kind, by key."""

    candidates: tuple[Candidate, ...]
    left: tuple[tuple[str, str], ...]
    unknown: tuple[str, ...]


def sort_files(jobs: tuple[Job, ...], files: tuple[SourceFile, ...]) -> Sorted:
    """Return what becomes of each file. Raises OSError when one cannot be read."""
    found: list[Candidate] = []
    left: list[tuple[str, str]] = []
    unknown = []
    for file in sorted(files, key=lambda each: each.key):
        job = next((job for job in jobs if rule_for(job, file.key)), None)
        rule = rule_for(job, file.key) if job else None
        if job is None or rule is None:
            if ignored(jobs, file.key):
                left.append((file.key, "the jobs ignore it"))
            else:
                unknown.append(file.key)
            continue
        loads = _database(file.key, rule.options) if rule.kind == "mmdb" else _LOADS.get(rule.kind)
        if loads is None:
            left.append((file.key, _LEFT.get(rule.kind, "this engine opens City and ASN databases only")))
            continue
        canaries = tuple(c for c in job.canaries if c.edition in (None, Path(file.key).stem))
        if loads in (Loads.CITY, Loads.ASN):
            found.append(Candidate(file.key, file.path, rule.kind, loads, rule.options, canaries=canaries))
        else:
            rows = sum(1 for _ in data_rows(file.path))
            found.append(Candidate(file.key, file.path, rule.kind, loads, rule.options, rows))
    return Sorted(tuple(found), tuple(left), tuple(unknown))


def _database(key: str, options: Options) -> Loads | None:
    edition = str(options.get("edition") or Path(key).stem)
    if "ASN" in edition:
        return Loads.ASN
    return Loads.CITY if "City" in edition else None


def data_rows(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the rows that an engine takes from a file, each with its line number: split at LF, one CR dropped."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            row = line.removesuffix(b"\n").removesuffix(b"\r")
            if row and row[:1] != b"#":
                yield number, row


class Part(StrEnum):
    """What a row of JSON holds that the engine can judge by itself; the type it is loaded as is `PART_LOADS`."""

    REGEXPS = "regexps"
    RANGES = "ranges"
    ADDRESSES = "addresses"


PART_LOADS = {Part.REGEXPS: Loads.REGEXPS, Part.RANGES: Loads.LINES, Part.ADDRESSES: Loads.LINES}


def parts(candidate: Candidate, part: Part) -> Iterator[tuple[int, str]]:
    """Yield each text of that part within a `map` or `bots` file, with the line it stands in."""
    take = _TAKE.get((candidate.kind, part))
    if take is None:
        return
    for number, row in data_rows(candidate.path):
        try:
            value = json.loads(row)
        except (ValueError, RecursionError):
            continue  # what the engine says of the row itself is asked elsewhere
        if isinstance(value, dict):
            yield from ((number, text) for text in take(value) if isinstance(text, str) and _fits_a_line(text))


def _fits_a_line(text: str) -> bool:
    return "\n" not in text and text != "" and text.isprintable()


def _pattern(entry: dict[str, object]) -> Iterator[object]:
    if entry.get("type") == "regex":
        yield entry.get("pattern")


def _listed(*names: str) -> Callable[[dict[str, object]], Iterator[object]]:
    def take(entry: dict[str, object]) -> Iterator[object]:
        for name in names:
            value = entry.get(name)
            yield from value if isinstance(value, list) else (value,)

    return take


_TAKE: dict[tuple[str, Part], Callable[[dict[str, object]], Iterator[object]]] = {
    ("map", Part.REGEXPS): _pattern,
    ("bots", Part.REGEXPS): _listed("user_agent", "paths", "rdns"),
    ("bots", Part.RANGES): _listed("ranges"),
    ("bots", Part.ADDRESSES): _listed("ips"),
}
