"""Fetch lists from where their publishers serve them, each on its own: one that fails keeps no other from going out.

Several items may read one address (IPv4 and IPv6 of one JSON file): it is asked once, and only for an answer other
than the one that the published files were made of. An item whose address fails, answers with a page or with nothing, or
whose filter fails, is a finding by name; its last good version stays public, and the run ends with 5. What does come
is then judged like any other file: a list that shrinks is for its limits, one that is malformed for its kind. One that
its server dates a day or more before the published one has gone back, and is held.

There are no credentials here: a URL that holds one is refused, as job files are read by many.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import random as real_random

from hubdata.errors import ConfigError, SourceError
from hubdata.model.finding import ITEM_FAILED, Finding, Severity
from hubdata.model.snapshot import Fetched, SourceFile
from hubdata.ports import Published, SourceContext
from hubdata.sources.http.filtering import filtered, jq_place
from hubdata.sources.http.items_file import items_in
from hubdata.sources.http.options import HttpOptions, Item, named_twice
from hubdata.transfer.answers import Answers, Came, Wanted
from hubdata.transfer.conditional import NOTHING_KNOWN, Validators, http_date
from hubdata.transfer.list_page import refuse_what_is_no_list
from hubdata.transfer.retry import Policy, RequestFailed
from hubdata.transfer.spool import write_stream
from hubdata.transfer.upstream import Upstream, all_failures, explained, place_in
from hubdata.transfer.url import safe_url

_POLICY = Policy(attempts=3)  # question and download are one request here
_ADVICE = {
    401: "this address wants credentials, which this source does not have",
    403: "the upstream refuses this client: open the address in a browser; it may have moved",
    404: "there is no such file any more: look where the upstream publishes it now",
    410: "there is no such file any more: look where the upstream publishes it now",
    429: "too many requests: wait for the next run; do not restart in a loop",
}


@dataclass(slots=True)
class _Done:
    """What became of the items of one address."""

    files: list[SourceFile] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    came: dict[str, Came] = field(default_factory=dict)
    rewinds: list[str] = field(default_factory=list)
    failures: dict[Item, SourceError] = field(default_factory=dict)


class HttpSource:
    """The items that a job names."""

    Options = HttpOptions

    def __init__(
        self,
        options: HttpOptions,
        context: SourceContext,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = real_random,
    ) -> None:
        self._options = options
        self._context = context
        self._monotonic = monotonic
        self._random = random
        self._jq = ""

    @classmethod
    def lacks(cls, options: HttpOptions, environment: Mapping[str, str]) -> str | None:  # noqa: ARG003 - the port's
        """Return None: the lists are public."""
        return None

    def fetch(self, published: Published) -> Fetched:
        """Return the files that were made anew; by key in `kept` those whose answer has not changed since.

        An item that failed is a finding. Raises SourceError when all of them did, ConfigError when the items cannot
        be read or a filter has no jq to run in.
        """
        items = self._items()
        if any(item.jq for item in items):
            self._jq = jq_place()
        answers = Answers("http", self._context.memory, published())
        addresses: dict[str, list[Item]] = {}
        for item in items:
            addresses.setdefault(item.url, []).append(item)
        done = self._all(addresses, answers)
        failures = {item: err for each in done for item, err in each.failures.items()}
        answers.keep({recipe: came for each in done for recipe, came in each.came.items()}, self._context.clock.now())
        if len(failures) == len(items):
            raise all_failures({item.output: err for item, err in failures.items()})
        return Fetched(
            revision=None,
            files=tuple(sorted((file for each in done for file in each.files), key=lambda file: file.key)),
            rewinds=tuple(sorted(state for each in done for state in each.rewinds)),
            kept=tuple(sorted(key for each in done for key in each.kept)),
            findings=tuple(_finding(item, failures[item]) for item in items if item in failures),
        )

    def _all(self, addresses: Mapping[str, list[Item]], answers: Answers) -> list[_Done]:
        """Return what became of each address; a run that is broken off waits for none of them."""
        pool = ThreadPoolExecutor(self._options.concurrency, thread_name_prefix="http")
        try:
            done = list(pool.map(lambda url: self._address(url, addresses[url], answers), addresses))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()
        return done

    def _items(self) -> tuple[Item, ...]:
        options = self._options
        listed = items_in(options.items_file) if options.items_file is not None else ()
        if twice := named_twice((*options.items, *listed)):
            raise ConfigError(
                f"items_file {options.items_file}: {twice} is made by the job file's items too",
                advice="each file has one origin: take one of the two out",
            )
        return (*options.items, *listed)

    def _address(self, url: str, items: list[Item], answers: Answers) -> _Done:
        context, done = self._context, _Done()
        upstream = Upstream(
            self._options,
            context.environment,
            now=context.clock.now,
            sleep=context.clock.sleep,
            monotonic=self._monotonic,
            random=self._random,
        )
        behind = (
            {NOTHING_KNOWN} if context.force else {answers.behind(Wanted(item.output, item.recipe)) for item in items}
        )
        known = behind.pop() if len(behind) == 1 else NOTHING_KNOWN
        try:
            answer = upstream.retrying(partial(self._ask, upstream, url, known), _POLICY)
        except SourceError as err:
            done.failures = dict.fromkeys(items, err)
            return done
        if answer is None:
            done.kept = [item.output for item in items]
            return done
        body, said = answer
        for item in items:
            try:
                self._make(item, body, said, answers, done)
            except SourceError as err:
                done.failures[item] = err
        return done

    def _ask(self, upstream: Upstream, url: str, known: Validators) -> tuple[bytes, Validators] | None:
        """Return the answer and what tells it from others; None when it is the `known` one."""
        limit = self._options.max_bytes
        try:
            with (
                upstream.client(url) as client,
                client.get_changed(url, known=known, deadline=upstream.deadline, max_bytes=limit) as response,
            ):
                if response is None:
                    return None
                body = response.read()
        except RequestFailed as err:
            raise explained(err, _ADVICE) from None
        refuse_what_is_no_list(body, response.headers.get("Content-Type", ""), safe_url(url))
        return body, Validators.of(response.headers)

    def _make(self, item: Item, body: bytes, said: Validators, answers: Answers, done: _Done) -> None:
        options = self._options
        if item.jq is not None:
            patience = timedelta(seconds=options.jq_timeout_s)
            body = filtered(body, item.jq, place=self._jq, timeout=patience, max_bytes=options.max_bytes)
        if item.header is not None:
            body = item.header.encode() + b"\n" + body
        sha256 = hashlib.sha256(body).hexdigest()
        path = place_in(self._context.workspace, hashlib.sha256(item.output.encode()).hexdigest()[:32])
        size = write_stream(path, (body,), max_bytes=len(body), what=item.output)
        origin = {"type": "http", "url": safe_url(item.url), "recipe": item.recipe, "sha256": sha256}
        date = http_date(said.last_modified)
        if date:
            origin |= {"edition": item.output, "date": date}
        if newer := answers.newer_than(item.output, date):
            done.rewinds.append(newer)
        done.files.append(SourceFile(item.output, path, size, origin | said.note()))
        done.came[item.recipe] = Came(sha256, said)


def _finding(item: Item, err: SourceError) -> Finding:
    name = f"{item.name}: " if item.name else ""
    advice = err.advice or "the last good version stays; the next run tries again"
    return Finding(item.output, None, ITEM_FAILED, Severity.ERROR, f"{name}{err}", advice)
