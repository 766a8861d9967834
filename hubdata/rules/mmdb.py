"""Rules of the kind `mmdb`: GeoIP databases, which engines open without a look at their content."""

from hubdata.model.rule import ERROR, Example, Rule

_DEAD = "The engine cannot open it; when City fails, it skips ASN too, and every alert is without its origin."

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
        f"No reader can open it; the C reader may even crash on it. {_DEAD}",
        Example("mmdb", note="metadata whose map ends early"),
        "Download it anew.",
    ),
    Rule(
        "mmdb.metadata",
        ERROR,
        "What the file says of itself cannot be: readers refuse it, or read beyond its end.",
        Example("mmdb", note="a tree larger than the file, an unknown format version, no description"),
        "Download it anew.",
    ),
    Rule(
        "mmdb.type",
        ERROR,
        "Engines load any type under any name without complaint: ASN in the place of City answers every look-up with"
        " nothing.",
        Example("mmdb", note="GeoLite2-ASN published as GeoLite2-City.mmdb"),
        "Publish it under its own name. If the name is meant, set the kind's `edition`.",
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
        ERROR,
        "Networks move between countries and owners every week: old data ban and let in by where somebody used to be.",
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
)
