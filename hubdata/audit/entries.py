"""Judge one data entry against what is public: whether it is there, whose it is, and whether it is what it declares."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from posixpath import basename

from hubdata.audit.published import Address, Place, Published
from hubdata.grammar.data_entries import Entry
from hubdata.model.finding import Finding, Severity

TYPES: Mapping[str, tuple[str, ...]] = {
    "cidr": ("string",),
    "ip-exact": ("string",),
    "rdns-suffix": ("string",),
    "needle": ("string",),
    "jsonl-uri": ("string",),
    "regexp": ("regexp", "regex"),
    "rdns-regexp": ("regexp", "regex"),
    "map": ("map",),
    "bots": ("bots",),
    "modsec": ("modsec", ""),
    "phrases": ("modsec", ""),
    "mmdb": ("",),
    "json": ("",),
    "opaque": ("",),
}
"""By kind, the types under which an engine loads such a file as the kind has checked it; empty: it loads no lines."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an entry stands: the item's file."""

    key: str
    entry: Entry
    address: Address


def judge_entry(spot: Spot, published: Published) -> Iterator[Finding]:
    """Yield what is wrong with one entry by itself."""
    address = spot.address
    if address.plain_http:
        yield _finding(
            spot,
            "audit.plain-http",
            Severity.WARNING,
            f"{spot.entry.source_url} is downloaded unencrypted: anybody on the way can change it",
            "use https",
        )
    match address.place:
        case Place.NOWHERE if spot.entry.source_url:
            yield _dangling(spot, f"{spot.entry.source_url} is no http or https URL", "name a published file's URL")
        case Place.PUBLISHED if address.key not in published.kinds:
            yield _nothing_there(spot, published)
        case Place.PUBLISHED:
            yield from _wrong_type(spot, published.kinds[address.key])
        case Place.REPOSITORY:
            yield _from_repository(spot, published)
        case Place.ELSEWHERE:
            yield _external(spot, published)


def _nothing_there(spot: Spot, published: Published) -> Finding:
    key = spot.address.key
    below = [known for known in published.kinds if known.startswith(key.rstrip("/") + "/")] if key else []
    if below:
        return _dangling(
            spot, f"{key} is a directory with {len(below)} files, and no file", f"name one of them, such as {below[0]}"
        )
    near = list(published.namesakes(basename(key))) or get_close_matches(key, published.kinds, n=1, cutoff=0.9)
    advice = (
        f"did you mean {near[0]}?" if near else "publish it, or remove the entry: engines log an error at each update"
    )
    return _dangling(spot, f"nothing is published under {key or spot.entry.source_url}", advice)


def _dangling(spot: Spot, message: str, advice: str) -> Finding:
    return _finding(spot, "audit.dangling", Severity.ERROR, message, advice)


def _wrong_type(spot: Spot, kind: str) -> Iterator[Finding]:
    declared, fitting = spot.entry.type, TYPES.get(kind)
    if fitting is None or declared in fitting:
        return
    consequence = _CONSEQUENCE.get(declared, "engines do not know that type, and do not load the file")
    wanted = " or ".join(f"type: {word}" if word else "no type" for word in fitting)
    said = f"type {declared}" if declared else "no type"
    yield _finding(
        spot,
        "audit.type",
        Severity.ERROR,
        f"{said} is declared, but {spot.address.key} is published as {kind}: {consequence}",
        f"declare {wanted}, or change the job's kind and have the file checked as that",
    )


_CONSEQUENCE = {
    "": "engines do not load it at all",
    "string": "its lines become texts to compare, whatever they are",
    "regexp": "each line is compiled as a pattern, and one that does not compile stops the engine",
    "regex": "each line is compiled as a pattern, and one that does not compile stops the engine",
    "map": "each line must be an object with pattern, tag and type, or loading stops",
    "bots": "each line must describe a bot, or loading stops",
    "modsec": "it is not loaded as lines",
}


def _from_repository(spot: Spot, published: Published) -> Finding:
    key = spot.address.key
    candidates = [key] if key in published.kinds else list(published.namesakes(basename(key)))
    if candidates:
        return _copy(spot, candidates, "is read from the repository itself, past every check,")
    return _finding(
        spot,
        "audit.external",
        Severity.WARNING,
        f"{spot.entry.source_url} is read from the data repository, and is not published",
        "have a job publish it, and use that",
    )


def _external(spot: Spot, published: Published) -> Finding:
    fitting = [
        key
        for key in published.namesakes(basename(spot.entry.dest_file), spot.address.name)
        if spot.entry.type in TYPES.get(published.kinds[key], ())
    ]
    if fitting:
        return _copy(spot, fitting, f"comes from {spot.address.host}, which nobody here checks,")
    return _finding(
        spot,
        "audit.external",
        Severity.WARNING,
        f"{spot.entry.source_url} comes from {spot.address.host}: what it serves reaches engines unchecked",
        "mirror it: add the file to the data repository and to a job, and use the published copy",
    )


def _copy(spot: Spot, keys: list[str], how: str) -> Finding:
    return _finding(
        spot,
        "audit.external-copy",
        Severity.WARNING,
        f"{spot.entry.source_url} {how} although a copy is published: {keys[0]}",
        f"compare the two, then use the published {keys[0]}",
    )


def _finding(spot: Spot, rule: str, severity: Severity, message: str, advice: str) -> Finding:
    return Finding(spot.key, spot.entry.line, rule, severity, message, advice)
