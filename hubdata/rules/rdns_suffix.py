"""Rules of the kind `rdns-suffix`: ends of reverse-DNS names that an engine lets in."""

from hubdata.model.rule import ERROR, Example, Rule

RULES = (
    Rule(
        "rdns-suffix.syntax",
        ERROR,
        "No name ends with this text, so the row never matches.",
        Example("rdns-suffix", b".googlebot.com. # Google\n"),
        "Write it as .name.tld. without spaces, patterns or a comment behind it.",
    ),
    Rule(
        "rdns-suffix.too-broad",
        ERROR,
        "A single dot is the end of every name: every visitor with a reverse name is let in. A top level such as"
        " .com. lets in whoever registers a name below it.",
        Example("rdns-suffix", b".\n"),
        "Name the owner's own domain, as .googlebot.com.",
    ),
    Rule(
        "rdns-suffix.no-leading-dot",
        ERROR,
        "Without its first dot the row is also the end of longer names: googlebot.com. is the end of"
        " evilgooglebot.com., which is for sale.",
        Example("rdns-suffix", b"googlebot.com.\n"),
        "Begin the row with a dot.",
    ),
    Rule(
        "rdns-suffix.no-final-dot",
        ERROR,
        "Names end with a dot here, so the row never matches, and those whom it should let in are banned.",
        Example("rdns-suffix", b".googlebot.com\n"),
        "End the row with a dot.",
    ),
    Rule(
        "rdns-suffix.case",
        ERROR,
        "Names are compared in lower case: a capital letter keeps the row from ever matching.",
        Example("rdns-suffix", b".GoogleBot.com.\n"),
        "Write it in lower case.",
    ),
    Rule(
        "rdns-suffix.rented",
        ERROR,
        "Whoever rents an address or registers a name there has a name with this end, and is let in: hosters, access"
        " providers, dynamic DNS.",
        Example("rdns-suffix", b".compute.amazonaws.com.\n"),
        "Name the owner's own domain.",
    ),
)
