"""Which jobs a refresh of GeoIP databases takes on, and what is left of them when it is for some editions only."""

from datetime import date
from typing import Any

import pytest

from hubdata import plugins
from hubdata.config.editions import databases_of, is_geoip, refresh
from hubdata.errors import ConfigError
from hubdata.model.job import FileRule, Job, SourceSpec, Waiver

CITY, ASN = "GeoLite2-City", "GeoLite2-ASN"
REAL_SOURCES = {name: plugins.SOURCES[name] for name in ("maxmind", "dbip", "url")}
MMDB = (FileRule("mmdb_update/*.mmdb", "mmdb"),)


@pytest.fixture(autouse=True)
def _real_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the real sources in place of the sample ones: what they call their editions is the matter here."""
    table: Any = plugins.SOURCES
    for name, path in REAL_SOURCES.items():
        monkeypatch.setitem(table, name, path)
    return


def vendor(name: str, *editions: str, files: tuple[FileRule, ...] = MMDB, **more: Any) -> Job:
    """Return a job on MaxMind's service."""
    return Job(name, SourceSpec("maxmind", {"editions": list(editions)}), files, **more)


def lists(name: str = "lists") -> Job:
    """Return a job that has nothing to do with GeoIP."""
    return Job(name, SourceSpec("directory", {"path": "x"}), (FileRule("*.txt", "cidr"),))


def told(*jobs: Job, names: tuple[str, ...] = (), editions: tuple[str, ...] = ()) -> tuple[str, str]:
    """Return the error and its advice with which a refresh is refused."""
    with pytest.raises(ConfigError) as caught:
        refresh(jobs, names, editions)
    return str(caught.value), caught.value.advice


def test_what_the_files_are_makes_a_geoip_job() -> None:
    """Not where they come from: a database may lie in a directory, and a vendor's archive may hold lists."""
    own = Job("own", SourceSpec("directory", {"path": "x"}), (FileRule("a/b.mmdb", "mmdb"),))
    assert [is_geoip(job) for job in (vendor("a", CITY), own, lists())] == [True, True, False]


def test_each_source_says_which_databases_it_has() -> None:
    """By its editions, by its one key, or by the whole keys in the job file; a glob says nothing for sure."""
    assert databases_of(vendor("a", CITY, ASN)) == {n: f"mmdb_update/{n}.mmdb" for n in (CITY, ASN)}
    dbip = Job("b", SourceSpec("dbip", {"editions": ["dbip-asn-lite"], "prefix": "g/"}), (FileRule("g/*", "mmdb"),))
    assert databases_of(dbip) == {"dbip-asn-lite": "g/dbip-asn-lite.mmdb"}
    url = {"url": "https://example.net/x.mmdb", "key": "g/own.mmdb", "sha256": "0" * 64}
    assert databases_of(Job("c", SourceSpec("url", url), (FileRule("g/*", "mmdb"),))) == {"own": "g/own.mmdb"}
    rules = (FileRule("g/x.mmdb", "mmdb"), FileRule("g/*.mmdb", "mmdb"), FileRule("g/y.txt", "cidr"))
    assert databases_of(Job("d", SourceSpec("directory", {"path": "x"}), rules)) == {"x": "g/x.mmdb"}
    assert databases_of(vendor("e", CITY, files=(FileRule("**", "opaque"),))) == {}


def test_without_a_choice_all_geoip_jobs_take_part_as_they_are() -> None:
    """Several jobs, nothing narrowed."""
    jobs = (lists(), vendor("a", CITY, prune=True), vendor("b", ASN))
    wanted = refresh(jobs, (), ())
    assert (wanted.jobs, wanted.selected, wanted.keys) == (jobs, frozenset({"a", "b"}), None)
    assert refresh(jobs, ("b",), ()).selected == {"b"}


def test_a_chosen_edition_is_all_that_is_asked_for() -> None:
    """The other is not fetched, not missed, not pruned, and its waivers are not called unused."""
    waivers = tuple(Waiver(f"mmdb_update/{e}.mmdb", "mmdb.x", "why", date(2030, 1, 1)) for e in (CITY, ASN))
    wanted = refresh((vendor("a", CITY, ASN, prune=True, waivers=waivers), vendor("b", "Other"), lists()), (), (ASN,))
    assert (wanted.selected, wanted.keys) == (frozenset({"a"}), frozenset({"mmdb_update/GeoLite2-ASN.mmdb"}))
    (job, _, bystander) = wanted.jobs
    assert (job.source.options["editions"], job.prune, job.waivers) == ([ASN], False, waivers[1:])
    assert bystander == lists()


def test_editions_that_the_environment_names_are_chosen_by_their_keys() -> None:
    """The job file names the files; of its source only the chosen edition is asked for, whatever GeoIP.conf says."""
    rules = tuple(FileRule(f"mmdb_update/{edition}.mmdb", "mmdb") for edition in (CITY, ASN))
    wanted = refresh((Job("a", SourceSpec("maxmind", {}), rules),), (), (ASN,))
    assert wanted.jobs[0].source.options == {"editions": [ASN]}
    assert refresh((Job("a", SourceSpec("maxmind", {}), rules),), (), ()).jobs[0].source.options == {}


def test_jobs_on_one_source_share_it_still() -> None:
    """The one that publishes the edition takes part; the other is narrowed alike, so that one fetch serves both."""
    mine, other = (vendor(e, CITY, ASN, files=(FileRule(f"mmdb_update/{e}.mmdb", "mmdb"),)) for e in (CITY, ASN))
    wanted = refresh((mine, other), (), (CITY,))
    assert wanted.selected == {CITY}
    assert wanted.jobs[0].source == wanted.jobs[1].source


def test_unknown_words_are_refused_naming_the_known() -> None:
    """A typing error in one of two editions must not refresh the other alone and look like success."""
    jobs = (vendor("a", CITY, ASN), lists())
    message, advice = told(*jobs, editions=(CITY, "GeoLite2-Asn"))
    assert message == "--edition GeoLite2-Asn: expected GeoLite2-ASN or GeoLite2-City"
    assert advice.startswith("did you mean `GeoLite2-ASN`?")
    assert told(*jobs, names=("lists",)) == (
        "--job lists: this job publishes no GeoIP database",
        "GeoIP jobs are: a",
    )
    assert told(*jobs, names=("b",))[0] == "--job b: this job does not exist"
    assert told(lists())[0] == "no job publishes GeoIP databases"
    assert "expected GeoLite2-City" in told(vendor("a", CITY), vendor("b", ASN), names=("a",), editions=(ASN,))[0]
    own = Job("own", SourceSpec("directory", {"path": "x"}), (FileRule("*.mmdb", "mmdb"),))
    assert told(own, editions=(CITY,))[0].endswith("expected none: no job file names its editions")
