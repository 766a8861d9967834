"""The same nets held under what libraries really print at DEBUG, over real connections."""

import io
import logging
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from hubdata.report.log import Verbosity, log_to
from hubdata.report.redaction import Redactor

SECRET = "s3ntinelSecretKey0123456789abcdefghijklm"
TOKEN = "s3ntinelSessionToken0123456789"
PASSWORD = "s3ntinelLicence01"


class _Store(BaseHTTPRequestHandler):
    """Refuses every request, as S3 does without rights."""

    def do_GET(self) -> None:
        """Answer 403."""
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_PUT = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep the test's stderr clean."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Return the address of a store on the loopback."""
    with HTTPServer(("127.0.0.1", 0), _Store) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(10)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Return what `-vv` prints, with no secret known by value: the shapes alone must do."""
    # The HTTP client of hubdata hides queries from that log by itself; here the formatter stands alone.
    monkeypatch.setattr(logging.getLogger("urllib3.connectionpool"), "filters", [])
    root, own = logging.getLogger(), logging.getLogger("hubdata")
    before = (root.handlers[:], root.level, own.level)
    stream = io.StringIO()
    log_to(stream, Verbosity.LIBRARIES, Redactor())
    yield stream
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    own.setLevel(before[2])


def test_botocore_at_debug_shows_no_credentials(url: str, said: io.StringIO) -> None:
    """A signed put, its headers, canonical request and signature are logged without token, secret or signature."""
    s3 = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key=SECRET,
        aws_session_token=TOKEN,
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(ClientError):
        s3.put_object(Bucket="b", Key="k", Body=b"x")
    text = said.getvalue()
    assert "botocore.auth" in text
    assert "PUT" in text
    for secret in (SECRET, TOKEN):
        assert secret not in text
    assert not re.search(r"Signature\W{1,6}[0-9a-f]{64}", text)


def test_a_presigned_url_at_debug_cannot_be_used(url: str, said: io.StringIO) -> None:
    """urllib3 prints the path with its query: what would let a reader fetch the object is masked."""
    s3 = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key=SECRET,
        aws_session_token=TOKEN,
        config=Config(signature_version="s3v4"),
    )
    link = s3.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
    requests.get(link, timeout=10)
    text = said.getvalue()
    assert "urllib3.connectionpool" in text
    signature = re.search(r"X-Amz-Signature=([0-9a-f]+)", link)
    assert signature is not None
    assert signature[1] not in text
    assert TOKEN not in text


def test_basic_credentials_at_debug_are_masked(url: str, said: io.StringIO) -> None:
    """A password in a URL or in basic authentication appears nowhere."""
    requests.get(url.replace("://", f"://12345:{PASSWORD}@") + f"/x?license_key={PASSWORD}", timeout=10)
    assert "license_key=***" in said.getvalue()
    assert PASSWORD not in said.getvalue()
