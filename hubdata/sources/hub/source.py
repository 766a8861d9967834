"""Fetch every data file that a hub's items name, each from its public address, for a network without a way there.

Each file stands alone: one that fails, or that is not what its upstream's manifest says, is a finding by name, keeps
its last good version in public, and the run ends with 5. While nothing has changed, a file costs one conditional
request; where the upstream has a manifest that names them all, everything together costs one. As long as the hub cannot
be understood whole, nothing that it may name is deleted.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from random import random as real_random
from typing import TypeVar

from hubdata.errors import SourceError
from hubdata.model.finding import ITEM_FAILED, Finding, Severity
from hubdata.model.snapshot import Fetched, Provenance
from hubdata.ports import Published, SourceContext
from hubdata.sources.hub.addresses import Rules
from hubdata.sources.hub.clients import Clients
from hubdata.sources.hub.downloading import Done, Downloads, recipe_of
from hubdata.sources.hub.items import Hub
from hubdata.sources.hub.manifest import Asked, UpstreamManifest
from hubdata.sources.hub.named import Meant, addresses_of
from hubdata.sources.hub.options import HubOptions
from hubdata.sources.hub.reading import read_hub
from hubdata.transfer.answers import Answers
from hubdata.transfer.upstream import all_failures

T = TypeVar("T")
R = TypeVar("R")
_MOST_TOLD = 20


class HubSource:
    """The data files that a hub's items name."""

    Options = HubOptions

    def __init__(
        self,
        options: HubOptions,
        context: SourceContext,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = real_random,
    ) -> None:
        self._options = options
        self._context = context
        self._monotonic = monotonic
        self._random = random

    @classmethod
    def lacks(cls, options: HubOptions, environment: Mapping[str, str]) -> str | None:  # noqa: ARG003 - the port's
        """Return None: what items name is public."""
        return None

    def fetch(self, published: Published) -> Fetched:
        """Return the files that are new or other than the published ones; in `kept` those that have not changed.

        Raises SourceError when the hub cannot be read, names nothing that can be fetched, or when every file fails.
        """
        with Clients(self._options, self._context, monotonic=self._monotonic, random=self._random) as clients:
            hub = read_hub(self._options, self._context, clients, self._each)
            known = {key: source for key, source in published().items() if source.get("type") == "hub"}
            options = self._options
            rules = Rules(options.base_url, options.keys, frozenset(options.internal_hosts), options.origins)
            urls = {key: source.get("url", "") for key, source in known.items()}
            meant = addresses_of(hub.named, rules, urls, self._options.max_files)
            if not meant.addresses and not hub.findings and not meant.findings:
                raise SourceError(
                    f"the hub's {hub.items} items name no data files",
                    advice="name the hub's root: the directory with scenarios/",
                )
            answers = Answers("hub", self._context.memory, known)
            asked = self._asked(clients, known)
            downloads = Downloads(self._options, self._context, clients, asked.said, answers, known)
            done = self._each(downloads.of, meant.addresses)
        came = {recipe_of(each.address): each.came for each in done if each.came is not None}
        answers.keep(came, self._context.clock.now())
        return _fetched(hub, meant, asked, done, known)

    def _each(self, work: Callable[[T], R], these: Iterable[T]) -> list[R]:
        """Return what `work` makes of each, several at once; a run that is broken off waits for none of them."""
        pool = ThreadPoolExecutor(self._options.concurrency, thread_name_prefix="hub")
        try:
            done = list(pool.map(work, these))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()
        return done

    def _asked(self, clients: Clients, known: Mapping[str, Provenance]) -> Asked:
        manifest = UpstreamManifest(self._options, self._context.memory, known)
        if not manifest.url:
            return Asked()
        upstream = clients.upstream()
        client = clients.client(upstream, manifest.url, public_only=False)
        return manifest.ask(upstream, client, force=self._context.force)


def _fetched(hub: Hub, meant: Meant, asked: Asked, done: list[Done], known: Mapping[str, Provenance]) -> Fetched:
    """Return all of it as what a source gives. Raises SourceError when every file failed."""
    failures = {each.address.key: each.failure for each in done if each.failure is not None}
    if failures and len(failures) == len(done):
        shown = dict(list(failures.items())[:_MOST_TOLD])
        raise all_failures(shown)
    files = tuple(each.file for each in done if each.file is not None)
    new = {file.key for file in files}
    mentioned = {each.address.key for each in done} | meant.displaced
    spared = mentioned if hub.whole and not _unsure(meant) else known.keys() | mentioned
    return Fetched(
        revision=hub.revision,
        files=files,
        rewinds=tuple(sorted(each.rewind for each in done if each.rewind)),
        kept=tuple(sorted(key for key in spared if key in known and key not in new and key not in failures)),
        findings=(
            *hub.findings,
            *meant.findings,
            *asked.findings,
            *(each.finding for each in done if each.finding is not None),
            *(_failed(key, err) for key, err in failures.items()),
        ),
    )


def _unsure(meant: Meant) -> bool:
    """Tell whether an entry came to no address: then nobody knows what it was to be published as."""
    return any(finding.rule == "hub.url" for finding in meant.findings)


def _failed(key: str, err: SourceError) -> Finding:
    advice = err.advice or "the last good version stays; the next run tries again"
    return Finding(key, None, ITEM_FAILED, Severity.ERROR, str(err), advice)
