"""The kind `ip-exact`: addresses that an engine compares with the visitor's as text (`ip in File(...)`).

Only the canonical spelling ever matches, so everything else is an error here: a network, capitals, white space.
"""

from typing import ClassVar, Literal

from hubdata.grammar.entries import too_few
from hubdata.grammar.gather import Gather, shown
from hubdata.grammar.lines import Row
from hubdata.grammar.named import named_in, named_networks
from hubdata.grammar.network_rows import Wanted, read_networks
from hubdata.grammar.networks import Network, address_text, host, parse_address, parse_prefix
from hubdata.grammar.registries import special_purpose
from hubdata.model.snapshot import Artifact, Stats
from hubdata.ports import Body, Demands, Verdict
from hubdata.tables import BaseModel, ConfigDict

_NO_FLOORS = {4: 0, 6: 0}


class IpExactKind:
    """Bare addresses, one a line, each exactly as an engine writes it."""

    name: ClassVar[str] = "ip-exact"
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
        """Return every finding about the addresses in `body`, and how many they are."""
        gather = Gather(artifact.key, self.name)
        listing = read_networks(artifact.key, body, Wanted(bare=True, version=self._version, floors=_NO_FLOORS))
        for row in gather.patient(listing.suspects()):
            if row.text.isspace():
                continue  # told already
            address = _parse(row, gather)
            if address is not None:
                listing.found.append((row, address))
                self._judge(row, address, gather)
        whole = listing.whole()
        few = too_few(artifact.key, listing.entries, demands.limits)
        named = named_networks(artifact.key, whole.overlapping(named_in(demands.limits)), demands.limits)
        stats = Stats(listing.entries, *whole.coverage())
        return Verdict(gather.findings([*whole.text, *few, *named]), stats)

    def _judge(self, row: Row, address: Network, gather: Gather) -> None:
        if self._version not in (None, address.version):
            gather.error(
                row.number,
                "family",
                f"expected IPv{self._version} only, found {shown(row.text)}",
                "move it to the list of the other family",
            )
        special = special_purpose(address)
        if special:
            gather.error(
                row.number,
                "special-purpose",
                f"{shown(row.text)} {special}: no visitor comes from there",
                "remove it, or name the public address that was meant",
            )


def _parse(row: Row, gather: Gather) -> Network | None:
    """Return the row's address as a network of one, its spelling judged; None when there is no single address in it."""
    text = row.text.strip()
    if text != row.text:
        gather.error(row.number, "space", f"white space in {shown(row.text)} keeps it from matching", "remove it")
    parsed = parse_address(text)
    if parsed is None:
        _judge_other(row, text, gather)
        return None
    canonical = address_text(*parsed)
    if canonical != text:
        gather.error(
            row.number,
            "not-canonical",
            f"{shown(text)} is not the canonical spelling: compared as text it never matches",
            f"write {canonical}",
        )
    return host(*parsed)


def _judge_other(row: Row, text: str, gather: Gather) -> None:
    address, slash, length = text.partition("/")
    parsed = parse_address(address)
    if parsed is not None and slash and parse_prefix(length, parsed[0]) is not None:
        gather.error(
            row.number,
            "network",
            f"{shown(text)} is a network: this list is compared as text with one address, so it never matches",
            "write the addresses themselves; or ask the item's author for IpInRange, and give the file the kind `cidr`",
        )
        return
    gather.error(
        row.number,
        "syntax",
        f"{shown(text)} is not an address",
        "write one bare address a line, as 192.0.2.1 or 2001:db8::1: no leading zeros, no zone, no comment behind it",
    )
