"""Limits: what is too much at once, counted on entries and on address space, and what goes back in time."""

from dataclasses import replace

import pytest

from hubdata.model.finding import Severity
from hubdata.model.job import Limits
from hubdata.model.snapshot import Snapshot, Stats
from hubdata.planning.diff import diff
from hubdata.planning.limits import breaches
from tests.unit.planning.samples import artifact, entry, inventory


def rules(
    old: Stats, new: Stats, limits: Limits, *, rewinds: tuple[str, ...] = (), allow_rollback: bool = False
) -> list[str]:
    """Return the rules broken by a file that goes from `old` to `new`."""
    held = inventory({"a": entry("a", b"old", stats=old, revision="published")}, {"a": b"old"})
    wanted = Snapshot("job", {"a": artifact("a", b"new", stats=new)})
    found = breaches(
        diff(wanted, held), wanted, held.manifest, {"a": limits}, rewinds=rewinds, allow_rollback=allow_rollback
    )
    assert all(f.severity is Severity.ERROR and f.advice and f.key == "a" for f in found)
    return [f.rule for f in found]


FIFTH = Limits(max_change=0.2)
CHANGE = ["limits.max-change"]


@pytest.mark.parametrize(
    ("was", "now", "limits", "broken"),
    [
        (100, 120, FIFTH, []),
        (100, 121, FIFTH, CHANGE),
        (100, 80, FIFTH, []),
        (100, 79, FIFTH, CHANGE),
        (100, 0, FIFTH, ["limits.emptied", *CHANGE]),
        (0, 5, FIFTH, CHANGE),
        (0, 5, replace(FIFTH, floor_entries=5), []),
        (0, 6, replace(FIFTH, floor_entries=5), CHANGE),
        (12, 2, replace(FIFTH, floor_entries=25), []),
        (100, 1, Limits(), []),
        (100, 101, Limits(max_change=0.0), CHANGE),
        (None, 5, FIFTH, []),
        (5, None, FIFTH, []),
    ],
)
def test_share_of_entries_is_bounded_above_an_absolute_floor(
    was: int | None, now: int | None, limits: Limits, broken: list[str]
) -> None:
    """The limit is inclusive, works both ways, and small absolute changes never break it."""
    assert rules(Stats(entries=was), Stats(entries=now), limits) == broken


def test_floor_does_not_excuse_address_space() -> None:
    """One more line may be `0.0.0.0/1`: the floor on entries says nothing about addresses."""
    old, new = Stats(entries=10, ipv4_addresses=256), Stats(entries=11, ipv4_addresses=2**31)

    assert rules(old, new, Limits(max_change=0.5, floor_entries=25)) == CHANGE
    assert rules(Stats(ipv4_addresses=4), Stats(ipv4_addresses=20), replace(FIFTH, floor_entries=25)) == CHANGE
    assert rules(Stats(ipv6_64s=1), Stats(ipv6_64s=2**32), FIFTH) == CHANGE


def test_address_space_has_floors_of_its_own() -> None:
    """A short list may gain a /24 and a /48 when its job says so, and not one address more."""
    limits = Limits(max_change=0.2, floor_ipv4_addresses=256, floor_ipv6_64s=65_536)

    assert rules(Stats(ipv4_addresses=12), Stats(ipv4_addresses=268), limits) == []
    assert rules(Stats(ipv4_addresses=12), Stats(ipv4_addresses=269), limits) == CHANGE
    assert rules(Stats(ipv6_64s=65_536), Stats(ipv6_64s=0), limits) == []
    assert rules(Stats(ipv6_64s=65_537), Stats(ipv6_64s=0), limits) == CHANGE


@pytest.mark.parametrize(("first", "broken"), [(1, []), (256, []), (257, CHANGE)])
def test_first_networks_of_a_family_pass_up_to_their_floor_only(first: int, broken: list[str]) -> None:
    """From nothing there is no share, so however loose `max_change` is, the floor alone decides."""
    limits = Limits(max_change=100.0, floor_ipv6_64s=256)

    assert rules(Stats(13, 268, 0), Stats(13, 268, first), limits) == broken
    assert rules(Stats(13, 268, 0), Stats(13, 268, first), replace(limits, floor_ipv6_64s=None)) == CHANGE


def test_a_limit_that_lets_a_list_double_does_not_let_it_vanish() -> None:
    """A loss of more than half is held whatever `max_change` says."""
    limits = Limits(max_change=1.5)

    assert rules(Stats(ipv4_addresses=100), Stats(ipv4_addresses=250), limits) == []
    assert rules(Stats(ipv4_addresses=100), Stats(ipv4_addresses=50), limits) == []
    assert rules(Stats(ipv4_addresses=100), Stats(ipv4_addresses=49), limits) == CHANGE


def test_a_file_of_which_nothing_is_left_is_held_without_any_limit_and_whatever_its_floor() -> None:
    """Not every kind can refuse an empty file; what is public is never emptied unseen."""
    floors = Limits(max_change=1.0, floor_entries=25)

    assert rules(Stats(entries=9), Stats(entries=0), Limits()) == ["limits.emptied"]
    assert rules(Stats(entries=9), Stats(entries=0), floors) == ["limits.emptied"]
    assert rules(Stats(entries=9), Stats(entries=1), floors) == []
    assert rules(Stats(entries=0), Stats(entries=0), floors) == []


def test_an_uncounted_file_without_a_byte_is_held() -> None:
    """A kind that counts nothing still knows how large the file was."""
    held = inventory({"a": entry("a", b"old"), "b": entry("b", b"")}, {"a": b"old", "b": b""})
    wanted = Snapshot("job", {"a": artifact("a", b""), "b": artifact("b", b"new")})

    found = breaches(diff(wanted, held), wanted, held.manifest, {})

    assert [(f.key, f.rule) for f in found] == [("a", "limits.emptied")]


def test_every_broken_count_is_told() -> None:
    """All of a file's breaches come at once."""
    assert rules(Stats(1, 1, 1), Stats(9, 9, 9), FIFTH) == CHANGE * 3


def test_older_database_is_held_unless_rollback_is_allowed() -> None:
    """A build epoch never goes back by itself; an equal or newer one passes."""
    assert rules(Stats(build_epoch=9), Stats(build_epoch=8), Limits()) == ["limits.older-build"]
    assert rules(Stats(build_epoch=9), Stats(build_epoch=9), Limits()) == []
    assert rules(Stats(build_epoch=9), Stats(build_epoch=8), Limits(), allow_rollback=True) == []


@pytest.mark.parametrize(
    ("was", "said"),
    [(1_700_000_000, "2023-11-14 22:13:20 UTC"), (10**30, str(10**30))],
    ids=["a time", "what is none"],
)
def test_an_older_database_is_told_by_its_dates(was: int, said: str) -> None:
    """For people; a published manifest may say anything, and what is no time is told as it stands."""
    held = inventory({"a": entry("a", b"old", stats=Stats(build_epoch=was))}, {"a": b"old"})
    wanted = Snapshot("job", {"a": artifact("a", b"new", stats=Stats(build_epoch=1_600_000_000))})
    (finding,) = breaches(diff(wanted, held), wanted, held.manifest, {})
    assert finding.message.endswith(f"built at 2020-09-13 12:26:40 UTC, the published one later, at {said}")


def test_rewound_source_is_held_unless_rollback_is_allowed() -> None:
    """A file published from a revision that history no longer contains is not replaced silently."""
    assert rules(Stats(), Stats(), Limits(), rewinds=("published",)) == ["limits.rewound"]
    assert rules(Stats(), Stats(), Limits(), rewinds=("another",)) == []
    assert rules(Stats(), Stats(), Limits(), rewinds=("published",), allow_rollback=True) == []


def test_allowing_rollback_does_not_lift_the_change_limit() -> None:
    """`--allow-rollback` is about time, not about amount."""
    assert rules(Stats(entries=100), Stats(entries=1), FIFTH, allow_rollback=True) == CHANGE


def test_forced_put_of_the_published_bytes_breaks_nothing() -> None:
    """Repairing or forcing what is public already is no change, whatever the limits."""
    held = inventory({"a": entry("a", b"x", stats=Stats(entries=1))}, {"a": b"drifted"})
    wanted = Snapshot("job", {"a": artifact("a", b"x", stats=Stats(entries=50))})

    plan = diff(wanted, held, force=True)

    assert plan.puts
    assert breaches(plan, wanted, held.manifest, {"a": FIFTH}, rewinds=("r1",)) == ()


def test_new_file_breaks_no_change_limit() -> None:
    """There is nothing to compare a first publication with."""
    wanted = Snapshot("job", {"a": artifact("a", b"x", stats=Stats(entries=50))})
    held = inventory({}, {})

    assert breaches(diff(wanted, held), wanted, held.manifest, {"a": FIFTH}) == ()


@pytest.mark.parametrize(
    ("published", "gone", "broken"), [(1, 1, False), (2, 1, False), (4, 2, False), (4, 3, True), (3, 2, True)]
)
def test_deletes_of_more_than_half_a_job_are_held(published: int, gone: int, broken: bool) -> None:
    """Losing most files at once looks like a source cut short; one file alone may always go."""
    names = [f"f{n}" for n in range(published)]
    held = inventory(
        {n: entry(n, b"x") for n in names} | {"z": entry("z", b"x", job="other")}, dict.fromkeys(names, b"x")
    )
    wanted = Snapshot("job", {n: artifact(n, b"x") for n in (*names[gone:], "new")})

    found = breaches(diff(wanted, held, prune=True), wanted, held.manifest, {})

    assert {f.key for f in found if f.rule == "limits.max-deletes"} == (set(names[:gone]) if broken else set())


@pytest.mark.parametrize(
    ("share", "gone", "broken"), [(0.0, 1, True), (0.1, 1, False), (0.1, 2, True), (1.0, 9, False)]
)
def test_a_job_says_how_much_may_be_deleted_at_once(share: float, gone: int, broken: bool) -> None:
    """`max_deletes` is a share of what the job published; with 0 not one file goes without a look."""
    names = [f"f{n}" for n in range(10)]
    held = inventory({n: entry(n, b"x") for n in names}, dict.fromkeys(names, b"x"))
    wanted = Snapshot("job", {n: artifact(n, b"x") for n in names[gone:]})

    found = breaches(diff(wanted, held, prune=True), wanted, held.manifest, {}, max_deletes=share)

    assert bool(found) is broken


def test_rewound_source_deletes_nothing_unseen() -> None:
    """A delete by a source that went back is held like a change."""
    held = inventory({"a": entry("a", b"x"), "b": entry("b", b"x")}, {"a": b"x", "b": b"x"})
    wanted = Snapshot("job", {"a": artifact("a", b"x")})
    plan = diff(wanted, held, prune=True)

    found = breaches(plan, wanted, held.manifest, {}, rewinds=("r1",))

    assert [(f.key, f.rule) for f in found] == [("b", "limits.rewound")]
    assert breaches(plan, wanted, held.manifest, {}, rewinds=("r1",), allow_rollback=True) == ()


def test_an_older_release_of_an_edition_is_held() -> None:
    """A source without revisions names its states by edition and date; one that went back is held like a rewrite."""
    published = {"type": "maxmind", "edition": "GeoLite2-ASN", "date": "2026-11-20"}
    before = replace(entry("a", b"old"), source=published)
    held = inventory({"a": before}, {"a": b"old"})
    wanted = Snapshot("job", {"a": artifact("a", b"new")})
    found = breaches(diff(wanted, held), wanted, held.manifest, {}, rewinds=("GeoLite2-ASN 2026-11-20",))
    assert [f.rule for f in found] == ["limits.rewound"]
    assert breaches(diff(wanted, held), wanted, held.manifest, {}, rewinds=("GeoLite2-City 2026-11-20",)) == ()
