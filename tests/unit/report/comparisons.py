"""Comparisons made by hand: every state, every sort of item, and text that means harm."""

from hubdata.meaning.difference import difference
from hubdata.meaning.table import meaning_of
from hubdata.model.comparison import Comparison, FileDifference, State
from hubdata.model.meaning import Difference, NetworkDifference, Origin, Space

OLD_MAP = '{"pattern":"/a","tag":"1","type":"equals"}\n{"pattern":"/z","tag":"1","type":"equals"}\n'
NEW_MAP = '{"pattern":"/a","tag":"2","type":"equals"}\n{"pattern":"/b","tag":"1","type":"equals"}\n'
EVIL = "](http://evil.example) <img src=x> @someone #1 | `x` ::error::boom \x1b[31m\u202e www.evil.example"


def compared(kind: str, old: str | None, new: str | None) -> Difference:
    """Return how two texts of one kind differ."""
    before, after = (None if text is None else meaning_of(kind, text.encode()) for text in (old, new))
    return difference(before, after)


NETWORKS = Difference(
    equal=False,
    before=100,
    after=120,
    networks=NetworkDifference(
        gained=("104.16.0.0/16", "2001:db8::/48"),
        lost=("192.0.2.0/24",),
        gained_count=2,
        lost_count=1,
        gained_space=Space(65536, 65536),
        lost_space=Space(256, 0),
        before=Space(1_524_736, 7),
        after=Space(1_590_016, 65543),
        origins={
            "104.16.0.0/16": Origin("US", 13335, "CLOUDFLARENET"),
            "192.0.2.0/24": Origin("", 64496, "Example", whole=False),
        },
    ),
)
CHANGED = FileDifference("whitelists/a.txt", "cidr", State.CHANGED, NETWORKS)
MAPPED = FileDifference("web/probing.json", "map", State.CHANGED, compared("map", OLD_MAP, NEW_MAP))
MOVED = FileDifference("web/b.txt", "needle", State.EQUAL, compared("needle", "/a\n/b\n", "/b\n/a\n"))
ADDED = FileDifference("web/new.txt", "regexp", State.ADDED, compared("regexp", None, "a+\n"))
REMOVED = FileDifference("db/old.mmdb", "mmdb", State.REMOVED, compared("mmdb", "x" * 2000, None))
EVERYTHING = Comparison("master", "the checkout", (REMOVED, CHANGED, MOVED, ADDED, MAPPED), same=167, elapsed_s=0.21)
HOSTILE = Comparison(
    "old", EVIL, (FileDifference(EVIL, "needle", State.CHANGED, compared("needle", "/a\n", f"{EVIL}\n")),)
)
