"""Rules of the kind `cidr`: networks that an engine asks `IpInRange` about. A row lets visitors pass."""

from hubdata.model.finding import Severity
from hubdata.model.rule import ERROR, WARNING, Example, Rule

RULES = (
    Rule(
        "cidr.syntax",
        ERROR,
        "The engine finds no network in the row, says nothing, and the row never matches: those whom it should let in"
        " are banned.",
        Example("cidr", b"9.9.9.0/255.255.255.0\n"),
        "Write one network a line as 192.0.2.0/24 or 2001:db8::/32: no leading zeros, no netmask, no zone, no name,"
        " no comment behind it.",
    ),
    Rule(
        "cidr.space",
        ERROR,
        "Nothing is trimmed: with white space at an end the row is no network, and never matches.",
        Example("cidr", b"9.9.9.0/24 \n"),
        "Remove the white space.",
    ),
    Rule(
        "cidr.bare-address",
        ERROR,
        "An address without a prefix length is no network: the row never matches.",
        Example("cidr", b"9.9.9.9\n"),
        "Write /32 behind an IPv4 address, /128 behind an IPv6 address.",
    ),
    Rule(
        "cidr.host-bits",
        ERROR,
        "The engine masks the bits beyond the prefix away, so the row lets in the whole network around the one address"
        " that was written.",
        Example("cidr", b"9.9.9.9/24\n"),
        "Write the network (9.9.9.0/24) if it is meant, and 9.9.9.9/32 if the one address is.",
    ),
    Rule(
        "cidr.too-wide",
        ERROR,
        "Every visitor from the network passes unseen. A list with 0.0.0.0/0 in it switches the engine off; a /8 opens"
        " it to a large part of the internet.",
        Example("cidr", b"9.0.0.0/8\n"),
        "List the networks that are really used. If the row is meant, set limits.max_prefix4 or limits.max_prefix6 in"
        " the job file.",
    ),
    Rule(
        "cidr.covers-too-much",
        ERROR,
        "The list as a whole lets in more of the internet than any owner has: 67 million IPv4 addresses, or 32 networks"
        " of /29 in IPv6. Thousands of networks that are narrow enough open the engine as 0.0.0.0/0 does.",
        Example(
            "cidr",
            "".join(f"{first}.0.0.0/13\n" for first in (*range(20, 127), *range(128, 152))).encode(),
            note="131 networks of /13",
        ),
        "See where it comes from; if it is meant, accept it by a waiver in the job file.",
    ),
    Rule(
        "cidr.special-purpose",
        ERROR,
        "No visitor from the internet has such an address, by IANA's special-purpose registries of 2025-10-09, so the"
        " row does nothing at best. Behind a proxy every visitor seems to come from a private one, and passes; tunnels"
        " and translated addresses let in whoever holds the IPv4 address within.",
        Example("cidr", b"10.1.0.0/16\n"),
        "Remove the row, or name the public network that was meant.",
    ),
    Rule(
        "cidr.family",
        ERROR,
        "The list is loaded for one IP version: a row of the other never matches where it stands, and is missing where"
        " it should stand.",
        Example("cidr", b"2620:fe::/48\n", options={"family": "ipv4"}),
        "Move the row to the list of the other family.",
    ),
    Rule(
        "cidr.not-canonical",
        WARNING,
        "Engines read it alike. Two spellings of one network hide duplicates from people, and tools that compare text"
        " see a change where there is none.",
        Example("cidr", b"2620:FE::/48\n"),
        "Write the spelling of RFC 5952: lower case, zeros compressed.",
    ),
    Rule(
        "cidr.covered",
        WARNING,
        "The row lets nobody in who is not in already, and is compared with every visitor all the same. Who removes it"
        " to keep somebody out will be surprised.",
        Example("cidr", b"9.9.9.0/24\n9.9.9.9/32\n"),
        "Remove the narrower row; or the wider one, if only the narrower is meant.",
    ),
    Rule(
        "cidr.mergeable",
        (Severity.INFO,),
        "The rows are together one network, no wider than the floor: engines compare every visitor with each of them.",
        Example("cidr", b"9.9.8.0/24\n9.9.9.0/24\n"),
        "Write the one network in their place, where the list is written by hand.",
    ),
)
