"""CloudFront: asked to forget exactly the changed paths, once, however often it is asked.

The CallerReference is the receipt's id: CloudFront takes the same reference with the same paths for the same
request, so a run that died after asking may simply ask again. One request holds at most 3,000 paths (its limit on
paths in progress); more go in several requests with numbered references, whose ids are kept together.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hubdata.errors import CdnError, ConfigError
from hubdata.model.receipt import Invalidation
from hubdata.transfer.aws import AwsClient, Call, Settings, Trouble, translated

MAX_PATHS = 3_000
"""Paths that one request may hold, and that may be in progress at once (CloudFront quotas, "Invalidations")."""

_ID_SEPARATOR = ","
_FIRST_POLL_S = 1.0
_SLOWEST_POLL_S = 10.0

# CloudFront wants non-ASCII and RFC 1738's unsafe characters encoded and no others, or it forgets another file than
# is cached (developer guide, "Invalidation paths"). `?` would begin a query.
_KEPT = "/!$&'()*+,;:=@-._"


class CloudfrontCdn:
    """One distribution."""

    class Options(BaseModel):
        """What `[cdns.NAME]` may hold for `type = "cloudfront"`. Empty strings count as not set.

        `origin_path` is the path that the distribution puts before every request to its origin.
        """

        model_config = ConfigDict(extra="forbid", frozen=True)

        distribution_id: str = Field(pattern=r"^[A-Za-z0-9]{1,64}$")
        endpoint_url: str | None = None
        region: str = "us-east-1"
        origin_path: str = ""

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
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if not key_prefix.startswith(options.origin_path):
            raise ConfigError(
                f"cdns.{name}: origin_path {options.origin_path!r} is not where the target writes ({key_prefix!r})",
                advice="give both the same beginning: origin_path of the distribution, prefix of the target",
            )
        self._name = name
        self._distribution = options.distribution_id
        self._before_key = "/" + key_prefix.removeprefix(options.origin_path)
        self._settings = Settings("cloudfront", options.region, options.endpoint_url, connections=4)
        self._client = AwsClient(self._settings)
        self._sleep = sleep
        self._monotonic = monotonic

    @property
    def name(self) -> str:
        """Return the name the settings give this CDN."""
        return self._name

    def warm(self) -> None:
        """Import and build the client now; for a thread that has nothing better to do."""
        with self._explained("CreateInvalidation"):
            self._client.build()

    def paths(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        """Return the URL path of each key, percent-encoded as CloudFront wants it, in the same order."""
        return tuple(_path(self._before_key + key) for key in keys)

    def invalidate(self, paths: tuple[str, ...], reference: str) -> Invalidation:
        """Ask for `paths` to be forgotten. The same reference and paths again are the same request.

        Raises CdnError; retryable when CloudFront is busy with too many others.
        """
        if not paths:
            return Invalidation(paths=(), reference=reference)
        batches = [paths[start : start + MAX_PATHS] for start in range(0, len(paths), MAX_PATHS)]
        ids = [
            self._ask(batch, reference if number == 1 else f"{reference}-{number}")
            for number, batch in enumerate(batches, start=1)
        ]
        return Invalidation(paths=paths, reference=reference, id=_ID_SEPARATOR.join(ids))

    def wait(self, invalidation: Invalidation, *, timeout: timedelta) -> None:
        """Return when CloudFront has forgotten all paths. Raises CdnError after `timeout`."""
        until = self._monotonic() + timeout.total_seconds()
        for number in invalidation.id.split(_ID_SEPARATOR) if invalidation.id else ():
            pause = _FIRST_POLL_S
            while self._status(number).lower() != "completed":  # CloudFront: Completed; moto: COMPLETED
                left = until - self._monotonic()
                if left <= 0:
                    raise CdnError(
                        f"{self._place}: invalidation {number} is not completed after {timeout.total_seconds():.0f} s",
                        advice="it goes on by itself; wait longer, or look at it in the CloudFront console",
                        retryable=True,
                    )
                self._sleep(min(pause, left))
                pause = min(pause * 1.5, _SLOWEST_POLL_S)

    def _ask(self, paths: tuple[str, ...], reference: str) -> str:
        batch = {"Paths": {"Quantity": len(paths), "Items": list(paths)}, "CallerReference": reference}
        with self._explained("CreateInvalidation"):
            answer = self._client.build().create_invalidation(
                DistributionId=self._distribution, InvalidationBatch=batch
            )
        return str(answer["Invalidation"]["Id"])

    def _status(self, number: str) -> str:
        with self._explained("GetInvalidation"):
            answer = self._client.build().get_invalidation(DistributionId=self._distribution, Id=number)
        return str(answer["Invalidation"]["Status"])

    @property
    def _place(self) -> str:
        return f"CloudFront distribution {self._distribution}"

    def _explained(self, operation: str) -> AbstractContextManager[None]:
        resource = f"arn:aws:cloudfront::*:distribution/{self._distribution}"
        return translated(_cdn_error, Call(operation, self._place, f"cloudfront:{operation}", resource, self._settings))


def _path(path: str) -> str:
    # CloudFront matches `~` neither plain nor encoded: only a wildcard that ends before it reaches such a file.
    before, tilde, _ = path.partition("~")
    return quote(before, safe=_KEPT) + ("*" if tilde else "")


def _cdn_error(trouble: Trouble) -> CdnError:
    return CdnError(trouble.message, advice=trouble.advice, retryable=trouble.retryable)
