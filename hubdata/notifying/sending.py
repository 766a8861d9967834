"""Send a notification: to a webhook over HTTP, to a program on its standard input. Each within a time limit.

A webhook's URL is a secret: whoever has it may write into the channel. It comes from the environment or a file, goes
to the server that it names and to no other (no redirect is followed), and is in no message: those name the host alone.
What the server answers is not read: its status says whether the message was taken.
"""

from collections.abc import Mapping
from contextlib import closing
from urllib.parse import urlsplit

from hubdata.errors import HubdataError
from hubdata.model.event import Event
from hubdata.model.notify import Notify
from hubdata.ports import Reporter
from hubdata.report.redaction import Redactor
from hubdata.transfer import program
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.reach import is_loopback_host
from hubdata.transfer.secrets import read_secret

_ADVICE = {
    400: "the service does not know this form: try the other `format` in [notify]",
    401: "the webhook's URL is not valid any more: make a new one",
    403: "the webhook's URL is not valid any more: make a new one",
    404: "the webhook was deleted, or its URL is cut off: make a new one",
    410: "the webhook was deleted: make a new one",
    429: "the service is asked too often; the next run tells it again",
}


class NotSent(HubdataError):
    """A notification did not get to where it was sent."""


def post(notify: Notify, body: object, environment: Mapping[str, str], redact: Redactor) -> None:
    """Send `body` to the webhook. Raises NotSent, or ConfigError when its URL cannot be read."""
    variable = notify.url_variable or ""
    secret = read_secret(environment, variable)
    if secret is None:
        raise NotSent(f"{variable} is not set, nor {variable}_FILE", advice="set one of them to the webhook's URL")
    url = secret.reveal()
    hide(url, redact)
    host = host_of(url, variable)
    from hubdata.transfer.posting import PostingClient
    from hubdata.transfer.retry import RequestFailed
    from hubdata.transfer.url import safe_url

    try:
        with closing(PostingClient(url, environment=environment)) as client:
            status = client.send(url, body, deadline=Deadline.after(notify.timeout))
    except RequestFailed as err:
        raise NotSent(str(err).replace(safe_url(url), host), advice="look at the webhook's server") from None
    if not 200 <= status < 300:
        what = "wants to send it elsewhere, which is not done" if 300 <= status < 400 else "did not take it"
        raise NotSent(f"{host} {what} (status {status})", advice=_ADVICE.get(status, "look at the webhook's server"))


def hide(url: str, redact: Redactor) -> None:
    """Hide a webhook's URL, whole or in parts, wherever this process writes anything."""
    redact.add(url)
    path = url.partition("://")[2].partition("/")[2]
    redact.add(f"/{path}")
    for part in path.replace("?", "/").replace("&", "/").replace("=", "/").split("/"):
        if len(part) >= 16:  # the tokens; shorter words are `services`, `hooks`, `api`
            redact.add(part)


def host_of(url: str, variable: str) -> str:
    """Return what messages call a webhook: its scheme and host. Raises NotSent for a URL that cannot be used."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    problem = ""
    if not host or parts.scheme not in ("http", "https") or not (url.isascii() and url.isprintable()):
        problem = "it must begin with https:// and name a host"
    elif parts.username is not None or parts.password is not None:
        problem = "it must not hold a user or password"
    elif parts.scheme == "http" and not is_loopback_host(host):
        problem = "http:// would send it in the clear: use https://"
    if problem or host is None:
        raise NotSent(f"the URL in {variable} cannot be used: {problem}", advice=f"set {variable} to the webhook's URL")
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"


def start(notify: Notify, body: bytes, environment: Mapping[str, str], reporter: Reporter) -> None:
    """Give `body` to the program. Raises NotSent when it did not end with 0 in time."""
    ended = program.start(
        notify.argv,
        env=program.harmless(environment, notify.pass_environment),
        timeout=notify.timeout,
        stdin=body,
    )
    for line in ended.output.splitlines():
        reporter.emit(Event("notify.said", {"line": line}))
    if ended.fault is not None:
        raise NotSent(f"{notify.argv[0]} {ended.why}", advice="start it by hand, with the object on its standard input")
