"""Rules of the kind `ip-exact`: addresses that an engine compares with the visitor's as text."""

from hubdata.model.rule import ERROR, Example, Rule

RULES = (
    Rule(
        "ip-exact.syntax",
        ERROR,
        "The row equals no visitor's address and never matches; nothing is reported.",
        Example("ip-exact", b"9.9.9.9 # resolver\n"),
        "Write one bare address a line: no leading zeros, no zone, no comment behind it.",
    ),
    Rule(
        "ip-exact.space",
        ERROR,
        "The row is compared with its white space, and never matches.",
        Example("ip-exact", b"9.9.9.9 \n"),
        "Remove the white space.",
    ),
    Rule(
        "ip-exact.network",
        ERROR,
        "`ip in File(...)` compares text: a network equals no address, so none of its addresses is let in.",
        Example("ip-exact", b"9.9.9.0/24\n"),
        "Write the addresses themselves; or ask the item's author for IpInRange, and give the file the kind `cidr`.",
    ),
    Rule(
        "ip-exact.not-canonical",
        ERROR,
        "The engine spells the visitor's address canonically, so that any other spelling never matches.",
        Example("ip-exact", b"2620:FE::FE\n"),
        "Write the spelling of RFC 5952: lower case, zeros compressed.",
    ),
    Rule(
        "ip-exact.special-purpose",
        ERROR,
        "No visitor from the internet has such an address, by IANA's special-purpose registries of 2025-10-09; behind a"
        " proxy all of them seem to, and pass.",
        Example("ip-exact", b"127.0.0.1\n"),
        "Remove the row, or name the public address that was meant.",
    ),
    Rule(
        "ip-exact.family",
        ERROR,
        "The list is used for one IP version: a row of the other never matches.",
        Example("ip-exact", b"2620:fe::fe\n", options={"family": "ipv4"}),
        "Move the row to the list of the other family.",
    ),
)
