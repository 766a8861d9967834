"""Look at the public copy as readers of one family do: the manifest first, then files, a few at a time.

Engines ask with `Accept-Encoding: gzip` after a HEAD, so both are asked. Small files are asked for plainly, too, as
mirrors do: caches keep the two apart, and one may be old. Every wait is bounded by the look's deadline.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import quote

from hubdata.model import manifest as manifests_
from hubdata.model.key import MANIFEST_SIGNATURE
from hubdata.model.manifest import Manifest
from hubdata.model.verification import Discrepancy, Family
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.one_family import Answer, FamilyClient, NoAnswer
from hubdata.verifying import contents, manifests, signatures
from hubdata.verifying.contents import Answers
from hubdata.verifying.manifests import Front
from hubdata.verifying.words import About

AT_ONCE = 4
"""Connections a family: enough to hide the way there and back, few enough to disturb nobody."""

_PLAIN_TOO = 4 << 20
_KEPT = "/~!$'()*,=:@"

Connect = Callable[[Family], FamilyClient]


def url_of(base: str, key: str) -> str:
    """Return where a key is public."""
    return f"{base}/{quote(key, safe=_KEPT)}"


class Looker:
    """Looks over one family, and counts: `requests`, `bytes` that came; `address` is the one that answered last."""

    def __init__(self, base: str, family: Family, connect: Connect) -> None:
        self._base = base
        self._connect = connect
        self._lock = threading.Lock()
        self.family = family
        self._clients: set[FamilyClient] = set()
        self._stopped = False
        self.requests = 0
        self.bytes = 0
        self.address = ""

    def stop(self) -> None:
        """Ask nothing more, and cut what is being asked: whoever waited for it has gone."""
        with self._lock:
            self._stopped = True
            for client in self._clients:
                client.stop()

    def manifest(self, deadline: Deadline) -> Front:
        """Return the manifest as the family is given it."""
        about = self._about(manifests_.KEY)
        with self._client() as client:
            answers = _ask(client, about.url, deadline, manifests.MAX_BYTES, plain_too=True, keep=True)
        return manifests.front_of(about, answers)

    def signature(self, deadline: Deadline) -> tuple[About, Answer | NoAnswer]:
        """Return what the family is given for the manifest's signature, whatever it is."""
        about = self._about(MANIFEST_SIGNATURE)
        with self._client() as client:
            most = signatures.MAX_BYTES
            return about, _answer(
                lambda: client.get(about.url, deadline=deadline, max_bytes=most, gzip=False, keep=True)
            )

    def files(
        self, published: Manifest, keys: Iterable[str], deadline: Deadline
    ) -> Mapping[str, tuple[Discrepancy, ...]]:
        """Return by key what is wrong with each file; a finding, too, where time did not suffice to ask."""
        waiting = list(keys)
        slices = [waiting[start::AT_ONCE] for start in range(min(AT_ONCE, len(waiting)))]
        found: dict[str, tuple[Discrepancy, ...]] = {}

        def work(mine: list[str]) -> None:
            with self._client() as client:
                for key in mine:
                    found[key] = self._file(client, key, published, deadline)

        pool = ThreadPoolExecutor(max(1, len(slices)), thread_name_prefix=f"verify-{self.family}")
        try:
            list(pool.map(work, slices))
        except BaseException:
            self.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()
        return found

    def _file(self, client: FamilyClient, key: str, published: Manifest, deadline: Deadline) -> tuple[Discrepancy, ...]:
        about, entry = self._about(key), published.files[key]
        if deadline.expired:
            return (_unfinished(about, deadline),)
        answers = _ask(client, about.url, deadline, entry.size, plain_too=entry.size <= _PLAIN_TOO, keep=False)
        return contents.compare(about, entry, answers, new=entry.changed_at == published.published_at)

    def _about(self, key: str) -> About:
        return About(self.family, key, url_of(self._base, key))

    @contextmanager
    def _client(self) -> Iterator[FamilyClient]:
        with self._connect(self.family) as client:
            with self._lock:
                self._clients.add(client)
                if self._stopped:
                    client.stop()
            try:
                yield client
            finally:
                with self._lock:
                    self._clients.discard(client)
                    self.requests += client.requests
                    self.bytes += client.sent_bytes
                    self.address = client.address or self.address


def _ask(client: FamilyClient, url: str, deadline: Deadline, max_bytes: int, *, plain_too: bool, keep: bool) -> Answers:
    packed = _answer(lambda: client.get(url, deadline=deadline, max_bytes=max_bytes, gzip=True, keep=keep))
    if isinstance(packed, NoAnswer) or packed.status != 200:
        return Answers(packed)
    plain = None
    if plain_too or packed.encoding:
        plain = _answer(lambda: client.get(url, deadline=deadline, max_bytes=max_bytes, gzip=False))
    return Answers(packed, plain, _answer(lambda: client.head(url, deadline=deadline)))


def _answer(ask: Callable[[], Answer]) -> Answer | NoAnswer:
    try:
        return ask()
    except NoAnswer as err:
        return err


def _unfinished(about: About, deadline: Deadline) -> Discrepancy:
    allowed = f"{deadline.budget.total_seconds():g} s"
    advice = "raise verify.timeout_s, or look at fewer files"
    return about.error("verify.unfinished", f"an answer within {allowed}", "no time was left to ask", advice)
