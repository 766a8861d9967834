"""Every metric that is told, by name: what the documentation, the dashboard and the alerts may speak of.

Names follow Prometheus' conventions (base units, `_total` for counters). A job is `job_name`, for `job` and `instance`
are labels that Prometheus gives to whatever it scrapes. Labels hold names from the configuration, rules, outcomes and
GeoIP databases; never a key of another file, so their number is bounded.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What may be done with the numbers."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


class By(StrEnum):
    """Who tells a metric: runs that end, or how the worker and its jobs stand."""

    RUN = "each run"
    JOBS = "jobs"
    WORKER = "the worker"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `renewed` series of a job go when its next run does not tell them: they are all of that run."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    by: By = By.RUN
    renewed: bool = False


def _gauge(name: str, help_: str, *labels: str, by: By = By.RUN, renewed: bool = False) -> Metric:
    return Metric(f"hubdata_{name}", Kind.GAUGE, help_, labels, by, renewed)


def _counter(name: str, help_: str, *labels: str) -> Metric:
    return Metric(f"hubdata_{name}_total", Kind.COUNTER, help_, labels)


JOB, TARGET = "job_name", "target"

BUCKETS = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
"""Upper bounds in seconds: an unchanged tree takes half a second, a first publication of databases many minutes."""

# How the worker and its jobs stand.
BUILD_INFO = _gauge("build_info", "1, with the version of hubdata.", "version", by=By.JOBS)
WORKER_START = _gauge("worker_start_time_seconds", "When the worker started, in Unix time.", by=By.WORKER)
SETTINGS_OK = _gauge(
    "settings_ok", "1 while hubdata.toml can be used, 0 while what was read before stays in force.", by=By.WORKER
)
JOB_FILE_OK = _gauge("job_file_ok", "1 while the job's file can be used, 0 while it is broken.", JOB, by=By.WORKER)
RUNNING = _gauge("job_running", "1 while the job runs, else 0.", JOB, by=By.WORKER)
NEXT_RUN = _gauge(
    "job_next_run_timestamp_seconds", "When the job's schedule runs it next, in Unix time.", JOB, by=By.WORKER
)
MAX_AGE = _gauge(
    "job_max_age_seconds", "How old the job's last success may be at the target (`max_age`).", JOB, TARGET, by=By.JOBS
)
LAST_SUCCESS = _gauge(
    "last_success_timestamp_seconds",
    "When the job last succeeded at the target, all sound, in public and told, in Unix time.",
    JOB,
    TARGET,
    by=By.JOBS,
)

# What runs came to.
RUNS = _counter("runs", "Runs of the job, by how they ended.", JOB, "outcome")
DURATION = Metric(
    "hubdata_run_duration_seconds", Kind.HISTOGRAM, "How long the runs took that the job was part of.", (JOB,)
)
LAST_RUN = _gauge("last_run_timestamp_seconds", "When the job's last run ended, in Unix time.", JOB)
EXIT_CODE = _gauge("last_run_exit_code", "The job's own exit code in its last run; 0 is fine.", JOB)
SOURCE_OK = _gauge(
    "source_ok", "1 when the job's source could be read by its last run, 0 when its upstream failed.", JOB
)
TARGET_OK = _gauge(
    "target_ok", "1 when the job's last run could do all it had to at the target, 0 when it failed there.", JOB, TARGET
)
FINDINGS = _gauge(
    "findings", "Findings in the job's last run that read its files, by rule.", JOB, "rule", "severity", renewed=True
)
REFUSED = _gauge("refused_files", "Files that the job's last run refused; their last good versions stay public.", JOB)
HELD = _gauge("held_plans", "1 while a plan of the job waits at the target for approval, else 0.", JOB, TARGET)
PUTS = _counter("puts", "Files put.", JOB, TARGET)
DELETES = _counter("deletes", "Files deleted.", JOB, TARGET)
BYTES = _counter("uploaded_bytes", "Bytes of the files put.", JOB, TARGET)
GEOIP_BUILD = _gauge(
    "geoip_build_timestamp_seconds",
    "When the GeoIP database that is public was built by its vendor, in Unix time.",
    JOB,
    TARGET,
    "key",
    renewed=True,
)
GENERATION = _gauge("generation", "The generation in force at the target.", TARGET)
PENDING = _gauge(
    "invalidation_pending", "1 while the CDN before the target has yet to be told of what was published.", TARGET
)
PATHS = _counter("invalidation_paths", "Paths that the CDN before the target accepted to forget.", TARGET)
REQUESTS = _counter("requests", "Requests to the target's store, by method.", TARGET, "method")
READERS_OK = _gauge(
    "readers_ok", "1 when readers of the address family got what was published, as last seen by a run.", "family"
)

CATALOGUE: tuple[Metric, ...] = (
    BUILD_INFO,
    WORKER_START,
    SETTINGS_OK,
    JOB_FILE_OK,
    RUNNING,
    NEXT_RUN,
    MAX_AGE,
    LAST_SUCCESS,
    RUNS,
    DURATION,
    LAST_RUN,
    EXIT_CODE,
    SOURCE_OK,
    TARGET_OK,
    FINDINGS,
    REFUSED,
    HELD,
    PUTS,
    DELETES,
    BYTES,
    GEOIP_BUILD,
    GENERATION,
    PENDING,
    PATHS,
    REQUESTS,
    READERS_OK,
)
