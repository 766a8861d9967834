"""The kind `cidr`: networks that an engine asks `IpInRange(ip, row)` about, row by row.

Such a list lets visitors pass, so the danger is a row that says more than its author meant: host bits (the engine
masks them away and lets the whole network in), a network too wide, or one that is nobody's public address. A bare
address, a netmask or a stray space makes a row that never matches. Letters in capitals and zeros not compressed
are read alike by every engine: a warning.
"""

from typing import ClassVar, Literal

from hubdata.grammar.breadth import ADVICE, covers_too_much
from hubdata.grammar.entries import too_few
from hubdata.grammar.gather import Gather, shown
from hubdata.grammar.lines import Row
from hubdata.grammar.named import named_in, named_networks
from hubdata.grammar.network_rows import Wanted, Whole, read_networks
from hubdata.grammar.networks import BITS, Network, host, masked, parse_address, parse_prefix
from hubdata.grammar.registries import special_purpose
from hubdata.model.finding import Severity
from hubdata.model.job import Limits
from hubdata.model.snapshot import Artifact, Stats
from hubdata.ports import Body, Demands, Verdict
from hubdata.tables import BaseModel, ConfigDict

SHORTEST_PREFIX = {4: 13, 6: 29}
"""Wider networks than these are in no real list of today (facts); a job may move the floor."""


class CidrKind:
    """Networks, one a line, each in its canonical spelling."""

    name: ClassVar[str] = "cidr"
    lasting = True
    content_type = "text/plain; charset=utf-8"
    max_bytes = 32 << 20

    class Options(BaseModel):
        """`family`: the one IP version that the list may hold; both when it is left out."""

        model_config = ConfigDict(extra="forbid")

        family: Literal["ipv4", "ipv6"] | None = None

    def __init__(self, options: Options) -> None:
        self._version = None if options.family is None else int(options.family[-1])

    def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
        """Return every finding about the networks in `body`, and how much they cover."""
        gather = Gather(artifact.key, self.name)
        floors = _floors(demands.limits)
        listing = read_networks(artifact.key, body, Wanted(bare=False, version=self._version, floors=floors))
        for row in gather.patient(listing.suspects()):
            if row.text.isspace():
                continue  # told already
            network = _parse(row, gather)
            if network is not None:
                listing.found.append((row, network))
                self._judge(row, network, floors, gather)
        whole = listing.whole()
        _compare(whole, floors, gather)
        few = too_few(artifact.key, listing.entries, demands.limits)
        named = named_networks(artifact.key, whole.overlapping(named_in(demands.limits)), demands.limits)
        stats = Stats(listing.entries, *(covered := whole.coverage()))
        if not gather.told("too-wide") and (too_much := covers_too_much(*covered)):
            gather.error(None, "covers-too-much", too_much, ADVICE)
        return Verdict(gather.findings([*whole.text, *few, *named]), stats)

    def _judge(self, row: Row, network: Network, floors: dict[int, int], gather: Gather) -> None:
        if self._version not in (None, network.version):
            gather.error(
                row.number,
                "family",
                f"expected IPv{self._version} only, found {shown(row.text)}",
                "move it to the list of the other family",
            )
        floor = floors[network.version]
        if network.prefix < floor:
            gather.error(
                row.number,
                "too-wide",
                f"{network} holds 2**{BITS[network.version] - network.prefix} addresses;"
                f" the widest allowed is a /{floor}",
                "list the networks that are really used; if it is meant, set"
                f" limits.max_prefix{network.version} in the job file",
            )
        special = special_purpose(network)
        if special:
            gather.error(
                row.number,
                "special-purpose",
                f"{network} {special}: no visitor comes from there",
                "remove it, or name the public network that was meant",
            )


def _compare(whole: Whole, floors: dict[int, int], gather: Gather) -> None:
    """Tell which rows change nothing, or would with others be one."""
    covered = whole.covered()
    for inner in covered.first:
        what = "is the same network as" if inner.network == inner.by else f"lies in {inner.by} of"
        gather.warning(
            inner.line,
            "covered",
            f"{inner.network} {what} line {inner.by_line}: it lets nobody in who is not in already",
            "remove one of the two",
        )
    gather.count("covered", covered.total - len(covered.first))
    mergeable = whole.mergeable(floors)
    for part in mergeable.first:
        gather.add(
            part.line,
            "mergeable",
            Severity.INFO,
            f"this row and {_others(part.rows - 1, part.last_line)} are together {part.network}",
            "write that network in their place: engines compare the visitor with every row",
        )
    gather.count("mergeable", mergeable.total - len(mergeable.first))


def _others(count: int, last_line: int) -> str:
    return f"line {last_line}" if count == 1 else f"{count} others, the last in line {last_line},"


def _floors(limits: Limits) -> dict[int, int]:
    four = SHORTEST_PREFIX[4] if limits.max_prefix4 is None else limits.max_prefix4
    six = SHORTEST_PREFIX[6] if limits.max_prefix6 is None else limits.max_prefix6
    return {4: four, 6: six}


def _parse(row: Row, gather: Gather) -> Network | None:
    """Return the row's network, its spelling judged; None when an engine would not find a network in it."""
    text = row.text.strip()
    if text != row.text:
        gather.error(row.number, "space", f"white space in {shown(row.text)} keeps it from matching", "remove it")
    address, slash, length = text.partition("/")
    parsed = parse_address(address)
    if parsed is not None and not slash:
        gather.error(
            row.number,
            "bare-address",
            f"{shown(text)} is an address without a prefix length: an engine reads no network and never matches",
            f"write {host(*parsed)}",
        )
        return host(*parsed)
    prefix = None if parsed is None else parse_prefix(length, parsed[0])
    if parsed is None or prefix is None:
        gather.error(row.number, "syntax", f"{shown(text)} is not a network", _syntax_advice(text))
        return None
    network = masked(*parsed, prefix)
    if network.first != parsed[1]:
        gather.error(
            row.number,
            "host-bits",
            f"{shown(text)} has bits set beyond its prefix: an engine lets all of {network} in",
            f"write {network} if the network is meant, {host(*parsed)} if the one address is",
        )
    elif text != str(network):
        gather.warning(row.number, "not-canonical", f"{shown(text)} is not the canonical spelling", f"write {network}")
    return network


def _syntax_advice(text: str) -> str:
    if "#" in text:
        return "a comment must stand on a line of its own, `#` first"
    if "," in text or ";" in text or " " in text:
        return "write one network a line"
    return "write it as 192.0.2.0/24 or 2001:db8::/32: no leading zeros, no netmask, no zone, no name"
