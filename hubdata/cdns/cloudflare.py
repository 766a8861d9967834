"""Cloudflare: asked to purge exactly the URLs that changed, thirty a request.

A purge has no name and is done within seconds: to ask twice costs nothing and does no harm, so a run that died after
asking simply asks again, and there is nothing to wait for. URLs must be spelled as readers request them, since that is
what Cloudflare caches by (developers.cloudflare.com/cache, "Purge by single-file").
"""

import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from hubdata.errors import CdnError, ConfigError
from hubdata.model.event import Event
from hubdata.model.receipt import Invalidation
from hubdata.ports import Reporter
from hubdata.tables import BaseModel, ConfigDict, Field, field_validator
from hubdata.transfer.bearer import BearerAuth
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.patience import Patience
from hubdata.transfer.posting import PostingClient
from hubdata.transfer.retry import RequestFailed, status_is_retryable
from hubdata.transfer.secrets import Secret, read_secret
from hubdata.transfer.url import base_url_problem

MAX_URLS = 30
"""URLs a request takes in a zone of any plan."""

API = "https://api.cloudflare.com/client/v4"
TOKEN = "CLOUDFLARE_API_TOKEN"  # noqa: S105 - the name of a variable

_REQUEST_TIME = timedelta(seconds=60)
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 20.0
_LONGER = 2.0
_MAX_SAID = 300

# What a browser or an engine sends as it is in a path (RFC 3986, 3.3); Cloudflare's normalisation leaves it so.
_KEPT = "/!$&'()*+,;=:@-._~"

_BASE_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9%!$&'()*+,;=:@._~/-]*)?")

_TOKEN_ADVICE = f"set {TOKEN} to a token with the permission Zone / Cache Purge / Purge for this zone"
_ADVICE: Mapping[int, str] = {
    400: "correct `zone_id` and `base_url`: every URL must lie in the zone",
    401: _TOKEN_ADVICE,
    403: _TOKEN_ADVICE,
    404: "correct `zone_id`: it is in the zone's overview, and the token must include that zone",
    429: "too many purges in this account just now: the next run tells it again",
}


class CloudflareCdn:
    """One zone."""

    class Options(BaseModel):
        """What `[cdns.NAME]` may hold for `type = "cloudflare"`.

        `base_url` is the public URL of the target's root; `patience_s` how long one run waits in all while Cloudflare
        is busy. The token comes from the environment.
        """

        model_config = ConfigDict(extra="forbid", frozen=True)

        zone_id: str = Field(pattern=r"^[0-9a-f]{32}$")
        base_url: str
        endpoint_url: str = API
        patience_s: int = Field(default=60, ge=0, le=600)

        @field_validator("endpoint_url", mode="before")
        @classmethod
        def _empty_is_default(cls, value: object) -> object:
            return API if value == "" else value

        @field_validator("endpoint_url")
        @classmethod
        def _keeps_the_token(cls, value: str) -> str:
            if problem := base_url_problem(value):
                raise ValueError(problem)
            return value.rstrip("/")

        @field_validator("base_url")
        @classmethod
        def _as_readers_write_it(cls, value: str) -> str:
            if not _BASE_URL.fullmatch(value):
                raise ValueError("expected http(s)://host[:port][/path] in ASCII, as readers request it")
            return value.rstrip("/")

    def __init__(
        self,
        name: str,
        options: Options,
        key_prefix: str = "",  # noqa: ARG002 - `base_url` already is the target's root
        *,
        reporter: Reporter | None = None,
        patience: timedelta | None = None,
        environment: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = name
        self._options = options
        self._reporter = reporter
        self._patience = Patience(max(timedelta(seconds=options.patience_s), patience or timedelta()), sleep)
        self._environment = os.environ if environment is None else environment

    @property
    def name(self) -> str:
        """Return the name the settings give this CDN."""
        return self._name

    def warm(self) -> None:
        """Import the HTTP library now; for a thread that has nothing better to do."""
        self._connection().close()

    def paths(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        """Return the URL of each key, in the same order."""
        return tuple(f"{self._options.base_url}/{quote(key, safe=_KEPT)}" for key in keys)

    def invalidate(self, paths: tuple[str, ...], reference: str) -> Invalidation:
        """Purge the URLs in `paths`; to do so again does no harm. Raises CdnError when Cloudflare did not accept."""
        if not paths:
            return Invalidation(paths=(), reference=reference)
        auth = BearerAuth(self._token())
        batches = [paths[start : start + MAX_URLS] for start in range(0, len(paths), MAX_URLS)]
        with closing(self._connection()) as client:
            ids = [self._purge_patiently(client, batch, auth) for batch in batches]
        return Invalidation(paths=paths, reference=reference, id=",".join(dict.fromkeys(ids)))

    def wait(self, invalidation: Invalidation, *, timeout: timedelta) -> None:
        """Return at once: a purge that was accepted is done."""

    def _token(self) -> Secret:
        try:
            token = read_secret(self._environment, TOKEN)
        except ConfigError as err:
            raise CdnError(f"{self._place}: {err}", advice=err.advice) from err
        if token is None:
            raise CdnError(
                f"{self._place}: there is no API token", advice=f"{_TOKEN_ADVICE}, or {TOKEN}_FILE to its file"
            )
        if not token.reveal().isascii() or not token.reveal().isprintable():
            raise CdnError(f"{self._place}: the API token is not one line of ASCII", advice=_TOKEN_ADVICE)
        return token

    def _purge_patiently(self, client: PostingClient, urls: tuple[str, ...], auth: BearerAuth) -> str:
        """Purge, again and again while Cloudflare is busy and patience lasts. Returns what it calls the purge."""
        pause = _FIRST_PAUSE_S
        while True:
            try:
                return self._purge(client, urls, auth)
            except _Refused as err:
                asked = err.retry_after_s
                if not err.retryable or not self._patience.wait(max(pause, asked or 0), whole=asked is not None):
                    raise
                if pause == _FIRST_PAUSE_S:
                    self._emit("cdn.busy", error=str(err), patience_s=self._patience.budget_s)
                self._emit("cdn.waiting", elapsed_s=round(self._patience.waited_s, 1))
                pause = min(pause * _LONGER, _LONGEST_PAUSE_S)

    def _purge(self, client: PostingClient, urls: tuple[str, ...], auth: BearerAuth) -> str:
        url = f"{self._options.endpoint_url}/zones/{self._options.zone_id}/purge_cache"
        try:
            answer = client.post(url, {"files": list(urls)}, deadline=Deadline.after(_REQUEST_TIME), auth=auth)
        except RequestFailed as err:
            raise _Refused(f"{self._place}: {err}", advice=err.advice, retryable=err.retryable) from None
        document = answer.document if isinstance(answer.document, dict) else {}
        if answer.status == 200 and document.get("success") is True:
            result = document.get("result")
            return str(result.get("id", "")) if isinstance(result, dict) else ""
        said = _said(document).replace(auth.password.reveal(), "***")
        asked = None if answer.retry_after is None else answer.retry_after.total_seconds()
        if asked is not None:
            said += f"; it asks to be left alone for {asked:.0f} s"
        advice = _ADVICE.get(answer.status, "look at status.cloudflare.com; the next run tells it again")
        raise _Refused(
            f"{self._place}: the purge was refused ({answer.status}: {said})",
            advice=advice,
            retryable=status_is_retryable(answer.status),
            retry_after_s=asked,
        )

    def _connection(self) -> PostingClient:
        return PostingClient(self._options.endpoint_url, environment=self._environment)

    def _emit(self, event: str, **fields: str | float) -> None:
        if self._reporter is not None:
            self._reporter.emit(Event(event, {"cdn": self._name, **fields}))

    @property
    def _place(self) -> str:
        return f"Cloudflare zone {self._options.zone_id}"


class _Refused(CdnError):
    """One request came to nothing."""

    def __init__(
        self, message: str, *, advice: str = "", retryable: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, advice=advice, retryable=retryable)
        self.retry_after_s = retry_after_s


def _said(document: Mapping[str, Any]) -> str:
    """Return what Cloudflare says is wrong, on one line of bounded length."""
    errors = document.get("errors")
    told = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    text = "; ".join(f"{error.get('code', '?')}: {error.get('message', 'no words')}" for error in told)
    flat = " ".join(text.split()) or "no words"
    return flat if len(flat) <= _MAX_SAID else flat[:_MAX_SAID] + "..."
