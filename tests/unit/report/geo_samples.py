"""Differences between GeoIP databases for the reports: one of everything, and one of foreign names."""

from hubdata.model.finding import Finding, Severity
from hubdata.model.geo import GeoComparison, GeoDatabase, GeoDifference, Measure, Move, Movement, Shift

OLD = GeoDatabase("GeoIP2-Enterprise", 1_577_209_301)
NEW = GeoDatabase("GeoIP2-Enterprise", 1_789_706_978)
FOUR = Shift(
    same=9_000,
    changed=600,
    gained=300,
    lost=100,
    moves=(Move("US", "GB", 500), Move("", "DE", 300), Move("US", "FR", 100), Move("FR", "", 100)),
    move_count=7,
)
SIX = Shift(same=1 << 40, changed=1, moves=(Move("LT", "US", 1),), move_count=1)
SYSTEMS = Shift(same=50, changed=50, moves=(Move("64496", "13335", 50),), move_count=1)
DIFFERENCE = GeoDifference(OLD, NEW, (Movement(Measure.COUNTRY, FOUR, SIX), Movement(Measure.SYSTEM, SYSTEMS, Shift())))
COMPARED = GeoComparison("old.mmdb", "new.mmdb", DIFFERENCE, elapsed_s=1.25, notices=("said beside it",))

EVIL = '<script>alert(1)</script>"&\x1b[31m\u202e'
FOREIGN = GeoComparison(
    EVIL,
    f"new {EVIL}",
    GeoDifference(
        GeoDatabase(EVIL, 1 << 62),
        GeoDatabase(EVIL, 0),
        (Movement(Measure.COUNTRY, Shift(changed=5, moves=(Move(EVIL, "]]>--><x", 5),), move_count=1), Shift()),),
    ),
    notices=(EVIL,),
)
REFUSED = GeoComparison(
    "old.mmdb",
    EVIL,
    None,
    (Finding(EVIL, None, "mmdb.tree", Severity.ERROR, f"at byte 7: {EVIL}", "`hubdata geoip verify` tells all"),),
)
NOTHING = GeoComparison("a", "b", GeoDifference(OLD, NEW, ()))
EQUAL = GeoComparison("a", "b", GeoDifference(OLD, NEW, (Movement(Measure.COUNTRY, Shift(same=5), Shift()),)))
