"""One run of the MaxMind source: edition by edition, what is current, and a download where that is not public.

Editions are fetched in order, and one that fails does not keep the others from being tried, except for credentials
that are refused: those would be refused again. If any failed, the source fails as a whole, naming each: a job never
publishes half of what it is for without saying so. What was downloaded meanwhile is kept for the next run.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import random as real_random
from typing import TypeVar

from hubdata.errors import SourceError
from hubdata.mmdb.readying import readied
from hubdata.model.snapshot import Digests, Fetched, Provenance, SourceFile
from hubdata.ports import Published, SourceContext
from hubdata.sources.maxmind.access import Access, find_access, has_credentials
from hubdata.sources.maxmind.options import CREDENTIALS_ADVICE, MaxmindOptions, Protocol
from hubdata.sources.maxmind.permalink import Permalinks
from hubdata.sources.maxmind.release import Release, Service
from hubdata.sources.maxmind.updates import Updates
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.downloads import Downloads
from hubdata.transfer.http import HttpClient, Timeouts
from hubdata.transfer.releases import Kept, Releases
from hubdata.transfer.retry import Policy, RequestFailed, retrying
from hubdata.transfer.tar_member import Extracted

T = TypeVar("T")

_ASKING = Policy(attempts=6)
_DOWNLOADING = Policy(attempts=2)


@dataclass(frozen=True, slots=True)
class _Run:
    """What one fetch works with. `deadline` bounds all of it, `patience` the waits before another try."""

    access: Access
    service: Service
    ledger: Downloads
    releases: Releases
    deadline: Deadline
    patience: Deadline


class MaxmindSource:
    """The editions that a job names, from the vendor or a mirror that speaks like it."""

    Options = MaxmindOptions

    def __init__(
        self,
        options: MaxmindOptions,
        context: SourceContext,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = real_random,
    ) -> None:
        self._options = options
        self._context = context
        self._clock = context.clock
        self._force = context.force
        self._monotonic = monotonic
        self._random = random

    @classmethod
    def lacks(cls, options: MaxmindOptions, environment: Mapping[str, str]) -> str | None:
        """Return what to set before a fetch can work, or None when credentials were given, be it half of them."""
        return None if has_credentials(options, environment) else f"credentials for MaxMind: {CREDENTIALS_ADVICE}"

    def fetch(self, published: Published) -> Fetched:
        """Return the editions that changed, their databases in the workspace; the others by key in `kept`.

        With `force`, all of them, downloaded anew. Raises ConfigError without credentials, SourceError naming each
        edition that failed or may not be downloaded yet.
        """
        options, context = self._options, self._context
        access = find_access(options, context.environment)
        timeouts = Timeouts(timedelta(seconds=options.connect_timeout_s), timedelta(seconds=options.read_timeout_s))
        budget = timedelta(seconds=options.timeout_s)
        patience = budget if access.retry_for is None else min(budget, access.retry_for)
        speak = Permalinks if options.protocol is Protocol.PERMALINK else Updates
        memory = context.memory
        with HttpClient(
            access.url,
            timeouts=timeouts,
            environment=context.environment,
            proxy=access.proxy,
            now=self._clock.now,
        ) as client:
            run = _Run(
                access,
                speak(client, access, options.max_bytes),
                Downloads(memory, access.account_id, access.quota_host, per_day=options.daily_downloads),
                Releases(memory / "releases" if memory else None),
                Deadline.after(budget, monotonic=self._monotonic),
                Deadline.after(patience, monotonic=self._monotonic),
            )
            return self._fetch_all(run, published)

    def _fetch_all(self, run: _Run, published: Published) -> Fetched:
        files: list[SourceFile] = []
        kept: list[str] = []
        rewinds: list[str] = []
        releases: list[Release] = []
        failures: dict[str, SourceError] = {}
        for edition in run.access.editions:
            key = self._options.key(edition)
            try:
                release = self._retrying(run, partial(run.service.release, edition, run.deadline), _ASKING)
                releases.append(release)
                before = _published_as(edition, published().get(key, {}))
                if release.is_that_of(before) and not self._force:
                    kept.append(key)
                    continue
                if before.get("date", "") > release.date:
                    rewinds.append(f"{edition} {before['date']}")
                files.append(self._file(run, release))
            except SourceError as err:
                failures[edition] = err
                if isinstance(err, RequestFailed) and err.status == 401:
                    break
        if failures:
            raise _all_failures(failures)
        revision = max(release.date for release in releases)
        return Fetched(revision=revision, files=tuple(files), kept=tuple(kept), rewinds=tuple(rewinds))

    def _file(self, run: _Run, release: Release) -> SourceFile:
        """Return the release's database in the workspace: the copy that another run left, else a download.

        Of several runs at once one downloads, the others wait for its copy.
        """
        path = self._workspace() / f"{release.edition}.mmdb"
        with run.releases.turn(release.edition, at_most_s=run.deadline.remaining_s / 2):
            kept = self._kept(run, release, path)
            release, found = (release, kept) if kept else self._downloaded(run, release, path)
        source = release.provenance(run.access.url, found.md5)
        digests = Digests(found.sha256, found.md5)
        return SourceFile(self._options.key(release.edition), path, found.size, source, digests)

    def _kept(self, run: _Run, release: Release, path: Path) -> Kept | None:
        if self._force:
            return None
        kept = run.releases.take(release.edition, release.digest, path)
        if kept is None or (release.digest_name == "md5" and kept.md5 != release.digest):
            with suppress(OSError):
                path.unlink(missing_ok=True)
            return None
        return kept

    def _downloaded(self, run: _Run, wanted: Release, path: Path) -> tuple[Release, Extracted]:
        what, now = f"{wanted.edition} {wanted.digest}", self._clock.now

        def attempt() -> tuple[Release, Extracted]:
            run.ledger.begin(what, now(), forced=self._force)
            try:
                return run.service.download(wanted, path, run.deadline)
            except SourceError as err:
                run.ledger.failed(err, now())
                raise

        with readied():
            release, found = self._retrying(run, attempt, _DOWNLOADING)
        run.releases.keep(release.edition, release.digest, path, found.sha256, now())
        run.ledger.ended_well(what, now())
        return release, found

    def _workspace(self) -> Path:
        workspace = self._context.workspace
        try:
            workspace.mkdir(parents=True, exist_ok=True)
        except OSError as err:
            raise SourceError(
                f"{workspace} cannot be made: {err.strerror}",
                advice="set `spool` to a directory that can be written",
            ) from err
        return workspace

    def _retrying(self, run: _Run, attempt: Callable[[], T], policy: Policy) -> T:
        return retrying(attempt, policy=policy, deadline=run.patience, sleep=self._clock.sleep, random=self._random)


def _published_as(edition: str, source: Provenance) -> Provenance:
    ours = source.get("type") == "maxmind" and source.get("edition") == edition
    return source if ours else {}


def _all_failures(failures: Mapping[str, SourceError]) -> SourceError:
    advice = dict.fromkeys(err.advice for err in failures.values() if err.advice)
    return SourceError(
        "; ".join(f"{edition}: {err}" for edition, err in failures.items()),
        advice="; ".join(advice),
        retryable=all(err.retryable for err in failures.values()),
    )
