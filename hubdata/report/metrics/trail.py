"""Leave what a run measured where it is watched from: in a textfile, at a Pushgateway, or both.

Measuring never spoils a run: whatever goes wrong here is a sentence for the run's notices.
"""

from datetime import datetime

from hubdata.errors import TargetError
from hubdata.model.job import Job
from hubdata.model.monitoring import Monitoring
from hubdata.model.run import RunResult
from hubdata.report.metrics import pushgateway, textfile
from hubdata.report.metrics.catalogue import BUILD_INFO, MAX_AGE
from hubdata.report.metrics.runs import news_of, successes_of
from hubdata.report.metrics.series import News, Told, only, upon, zeros
from hubdata.report.metrics.standing import VERSION, ages, succeeded


def leave(
    monitoring: Monitoring, result: RunResult, jobs: tuple[Job, ...], targets: tuple[str, ...], *, ended_at: datetime
) -> tuple[str, ...]:
    """Tell what `result` measured, and return what a person should know of that: nothing, when all went well.

    `jobs` and `targets` are all that are configured: what is told of others is taken back. A dry run tells nothing.
    """
    if result.dry_run:
        return ()
    try:
        import prometheus_client  # noqa: F401 - to say what is missing before anything is attempted
    except ImportError:
        return ("metrics: nothing is told, for the library is missing: pip install 'hubdata[worker]'",)
    news, fresh = _news(result, jobs, targets, ended_at)
    began = zeros((job.name for job in jobs), targets)

    def change(before: Told) -> Told:
        lasting = {series: value for series, value in before.items() if series.metric not in (BUILD_INFO, MAX_AGE)}
        after = upon(only(lasting, (job.name for job in jobs), targets), news)
        return {**began, **after, **fresh}

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


def _news(result: RunResult, jobs: tuple[Job, ...], targets: tuple[str, ...], ended_at: datetime) -> tuple[News, Told]:
    fresh = dict(VERSION)
    for job in jobs:
        fresh |= ages(job.name, job.max_age, targets)
    for name, at in successes_of(result, ended_at).items():
        fresh |= succeeded(name, at)
    return news_of(result, elapsed_s=result.elapsed_s, ended_at=ended_at), fresh
