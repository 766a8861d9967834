"""A simple invalidation needs no botocore; whatever is not simple is declined, and then botocore asks, safely again."""

import http.client
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from hubdata.cdns.cloudfront import CloudfrontCdn
from hubdata.transfer.cloudfront_quick import QuickCloudfront, _id_in, document
from tests.support.certificates import certificate_for, showing
from tests.support.moto_server import CREDENTIALS, shared
from tests.support.strict_cloudfront import DISTRIBUTION, StrictCloudfront

ROOT = Path(__file__).parents[3]
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "HOME": "/nonexistent"}
TOLD = (
    '<?xml version="1.0"?><Invalidation xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Id>I1</Id>'
    "<Status>InProgress</Status><InvalidationBatch><Paths><Quantity>1</Quantity><Items><Path>/a</Path></Items></Paths>"
    "<CallerReference>r1</CallerReference></InvalidationBatch></Invalidation>"
)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def edge() -> Iterator[StrictCloudfront]:
    """Give a strict CloudFront."""
    with StrictCloudfront() as running:
        yield running


def quick(url: str) -> QuickCloudfront:
    """Return CloudFront at `url`, asked quickly."""
    found = QuickCloudfront.where_simple("us-east-1", url, os.environ)
    assert found is not None
    return found


def cdn_of(url: str) -> CloudfrontCdn:
    """Return the whole adapter."""
    return CloudfrontCdn("edge", CloudfrontCdn.Options(distribution_id=DISTRIBUTION, endpoint_url=url))


class Says:
    """A server that gives one answer, whatever it is asked: `say` writes it to the socket, raw."""

    def __init__(self, answer: bytes, *, times: int = 100) -> None:
        self.answer = answer
        self.times = times
        self.heads: list[bytes] = []

    def __enter__(self) -> "Says":
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(60)  # else it might accept by a number that is another listener's by then
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                asked, _ = self._listener.accept()
            except OSError:
                return
            with asked, asked.makefile("rb") as lines, suppress(OSError):
                head = b""
                while (line := lines.readline()) not in (b"\r\n", b""):
                    head += line
                self.heads.append(head)
                size = next((int(h[15:]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:")), 0)
                lines.read(size)
                asked.sendall(self.answer)


def answer(body: str, status: str = "201 Created", *, more: int = 0) -> bytes:
    """Return a whole answer; with `more` it promises that many bytes that never come."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body) + more}\r\n\r\n{body}".encode()


def chunked(body: str) -> bytes:
    """Return a whole answer in one chunk."""
    return f"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n{body}\r\n0\r\n\r\n".encode()


def test_the_body_is_what_botocore_sends() -> None:
    """Paths are escaped, counted and in order, whatever is in them."""
    paths, sent = ("/a&b<c>'\"%20*", "/d", "#hubdata:lists"), list[Any]()
    client: Any = botocore.session.Session().create_client("cloudfront", region_name="us-east-1")

    def keep(request: Any, **_: Any) -> Any:
        sent.append(request)
        raise ConnectionError

    client.meta.events.register("before-send.cloudfront", keep)
    with pytest.raises(ConnectionError):
        client.create_invalidation(
            DistributionId="E1",
            InvalidationBatch={"Paths": {"Quantity": len(paths), "Items": list(paths)}, "CallerReference": "r&1"},
        )
    assert document(paths, "r&1") == sent[0].body
    assert sent[0].url == "https://cloudfront.amazonaws.com/2020-05-31/distribution/E1/invalidation"


def test_it_asks_once_and_the_same_again_is_the_same(edge: StrictCloudfront) -> None:
    """The strict double takes the request, keeps every path as it was, and botocore's is the same one."""
    paths = ("/a&b<c>.txt", "/d%20e", "#hubdata:lists", "/f*")
    asked = quick(edge.url)
    assert [asked.invalidate(DISTRIBUTION, paths, "r1") for _ in range(2)] == ["I1", "I1"]
    through_botocore = cdn_of(edge.url)
    through_botocore._quick = None
    assert through_botocore.invalidate(paths, "r1").id == "I1"
    assert [(batch.reference, batch.paths) for batch in edge.batches] == [("r1", paths)]


def test_moto_is_asked_without_botocore_too() -> None:
    """A process that tells CloudFront what changed never imports botocore."""
    server = shared()
    distribution = server.distribution("bucket")
    code = (
        "import sys; from hubdata.cdns.cloudfront import CloudfrontCdn as C; "
        f"c = C('a', C.Options(distribution_id='{distribution}', endpoint_url='{server.url}')); "
        "c.warm(); print(c.invalidate(('/a%20b', '/c&d'), 'r1').id); "
        "print(sorted(m for m in sys.modules if m.partition('.')[0] in ('boto3', 'botocore', 'urllib3')))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        check=False,
        cwd=ROOT,
        env=os.environ | CREDENTIALS,
        capture_output=True,
        text=True,
    )
    (told,) = server.invalidations(distribution)
    assert (told["CallerReference"], told["Paths"]) == ("r1", ["/a%20b", "/c&d"])
    assert (done.stdout.split("\n"), done.stderr) == ([told["Id"], "[]", ""], "")


@pytest.mark.parametrize(
    "status", ["200 OK", "301 Moved", "400 Bad Request", "403 Forbidden", "429 Too Many", "503 Busy"]
)
def test_only_created_is_an_answer(status: str) -> None:
    """Whatever else is said, even with an invalidation in it, botocore is asked what it means."""
    with Says(answer(TOLD, status)) as server:
        assert quick(server.url).invalidate(DISTRIBUTION, ("/a",), "r1") is None


@pytest.mark.parametrize(
    "said",
    [
        answer(""),
        answer("<html/>"),
        answer(TOLD[:-1]),
        answer(TOLD, more=1),
        answer(TOLD.replace("<Id>I1</Id>", "")),
        answer(TOLD.replace("<Id>I1</Id>", "<Id></Id>")),
        answer(TOLD.replace("<Id>I1</Id>", "<Id>I 1</Id>")),
        answer(TOLD.replace("r1", "r2")),
        answer(TOLD.replace('<?xml version="1.0"?>', "<!DOCTYPE x [<!ENTITY a 'I1'>]>").replace(">I1<", ">&a;<")),
        answer(TOLD.replace("Invalidation xmlns", "Other xmlns").replace("</Invalidation>", "</Other>")),
        answer(TOLD + " " * (128 << 10)),
        chunked(TOLD + " " * (128 << 10)),
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<Inva",
        b"nonsense\r\n\r\n",
        b"",
    ],
)
def test_what_is_not_plainly_the_invalidation_is_declined(said: bytes) -> None:
    """Cut, foreign, without an id, of another reference, with a declaration, too long, or nothing at all."""
    with Says(said) as server:
        assert quick(server.url).invalidate(DISTRIBUTION, ("/a",), "r1") is None


def test_the_answer_may_name_its_namespace_or_none() -> None:
    """CloudFront does, moto does, and the strict double does not."""
    assert _id_in(TOLD.encode(), "r1") == "I1"
    assert _id_in(TOLD.replace(' xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"', "").encode(), "r1") == "I1"


@pytest.mark.parametrize("paths", [("/a\r",), ("/\u00e9",), ("/a\x00",), ("/a\n",)])
def test_what_xml_would_change_is_left_to_botocore(edge: StrictCloudfront, paths: tuple[str, ...]) -> None:
    """Nothing is sent at all."""
    assert quick(edge.url).invalidate(DISTRIBUTION, paths, "r1") is None
    assert edge.requests == 0


def test_a_lost_answer_is_asked_for_again_and_makes_no_second_invalidation(edge: StrictCloudfront) -> None:
    """CloudFront had accepted; the answer broke off. botocore asks with the same reference and is told the same id."""

    class Breaks(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            host = edge.url.removeprefix("http://")
            back = http.client.HTTPConnection(host, timeout=10)
            back.request("POST", self.path, body)
            whole = back.getresponse().read()
            back.close()
            self.send_response(201)
            self.send_header("Content-Length", str(len(whole)))
            self.end_headers()
            self.wfile.write(whole[:20] if edge.requests == 1 else whole)

    with ThreadingHTTPServer(("127.0.0.1", 0), Breaks) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        done = cdn_of(f"http://127.0.0.1:{server.server_port}").invalidate(("/a",), "r1")
        server.shutdown()
    assert (done.id, edge.requests, len(edge.batches)) == ("I1", 2, 1)


def test_a_connection_that_was_closed_meanwhile_is_opened_again(edge: StrictCloudfront) -> None:
    """It was opened in advance, and the puts took long: that is no reason to import botocore."""
    asked = quick(edge.url)
    asked.warm()
    line = asked._wire._coming[0].line()
    assert line is not None
    line._socket.shutdown(socket.SHUT_RDWR)
    assert asked.invalidate(DISTRIBUTION, ("/a",), "r1") == "I1"


def test_a_refusal_is_botocores_to_explain(edge: StrictCloudfront) -> None:
    """It costs a second request, and from then on nothing is tried quickly while this run has patience."""
    edge.refusals.extend([(400, "TooManyInvalidationsInProgress")])
    asked = quick(edge.url)
    assert [asked.invalidate(DISTRIBUTION, ("/a",), "r1") for _ in range(2)] == [None, None]
    assert edge.asked == 1


def test_over_tls_it_trusts_whom_botocore_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An authority of one's own is named in AWS_CA_BUNDLE; without it the other side is not believed."""
    certificate = certificate_for("localhost", tmp_path)
    with StrictCloudfront() as edge:
        edge._server.socket = showing(certificate).wrap_socket(edge._server.socket, server_side=True)
        url = f"https://localhost:{edge._server.server_port}"
        assert quick(url).invalidate(DISTRIBUTION, ("/a",), "r1") is None
        assert edge.requests == 0
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
        asked = quick(url)
        asked.warm()
        assert asked.invalidate(DISTRIBUTION, ("/a",), "r1") == "I1"
        assert cdn_of(url).invalidate(("/a",), "r1").id == "I1"


@pytest.mark.parametrize(
    ("region", "url", "more"),
    [
        ("eu-west-1", None, {}),
        (None, None, {}),
        ("us-east-1", None, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}),
        ("us-east-1", None, {"AWS_ENDPOINT_URL_CLOUDFRONT": "http://127.0.0.1:1"}),
        ("us-east-1", "http://127.0.0.1:1", {"AWS_PROFILE": "p"}),
        ("us-east-1", "http://127.0.0.1:1", {"HTTPS_PROXY": "http://proxy:3128"}),
        ("us-east-1", "http://127.0.0.1:1", {"AWS_CONFIG_FILE": __file__}),
        ("us-east-1", "http://127.0.0.1:1", {"AWS_SECRET_ACCESS_KEY": ""}),
    ],
)
def test_what_only_botocore_understands_is_left_to_it(
    region: str | None, url: str | None, more: dict[str, str]
) -> None:
    """Other regions, endpoints from the environment, profiles, proxies, files: any of them and nothing is quick."""
    assert QuickCloudfront.where_simple(region, url, KEYS | more) is None


def test_cloudfront_itself_is_asked_at_its_own_host() -> None:
    """The host that botocore chooses, over TLS."""
    found = QuickCloudfront.where_simple("us-east-1", None, KEYS)
    assert found is not None
    assert found._url.geturl() == "https://cloudfront.amazonaws.com"
