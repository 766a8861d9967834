"""Send one JSON document to a service over HTTP and read its JSON answer, under the rules that downloads obey.

The deadline ends even an answer that drips, the answer is counted against a cap, no redirect is followed, credentials
go to the configured origin alone and are in no error. An answer of any status is an answer: what a refusal means only
the caller can tell, from what the service says in it.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hubdata import __version__
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.http import BasicAuth, HttpClient, Response
from hubdata.transfer.network_error import broken, is_network_error
from hubdata.transfer.retry import parse_retry_after
from hubdata.transfer.url import safe_url

MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered. `document` is its JSON, None when it was none; `retry_after` what it asked for."""

    status: int
    document: Any = None
    retry_after: timedelta | None = None


class PostingClient(HttpClient):
    """Speaks with one service. For one thread at a time."""

    def post(self, url: str, document: object, *, deadline: Deadline, auth: BasicAuth) -> Answer:
        """Return the answer to `document`.

        Raises RequestFailed when there was none before `deadline`, or too long a one.
        """
        try:
            with self._guard.until(deadline):
                self._guard.admit_any(at_base=True)
                response = self._posted(url, document, deadline, auth)
                with response:
                    body = Response(response, url, self._guard, MAX_BYTES).read()
        except BaseException:
            self._guard.drop()  # an unread body must not keep its connection open
            raise
        asked = parse_retry_after(response.headers.get("Retry-After"), self._now())
        return Answer(response.status_code, _parsed(body), asked)

    def send(self, url: str, document: object, *, deadline: Deadline) -> int:
        """Return the status of the answer to `document`; the rest of it is not read, however long it is.

        Raises RequestFailed when there was none before `deadline`.
        """
        try:
            with self._guard.until(deadline):
                self._guard.admit_any(at_base=True)
                response = self._posted(url, document, deadline, None)
                status = int(response.status_code)
                response.close()
                self._guard.check(safe_url(url))  # headers that were cut short pass for whole ones
        finally:
            self._guard.drop()
        return status

    def _posted(self, url: str, document: object, deadline: Deadline, auth: BasicAuth | None) -> Any:
        headers = {
            "User-Agent": f"hubdata/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
        }
        if auth is not None:
            headers["Authorization"] = auth.header()
        try:
            return self._session.post(
                url,
                data=json.dumps(document).encode(),
                headers=headers,
                stream=True,
                allow_redirects=False,
                timeout=(
                    deadline.clip(self._timeouts.connect.total_seconds()),
                    deadline.clip(self._timeouts.read.total_seconds()),
                ),
                proxies=self._proxies(url),
                verify=self._environment.get("REQUESTS_CA_BUNDLE") or self._environment.get("CURL_CA_BUNDLE") or True,
            )
        except Exception as err:
            if not is_network_error(err):
                raise
            self._guard.check(safe_url(url))
            # Not chained: the library's error quotes what was sent.
            raise broken(safe_url(url), err) from None


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
