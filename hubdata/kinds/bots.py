"""Judges a `bots` file: crawlers that an engine lets pass when their user agent and their address or name agree.

The engine asks (user agent and path) and (ip or range or rdns). A line it cannot use stops the loading: the entries
below are lost. Worse is a line that says more than was meant: a range too wide, or an rdns pattern that matches
names anyone can register, lets attackers in under a crawler's name.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar

from hubdata.grammar.breadth import ADVICE, covers_too_much
from hubdata.grammar.entries import too_few
from hubdata.grammar.gather import Gather, shown
from hubdata.grammar.go_regexp import labour, overmatch, regexp_problem
from hubdata.grammar.json_row import Member, element_columns, read_objects
from hubdata.grammar.lines import Row, read_rows
from hubdata.grammar.named import named_networks
from hubdata.grammar.network_finds import Finds
from hubdata.grammar.networks import BITS, Network, address_text, host, masked, parse_address, parse_prefix
from hubdata.grammar.rdns import rdns_labour, rdns_problems
from hubdata.grammar.registries import special_purpose
from hubdata.model.snapshot import Artifact, Stats
from hubdata.ports import Body, Demands, Verdict
from hubdata.tables import BaseModel, ConfigDict
from hubdata.values import frozen

STRINGS = ("name", "user_agent")
LISTS = ("paths", "ips", "ranges", "rdns")
IDENTITIES = ("ips", "ranges", "rdns")
SHORTEST_PREFIX = {4: 13, 6: 29}
"""No crawler's real range is wider (facts); a job may move the floor."""

_HARM = "an engine stops loading here, and this entry and all below it are lost"


class BotsKind:
    """One JSON object a line for each crawler."""

    name: ClassVar[str] = "bots"
    lasting = True
    content_type = "application/x-ndjson"
    max_bytes = 32 << 20

    class Options(BaseModel):
        """No settings."""

        model_config = ConfigDict(extra="forbid")

    def __init__(self, options: Options) -> None:
        self._options = options

    def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
        """Return every finding about the crawlers in `body`, and how many addresses pass by ips and ranges."""
        rows, findings = read_rows(artifact.key, body)
        gather = Gather(artifact.key, self.name)
        floors = {
            4: SHORTEST_PREFIX[4] if demands.limits.max_prefix4 is None else demands.limits.max_prefix4,
            6: SHORTEST_PREFIX[6] if demands.limits.max_prefix6 is None else demands.limits.max_prefix6,
        }
        networks = Finds()
        problems: dict[str, str | None] = {}
        names: dict[str, int] = {}
        for row, members in read_objects(rows, gather, harm=_HARM):
            entry = _Entry(row, gather, floors, networks, problems)
            entry.judge(members)
            if entry.name and names.setdefault(entry.name, row.number) != row.number:
                gather.warning(
                    row.number,
                    "duplicate",
                    f"the name {shown(entry.name)} stands in line {names[entry.name]} already",
                    "merge the two: logs cannot tell them apart",
                )
        ipv4_addresses, ipv6_64s = networks.coverage()
        if not gather.told("too-wide") and (too_much := covers_too_much(ipv4_addresses, ipv6_64s)):
            gather.error(None, "covers-too-much", too_much, ADVICE)
        few = too_few(artifact.key, len(rows), demands.limits)
        named = named_networks(artifact.key, networks, demands.limits)
        return Verdict(gather.findings([*findings, *few, *named]), Stats(len(rows), ipv4_addresses, ipv6_64s))


class _Columns:
    """The columns of one list's elements, looked for only when the first finding needs one."""

    def __init__(self, row: Row, array_column: int) -> None:
        self._row = row
        self._array_column = array_column

    @cached_property
    def all(self) -> list[int]:
        return element_columns(self._row.text, self._array_column)


@frozen
class _Element:
    """One string of a list."""

    text: str
    index: int
    columns: _Columns

    @property
    def column(self) -> int:
        return self.columns.all[self.index]


class _Entry:
    """Judges one crawler's line."""

    def __init__(
        self,
        row: Row,
        gather: Gather,
        floors: dict[int, int],
        networks: Finds,
        problems: dict[str, str | None],
    ) -> None:
        self.name = ""
        self._networks = networks
        self._problems = problems
        self._row = row
        self._gather = gather
        self._floors = floors

    def judge(self, members: tuple[Member, ...]) -> None:
        values: dict[str, Any] = {}
        for member in members:
            if self._known(member):
                values[member.key] = member
        name = values.get("name")
        if name is None or not name.value:
            self._error("name", f"the entry has no name: {_HARM}", "name the crawler", name.value_column if name else 1)
        else:
            self.name = name.value
        if not any(key in values and values[key].value for key in IDENTITIES):
            self._error(
                "no-identity",
                f"none of ips, ranges and rdns says how to recognise the crawler: {_HARM}",
                "add what its owner publishes: a user agent alone is anyone's",
                1,
            )
        self._user_agent(values.get("user_agent"))
        for element in self._elements(values.get("paths")):
            self._pattern("paths", element)
        for element in self._elements(values.get("ips")):
            self._address(element)
        for element in self._elements(values.get("ranges")):
            self._range(element)
        for element in self._elements(values.get("rdns")):
            self._rdns(element)

    def _error(self, problem: str, message: str, advice: str, column: int) -> None:
        self._gather.error(self._row.number, problem, message, advice, column=column)

    def _warning(self, problem: str, message: str, advice: str, column: int) -> None:
        self._gather.warning(self._row.number, problem, message, advice, column=column)

    def _known(self, member: Member) -> bool:
        """Tell whether an engine can use the member, by its key and the type of its value."""
        key, value = member.key, member.value
        if key in STRINGS:
            good = isinstance(value, str)
            expected = "a string"
        elif key in LISTS:
            good = isinstance(value, list) and all(isinstance(item, str) for item in value)
            expected = "a list of strings"
        else:
            lowered = key.lower()
            if lowered in STRINGS or lowered in LISTS:
                message = f"the key {shown(key)} is read as `{lowered}`, because engines ignore its case"
                self._error("key-case", message, f"write `{lowered}`", member.key_column)
            else:
                keys = ", ".join((*STRINGS, *LISTS))
                message = f"the key {shown(key)} is not known: {_HARM}"
                self._error("unknown-key", message, f"known are {keys}", member.key_column)
            return False
        if not good:
            message = f"`{key}` must be {expected}, found {shown(repr(value))}: {_HARM}"
            self._error("type", message, f"write {expected}", member.value_column)
        return good

    def _elements(self, member: Member | None) -> Iterator[_Element]:
        if member is None:
            return
        columns = _Columns(self._row, member.value_column)
        seen: set[str] = set()
        for index, text in self._gather.patient(enumerate(member.value)):
            element = _Element(text, index, columns)
            if text in seen:
                self._warning("repeated", f"{shown(text)} stands twice", "remove one of the two", element.column)
            seen.add(text)
            yield element

    def _user_agent(self, member: Member | None) -> None:
        if member is None or not member.value:
            column = member.value_column if member else 1
            self._warning("any-user-agent", "the entry holds for every user agent", "give its user_agent", column)
            return
        problem = regexp_problem(f"(?i){member.value}")
        self._gather.spend(labour(f"(?i){member.value}"), on=member.value)
        if problem is not None:
            message = f"Go's regexp refuses {shown(member.value)}: {problem}; {_HARM}"
            self._error("regexp", message, "write it in RE2's syntax", member.value_column)
            return
        ordinary = overmatch(member.value, ignore_case=True)
        if ordinary is not None:
            message = f"the user agent {shown(member.value)} matches {ordinary}"
            self._warning("any-user-agent", message, "name the crawler's own token", member.value_column)

    def _pattern(self, key: str, element: _Element) -> bool:
        """Tell whether the element is a pattern that an engine can use."""
        if not element.text:
            self._error("empty", f"`{key}` holds an empty pattern, which matches everything", "fill it", element.column)
            return False
        if element.text not in self._problems:  # of many elements few differ, or the judge gives up
            self._problems[element.text] = regexp_problem(f"(?i){element.text}")
            self._gather.spend(labour(f"(?i){element.text}"), on=element.text)
        problem = self._problems[element.text]
        if problem is not None:
            message = f"Go's regexp refuses {shown(element.text)}: {problem}; {_HARM}"
            self._error("regexp", message, "write it in RE2's syntax", element.column)
        return problem is None

    def _rdns(self, element: _Element) -> None:
        if not self._pattern("rdns", element):
            return
        self._gather.spend(rdns_labour(element.text), on=f"rdns {element.text}")
        for problem in rdns_problems(element.text, False):
            self._gather.add(
                self._row.number,
                f"rdns-{problem.rule}",
                problem.severity,
                problem.message,
                problem.advice,
                column=element.column,
            )

    def _address(self, element: _Element) -> None:
        parsed = parse_address(element.text)
        if parsed is None:
            advice = "write a bare address; a network belongs in `ranges`"
            if "%" in element.text:
                advice = "drop the zone: an address with one never matches"
            self._error("address", f"{shown(element.text)} is not an address: {_HARM}", advice, element.column)
            return
        if element.text != address_text(*parsed):
            message = f"{shown(element.text)} is not the canonical spelling"
            self._warning("not-canonical", message, f"write {address_text(*parsed)}", element.column)
        self._network(host(*parsed), element)

    def _range(self, element: _Element) -> None:
        address, _, length = element.text.partition("/")
        parsed = parse_address(address)
        prefix = None if parsed is None else parse_prefix(length, parsed[0])
        if parsed is None or prefix is None:
            advice = "write a network as 192.0.2.0/24"
            if parsed is not None and not length:
                advice = f"write {host(*parsed)}, or move it to `ips`"
            self._error("range", f"{shown(element.text)} is not a network: {_HARM}", advice, element.column)
            return
        network = masked(*parsed, prefix)
        if network.first != parsed[1]:
            message = f"{shown(element.text)} has bits set beyond its prefix: an engine lets all of {network} in"
            advice = f"write {network} if the network is meant, {host(*parsed)} if the one address is"
            self._error("host-bits", message, advice, element.column)
        elif element.text != str(network):
            message = f"{shown(element.text)} is not the canonical spelling"
            self._warning("not-canonical", message, f"write {network}", element.column)
        self._network(network, element)

    def _network(self, network: Network, element: _Element) -> None:
        self._networks.add(self._row.number, network)
        floor = self._floors[network.version]
        if network.prefix < floor:
            message = (
                f"{network} holds 2**{BITS[network.version] - network.prefix} addresses;"
                f" the widest allowed is a /{floor}"
            )
            advice = (
                "list the networks that are really used; if it is meant, set"
                f" limits.max_prefix{network.version} in the job file"
            )
            self._error("too-wide", message, advice, element.column)
        special = special_purpose(network)
        if special:
            message = f"{network} {special}: no crawler comes from there"
            self._error("special-purpose", message, "remove it, or name the public network meant", element.column)
