"""Leave what a run measured where it is watched from: in a textfile, at a Pushgateway, or both.

Measuring never spoils a run: whatever goes wrong here is a sentence for the run's notices.
"""

from datetime import datetime

from hubdata.errors import TargetError
from hubdata.model.job import Job
from hubdata.model.monitoring import Monitoring
from hubdata.model.run import RunResult
from hubdata.report.metrics import pushgateway, textfile
from hubdata.report.metrics.catalogue import BUILD_INFO, JOB, LAST_RUN, MAX_AGE, PUTS, TARGET
from hubdata.report.metrics.runs import news_of, successes_of
from hubdata.report.metrics.series import Series, Told, Value, only, upon, zeros
from hubdata.report.metrics.standing import VERSION, ages, succeeded


def leave(
    monitoring: Monitoring,
    result: RunResult,
    jobs: tuple[Job, ...],
    targets: tuple[str, ...],
    *,
    ended_at: datetime,
    fed: frozenset[str] = frozenset(),
) -> tuple[str, ...]:
    """Tell what `result` measured, and return what a person should know of that: nothing, when all went well.

    `jobs` and `targets` are all that are configured: what is told of others is taken back. `fed` are targets that
    wait by design, so no age is too old there. A dry run tells nothing.
    """
    if result.dry_run:
        return ()
    try:
        import prometheus_client  # noqa: F401 - to say what is missing before anything is attempted
    except ImportError:
        return ("metrics: nothing is told, for the library is missing: pip install 'hubdata[worker]'",)
    names = tuple(job.name for job in jobs)
    news = news_of(result, elapsed_s=result.elapsed_s, ended_at=ended_at)
    judged = tuple(name for name in targets if name not in fed) or targets

    def change(before: Told) -> Told:
        lasting = {series: value for series, value in before.items() if series.metric not in (BUILD_INFO, MAX_AGE)}
        after = upon(only(lasting, names, targets), news)
        ran = {series.label(JOB) for series in after if series.metric is LAST_RUN}
        return {
            **zeros(sorted(ran), ()),
            **after,
            **_ages(after, jobs, judged),
            **_successes(result, ended_at),
            **VERSION,
        }

    remarks: list[str] = []
    if monitoring.textfile is not None:
        try:
            remarks.append(textfile.update(monitoring.textfile, change))
        except TargetError as err:
            remarks.append(f"{err} ({err.advice})")
    if monitoring.gateway is not None:
        try:
            pushgateway.push(monitoring.gateway, change)
        except TargetError as err:
            remarks.append(f"{err} ({err.advice})")
    return tuple(filter(None, remarks))


def _ages(told: Told, jobs: tuple[Job, ...], judged: tuple[str, ...]) -> Told:
    """Return how old jobs may be where this textfile or group has told of them: others may run elsewhere."""
    here = {(series.label(JOB), series.label(TARGET)) for series in told if series.metric is PUTS}
    found: dict[Series, Value] = {}
    for job in jobs:
        found |= ages(job.name, job.max_age, (target for target in judged if (job.name, target) in here))
    return found


def _successes(result: RunResult, ended_at: datetime) -> Told:
    found: dict[Series, Value] = {}
    for name, at in successes_of(result, ended_at).items():
        found |= succeeded(name, at)
    return found
