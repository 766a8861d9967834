"""Hand what runs tell to a Pushgateway, in one group: `job="hubdata"`, and `instance` where one is configured.

A push replaces its whole group, so that series which are gone go there too; what the group tells from before is read
back first, for counters go on and jobs that took no part keep what they had. Two runs that push at the same moment may
lose one's counts: whoever runs jobs apart gives each an `instance` of its own.
"""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import unquote, urlsplit, urlunsplit

from hubdata.errors import HubdataError, TargetError
from hubdata.model.monitoring import Gateway
from hubdata.report.metrics.series import Told
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.http import BasicAuth, HttpClient, Timeouts
from hubdata.transfer.putting import PuttingClient
from hubdata.transfer.retry import RequestFailed
from hubdata.transfer.secrets import Secret

MAX_BYTES = 16 * 1024 * 1024
"""A gateway tells of all its groups at once."""

GROUP = "hubdata"


def push(gateway: Gateway, change: Callable[[Told], Told]) -> None:
    """Replace what the gateway tells of us by what `change` makes of it, within the gateway's time.

    Raises TargetError when it cannot be reached, or does not take it; its URL's password is in no message.
    """
    from hubdata.report.metrics.exposition import CONTENT_TYPE, exposed, read_back

    base, auth = _parted(gateway.url)
    labels = {"job": GROUP, "instance": gateway.instance}
    deadline = Deadline.after(gateway.timeout)
    limits = Timeouts(min(gateway.timeout, timedelta(seconds=5)), gateway.timeout)
    client = PuttingClient(base, timeouts=limits)
    try:
        with client:
            before = read_back(_all(client, base, deadline, auth), labels)
            group = f"{base}/metrics/job/{GROUP}" + (f"/instance/{gateway.instance}" if gateway.instance else "")
            client.put(group, exposed(change(before)), CONTENT_TYPE, deadline=deadline, auth=auth)
    except (HubdataError, RequestFailed) as err:
        raise TargetError(f"metrics: the Pushgateway did not take them: {err}", advice=_ADVICE) from None
    except ValueError as err:
        raise TargetError(f"metrics: {base} does not answer as a Pushgateway does: {err}", advice=_ADVICE) from None


_ADVICE = "check `pushgateway` in [metrics]; the next run tells it again"


def _all(client: HttpClient, base: str, deadline: Deadline, auth: BasicAuth | None) -> str:
    with client.get(f"{base}/metrics", deadline=deadline, max_bytes=MAX_BYTES, auth=auth) as response:
        return response.read().decode()


def _parted(url: str) -> tuple[str, BasicAuth | None]:
    """Return the URL without user and password, and these."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    base = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
    if parts.username is None:
        return base, None
    return base, BasicAuth(unquote(parts.username), Secret(unquote(parts.password or "")))
