"""Build AWS clients once, cheaply and safely for threads, and say in one line what AWS refused.

botocore is what costs time here (measured: import 270 ms in a cold process, first client 60 ms, a second 5 ms), so
nothing is imported or built before the first call, one session serves every client, and `AwsClient.build` may run in
a background thread while git works. The session comes from botocore itself: boto3's own session adds 40 ms of import
and 25 ms a client for resources that nobody uses here.

Checksums are `when_required`: the trailers that botocore adds by default are refused by older stores, or stored
inside the file (facts). Callers send a whole-object checksum of their own instead.
"""

import io
import os
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from hubdata.errors import HubdataError
from hubdata.transfer.s3_digest import sign_by_known_digest
from hubdata.transfer.s3_whole import send_again
from hubdata.transfer.store_clock import StoreClock
from hubdata.values import frozen

if TYPE_CHECKING:
    from botocore.session import Session

CONNECT_TIMEOUT_S = 10
READ_TIMEOUT_S = 60
MAX_ATTEMPTS = 5
HASTY_S = 4

_SERVICES = ("cloudfront", "kms", "s3")
_LIST_OPERATIONS = ("ListObjectsV2", "ListObjectVersions")
_MAX_SAID = 300  # characters of a server's own words that a message repeats


@frozen
class Settings:
    """Where one client talks to. `endpoint_url` None means AWS itself.

    `addressing_style`: `path` puts the bucket in the path, `virtual` in the host name; `auto` is botocore's choice.
    `hasty` is for who only wants to know how it stands: one attempt, and no long wait.
    """

    service: str
    region: str | None = None
    endpoint_url: str | None = None
    addressing_style: Literal["auto", "path", "virtual"] = "auto"
    connections: int = 32
    hasty: bool = False


@frozen
class Call:
    """What was being done when AWS refused, in the words a person needs.

    `place` names the store (`s3://bucket` or `distribution E1`); `permission` and `resource` are the IAM words.
    """

    operation: str
    place: str
    permission: str
    resource: str
    settings: Settings


@frozen
class Trouble:
    """Why a call failed: one line, what to do about it, and whether waiting alone may mend it."""

    message: str
    advice: str
    retryable: bool = False


class AwsClient:
    """One botocore client, built at first use; counts the requests it sends by method, retries included.

    `clock`, if given, hears the time of every answer.
    """

    def __init__(self, settings: Settings, *, clock: StoreClock | None = None) -> None:
        self.settings = settings
        self._clock = clock
        self._client: Any = None
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def build(self) -> Any:
        """Return the client. Thread-safe; the first call costs the import, the rest nothing."""
        if self._client is None:
            with self._lock:
                if self._client is None:
                    self._client = self._built()
        return self._client

    def requests(self) -> Mapping[str, int]:
        """Return how many requests were sent so far by method, LIST apart from GET."""
        with self._lock:
            return {method: self._counts[method] for method in ("LIST", "GET", "PUT", "HEAD", "DELETE")} | {
                method: count for method, count in self._counts.items() if method == "POST"
            }

    def _built(self) -> Any:
        from botocore.config import Config

        settings = self.settings
        client = _session_client(
            settings.service,
            region_name=settings.region,
            endpoint_url=settings.endpoint_url,
            config=Config(
                connect_timeout=HASTY_S if settings.hasty else CONNECT_TIMEOUT_S,
                read_timeout=HASTY_S if settings.hasty else READ_TIMEOUT_S,
                max_pool_connections=settings.connections,
                parameter_validation=False,
                retries={"mode": "standard", "total_max_attempts": 1 if settings.hasty else MAX_ATTEMPTS},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={"payload_signing_enabled": True, "addressing_style": settings.addressing_style},
            ),
        )
        client.meta.events.register_first(f"before-send.{settings.service}", self._count)
        client.meta.events.register_last(f"before-call.{settings.service}", _in_one_piece)
        if settings.service == "s3":
            client.meta.events.register_first("needs-retry.s3", send_again(1 if settings.hasty else MAX_ATTEMPTS))
            sign_by_known_digest(client)
        if self._clock is not None:
            client.meta.events.register_first(f"response-received.{settings.service}", self._hear)
        return client

    def _count(self, request: Any, event_name: str, **_: Any) -> None:
        operation = event_name.rpartition(".")[2]
        method = "LIST" if operation in _LIST_OPERATIONS else str(request.method)
        with self._lock:
            self._counts[method] += 1

    def _hear(self, response_dict: Mapping[str, Any] | None = None, **_: Any) -> None:
        if self._clock is not None and response_dict is not None:
            self._clock.hear(response_dict["headers"].get("Date"))


def _in_one_piece(params: dict[str, Any], **_: Any) -> None:
    """Send a body that is in memory right after its headers, without asking first.

    botocore makes a file of it and waits for `100 Continue`, which costs a round trip for each object.
    """
    body = params.get("body")
    if isinstance(body, io.BytesIO):
        params["body"] = body.getvalue()
        params["headers"].pop("Expect", None)


_sessions: dict[int, "Session"] = {}
_sessions_lock = threading.Lock()


def _session_client(service: str, **arguments: Any) -> Any:
    """Return a client of the one session. A changed AWS environment begins a new one: credentials are never stale.

    Sessions are not safe for threads while they build, so one lock guards them all.
    """
    import botocore.session

    environment = hash(tuple(sorted((k, v) for k, v in os.environ.items() if k.startswith(("AWS_", "HOME")))))
    with _sessions_lock:
        session = _sessions.get(environment)
        if session is None:
            _sessions.clear()
            session = _sessions[environment] = botocore.session.get_session()
            _know_services(session)
        return session.create_client(service, **arguments)


def _know_services(session: "Session") -> None:
    """Spare the session a look into 440 directories, twice, to learn that botocore knows our services.

    Measured: a quarter of the time that the first client takes.
    """
    session.get_component("data_loader").list_available_services = lambda _type_name: list(_SERVICES)


def pause(attempt: int) -> None:
    """Wait a little, longer each time and never in step with another writer."""
    time.sleep(0.05 * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret


def failure_code(err: Exception) -> str:
    """Return the service's own error code, or the HTTP status as text; empty when no service answered."""
    return str(_answer(err, "Error").get("Code", "") or _answer(err, "ResponseMetadata").get("HTTPStatusCode", ""))


def failure_status(err: Exception) -> int:
    """Return the HTTP status the service answered with; 0 when none did."""
    return int(_answer(err, "ResponseMetadata").get("HTTPStatusCode", 0))


def was_retried(err: Exception) -> bool:
    """Tell whether an earlier attempt of this very call may have reached the service."""
    return int(_answer(err, "ResponseMetadata").get("RetryAttempts", 0)) > 0


def _answer(err: Exception, part: str) -> Mapping[str, Any]:
    """Return one part of the service's answer, as botocore keeps it with the error; empty when there was none."""
    response = getattr(err, "response", None)
    found = response.get(part) if isinstance(response, Mapping) else None
    return found if isinstance(found, Mapping) else {}


@contextmanager
def translated(raised: Callable[[Trouble], HubdataError], call: Call) -> Iterator[None]:
    """Turn every botocore and connection error of the body into what `raised` makes of its Trouble."""
    try:
        yield
    except HubdataError:
        raise
    except Exception as err:
        if not _from_aws(err):
            raise
        raise raised(trouble(err, call)) from err


def _from_aws(err: Exception) -> bool:
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    # ValueError: botocore says so of an endpoint URL it cannot parse. OSError: a socket broke while a body was read.
    return isinstance(err, BotoCoreError | ClientError | ResponseParserError | ValueError | OSError)


def trouble(err: Exception, call: Call) -> Trouble:
    """Return what `err` means for the person who runs hubdata. Never repeats a secret."""
    code = failure_code(err)
    region = _right_region(err)
    if code == "AuthorizationHeaderMalformed" and region:
        code = "PermanentRedirect"  # the signature names the wrong region, and the service says the right one
    names = {code} if code else {base.__name__ for base in type(err).__mro__}
    rule = next((r for r in (_REFUSED if code else _UNANSWERED) if not names.isdisjoint(r.names)), _OTHERWISE)
    words = {
        "code": code or type(err).__name__,
        "said": _said(err) if code else _line(str(err)),
        "operation": call.operation,
        "permission": call.permission,
        "resource": call.resource,
        "wanted": call.settings.region or "the default",
        "region": region or "another (the service does not say which)",
    }
    at = f"{call.place} at {call.settings.endpoint_url}" if call.settings.endpoint_url else call.place
    return Trouble(f"{at}: {rule.message.format(**words)}", rule.advice.format(**words), rule.retryable)


@frozen
class _Rule:
    """What errors of these `names` (service codes or exception classes) mean."""

    names: frozenset[str]
    message: str
    advice: str
    retryable: bool = False


def _rule(names: str, message: str, advice: str, *, retryable: bool = False) -> _Rule:
    return _Rule(frozenset(names.split()), message, advice, retryable)


_BUSY = "{operation} was refused ({code}: {said})"

_REFUSED = (
    _rule(
        "PermanentRedirect IllegalLocationConstraintException TemporaryRedirect 301 307",
        "it is not in region {wanted} but in {region} ({code})",
        "set `region` of this target to the right one",
    ),
    _rule("NoSuchBucket", "there is no such bucket", "create it, or correct `bucket` in the settings"),
    _rule("NoSuchDistribution", "there is no such distribution", "correct `distribution_id` in the settings"),
    _rule(
        "ExpiredToken ExpiredTokenException TokenRefreshRequired RequestExpired",
        "the credentials have expired ({code})",
        "sign in again, or renew the session token",
    ),
    _rule(
        "InvalidAccessKeyId SignatureDoesNotMatch InvalidToken InvalidClientTokenId InvalidSecurity "
        "UnrecognizedClientException AuthorizationHeaderMalformed",
        "the credentials are not valid there ({code})",
        "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the profile in use",
    ),
    _rule(
        "RequestTimeTooSkewed RequestInTheFuture",
        "this machine's clock is not the service's ({code})",
        "set the clock (NTP), then run again",
    ),
    _rule(
        "AccessDenied AccessDeniedException AllAccessDisabled AccountProblem Forbidden 403",
        "{operation} was denied ({said})",
        "grant {permission} on {resource} to the credentials in use",
    ),
    _rule(
        "BadDigest XAmzContentSHA256Mismatch InvalidDigest IncompleteBody",
        _BUSY,
        "the bytes changed on their way: run again",
        retryable=True,
    ),
    _rule(
        "SlowDown ServiceUnavailable Throttling ThrottlingException TooManyRequestsException RequestLimitExceeded "
        "InternalError RequestTimeout ConditionalRequestConflict OperationAborted TooManyInvalidationsInProgress "
        "429 500 502 503 504",
        _BUSY,
        "the service is busy: run again later",
        retryable=True,
    ),
)

_UNANSWERED = (
    _rule(
        "NoCredentialsError PartialCredentialsError",
        "no complete AWS credentials were found",
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run under a role",
    ),
    _rule("ProfileNotFound", "{said}", "correct AWS_PROFILE, or add that profile to the AWS configuration"),
    _rule("SSOError TokenRetrievalError", "the single sign-on session is not valid ({code})", "sign in again"),
    _rule(
        "CredentialRetrievalError MetadataRetrievalError",
        "credentials could not be fetched ({said})",
        "check the role or the credential process",
        retryable=True,
    ),
    _rule(
        "SSLError",
        "TLS failed ({said})",
        "check the endpoint's certificate, or name your authority's bundle in AWS_CA_BUNDLE",
    ),
    _rule("ProxyConnectionError", "the proxy could not be reached", "check HTTPS_PROXY and NO_PROXY", retryable=True),
    _rule("NoRegionError", "no region is set", "set `region` for it, or AWS_REGION"),
    _rule("ResponseParserError", "the answer to {operation} is not one of this service", "check `endpoint_url`"),
    _rule("ValueError EndpointProviderError", "{said}", "correct `endpoint_url` and `region` in the settings"),
    _rule(
        "ConnectionError HTTPClientError IncompleteReadError OSError",
        "{operation} got no whole answer ({code})",
        "check the network and `endpoint_url`, then run again",
        retryable=True,
    ),
)

_OTHERWISE = _rule("", "{operation} failed ({code}: {said})", "correct the settings or the service as it says")


def _right_region(err: Exception) -> str:
    """Return the region the service names as the right one, or nothing."""
    headers = _answer(err, "ResponseMetadata").get("HTTPHeaders", {})
    named = str(_answer(err, "Error").get("Region", "") or headers.get("x-amz-bucket-region", ""))
    return named if re.fullmatch(r"[a-z0-9-]{1,40}", named) else ""


def _said(err: Exception) -> str:
    return _line(str(_answer(err, "Error").get("Message", "")) or "no words")


def _line(text: str) -> str:
    """Return `text` on one line, cut to a readable length, any user and password of a URL removed."""
    flat = " ".join(re.sub(r"//[^/@\s]*@", "//", text).split())
    return flat if len(flat) <= _MAX_SAID else flat[:_MAX_SAID] + "..."
