"""Publish the status page beside the data: `index.html` and `status.json`, and a private memory for its charts.

    puts, and meanwhile the memory is read -> [manifest swap, and meanwhile the page is drawn] -> page, status, memory

The CDN is told of the page with everything else, so it waits for it a little, and no longer. What goes wrong with the
page is told, fails nothing and is mended by the next run: what is published must go on being told, whatever befalls a
page about it.

What was written stands in the ledger with the ETags of its files, as a seal does, so a run that changes nothing sees
in its listing that the page is whole and sends no request more. Caches keep the page for a minute, so one that was
mended needs no word to the CDN. A file in its place that others have written stays. See docs/adr/0019.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from hubdata.errors import Conflict, HubdataError
from hubdata.model.event import Event
from hubdata.model.job import Job
from hubdata.model.key import PAGE, PRIVATE, STATUS
from hubdata.model.manifest import Manifest
from hubdata.model.receipt import Applied
from hubdata.model.run import RunResult
from hubdata.model.success import key_of
from hubdata.ports import Blob, Reporter, Target
from hubdata.publishing import successes
from hubdata.publishing.lease import Held
from hubdata.publishing.ledger import Page
from hubdata.publishing.pages import KEYS
from hubdata.publishing.survey import Survey

MEMORY = f"{PRIVATE}page.json"
"""What pages after this one tell of the past; nothing else depends on it, so losing it only begins the charts anew."""

CACHE_CONTROL = "public, max-age=60, stale-while-revalidate=60, stale-if-error=86400"
"""No longer at an edge than elsewhere: of a page that was mended nobody tells the CDN."""

PATIENCE_S = 10.0
"""So long the CDN is kept waiting for a page; one that comes later is seen a minute later."""

_CACHED = {MEMORY: "private, no-store"}
_TYPES = {PAGE: "text/html; charset=utf-8", STATUS: "application/json", MEMORY: "application/json"}
_MAX_BYTES = 4 << 20
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Told:
    """What a page is drawn from. `now` is the store's time.

    `before` is the manifest that was in force when the run looked; None where the page is of the one it found. `run` is
    what the run did here so far, `jobs` are all that are known. `memory` is what the page before has left, if anything;
    `kept` asks the target for the last success of a job that took no part, and costs a GET where there is one.
    """

    target: str
    manifest: Manifest
    before: Manifest | None
    run: RunResult
    jobs: tuple[Job, ...]
    now: datetime
    memory: bytes | None
    kept: Callable[[str], datetime | None] = lambda _: None


Story = Callable[[Manifest, Manifest | None, Applied | None, bytes | None], Told]
"""Gives what a page is drawn from: of this manifest, after that one, with what is applied, upon the memory."""


class Pager(Protocol):
    """Who draws pages: `hubdata.report.pager.StatusPager`."""

    def warm(self) -> None:
        """Get ready to draw, in a thread that has nothing better to do."""
        ...

    def drawn(self, told: Told) -> Mapping[str, bytes]:
        """Return the bodies of `KEYS` and of MEMORY."""
        ...

    def drew(self, key: str, body: bytes) -> bool:
        """Tell whether `body`, which lies at `key`, is a page that hubdata has drawn."""
        ...


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of a page: what the ledger is to note, and in a line what a person should know, if anything."""

    page: Page
    remark: str = ""


@dataclass(frozen=True, slots=True)
class _Lying:
    """What lies at a key: the ETag, and whether it is hubdata's."""

    etag: str
    ours: bool = True


@dataclass(slots=True)
class Paging:
    """One run's page at one target, under its lease: `remember`, `draw`, `write`, and `shown` once the rest is done."""

    target: Target
    pager: Pager
    lease: Held
    found: Survey
    story: Story
    reporter: Reporter
    pool: ThreadPoolExecutor
    _memory: "Future[Blob | None] | None" = None
    _drawn: "Future[Mapping[str, bytes]] | None" = None
    _written: "dict[str, Future[_Lying]]" = field(default_factory=dict)
    _manifest_etag: str = ""

    def remember(self) -> None:
        """Begin to read the memory."""
        self._memory = self.pool.submit(self._remembered)
        self.pool.submit(self.pager.warm)  # while the store answers; what goes wrong is told when the page is drawn

    def draw(self, manifest: Manifest, before: Manifest | None, applied: Applied | None) -> None:
        """Begin to draw the page of a manifest that is about to be swapped in, or is in force."""
        self._drawn = self.pool.submit(self._draw, manifest, before, applied)

    def write(self, manifest_etag: str) -> None:
        """Begin to write what is drawn: its manifest is in force, with this ETag."""
        self._manifest_etag = manifest_etag
        self._written = {key: self.pool.submit(self._put, key) for key in (*KEYS, MEMORY)}

    def settle(self) -> None:
        """Wait for the page, so that the CDN fetches the new one; but not for long."""
        wait(self._written.values(), timeout=PATIENCE_S)

    def shown(self) -> Shown:
        """Return what came of the page, once all of it is done. Whatever went wrong with it is told, not raised."""
        known = self.found.ledger.page
        files = {key: etag for key, etag in known.files.items() if key in KEYS} if known else {}
        foreign: dict[str, str] = {}
        troubles: list[HubdataError] = []
        for key, future in self._written.items():
            try:
                lying = future.result()
            except Exception as found:  # noqa: BLE001 - what is published must be told, and its receipt closed
                err = found if isinstance(found, HubdataError) else _bug(found)
                self.reporter.emit(Event("page.failed", {"target": self.target.name, "key": key, "error": str(err)}))
                troubles += [err] if key in KEYS else []
                continue
            if key not in KEYS:
                continue
            files.pop(key, None)
            (files if lying.ours else foreign)[key] = lying.etag
        if not troubles:
            self.reporter.emit(Event("page.written", {"target": self.target.name, "files": len(files)}))
        page = Page("" if troubles else self._manifest_etag, files, foreign)
        return Shown(page, _remark(self.target.name, tuple(foreign), troubles))

    def _remembered(self) -> Blob | None:
        try:
            return self.target.read(MEMORY, max_bytes=_MAX_BYTES)
        except HubdataError as err:  # the charts begin anew
            self.reporter.emit(Event("page.forgotten", {"target": self.target.name, "error": str(err)}))
            return None

    def _kept(self, job: str) -> datetime | None:
        if key_of(job) not in self.found.lasts:
            return None
        try:
            success = successes.last(self.target, job)
        except HubdataError:  # then it is not known
            return None
        return None if success is None else success.ended_at

    def _draw(self, manifest: Manifest, before: Manifest | None, applied: Applied | None) -> Mapping[str, bytes]:
        blob = None if self._memory is None else self._memory.result()
        try:
            told = self.story(manifest, before, applied, None if blob is None else blob.body)
            return self.pager.drawn(replace(told, kept=self._kept))
        except HubdataError:
            raise
        except Exception as err:
            raise _bug(err) from err

    def _put(self, key: str) -> _Lying:
        """Return what lies at `key` once the page does, or what others have put there."""
        known = self.found.ledger.page
        held = self.found.own.get(key)
        mine = known is not None and key in known.files
        if key == MEMORY:
            blob = None if self._memory is None else self._memory.result()
            held, mine = None if blob is None else blob.stored.etag, True
        elif known is not None and held is not None and known.foreign.get(key) == held:
            return _Lying(held, ours=False)
        if held is not None and not mine and not self._is_ours(key):
            return _Lying(held, ours=False)
        assert self._drawn is not None  # noqa: S101 - `draw` comes before `write`
        return self._stored(key, self._drawn.result()[key], held, mine=mine)

    def _stored(self, key: str, body: bytes, held: str | None, *, mine: bool) -> _Lying:
        for _ in range(_TRIES):
            self.lease.check()
            try:
                stored = self.target.write(
                    key, body, content_type=_TYPES[key], cache_control=_CACHED.get(key, CACHE_CONTROL), if_etag=held
                )
            except Conflict:
                blob = self.target.read(key, max_bytes=_MAX_BYTES)
                if blob is not None and blob.body == body:  # an answer was lost
                    return _Lying(blob.stored.etag)
                if blob is not None and not mine and not self.pager.drew(key, blob.body):
                    return _Lying(blob.stored.etag, ours=False)
                held = None if blob is None else blob.stored.etag
            else:
                return _Lying(stored.etag)
        raise Conflict(
            f"{key} changed {_TRIES} times while this run tried to write it",
            advice="find out who else writes it",
            retryable=True,
        )

    def _is_ours(self, key: str) -> bool:
        """Tell whether an object that no ledger names is a page after all: its run broke off, or the ledger is lost."""
        blob = self.target.read(key, max_bytes=_MAX_BYTES)
        return blob is None or self.pager.drew(key, blob.body)


@contextmanager
def paging(
    target: Target, pager: Pager, lease: Held, found: Survey, *, story: Story, reporter: Reporter
) -> Iterator[Paging]:
    """Give what a run writes its page with; nothing of it is under way any more afterwards."""
    with ThreadPoolExecutor(len(_TYPES), thread_name_prefix=f"page-{target.name}") as pool:
        yield Paging(target, pager, lease, found, story, reporter, pool)


def unshown(target: str, err: HubdataError) -> str:
    """Return what a person should know of a page that could not be written."""
    advice = f" ({err.advice})" if err.advice else ""
    return f"target {target}: the status page could not be written: {err}{advice}; the next run tries again"


def _bug(err: Exception) -> HubdataError:
    return HubdataError(f"{type(err).__name__}: {err}", advice="report this as a bug in hubdata")


def _remark(target: str, foreign: tuple[str, ...], troubles: list[HubdataError]) -> str:
    if troubles:
        return unshown(target, troubles[0])
    if foreign:
        names = " and ".join(foreign)
        return (
            f"target {target}: {names} there is not hubdata's and stays as it is: remove it, and the next run writes"
            " the status page in its place; or say `publish = false` in [page]"
        )
    return ""
