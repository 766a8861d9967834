"""From data entries to what is fetched: each address once, and a finding for every entry that comes to none.

Pure: entries in, addresses and findings out.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from hubdata.errors import SourceError
from hubdata.model.finding import Finding, Severity
from hubdata.sources.hub.addresses import Address, Rules, Unusable, sharing
from hubdata.sources.hub.items import Named


@dataclass(frozen=True, slots=True)
class Meant:
    """What is to be fetched, what is not and why, and the keys of what lost its place to another."""

    addresses: tuple[Address, ...]
    findings: tuple[Finding, ...]
    displaced: frozenset[str] = frozenset()


def addresses_of(named: Iterable[Named], rules: Rules, published: Mapping[str, str], max_files: int) -> Meant:
    """Return every address that items name, in the order of their keys. `published` are URLs by key.

    Raises SourceError beyond `max_files`.
    """
    first: dict[Address, Named] = {}
    unusable: dict[str, Finding] = {}
    by_name: dict[str, dict[str, Named]] = {}
    for each in named:
        url = each.entry.source_url
        if not url:
            continue  # found already: an entry without one is malformed
        by_name.setdefault(each.entry.dest_file, {}).setdefault(url, each)
        try:
            first.setdefault(rules.address(url), each)
        except Unusable as err:
            unusable.setdefault(url, _finding(each, "hub.url", f"{_shown(url)}: {err}", err.advice))
        if len(first) > max_files:
            raise _too_many(max_files)
    lost = sharing(first, published)
    clashes = tuple(
        _finding(
            first[each],
            "hub.same-key",
            f"{each.url} would be published as {each.key}, in the way of {other.url}, which is {other.key}",
            'give one of them a key of its own in [source.keys], as "URL" = "key"',
        )
        for each, other in lost.items()
    )
    return Meant(
        tuple(sorted((each for each in first if each not in lost), key=lambda each: each.key)),
        (*unusable.values(), *clashes, *_same_names(by_name)),
        frozenset(each.key for each in lost),
    )


def _same_names(by_name: Mapping[str, Mapping[str, Named]]) -> Iterator[Finding]:
    """Yield a warning for each file of an engine's that two items download from two places."""
    for dest, urls in by_name.items():
        if dest and len(urls) > 1:
            each, other = list(urls.items())[:2]
            said = f"dest_file {dest[:200]} comes from {_shown(each[0])} here and from {_shown(other[0])} in"
            yield Finding(
                each[1].item,
                each[1].entry.line,
                "hub.same-dest",
                Severity.WARNING,
                f"{said} {other[1].item}: whichever an engine downloads last, both items read",
                "both are mirrored; have the items give the files different names",
            )


def _finding(named: Named, rule: str, message: str, advice: str) -> Finding:
    return Finding(named.item, named.entry.line, rule, Severity.ERROR, message, advice)


def _shown(url: str) -> str:
    """Return a URL that may be anything, fit for a message: no password, bounded, printable."""
    head, at, tail = url.rpartition("@")
    scheme = head.partition("://")[0] + "://...@" if at and "://" in head else ""
    text = (scheme + tail if scheme else url).encode("ascii", "backslashreplace").decode()
    text = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
    return text if len(text) <= 300 else f"{text[:300]}..."


def _too_many(most: int) -> SourceError:
    return SourceError(
        f"hub: expected at most {most:,} data files, found more",
        advice="see whether it is a hub; if all of this is meant, raise `max_files` in the job",
    )
