"""How far countries may move at once: held beyond the limit, told where nobody can tell, silent otherwise."""

import pytest

from hubdata.model.finding import HOLDING, Finding, Severity
from hubdata.model.geo import GeoDatabase, GeoDifference, Incomparable, Measure, Measured, Movement, Shift
from hubdata.model.job import Limits
from hubdata.model.snapshot import Snapshot
from hubdata.planning.diff import diff
from hubdata.planning.limits import breaches
from tests.unit.planning.samples import artifact, entry, inventory

CITY = GeoDatabase("GeoLite2-City", 1)
CALM = Shift(same=1_000)


def _moved(four: Shift = CALM, six: Shift = CALM, measure: Measure = Measure.COUNTRY) -> GeoDifference:
    return GeoDifference(CITY, CITY, (Movement(measure, four, six),))


def _found(moved: Measured, limit: float | None = 0.05, *, allow_rollback: bool = False) -> tuple[Finding, ...]:
    held = inventory({"a": entry("a", b"old")}, {"a": b"old"})
    wanted = Snapshot("job", {"a": artifact("a", b"new")})
    limits = {"a": Limits(max_country_change=limit)}
    plan = diff(wanted, held)
    return breaches(plan, wanted, held.manifest, limits, moved={"a": moved}, allow_rollback=allow_rollback)


@pytest.mark.parametrize(
    ("shift", "held"),
    [
        (Shift(same=950, changed=50), False),
        (Shift(same=949, changed=51), True),
        (Shift(same=949, lost=51), True),
        (Shift(same=949, changed=26, lost=25), True),
        (Shift(same=950, changed=25, lost=25, gained=100_000), False),
        (Shift(gained=1_000), False),
        (Shift(lost=1), True),
    ],
)
@pytest.mark.parametrize("family", ["four", "six"])
def test_a_share_beyond_the_limit_is_held(shift: Shift, held: bool, family: str) -> None:
    """Of what had a country, more than a twentieth has another or none, in either IP version; gains do not count."""
    found = _found(_moved(shift) if family == "four" else _moved(six=shift))
    assert [f.rule for f in found] == (["limits.max-country-change"] if held else [])
    assert all(f.severity is Severity.ERROR and f.rule in HOLDING and f.key == "a" for f in found)


def test_a_finding_names_share_amount_and_limit() -> None:
    """What a person needs to decide, for each IP version and measure that is over it."""
    found = _found(_moved(Shift(same=900, changed=60, lost=40), Shift(lost=7), Measure.SYSTEM))
    assert [f.message for f in found] == [
        "10.00% of IPv4 (100 of 1,000 addresses) have another system, or none now; the limit is 5.00% at once",
        "100.00% of IPv6 (7 of 7 /64 networks) have another system, or none now; the limit is 5.00% at once",
    ]


def test_a_limit_of_nothing_lets_nothing_move() -> None:
    """One address of a thousand is held; the same database again is not."""
    assert [f.rule for f in _found(_moved(Shift(same=999, changed=1)), 0.0)] == ["limits.max-country-change"]
    assert _found(_moved(), 0.0) == ()


def test_allow_rollback_does_not_let_countries_move() -> None:
    """To go back in time is one thing, to be another database is another."""
    found = _found(_moved(Shift(lost=1_000)), allow_rollback=True)
    assert [f.rule for f in found] == ["limits.max-country-change"]


def test_what_nobody_can_tell_is_a_warning_and_holds_nothing() -> None:
    """A published copy that cannot be read is no fault of the release that would replace it."""
    (found,) = _found("the published one cannot be read: gone")
    assert (found.rule, found.severity) == ("limits.not-compared", Severity.WARNING)
    assert found.rule not in HOLDING
    assert "the published one cannot be read: gone" in found.message


def test_a_database_that_cannot_be_compared_is_held() -> None:
    """It is sound, and still nothing tells what it moves: that must not be a way past the limit."""
    (found,) = _found(Incomparable("at byte 22: the records take too many steps to read"))
    assert (found.rule, found.severity) == ("limits.max-country-change", Severity.ERROR)
    assert "too many steps" in found.message


def test_without_a_limit_nothing_is_said() -> None:
    """A plan may know how far a database moved although no limit asks."""
    assert _found(_moved(Shift(lost=1_000)), None) == ()
