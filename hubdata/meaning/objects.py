"""What files of one JSON object a line mean: spacing and the order of keys say nothing, rows are known by their names.

A row that is no object of its kind is a name of its own, as it stands: it must not disappear from a review.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hubdata.grammar.json_row import RowError, parse_object
from hubdata.grammar.networks import Network, host, parse_address
from hubdata.meaning.difference import cidrs
from hubdata.meaning.lists import network_in, networks_of
from hubdata.meaning.names import Numbered, unreadable
from hubdata.model.meaning import Names, Networks


def objects(rows: Iterable[str]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Yield each row with the object that it holds, None when it is not one."""
    for row in rows:
        try:
            yield row, {member.key: member.value for member in parse_object(row)}
        except RowError:
            yield row, None


def probes(rows: Iterable[str]) -> Names:
    """Return what a `jsonl-uri` list says: each uri with the CVEs it stands for."""
    cves: dict[str, set[str]] = {}
    for row, value in objects(rows):
        if value is not None and _all_texts(value, ("cve", "uri")):
            cves.setdefault(value["uri"], set()).add(value["cve"])
        else:
            cves.setdefault(unreadable(row), set())
    return Names({uri: ", ".join(sorted(ids)) for uri, ids in cves.items()})


def answers(rows: Iterable[str]) -> Names:
    """Return what a `map` file says: each pattern with its answer.

    Of two equal patterns compared as a whole the last wins; among the others the order may decide, so it counts.
    """
    values: dict[str, str] = {}
    ordered: list[str] = []
    unique = Numbered()
    for row, value in objects(rows):
        if value is None or not _all_texts(value, ("pattern", "tag", "type")):
            values[unreadable(row)] = ""
            continue
        name = f"{value['type']} {value['pattern']}"
        if value["type"] != "equals":
            name = unique(name)
            ordered.append(name)
        values[name] = value["tag"]
    return Names(values, tuple(ordered))


def crawlers(rows: Iterable[str]) -> tuple[Networks, Names]:
    """Return whom a `bots` file lets in by address, and everything it says of each crawler, one statement a name."""
    networks: list[Network] = []
    values: dict[str, str] = {}
    unique = Numbered()
    for row, value in objects(rows):
        if value is None or not isinstance(value.get("name"), str):
            values[unreadable(row)] = ""
            continue
        name = unique(value["name"])
        values[name] = ""
        mine = [*_read(value.get("ips"), _address), *_read(value.get("ranges"), network_in)]
        networks += mine
        if mine:
            values[f"{name}: networks"] = ", ".join(cidrs(networks_of(mine)))
        for key, stated in value.items():
            values.update(_statements(name, key, stated))
    return networks_of(networks), Names(values)


def _statements(name: str, key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield what one member of a crawler's object says, networks aside."""
    if key == "name" or (key in ("ips", "ranges") and isinstance(value, list)):
        reader: Callable[[str], Network | None] = _address if key == "ips" else network_in
        unread = (each for each in value if not isinstance(each, str) or reader(each) is None) if key != "name" else ()
        yield from ((f"{name}: {key} {canonical(each)}", "") for each in unread)
    elif isinstance(value, list):
        yield from ((f"{name}: {key} {each if isinstance(each, str) else canonical(each)}", "") for each in value)
    else:
        yield f"{name}: {key}", value if isinstance(value, str) else canonical(value)


def _address(text: str) -> Network | None:
    parsed = parse_address(text)
    return None if parsed is None else host(*parsed)


def _read(value: object, reader: Callable[[str], Network | None]) -> Iterator[Network]:
    if isinstance(value, list):
        found = (reader(text) for text in value if isinstance(text, str))
        yield from (network for network in found if network is not None)


def _all_texts(value: dict[str, Any], keys: tuple[str, ...]) -> bool:
    return value.keys() == set(keys) and all(isinstance(text, str) for text in value.values())


def canonical(value: object) -> str:
    """Return `value` as JSON in its one canonical spelling: keys sorted, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
