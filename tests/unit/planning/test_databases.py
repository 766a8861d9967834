"""What a refresh says of each database: what is public of it now, and whether that is new."""

from dataclasses import replace
from pathlib import Path

from hubdata.model.inventory import Stored
from hubdata.model.job import FileRule, Job, SourceSpec
from hubdata.model.manifest import Entry
from hubdata.model.plan import Action, Change, Plan, Reason
from hubdata.model.run import Database, Outcome, TargetResult
from hubdata.model.snapshot import Artifact, Snapshot, Stats
from hubdata.planning.databases import databases

JOB = Job("geoip", SourceSpec("maxmind", {}), (FileRule("*.mmdb", "mmdb"), FileRule("*.txt", "cidr")))
NEW = Artifact("a.mmdb", Path("a"), 5, "", "", "mmdb", "", "", {"date": "2026-11-20"}, Stats(build_epoch=20))
OLD = Entry(5, "", "mmdb", "geoip", "e", None, "", "", "", {"date": "2026-11-13"}, Stats(build_epoch=13))
PUT = Plan("geoip", "t", (Change(Action.PUT, "a.mmdb", Reason.CHANGED, 5, "", "e"),))
RESULT = TargetResult("t", Plan("geoip", "t"))
SNAPSHOT = Snapshot("geoip", {"a.mmdb": NEW})


def told(result: TargetResult, snapshot: Snapshot = SNAPSHOT) -> Database:
    """Return what is told of the one database, of which another release was public."""
    (database,) = databases(JOB, snapshot, {"a.mmdb": OLD}, result)
    return database


def test_what_went_out_is_told_as_it_is_now() -> None:
    """Its release and build are the new ones, as they are in a dry run, and of what only entered the manifest."""
    new = Database("a.mmdb", Outcome.PUBLISHED, "2026-11-20", 20)
    assert told(replace(RESULT, plan=PUT, applied=True, changed=("a.mmdb",))) == new
    assert told(replace(RESULT, plan=PUT)) == replace(new, outcome=Outcome.PLANNED)
    adopted = Plan("geoip", "t", adopted={"a.mmdb": Stored(5, "e")})
    assert told(replace(RESULT, plan=adopted, applied=True)) == replace(new, outcome=Outcome.UNCHANGED)


def test_what_did_not_go_out_is_told_as_it_still_is() -> None:
    """A person wants to know how old the database is that engines have."""
    old = Database("a.mmdb", Outcome.UNCHANGED, "2026-11-13", 13)
    assert told(replace(RESULT, applied=True)) == old
    assert told(RESULT, Snapshot("geoip", kept=frozenset({"a.mmdb"}))) == old
    assert told(replace(RESULT, held=PUT)) == replace(old, outcome=Outcome.HELD)
    failed = replace(RESULT, plan=PUT, applied=True, failed=frozenset({"a.mmdb"}))
    assert told(failed) == replace(old, outcome=Outcome.FAILED)
    assert told(RESULT, Snapshot("geoip", refused=frozenset({"a.mmdb"}))) == replace(old, outcome=Outcome.REFUSED)


def test_a_database_that_never_went_out_has_no_date() -> None:
    """Refused at its first run: there is nothing public to tell of."""
    refused = Snapshot("geoip", refused=frozenset({"a.mmdb"}))
    assert databases(JOB, refused, {}, RESULT) == (Database("a.mmdb", Outcome.REFUSED),)


def test_other_files_of_the_job_are_no_databases() -> None:
    """Lists have entries, not editions."""
    assert databases(JOB, Snapshot("geoip", {"b.txt": replace(NEW, key="b.txt")}), {}, RESULT) == ()


def test_an_edition_is_the_keys_name() -> None:
    """Without directory and ending, as `--edition` takes it."""
    assert Database("mmdb_update/GeoLite2-City.mmdb", Outcome.PUBLISHED).edition == "GeoLite2-City"
