"""Clients are built once and late, count what they send, and every failure of theirs becomes one line with advice."""

import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions
from botocore.parsers import ResponseParserError

from hubdata.errors import TargetError
from hubdata.transfer.aws import AwsClient, Call, Settings, Trouble, translated, trouble
from tests.support.moto_server import CREDENTIALS, shared
from tests.support.proxy import Proxy
from tests.support.strict_s3 import S3_BUCKET, StrictS3

ROOT = Path(__file__).parents[3]
CALL = Call("PutObject", "s3://b/k", "s3:PutObject", "arn:aws:s3:::b/*", Settings("s3", "eu-west-1"))


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


def refused(code: str, status: int = 400, **answer: Any) -> exceptions.ClientError:
    """Return the error botocore raises for an answer of the service."""
    response: Any = {
        "Error": {"Code": code, "Message": "some\nwords"} | answer.pop("error", {}),
        "ResponseMetadata": {"HTTPStatusCode": status, "RetryAttempts": 0, "HTTPHeaders": answer},
    }
    return exceptions.ClientError(response, "PutObject")


@pytest.mark.parametrize(
    ("err", "message", "advice", "retryable"),
    [
        (
            refused("AccessDenied", 403),
            "PutObject was denied (some words)",
            "grant s3:PutObject on arn:aws:s3:::b/*",
            0,
        ),
        (refused("403", 403), "was denied", "grant s3:PutObject", 0),
        (refused("ExpiredToken"), "have expired", "sign in again", 0),
        (refused("NoSuchBucket", 404), "no such bucket", "create it", 0),
        (refused("RequestTimeTooSkewed", 403), "clock", "NTP", 0),
        (refused("SlowDown", 503), "SlowDown", "run again later", 1),
        (refused("Throttling"), "Throttling", "run again later", 1),
        (refused("503", 503), "503", "run again later", 1),
        (refused("SomethingNew"), "PutObject failed (SomethingNew: some words)", "correct the settings", 0),
        (
            refused("PermanentRedirect", 301, error={"Region": "eu-west-3"}),
            "not in region eu-west-1 but in eu-west-3",
            "",
            0,
        ),
        (refused("301", 301, **{"x-amz-bucket-region": "us-west-2"}), "but in us-west-2", "set `region`", 0),
        (refused("AuthorizationHeaderMalformed", 400, error={"Region": "eu-west-3"}), "but in eu-west-3", "", 0),
        (refused("AuthorizationHeaderMalformed", 400), "credentials are not valid", "AWS_ACCESS_KEY_ID", 0),
        (refused("301", 301, **{"x-amz-bucket-region": "<b>"}), "does not say which", "", 0),
        (exceptions.NoCredentialsError(), "no complete AWS credentials", "AWS_PROFILE", 0),
        (exceptions.PartialCredentialsError(provider="env", cred_var="x"), "no complete AWS credentials", "", 0),
        (exceptions.ProfileNotFound(profile="prod"), "prod", "AWS_PROFILE", 0),
        (exceptions.UnauthorizedSSOTokenError(), "single sign-on", "sign in again", 0),
        (exceptions.CredentialRetrievalError(provider="p", error_msg="e"), "could not be fetched", "the role", 1),
        (exceptions.SSLError(endpoint_url="https://h", error=OSError("bad")), "TLS failed", "AWS_CA_BUNDLE", 0),
        (exceptions.EndpointConnectionError(endpoint_url="u"), "no whole answer", "network", 1),
        (exceptions.ReadTimeoutError(endpoint_url="u"), "ReadTimeoutError", "network", 1),
        (exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2), "no whole answer", "network", 1),
        (exceptions.ProxyConnectionError(proxy_url="http://u:p@proxy"), "the proxy could not", "HTTPS_PROXY", 1),
        (exceptions.NoRegionError(), "no region", "AWS_REGION", 0),
        (ResponseParserError("<html>"), "not one of this service", "endpoint_url", 0),
        (ValueError("Invalid endpoint: x"), "Invalid endpoint", "endpoint_url", 0),
        (ConnectionResetError(104, "reset"), "ConnectionResetError", "network", 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_failure_is_one_line_with_advice(err: Exception, message: str, advice: str, retryable: int) -> None:
    """The store is named, the cause told, the way out given; passing troubles are marked as such."""
    found = trouble(err, CALL)
    assert found.message.startswith("s3://b/k: ")
    assert message in found.message
    assert advice in found.advice
    assert found.advice
    assert found.retryable is bool(retryable)
    assert "\n" not in found.message


def test_what_a_server_says_is_cut_and_stripped_of_credentials() -> None:
    """A hostile or chatty answer neither floods the report nor brings a password back."""
    said = "see http://user:hunter2@host/x " + "x" * 10_000
    found = trouble(refused("Odd", error={"Message": said}), CALL)
    assert len(found.message) < 400
    assert "hunter2" not in found.message


def test_other_exceptions_pass_untranslated() -> None:
    """A bug stays a bug, and an error of our own stays itself."""

    def raised(found: Trouble) -> TargetError:
        return TargetError(found.message)

    with pytest.raises(KeyError), translated(raised, CALL):
        raise KeyError("bug")
    ours = TargetError("ours")
    with pytest.raises(TargetError) as caught, translated(raised, CALL):
        raise ours
    assert caught.value is ours


def test_importing_the_adapters_loads_no_aws_library() -> None:
    """A run that needs no S3 does not pay for it: botocore takes a quarter of a second to import."""
    program = (
        "import sys, hubdata.targets.s3 as s3, hubdata.cdns.cloudfront as cf\n"
        "s3.S3Target('s', s3.S3Target.Options(bucket='b-1')).requests()\n"
        "cf.CloudfrontCdn('c', cf.CloudfrontCdn.Options(distribution_id='E1')).paths(('a',))\n"
        "assert not {'botocore', 'boto3', 'urllib3', 'requests'} & set(sys.modules), sorted(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=30)


def test_a_client_is_built_once_by_many_threads() -> None:
    """Whoever comes first builds; all get the same client."""
    client = AwsClient(Settings("s3", "us-east-1", "http://127.0.0.1:9", "path"))
    built: list[int] = []
    threads = [threading.Thread(target=lambda: built.append(id(client.build()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 8
    assert len(set(built)) == 1


def test_changed_credentials_reach_the_next_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """One session serves all clients, but never with credentials that the environment no longer holds."""
    settings = Settings("s3", "us-east-1", "http://127.0.0.1:9", "path")

    def key() -> str:
        return str(AwsClient(settings).build()._request_signer._credentials.access_key)

    assert key() == CREDENTIALS["AWS_ACCESS_KEY_ID"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
    assert key() == "AKIAOTHER"


def test_requests_are_counted_as_they_are_sent() -> None:
    """The counts agree with what a proxy on the way sees: by method, LIST apart, and on one connection."""
    bucket = S3_BUCKET
    with StrictS3() as server, Proxy(server.url) as proxy:
        client = AwsClient(Settings("s3", "us-east-1", proxy.url, "path"))
        s3 = client.build()
        for number in range(3):
            s3.put_object(Bucket=bucket, Key=f"{number}", Body=b"x" * 1000 * number)
        s3.list_objects_v2(Bucket=bucket, Prefix="")
        s3.get_object(Bucket=bucket, Key="1")["Body"].read()
        s3.head_object(Bucket=bucket, Key="1")
        s3.delete_object(Bucket=bucket, Key="1")
        seen = proxy.counts()
    assert seen["requests"] == {"LIST": 1, "GET": 1, "PUT": 3, "HEAD": 1, "DELETE": 1} == dict(client.requests())
    assert seen["sent"] > 3000
    assert seen["received"] > 1000
    assert seen["connections"] == 1


def test_small_bodies_travel_with_their_headers_and_without_a_trailer() -> None:
    """No `Expect: 100-continue` round trip, and none of the checksums that older stores refuse."""
    client = AwsClient(Settings("s3", "us-east-1", shared().url, "path"))
    s3, sent = client.build(), []
    s3.meta.events.register_last("before-send.s3.PutObject", lambda request, **_: sent.append(request))
    s3.put_object(Bucket=shared().bucket(), Key="a", Body=b"abc")
    names = {name.lower() for name in sent[0].headers}
    assert sent[0].body == b"abc"
    assert not {"expect", "x-amz-trailer", "content-encoding", "x-amz-sdk-checksum-algorithm"} & names
    assert not [name for name in names if re.match("x-amz-checksum", name)]
