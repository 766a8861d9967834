"""What a worker tells Prometheus: what its runs came to since it started, and how its jobs stand at this moment.

Runs are counted as they end; how jobs stand is read from the board whenever somebody asks, so it is never old. What is
public from before is read from the targets' manifests once, beside everything else.
"""

import threading
from collections.abc import Callable

from hubdata import reaching
from hubdata.config.settings import Settings
from hubdata.errors import ConfigError, HubdataError
from hubdata.model.event import Event
from hubdata.ports import Reporter
from hubdata.publishing.survey import read_manifest
from hubdata.report.metrics import catalogue
from hubdata.report.metrics.published import published
from hubdata.report.metrics.runs import news_of, news_of_failure
from hubdata.report.metrics.series import Series, Told, Value, only, upon, zeros
from hubdata.report.metrics.standing import VERSION, ages, succeeded
from hubdata.worker.board import State
from hubdata.worker.runs import Ended
from hubdata.worker.worker import Worker


class Meter:
    """Counts runs, and tells of them and of the board. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: Told = {}

    def ended(self, ended: Ended) -> None:
        """Count a run that has ended."""
        elapsed_s, at = (ended.ended_at - ended.started_at).total_seconds(), ended.ended_at
        if ended.result is not None and ended.own is not None:
            news = news_of(ended.result, elapsed_s=elapsed_s, ended_at=at)
        else:
            news = news_of_failure(ended.job, ended.exit_code, elapsed_s=elapsed_s, ended_at=at)
        with self._lock:
            self._told = upon(self._told, news)

    def found(self, told: Told) -> None:
        """Take note of what was found to be public; what a run has told since is newer."""
        with self._lock:
            self._told = {**told, **self._told}

    def told(self, state: State, fed: frozenset[str] = frozenset()) -> Told:
        """Return everything there is to tell, of the jobs and targets that the board has. `fed` targets are not judged.

        A target that is fed by another waits by design.
        """
        names = tuple(job.job for job in state.jobs)
        with self._lock:
            counted = self._told
        everything = {**zeros(names, state.targets), **counted, **_standing(state, fed), **VERSION}
        return only(everything, names, state.targets)


def _standing(state: State, fed: frozenset[str]) -> Told:
    judged = tuple(name for name in state.targets if name not in fed) or state.targets
    told: dict[Series, Value] = {
        Series(catalogue.WORKER_START): state.started_at.timestamp(),
        Series(catalogue.SETTINGS_OK): float(not state.problem),
    }
    for job in state.jobs:
        told |= ages(job.job, job.max_age, judged)
        told |= succeeded(job.job, job.successes)
        told[Series(catalogue.JOB_FILE_OK, (job.job,))] = float(not job.file_problem)
        told[Series(catalogue.RUNNING, (job.job,))] = float(job.running_since is not None)
        if job.next_fire is not None:
            told[Series(catalogue.NEXT_RUN, (job.job,))] = job.next_fire.timestamp()
    return told


def telling(meter: Meter, worker: Worker, reporter: Reporter) -> Callable[[], bytes] | None:
    """Return what `/metrics` says, and begin to read what is public; None where the worker does not listen.

    Raises ConfigError when the library is missing.
    """
    settings = worker.settings
    if settings.http is None:
        return None
    try:
        from hubdata.report.metrics.exposition import exposed
    except ImportError as err:
        raise ConfigError(
            "[http] tells metrics too: the package prometheus_client is not installed",
            advice="install it: pip install 'hubdata[worker]'",
        ) from err
    fed = frozenset(name for name, target in settings.targets.items() if target.stage is not None)
    threading.Thread(target=_look, args=(meter, settings, reporter), name="manifests", daemon=True).start()
    return lambda: exposed(meter.told(worker.board.state(), fed))


def _look(meter: Meter, settings: Settings, reporter: Reporter) -> None:
    """Read what each target holds. One that cannot be read is told of by its next run."""
    for name in settings.targets:
        try:
            meter.found(published(name, read_manifest(reaching.build_target(settings, name))[0]))
        except HubdataError as err:
            reporter.emit(Event("metrics.unknown", {"target": name, "error": str(err)}))
