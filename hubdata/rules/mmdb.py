"""Rules of the kind `mmdb`: GeoIP databases, which engines open without a look at their content."""

from hubdata.model.rule import EITHER, ERROR, WARNING, Example, Rule

_DEAD = "The engine cannot open it; when City fails, it skips ASN too, and every alert is without its origin."

_BROKEN = "Download it anew. If the vendor's digest is right, tell the vendor: the message says which byte is wrong."

RULES = (
    Rule(
        "mmdb.no-metadata",
        ERROR,
        f"The file is not a database, or its end is missing. {_DEAD}",
        Example("mmdb", b"<html>502 Bad Gateway</html>\n", note="also a gzip archive, an error in JSON, a file cut"),
        "Download it anew, and look at what the address really serves.",
    ),
    Rule(
        "mmdb.unreadable",
        ERROR,
        f"What the file says of itself cannot be decoded, or does not fit the file: no reader can open it. {_DEAD}",
        Example("mmdb", note="metadata whose map ends early, a tree larger than the file"),
        "Download it anew.",
    ),
    Rule(
        "mmdb.metadata",
        ERROR,
        "What the file says of itself cannot be: readers refuse it, each for what it looks at.",
        Example("mmdb", note="an unknown format version, no description"),
        "Download it anew.",
    ),
    Rule(
        "mmdb.tree",
        ERROR,
        "The tree that look-ups descend is broken: a path leads in a circle, is longer than an address, or ends in the"
        " middle of nowhere. Readers hang, or take for a record what is none; the C reader crashes.",
        Example("mmdb", note="a node that leads to itself"),
        _BROKEN,
    ),
    Rule(
        "mmdb.data",
        ERROR,
        "A field of the data is of no type, runs over its end, or is no text where it must be. Look-ups of some"
        " addresses fail, and the C reader crashes on them.",
        Example("mmdb", note="a text that is longer than the file"),
        _BROKEN,
    ),
    Rule(
        "mmdb.pointer",
        ERROR,
        "A pointer in the data leads outside, into the middle of a field, or back to where it came from. Look-ups fail"
        " or never end, and the C reader crashes.",
        Example("mmdb", note="a map that holds a pointer to itself"),
        _BROKEN,
    ),
    Rule(
        "mmdb.heavy",
        ERROR,
        "One record unfolds into more than any reader should have to bear: a few hundred bytes of pointers to pointers"
        " can stand for gigabytes, and one look-up then fills the memory.",
        Example("mmdb", note="forty maps, each of which points twice to the next"),
        "Do not trust the file: no honest writer makes such records.",
    ),
    Rule(
        "mmdb.type",
        EITHER,
        "Engines load any type under any name without complaint: ASN in the place of City answers every look-up with"
        " nothing. A warning where neither the job nor the file's name says which type is expected.",
        Example("mmdb", note="GeoLite2-ASN published as GeoLite2-City.mmdb"),
        "Publish it under its own name. If the name is meant, set the kind's `edition`.",
    ),
    Rule(
        "mmdb.ip-version",
        EITHER,
        "The tree holds IPv4 alone: no IPv6 visitor gets an answer. A warning where neither the job nor the file's name"
        " says what it is.",
        Example("mmdb", note="a GeoLite2-City whose ip_version is 4"),
        "Download it anew. If the database is meant for IPv4 alone, set the kind's `ip_version = 4`.",
    ),
    Rule(
        "mmdb.languages",
        ERROR,
        "Engines show names in the language they are set to; where the database has none in it, they show nothing.",
        Example("mmdb", options={"languages": ["en", "fr"]}, note="French is expected, and only English there"),
        "Look whether it is the vendor's full build; if its languages have changed, change the kind's `languages`.",
    ),
    Rule(
        "mmdb.coverage",
        ERROR,
        "Too little of the address space has a record: a build that broke off is sound, and answers nothing for most.",
        Example("mmdb", options={"min_ipv4_share": 0.5}, note="one /24, where half of IPv4 is expected"),
        "Look whether the vendor's build is whole; if the database is meant to be so small, lower the share.",
    ),
    Rule(
        "mmdb.build-epoch",
        ERROR,
        "Without a build time nobody can tell an old database from a new one, and data could go back in time unseen.",
        Example("mmdb", note="a build time of 0"),
        "Download it anew.",
    ),
    Rule(
        "mmdb.future",
        ERROR,
        "It says that it was built more than a day from now: the clock is wrong, or it is not from the vendor. Every"
        " right one after it would look older, and be held.",
        Example("mmdb", note="a build time in 2038"),
        "Look at this machine's clock; if that is right, do not trust the file.",
    ),
    Rule(
        "mmdb.too-old",
        EITHER,
        "Networks move between countries and owners every week: old data ban and let in by where somebody used to be."
        " A warning beyond `warn_age_days`.",
        Example("mmdb", options={"max_age_days": 30}, note="built 31 days ago, at most 30 allowed"),
        "Look whether the upstream still updates it, and whether the right file was fetched.",
    ),
    Rule(
        "mmdb.canary",
        ERROR,
        "An address whose answer is known gets another, or none: records that are in range but wrong pass every check"
        " of structure.",
        Example("mmdb", note="8.8.8.8 is not in US"),
        "If the address has moved, change the canary in the job file; else do not trust the file.",
    ),
    Rule(
        "mmdb.unused",
        WARNING,
        "Values that no record is, so that only pointers lead to them, or nodes that no path leads to. Engines can use"
        " the file as it is; some writers leave such things, and the vendor's own verifier would refuse them.",
        Example("mmdb", note="a country that is stored apart from the records that point to it"),
        "Nothing need be done; of a vendor's file, ask the vendor.",
    ),
    Rule(
        "mmdb.c-reader",
        WARNING,
        "Engines can open it, but the C reader will not, nor will any program that uses it.",
        Example("mmdb", note="a node count that is stored as a 16-bit integer"),
        "Tell whoever wrote the file: the specification names 32 bits for the node count and 64 for the build time.",
    ),
)
