"""Say how jobs stand: how old a success may be, and when the last one was, at each target."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from hubdata import __version__
from hubdata.report.metrics.catalogue import BUILD_INFO, LAST_SUCCESS, MAX_AGE
from hubdata.report.metrics.series import Series, Told

VERSION: Told = {Series(BUILD_INFO, (__version__,)): 1.0}
"""Which hubdata tells all this."""


def ages(job: str, max_age: timedelta | None, targets: Iterable[str]) -> Told:
    """Return how old the job's last success may be at each target; nothing where it may have any age."""
    if max_age is None:
        return {}
    return {Series(MAX_AGE, (job, target)): max_age.total_seconds() for target in targets}


def succeeded(job: str, at: Mapping[str, datetime]) -> Told:
    """Return when the job last succeeded at each target where it is known to have."""
    return {Series(LAST_SUCCESS, (job, target)): moment.timestamp() for target, moment in at.items()}
