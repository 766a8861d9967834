"""Put one document where a service keeps it, under the rules that downloads obey.

The deadline ends even an answer that drips, no redirect is followed, and credentials go to the configured origin alone
and are in no error. Of what the service answers only the status counts.
"""

import http.client
from typing import Any

from hubdata import __version__
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.http import BasicAuth, HttpClient
from hubdata.transfer.network_error import broken, is_network_error
from hubdata.transfer.retry import RequestFailed
from hubdata.transfer.url import safe_url


class PuttingClient(HttpClient):
    """Speaks with one service. For one thread at a time."""

    def put(self, url: str, body: bytes, content_type: str, *, deadline: Deadline, auth: BasicAuth | None) -> None:
        """Put `body` at `url`. Raises RequestFailed when it was not taken before `deadline`."""
        try:
            with self._guard.until(deadline):
                self._guard.admit_any(at_base=True)
                with self._put(url, body, content_type, deadline, auth) as response:
                    status = response.status_code
                if deadline.expired:
                    self._guard.check(safe_url(url))
        finally:
            self._guard.drop()  # the answer's body is not read
        if not 200 <= status < 300:
            said = http.client.responses.get(status, "unknown status")
            raise RequestFailed(f"{safe_url(url)}: the server answered {status} {said}", status=status)

    def _put(self, url: str, body: bytes, content_type: str, deadline: Deadline, auth: BasicAuth | None) -> Any:
        headers = {"User-Agent": f"hubdata/{__version__}", "Accept-Encoding": "identity", "Content-Type": content_type}
        if auth is not None:
            headers["Authorization"] = auth.header()
        try:
            return self._session.put(
                url,
                data=body,
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
