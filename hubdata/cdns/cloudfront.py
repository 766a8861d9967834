"""CloudFront: asked to forget what changed, once, however often it is asked, and no faster than it can.

The CallerReference is the receipt's id: CloudFront takes the same reference with the same paths for the same request,
so a run that died after asking may simply ask again. A publication with more paths than one request takes goes out in
several, cut from the list in order and numbered, so that the same receipt always makes the same requests.

What CloudFront works on at once is limited for everybody who uses the distribution, so it is the only one who knows
whether there is room: it is asked, and asked again later while it says that there is none.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import timedelta
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import quote

from hubdata.errors import CdnError, ConfigError
from hubdata.model.event import Event
from hubdata.model.receipt import Invalidation
from hubdata.model.tariff import Tariff
from hubdata.ports import Reporter
from hubdata.tables import BaseModel, ConfigDict, Field, field_validator
from hubdata.transfer.aws import AwsClient, Call, Settings, Trouble, failure_code, failure_status, translated
from hubdata.transfer.cloudfront_quick import QuickCloudfront
from hubdata.transfer.patience import Patience

MAX_PATHS = 3_000
MAX_WILDCARDS = 15
"""What may be in progress at once, each apart from the other (developer guide, "Concurrent invalidation request
maximum"), and what one request holds here. A tag counts as a path."""

USD_PER_PATH = 0.005
_USD_PER_EVICTED_GB = 1.2
"""What it is worth that an unchanged gigabyte stays cached: 13 regional caches fetch it again, at 0.09 USD a GB. From
S3 that is free, from other origins it is not, and readers wait for it in any case."""

TAG_HEADER = "x-amz-meta-cache-tag"
"""The header a distribution must read tags from (`CacheTagConfig`): S3 makes it of the metadata `cache-tag`."""

_ID_SEPARATOR = ","
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 10.0
_LONGER = 1.5

# CloudFront wants non-ASCII and RFC 1738's unsafe characters encoded and no others, or it forgets another file than
# is cached (developer guide, "Invalidation paths"). `?` would begin a query.
_KEPT = "/!$&'()*+,;:=@-._"
_UNMATCHABLE = "~"

_BUSY = (
    "TooManyInvalidationsInProgress",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "SlowDown",
)


class CloudfrontCdn:
    """One distribution."""

    class Options(BaseModel):
        """What `[cdns.NAME]` may hold for `type = "cloudfront"`. Empty strings count as not set.

        `origin_path` is the path that the distribution puts before every request to its origin. `patience_s` is how
        long one run waits in all while CloudFront is busy. A publication that needs more than `free_paths` paths is
        collapsed where that is cheaper, unless `collapse` is "never". `cache_tags` sends a tag with each object, for
        a distribution whose CacheTagConfig reads it from the header x-amz-meta-cache-tag.
        """

        model_config = ConfigDict(extra="forbid", frozen=True)

        distribution_id: str = Field(pattern=r"^[A-Za-z0-9]{1,64}$")
        endpoint_url: str | None = None
        region: str = "us-east-1"
        origin_path: str = ""
        patience_s: int = Field(default=60, ge=0, le=600)
        collapse: Literal["never", "cheaper"] = "cheaper"
        free_paths: int = Field(default=1_000, ge=0)
        cache_tags: bool = False

        @field_validator("endpoint_url", mode="before")
        @classmethod
        def _empty_is_unset(cls, value: object) -> object:
            return None if value == "" else value

        @field_validator("endpoint_url")
        @classmethod
        def _plain_url(cls, value: str | None) -> str | None:
            if value is not None and (not value.startswith(("http://", "https://")) or "@" in value):
                raise ValueError("expected http(s)://host[:port], without user or password")
            return value

        @field_validator("origin_path")
        @classmethod
        def _whole_segments(cls, value: str) -> str:
            inner = value.strip("/")
            return f"{inner}/" if inner else ""

    def __init__(
        self,
        name: str,
        options: Options,
        key_prefix: str = "",
        *,
        reporter: Reporter | None = None,
        patience: timedelta | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if not key_prefix.startswith(options.origin_path):
            raise ConfigError(
                f"cdns.{name}: origin_path {options.origin_path!r} is not where the target writes ({key_prefix!r})",
                advice="give both the same beginning: origin_path of the distribution, prefix of the target",
            )
        self._name = name
        self._options = options
        self._distribution = options.distribution_id
        self._before_key = "/" + key_prefix.removeprefix(options.origin_path)
        self._settings = Settings("cloudfront", options.region, options.endpoint_url, connections=4)
        self._client = AwsClient(self._settings)
        self._quick = QuickCloudfront.where_simple(options.region, options.endpoint_url, os.environ)
        self._reporter = reporter
        self._patience = Patience(max(timedelta(seconds=options.patience_s), patience or timedelta()), sleep)
        self._sleep = sleep
        self._monotonic = monotonic
        self._reads_tags: bool | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Return the name the settings give this CDN."""
        return self._name

    @property
    def tariff(self) -> Tariff:
        """Return CloudFront's prices and limits: the first 1,000 paths of an account's month are free."""
        return Tariff(
            free_paths=self._options.free_paths,
            usd_per_path=USD_PER_PATH,
            usd_per_evicted_gb=_USD_PER_EVICTED_GB,
            max_plain=MAX_PATHS,
            max_wildcards=MAX_WILDCARDS,
            unmatchable=_UNMATCHABLE,
            collapses=self._options.collapse == "cheaper",
        )

    def warm(self) -> None:
        """Connect, or import and build the client, now; for a thread that has nothing better to do."""
        if self._quick is not None:
            self._quick.warm()
            return
        with self._explained("CreateInvalidation"):
            self._client.build()

    def paths(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        """Return the URL path of each key, percent-encoded as CloudFront wants it, in the same order."""
        return tuple(_path(self._before_key + key) for key in keys)

    def wildcards(self, directories: tuple[str, ...]) -> tuple[str, ...]:
        """Return the path that stands for everything below each directory."""
        return tuple(path.removesuffix("*") + "*" for path in self.paths(directories))

    def tag(self, job: str) -> str:
        """Return the tag of a job's objects; empty unless the settings want tags and the distribution reads them."""
        return f"hubdata:{job}" if self._options.cache_tags and self._has_tag_header() else ""

    def tagged(self, tags: tuple[str, ...]) -> tuple[str, ...]:
        """Return the path that stands for everything that carries each tag."""
        return tuple(f"#{tag}" for tag in tags)

    def invalidate(self, paths: tuple[str, ...], reference: str) -> Invalidation:
        """Ask for `paths` to be forgotten. The same reference and paths again are the same request.

        Raises CdnError; retryable when CloudFront was too busy for as long as this run has patience.
        """
        if not paths:
            return Invalidation(paths=(), reference=reference)
        ids = [
            self._ask_patiently(batch, reference if number == 1 else f"{reference}-{number}")
            for number, batch in enumerate(_batches(paths), start=1)
        ]
        return Invalidation(paths=paths, reference=reference, id=_ID_SEPARATOR.join(ids))

    def wait(self, invalidation: Invalidation, *, timeout: timedelta) -> None:
        """Return when CloudFront has forgotten all paths. Raises CdnError after `timeout`."""
        numbers = invalidation.id.split(_ID_SEPARATOR) if invalidation.id else []
        started, pause, left = self._monotonic(), _FIRST_PAUSE_S, numbers
        while left := [number for number in left if not self._is_completed(number)]:
            elapsed = self._monotonic() - started
            remaining = timeout.total_seconds() - elapsed
            if remaining <= 0:
                more = f" (and {len(left) - 1} more)" if len(left) > 1 else ""
                raise CdnError(
                    f"{self._place}: invalidation {left[0]}{more} is not completed after"
                    f" {timeout.total_seconds():.0f} s",
                    advice="it goes on by itself; wait longer, or look at it in the CloudFront console",
                    retryable=True,
                )
            percent = 100 * (len(numbers) - len(left)) // len(numbers)
            self._emit("cdn.waiting", percent=percent, elapsed_s=round(elapsed, 1))
            self._sleep(min(pause, remaining))
            pause = min(pause * _LONGER, _LONGEST_PAUSE_S)

    def _is_completed(self, number: str) -> bool:
        """Tell whether one invalidation is done; not yet, where CloudFront is too busy to say."""
        try:
            with self._explained("GetInvalidation"):
                answer = self._client.build().get_invalidation(DistributionId=self._distribution, Id=number)
        except CdnError as err:
            if not err.retryable:
                raise
            return False
        return str(answer["Invalidation"]["Status"]).lower() == "completed"  # CloudFront: Completed; moto: COMPLETED

    def _ask_patiently(self, paths: tuple[str, ...], reference: str) -> str:
        """Ask until CloudFront has room for `paths`, or patience is at its end. Returns the invalidation's id."""
        pause = _FIRST_PAUSE_S
        while True:
            try:
                return self._ask(paths, reference)
            except CdnError as err:
                if _is_taken(err) and not reference.endswith(digest := _digest(paths)):
                    # Those were other paths, cut otherwise by another hubdata: now the name follows from the paths.
                    return self._ask_patiently(paths, f"{reference}-{digest}")
                if not _is_busy(err):
                    raise
                if pause == _FIRST_PAUSE_S and self._patience.left_s:
                    self._emit("cdn.busy", error=str(err), patience_s=self._patience.left_s)
                if not self._patience.wait(pause):
                    waited = f" (after {self._patience.waited_s:.0f} s of waiting)" if self._patience.waited_s else ""
                    raise CdnError(f"{err}{waited}", advice=err.advice, retryable=True) from err
                self._emit("cdn.waiting", elapsed_s=round(self._patience.waited_s, 1))
                pause = min(pause * _LONGER, _LONGEST_PAUSE_S)

    def _ask(self, paths: tuple[str, ...], reference: str) -> str:
        if self._quick is not None and (number := self._quick.invalidate(self._distribution, paths, reference)):
            return number
        batch = {"Paths": {"Quantity": len(paths), "Items": list(paths)}, "CallerReference": reference}
        with self._explained("CreateInvalidation"):
            answer = self._client.build().create_invalidation(
                DistributionId=self._distribution, InvalidationBatch=batch
            )
        return str(answer["Invalidation"]["Id"])

    def _has_tag_header(self) -> bool:
        """Tell, after asking once, whether the distribution reads tags where hubdata puts them.

        One that does not would take a tag, forget nothing and say that it is done.
        """
        with self._lock:
            if self._reads_tags is None:
                self._reads_tags = self._tag_header().lower() == TAG_HEADER
            return self._reads_tags

    def _tag_header(self) -> str:
        try:
            with self._explained("GetDistributionConfig"):
                answer = self._client.build().get_distribution_config(Id=self._distribution)
        except CdnError as err:
            self._emit("cdn.untagged", error=f"{err}; {err.advice}")
            return ""
        config: dict[str, Any] = answer["DistributionConfig"].get("CacheTagConfig") or {}
        header = str(config.get("HeaderName", ""))
        if header.lower() != TAG_HEADER:
            self._emit("cdn.untagged", error=f"its CacheTagConfig names {header or 'no header'}, not {TAG_HEADER}")
        return header

    def _emit(self, event: str, **fields: str | float) -> None:
        if self._reporter is not None:
            self._reporter.emit(Event(event, {"cdn": self._name, **fields}))

    @property
    def _place(self) -> str:
        return f"CloudFront distribution {self._distribution}"

    def _explained(self, operation: str) -> AbstractContextManager[None]:
        resource = f"arn:aws:cloudfront::*:distribution/{self._distribution}"
        return translated(_cdn_error, Call(operation, self._place, f"cloudfront:{operation}", resource, self._settings))


def _path(path: str) -> str:
    # CloudFront matches `~` neither plain nor encoded: only a wildcard that ends before it reaches such a file.
    before, tilde, _ = path.partition(_UNMATCHABLE)
    return quote(before, safe=_KEPT) + ("*" if tilde else "")


def _batches(paths: Iterable[str]) -> list[tuple[str, ...]]:
    """Cut `paths` in order into requests that each fit into what may be in progress.

    The same paths must always be cut the same way: a receipt may be resumed of which the first half was accepted.
    """
    batches: list[list[str]] = [[]]
    wildcards = 0
    for path in paths:
        starred = path.endswith("*")
        if len(batches[-1]) == MAX_PATHS or (starred and wildcards == MAX_WILDCARDS):
            batches.append([])
            wildcards = 0
        batches[-1].append(path)
        wildcards += starred
    return [tuple(batch) for batch in batches]


def _digest(paths: tuple[str, ...]) -> str:
    return sha256("\n".join(paths).encode()).hexdigest()[:16]


def _is_busy(err: CdnError) -> bool:
    cause = err.__cause__
    return isinstance(cause, Exception) and (failure_code(cause) in _BUSY or failure_status(cause) in (429, 503))


def _is_taken(err: CdnError) -> bool:
    """Tell that the reference was used for other paths. The service says it in words that its reference does not."""
    cause = err.__cause__
    code = failure_code(cause) if isinstance(cause, Exception) else ""
    return code == "InvalidationBatchAlreadyExists" or (code == "InvalidArgument" and "caller reference" in str(cause))


def _cdn_error(trouble: Trouble) -> CdnError:
    return CdnError(trouble.message, advice=trouble.advice, retryable=trouble.retryable)
