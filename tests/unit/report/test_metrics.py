"""What a run tells Prometheus, and what becomes of what was told before."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hubdata.errors import Exit
from hubdata.model.finding import Severity
from hubdata.model.plan import Plan
from hubdata.model.run import Database, JobResult, Outcome, Problem, RunResult, TargetResult
from hubdata.model.verification import Discrepancy, Family, FamilyView, Verification
from hubdata.report.metrics import catalogue as c
from hubdata.report.metrics.exposition import exposed, read_back
from hubdata.report.metrics.runs import news_of, news_of_failure, successes_of
from hubdata.report.metrics.series import Series, Spread, Told, only, upon, zeros
from tests.support.prometheus import promtool
from tests.unit.report.samples import (
    ERROR,
    EVERYTHING,
    FAILED,
    HELD,
    HELD_PLAN,
    PENDING,
    PUBLISHED,
    REFUSED,
    UNCHANGED,
    WARNING,
    put,
)

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
CITY = "mmdb_update/GeoLite2-City.mmdb"
UP = JobResult(
    "geoip",
    Outcome.UNCHANGED,
    {"type": "maxmind"},
    targets=(
        TargetResult(
            "aws",
            Plan("geoip", "aws", unchanged=1),
            generation=9,
            databases=(
                Database(CITY, Outcome.UNCHANGED, "2026-11-20", 1_795_000_000),
                Database("new.mmdb", Outcome.HELD),
            ),
        ),
    ),
)


def run(*jobs: JobResult, **more: object) -> RunResult:
    """Return a run of `jobs`."""
    return replace(RunResult("20261123T030000Z-1a2b", jobs, 0.4), **more)  # type: ignore[arg-type]


def told(*jobs: JobResult, before: Told | None = None, **more: object) -> Told:
    """Return what is told after a run of `jobs` that took 0.7 s."""
    return upon(before or {}, news_of(run(*jobs, **more), elapsed_s=0.7, ended_at=AT))


def of(told: Told, metric: c.Metric) -> dict[tuple[str, ...], object]:
    """Return the series of one metric by their labels."""
    return {series.values: value for series, value in told.items() if series.metric is metric}


def test_a_run_tells_how_each_job_ended_and_when() -> None:
    """Outcome, exit code, moment and duration stand at each job that took part."""
    found = told(*EVERYTHING.jobs)
    assert of(found, c.RUNS) == {
        ("allowlists", "published"): 1,
        ("web-patterns", "unchanged"): 1,
        ("lists", "refused"): 1,
        ("geoip", "held"): 1,
        ("appsec", "failed"): 1,
        ("edge", "published"): 1,
    }
    assert of(found, c.EXIT_CODE)["lists",] == Exit.REFUSED
    assert set(of(found, c.LAST_RUN).values()) == {AT.timestamp()}
    assert of(found, c.DURATION)["edge",] == Spread.of(0.7)


def test_what_was_published_is_counted_by_job_and_target() -> None:
    """Puts, deletes and bytes are those of plans that were carried out, not of those that wait."""
    waits = replace(HELD.targets[0], plan=HELD_PLAN)
    found = told(PUBLISHED, replace(HELD, targets=(waits,)), PENDING)
    assert of(found, c.PUTS) == {
        ("allowlists", "aws"): 1,
        ("allowlists", "mirror"): 0,
        ("geoip", "aws"): 0,
        ("edge", "aws"): 1,
    }
    assert of(found, c.DELETES)["edge", "aws"] == 1
    assert of(found, c.BYTES)["allowlists", "aws"] == 812
    assert of(found, c.HELD) == {key: float(key[0] == "geoip") for key in of(found, c.PUTS)}


def test_an_object_that_could_not_be_stored_is_not_counted() -> None:
    """Of a plan that was carried out in part, only what is public counts, and the target is shown as failing."""
    target = replace(
        PUBLISHED.targets[0],
        plan=Plan("allowlists", "aws", (put("a"), put("b"))),
        failed=frozenset({"b"}),
        problem=Problem("b could not be put", "", Exit.TARGET),
    )
    found = told(replace(PUBLISHED, targets=(target,)))
    assert of(found, c.PUTS) == {("allowlists", "aws"): 1}
    assert of(found, c.TARGET_OK) == {("allowlists", "aws"): 0}


def test_one_invalidation_of_several_jobs_is_counted_once() -> None:
    """All jobs of a run share one invalidation, which stands at each; and its requests, which stand at the first."""
    twin = replace(PUBLISHED, job="twin", targets=(replace(PUBLISHED.targets[0], requests={}),))
    found = told(PUBLISHED, twin)
    assert of(found, c.PATHS) == {("aws",): 2, ("mirror",): 0}
    assert of(found, c.REQUESTS) == {("aws", "LIST"): 1, ("aws", "PUT"): 2, ("aws", "GET"): 1}
    assert of(found, c.GENERATION) == {("aws",): 12, ("mirror",): 7}


def test_a_cdn_that_was_not_told_is_pending_until_it_is() -> None:
    """Paths count once they are accepted, and the next run at the target takes the mark back."""
    found = told(PENDING)
    assert (of(found, c.PENDING), of(found, c.PATHS)) == ({("aws",): 1}, {("aws",): 0})
    found = told(UNCHANGED, before=found)
    assert of(found, c.PENDING) == {("aws",): 0}


def test_refused_files_and_findings_are_those_of_the_last_run() -> None:
    """A finding that is gone is not told any more; a change that is held is no refused file."""
    found = told(REFUSED, HELD)
    assert of(found, c.REFUSED) == {("lists",): 1, ("geoip",): 0}
    assert of(found, c.FINDINGS)["lists", "cidr.overlap", "warning"] == 1
    assert of(found, c.FINDINGS)["geoip", "limits.max-change", "error"] == 1
    mended = told(replace(REFUSED, findings=(WARNING,), outcome=Outcome.UNCHANGED), before=found)
    assert of(mended, c.REFUSED)["lists",] == 0
    assert {key for key in of(mended, c.FINDINGS) if key[0] == "lists"} == {("lists", "cidr.overlap", "warning")}
    assert ("geoip", "limits.max-change", "error") in of(mended, c.FINDINGS)


def test_several_findings_in_one_file_are_one_refused_file() -> None:
    """Files are counted, not lines."""
    found = told(replace(REFUSED, findings=(ERROR, replace(ERROR, line=9), replace(ERROR, key="b"))))
    assert of(found, c.REFUSED) == {("lists",): 2}


def test_an_upstream_that_fails_takes_nothing_back() -> None:
    """What is refused, held and public is not known to be otherwise because nobody could look."""
    failed = Problem("no such host", "", Exit.SOURCE)
    found = told(replace(HELD, findings=(ERROR,)), before=told(UP))
    assert of(found, c.SOURCE_OK) == {("geoip",): 1}
    lost = told(replace(UP, problem=failed, outcome=Outcome.FAILED, targets=()), before=found)
    assert of(lost, c.SOURCE_OK) == {("geoip",): 0}
    for metric in (c.REFUSED, c.FINDINGS, c.HELD, c.GEOIP_BUILD, c.TARGET_OK):
        assert of(lost, metric) == of(found, metric)
    stranded = TargetResult("aws", Plan("geoip", "aws"), problem=failed)
    assert of(told(replace(UP, problem=failed, targets=(stranded,)), before=found), c.HELD) == {("geoip", "aws"): 1}
    assert of(told(replace(UP, problem=failed, targets=(stranded,)), before=found), c.TARGET_OK) == {
        ("geoip", "aws"): 1
    }
    assert of(told(FAILED), c.RUNS) == {("appsec", "failed"): 1}


def test_a_target_that_fails_is_not_the_upstreams_fault() -> None:
    """Each of both has a metric of its own; of a target that cannot be read, no generation is told."""
    gone = TargetResult("aws", Plan("geoip", "aws"), problem=Problem("403", "", Exit.TARGET))
    found = told(replace(UP, targets=(gone,), outcome=Outcome.FAILED), before=told(UP))
    assert of(found, c.TARGET_OK) == {("geoip", "aws"): 0}
    assert of(found, c.SOURCE_OK) == {("geoip",): 1}
    assert of(found, c.GENERATION) == {("aws",): 9}
    assert of(found, c.GEOIP_BUILD) == of(told(UP), c.GEOIP_BUILD)


def test_a_database_tells_when_its_vendor_built_it_until_the_job_has_it_no_more() -> None:
    """One that is not public yet has no build; an edition that was taken out of the job leaves no stale age behind."""
    found = told(UP)
    assert of(found, c.GEOIP_BUILD) == {("geoip", "aws", CITY): 1_795_000_000}
    without = told(replace(UP, targets=(replace(UP.targets[0], databases=()),)), before=found)
    assert of(without, c.GEOIP_BUILD) == {}


def test_a_run_for_some_editions_says_nothing_of_the_others() -> None:
    """`geoip refresh --edition` looks at a part of the files: findings and builds of the rest stay."""
    found = told(replace(UP, findings=(ERROR, WARNING)))
    part = replace(UP, targets=(replace(UP.targets[0], databases=()),))
    after = told(part, before=found, command=("geoip", "refresh", "--edition", "GeoLite2-ASN"))
    for metric in (c.REFUSED, c.FINDINGS, c.GEOIP_BUILD):
        assert of(after, metric) == of(found, metric)


def test_readers_are_told_of_by_family() -> None:
    """A family whose readers have something else than was published is 0 until a run sees otherwise."""
    wrong = Discrepancy("verify.stale", Severity.ERROR, Family.IPV6, "a", "https://h/a", "x", "y", "")
    seen = Verification(
        "https://h", "manifest", 9, (FamilyView(Family.IPV4), FamilyView(Family.IPV6, findings=(wrong,)))
    )
    found = told(UP, verification=seen)
    assert of(found, c.READERS_OK) == {("ipv4",): 1, ("ipv6",): 0}
    assert of(told(UP, before=found), c.READERS_OK) == of(found, c.READERS_OK)


def test_a_dry_run_tells_nothing() -> None:
    """What would be is not measured."""
    assert told(*EVERYTHING.jobs, dry_run=True) == {}


def test_a_run_without_a_result_is_a_failed_one() -> None:
    """A run that settings or a bug have ended is counted, and takes nothing back."""
    failed = upon(told(UP), news_of_failure("geoip", Exit.BUG, elapsed_s=0.1, ended_at=AT))
    assert of(failed, c.RUNS) == {("geoip", "unchanged"): 1, ("geoip", "failed"): 1}
    assert of(failed, c.EXIT_CODE) == {("geoip",): 1}
    assert of(failed, c.GEOIP_BUILD) == of(told(UP), c.GEOIP_BUILD)


def test_successes_are_those_of_targets_where_nothing_is_left_to_be_wished_for() -> None:
    """What was refused, held, failed or is pending is no success."""
    assert successes_of(EVERYTHING, AT) == {
        "allowlists": {"aws": AT, "mirror": AT},
        "web-patterns": {"aws": AT},
        "lists": {},
        "geoip": {},
        "appsec": {},
        "edge": {},
    }


def test_counters_add_up_and_gauges_do_not() -> None:
    """Two runs are two runs, but the generation is the last one."""
    found = told(PUBLISHED, before=told(PUBLISHED))
    assert of(found, c.RUNS) == {("allowlists", "published"): 2}
    assert of(found, c.BYTES)["allowlists", "aws"] == 1624
    assert of(found, c.PATHS)["aws",] == 4
    assert of(found, c.GENERATION)["aws",] == 12
    spread = of(found, c.DURATION)["allowlists",]
    assert spread == Spread.of(0.7) + Spread.of(0.7)


@pytest.mark.parametrize(("seconds", "at"), [(0.0, 0), (0.5, 0), (0.51, 1), (3600.0, 11), (86_400.0, 12)])
def test_a_duration_falls_below_the_first_bound_that_it_does_not_pass(seconds: float, at: int) -> None:
    """As Prometheus has it, a bound belongs to its own bucket, and what is beyond all counts too."""
    assert Spread.of(seconds).counts.index(1) == at
    assert Spread.of(seconds).total == seconds


def test_jobs_and_targets_that_are_gone_are_told_of_no_more() -> None:
    """A job that was taken out would be stale for ever; what has neither label stays."""
    found = told(*EVERYTHING.jobs, verification=Verification("u", "a", 1, (FamilyView(Family.IPV4),)))
    kept = only(found, ["lists"], ["mirror"])
    assert {series.label("job_name") for series in kept} <= {"lists", ""}
    assert {series.label("target") for series in kept} <= {"mirror", ""}
    assert of(kept, c.READERS_OK) == {("ipv4",): 1}
    assert of(kept, c.RUNS) == {("lists", "refused"): 1}


def test_counters_are_there_before_anything_happened() -> None:
    """The first failure is a change from 0 to 1, which a rate can see."""
    found = zeros(["a", "b"], ["t"])
    assert of(found, c.RUNS)["b", "failed"] == 0
    assert of(found, c.BYTES) == {("a", "t"): 0, ("b", "t"): 0}
    assert set(map(type, of(found, c.DURATION).values())) == {Spread}


def test_what_is_exposed_can_be_read_back() -> None:
    """Nothing is lost between a file that a run leaves and the next run, whatever names hold."""
    odd = {Series(c.HELD, ('a"b\\c\nd', "é {}=,")): 1.0, Series(c.GENERATION, ("",)): 3.0}
    everything = {**told(*EVERYTHING.jobs, UP), **zeros(["x"], ["y"]), **odd}
    assert read_back(exposed(everything).decode()) == everything


def test_only_series_of_ones_own_group_are_read_back() -> None:
    """A Pushgateway tells of all its groups; labels that the gateway added are taken off again."""
    text = (
        "# TYPE hubdata_generation gauge\n"
        'hubdata_generation{instance="",job="hubdata",target="aws"} 3\n'
        'hubdata_generation{instance="b",job="hubdata",target="aws"} 4\n'
        'hubdata_generation{instance="",job="other",target="aws"} 5\n'
        'hubdata_generation{instance="",job="hubdata",target="r2",zone="x"} 6\n'
        'hubdata_generation{instance="",job="hubdata",target="nan"} NaN\n'
        "# TYPE push_time_seconds gauge\n"
        'push_time_seconds{instance="",job="hubdata"} 1\n'
    )
    assert read_back(text, {"job": "hubdata", "instance": ""}) == {Series(c.GENERATION, ("aws",)): 3.0}
    assert read_back(text, {"job": "hubdata", "instance": "b"}) == {Series(c.GENERATION, ("aws",)): 4.0}


def test_a_histogram_with_other_bounds_begins_anew() -> None:
    """An older version's buckets cannot be added to these."""
    text = exposed(told(UP)).decode()
    fewer = "\n".join(line for line in text.splitlines() if 'le="30.0"' not in line) + "\n"
    assert of(read_back(fewer), c.DURATION) == {}
    assert of(read_back(fewer), c.RUNS) == of(told(UP), c.RUNS)


@pytest.mark.parametrize("text", ["x{", '{"a"', "# TYPE", 'a{b="c",\r="1"} 1\n', "a 1e", "a b c d"])
def test_what_is_no_exposition_is_a_value_error(text: str) -> None:
    """Whatever the library's parser makes of it: whoever reads a stranger's text has one error to expect."""
    with pytest.raises(ValueError, match=r"."):
        read_back(text)


def test_every_metric_follows_prometheus_conventions() -> None:
    """Its own tool, which knows the conventions for names, units, help and labels, has nothing to say."""
    everything = {
        Series(metric, tuple("x" for _ in metric.labels)): Spread.of(1.0) if metric is c.DURATION else 1.0
        for metric in c.CATALOGUE
    }
    said = subprocess.run([promtool(), "check", "metrics"], input=exposed(everything), capture_output=True, check=False)
    assert (said.returncode, said.stdout, said.stderr) == (0, b"", b"")


def test_names_are_of_one_family_and_labels_do_not_collide() -> None:
    """`job` and `instance` are Prometheus' own; no metric is there twice."""
    assert all(metric.name.startswith("hubdata_") for metric in c.CATALOGUE)
    assert len({metric.name for metric in c.CATALOGUE}) == len(c.CATALOGUE)
    assert {label for metric in c.CATALOGUE for label in metric.labels}.isdisjoint(
        {"job", "instance", "le", "quantile"}
    )
    assert set(c.CATALOGUE) == {value for value in vars(c).values() if isinstance(value, c.Metric)}


def test_no_secret_and_no_message_is_in_a_metric() -> None:
    """An upstream's error may quote a URL with a password: errors are words, and metrics have none of them."""
    assert b"pa55word" not in exposed(told(*EVERYTHING.jobs))
    assert b"no such host" not in exposed(told(*EVERYTHING.jobs))


def test_measuring_needs_no_library() -> None:
    """What a run tells is worked out without prometheus-client; only writing it down loads that."""
    code = (
        "import sys; import hubdata.conducting, hubdata.config.settings, hubdata.report.metrics.trail;"
        "sys.exit('prometheus_client' in sys.modules or 'requests' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
