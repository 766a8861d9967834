"""What the engine is asked about the files that it has loaded, in its own expression language.

That a file was loaded is proven by asking for what is in it: how many rows the engine holds. What hub items ask about
each event is then asked about an ordinary visitor (`go_regexp.ORDINARY`), whom no list may know, and about each row,
which must be able to match at all.
"""

import ipaddress
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hubdata.gates.candidates import Candidate, Loads, Part
from hubdata.grammar.go_regexp import ORDINARY

NOBODY = ("192.0.2.1", "198.51.100.1", "203.0.113.1", "10.0.0.1", "127.0.0.1", "2001:db8::1", "fd00::1")
"""Addresses that belong to nobody on the internet: a network that holds one of them is not what was meant."""

NAMES = (
    "",
    "host-203-0-113-7.customers.provider.example.",
    "host-203-0-113-7.customers.provider-of-nobody.com.",
    "203.0.113.7.provider-of-nobody.net.",
)
"""Reverse names of ordinary visitors. Most have none; engines then ask about the empty text."""
_ANYWHERE = ("8.8.8.8", "2001:4860:4860::8888")
"""What a look-up in any database must survive."""


@dataclass(frozen=True, slots=True)
class Question:
    """One expression, and its one good answer. Any other is told as `message`, with `{answer}` in it.

    With `rows` the answer is a JSON list of rows, each of which is told by itself. `before` are things to do first, as
    statics of a parser's node.
    """

    candidate: Candidate
    expression: str
    wanted: str
    message: str
    advice: str
    rows: bool = False
    before: tuple[dict[str, str], ...] = ()


def questions(candidate: Candidate, names: "Names") -> Iterator[Question]:
    """Yield all there is to ask about one file; `names` are those it has in the engine's data directory."""
    if candidate.is_database:
        yield from _of_database(candidate)
        return
    yield Question(
        candidate,
        f"len(File({_text(names.lines)}))",
        str(candidate.rows),
        f"the engine holds {{answer}} of its {candidate.rows:,} rows",
        "find out which line ends the reading: mostly one of 65,536 bytes or more",
    )
    if candidate.loads is Loads.REGEXPS:
        yield from _of_regexps(candidate, names.file)
    yield from _of_rows(candidate, names.lines)
    if ranges := names.parts.get(Part.RANGES):
        yield _nobody(candidate, ranges)
    if addresses := names.parts.get(Part.ADDRESSES):
        yield _addresses(candidate, addresses)


@dataclass(frozen=True, slots=True)
class Names:
    """What a file is called for the engine: as what it is, as plain lines, and the lists made of its parts."""

    file: str
    lines: str
    parts: dict[Part, str]


def _of_regexps(candidate: Candidate, name: str) -> Iterator[Question]:
    if candidate.kind == "rdns-regexp":
        asked = [(text or "the empty name of a visitor without one", text) for text in NAMES]
    else:
        asked = [(f"{what} (`{text}`)" if text else what, text) for what, text in ORDINARY]
    tried = " : ".join(f"RegexpInFile({_text(text)}, {_text(name)}) ? {_text(what)}" for what, text in asked)
    yield Question(
        candidate,
        f'{tried} : "nothing ordinary"',
        "nothing ordinary",
        "a row matches {answer}",
        "find the row by `hubdata validate`, and have it say more of what is meant",
    )


def _of_rows(candidate: Candidate, name: str) -> Iterator[Question]:
    match candidate.kind:
        case "cidr":
            yield _nobody(candidate, name)
        case "ip-exact":
            yield _addresses(candidate, name)
        case "rdns-suffix":
            found = _any(f"{_text(text)} endsWith #" for text in NAMES)
            message = "the reverse name of an ordinary visitor ends with it: it lets everybody in"
            yield _bad(candidate, name, found, message, "write the whole domain, as .example.com.")
            message = "it never matches: reverse names end with a dot"
            yield _bad(candidate, name, 'not (# endsWith ".")', message, "end it with a dot")
        case "needle":
            yield from _of_needles(candidate, name)
        case "jsonl-uri":
            message = "the engine reads no `{}` in it"
            advice = "write one object a line, with exactly `cve` and `uri`"
            for key in ("uri", "cve"):
                yield _bad(candidate, name, f'JsonExtract(#, {_text(key)}) == ""', message.format(key), advice)
            escaped = 'JsonExtract(#, "uri") != JsonExtractUnescape(#, "uri")'
            message = "it never matches: the engine looks for its escapes as they stand"
            yield _bad(candidate, name, escaped, message, "write each character of the uri as itself")
        case "map" | "bots":
            keys = ("pattern", "tag", "type") if candidate.kind == "map" else ("name",)
            for key in keys:
                message = f"the engine reads no `{key}` in it"
                yield _bad(candidate, name, f'JsonExtract(#, {_text(key)}) == ""', message, "write it into the object")
        case _:
            return


def _of_needles(candidate: Candidate, name: str) -> Iterator[Question]:
    case = str(candidate.options.get("case", "any"))
    converted = {"lower": "Lower", "upper": "Upper"}.get(case)
    texts = [text for _, text in ORDINARY if text]
    haystacks = [f"{converted}({_text(text)})" if converted else _text(text) for text in texts]
    found = _any(f"{haystack} contains #" for haystack in haystacks)
    message = "it is found in what ordinary visitors send: they are banned"
    yield _bad(candidate, name, found, message, "write more of what is looked for")
    if converted:
        message = f"it is never found: the item brings the request into {case} case first"
        yield _bad(candidate, name, f"{converted}(#) != #", message, f"write it in {case} case")


def _nobody(candidate: Candidate, name: str) -> Question:
    found = _any(f"IpInRange({_text(address)}, #)" for address in NOBODY)
    message = f"it lets in an address that belongs to nobody, one of {', '.join(NOBODY)}"
    return _bad(candidate, name, found, message, "see where it comes from: it holds far more than was meant")


def _addresses(candidate: Candidate, name: str) -> Question:
    """Ask the engine to spell each address itself: lists of addresses are compared as text."""
    spelled = 'IpToRange(#, IsIPV6(#) ? "128" : "32") != # + (IsIPV6(#) ? "/128" : "/32")'
    message = "it never matches: the engine does not spell any address so"
    return _bad(candidate, name, spelled, message, "write one address, in its canonical form")


def _of_database(candidate: Candidate) -> Iterator[Question]:
    city = candidate.loads is Loads.CITY
    method, field = ("GeoIpCity", "IsoCode") if city else ("GeoIpASN", "ASNNumber")
    path = "country.iso_code" if city else "autonomous_system_number"
    canaries = [(c.ip, str(c.expect[path])) for c in candidate.canaries if path in c.expect and _is_address(c.ip)]
    anywhere = (*_ANYWHERE[:1],) if candidate.options.get("ip_version") == 4 else _ANYWHERE
    for ip, wanted in (*canaries, *((ip, "") for ip in anywhere)):
        value = f"evt.Enriched.{field}"
        before = ({"target": value, "value": "no record"}, {"method": method, "expression": _text(ip)})
        if wanted:
            expression = f'{value} == "" ? "nothing" : {value}'
            message = f"asked for {path} of {ip}, the engine answers {{answer}}, not {wanted}"
        else:
            expression = f'{value} == "no record" ? {value} : "a record"'
            message = f"the engine cannot look up {ip}"
        advice = "prove it by `hubdata geoip verify`: it may be cut, swapped or another one"
        yield Question(candidate, expression, wanted or "a record", message, advice, before=before)


def _bad(candidate: Candidate, name: str, condition: str, message: str, advice: str) -> Question:
    expression = f"ToJsonString(filter(File({_text(name)}), {{{condition}}}))"
    return Question(candidate, expression, "[]", message, advice, rows=True)


def _any(conditions: Iterator[str]) -> str:
    return " or ".join(conditions)


def _text(value: Any) -> str:
    """Return a text as the expression language spells it; all of ours are ASCII."""
    return json.dumps(str(value))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
