"""What of a job's past may go: never what is public, never what is another's, and nothing before its time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from hubdata.model.inventory import Past
from hubdata.model.job import FileRule, Job, SourceSpec
from hubdata.model.manifest import Entry, Manifest
from hubdata.planning.retention import heads, outlived, ownership

START = datetime(2026, 7, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def states(*days: float, key: str = "a.mmdb", deleted: tuple[int, ...] = ()) -> list[Past]:
    """Return the states of one key, written on these days, the newest first and current; some of them markers."""
    return [
        Past(key, f"v{number}", START + day * DAY, number == 0, 10, deleted=number in deleted)
        for number, day in enumerate(days)
    ]


def gone(past: list[Past], day: float, keep: int = 30, mine: Callable[[str], bool] = lambda key: True) -> list[str]:
    """Return the version ids of what may go on that day."""
    return [state.version_id for state in outlived(past, mine, START + day * DAY, keep * DAY)]


def test_a_state_counts_from_when_another_took_its_place() -> None:
    """A release that was public for a year and replaced yesterday is what a rollback goes back to."""
    past = states(365, 0)
    assert gone(past, 366) == []
    assert gone(past, 395) == []
    assert gone(past, 395.01) == ["v1"]


def test_the_oldest_go_first_and_the_newer_stay() -> None:
    """Each by its own day, so that a run that removes only some removes the right ones."""
    past = states(40, 20, 10, 0)
    assert gone(past, 45) == ["v3"]
    assert gone(past, 51) == ["v3", "v2"]
    assert gone(past, 1000) == ["v3", "v2", "v1"]


def test_what_is_current_never_goes() -> None:
    """However old it is, and whatever order a strange store tells its states in."""
    assert gone(states(0), 10_000) == []
    old_but_current = Past("a", "now", START, current=True)
    newer = Past("a", "past", START + DAY, current=False)
    assert gone([newer, old_but_current], 10_000) == []


def test_a_clock_that_goes_back_removes_nothing() -> None:
    """Times in the future are no age."""
    assert gone(states(100, 50), 60) == []


def test_a_deleted_file_is_forgotten_whole() -> None:
    """First what the marker hides; only when nothing is left, the marker, which would otherwise bring it back."""
    past = states(10, 5, 0, deleted=(0,))
    assert gone(past, 39) == ["v2"]
    assert gone(past, 41) == ["v2", "v1"]
    marker = states(10, deleted=(0,))
    assert gone(marker, 39) == []
    assert gone(marker, 41) == ["v0"]
    assert gone(states(20, 10, 0, deleted=(1,)), 1000) == ["v2", "v1"]


def test_each_key_is_looked_at_for_itself() -> None:
    """The newest of one key says nothing of another's."""
    past = [*states(40, 0, key="a"), *states(5, 0, key="b")]
    assert [p.key for p in outlived(past, lambda key: True, START + 36 * DAY, 30 * DAY)] == ["b"]
    assert gone(past, 1000, mine=lambda key: key == "a") == ["v1"]


def job(name: str, *globs: str) -> Job:
    """Return a job that publishes what these globs name."""
    return Job(name, SourceSpec("x", {}), tuple(FileRule(glob, "mmdb") for glob in globs))


def entry(owner: str) -> Entry:
    """Return a manifest's entry of a job's file."""
    return Entry(1, "", "mmdb", owner, "", None, "", "", "", {})


def test_another_jobs_files_are_never_touched() -> None:
    """The manifest says whose a public file is, whatever the globs say; of files gone by, only the sole claimant's."""
    manifest = Manifest(files={"g/a": entry("geoip"), "g/b": entry("lists"), "odd": entry("geoip")})
    mine = ownership(job("geoip", "g/*"), manifest, (job("lists", "g/b", "g/both"),))
    keys = ("g/a", "g/b", "odd", "g/gone", "g/both", "elsewhere")
    assert [key for key in keys if mine(key)] == ["g/a", "odd", "g/gone"]


@pytest.mark.parametrize("key", ["manifest.json", "status.json", ".hubdata/receipts.json", ".hubdata/runs/1.json", ""])
def test_hubdatas_own_records_are_no_jobs_files(key: str) -> None:
    """A job that matches everything still has nothing to say about them."""
    manifest = Manifest(files={key: entry("all")})
    assert not ownership(job("all", "**"), manifest, ())(key)


def test_only_the_places_that_rules_name_are_listed() -> None:
    """What stands before the first wildcard, each place once."""
    assert heads(job("a", "g/City.mmdb", "g/*.mmdb", "h/x[0-9]", "g/sub/?")) == ("g/", "h/x")
    assert heads(job("a", "g/*", "**")) == ("",)
