"""The whole way on IPv6 alone: what the project is for.

Two machines without an IPv4 address, joined by a cable: on one the upstreams, S3, CloudFront and the public copy; on
the other hubdata, and whoever reads. Names of hosts lead to IPv6 addresses only.
"""

import hashlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.certificates import certificate_for, showing
from tests.support.command import Ended, hubdata
from tests.support.islands import SERVERS, Island, islands, knowing, needs_namespaces
from tests.support.moto_server import MotoServer
from tests.support.public_server import PublicServer
from tests.support.published_tree import quoted_sha256
from tests.support.repos import Repo, serve_http
from tests.support.shared_target import KEYS, cloudfront, directory, public, s3
from tests.support.small_world import GOOD, LISTS, NEW, OTHER, checked

pytestmark = needs_namespaces

NAMES = {"git.test": SERVERS, "public.test": SERVERS}
PROBES = "words/probes.txt"
WORDS = b"/wp-login.php\n/.git/config\n"
WORDS_JOB = """\
[source]
type = "url"
url = "https://git.test:{port}/probes.txt"
digest_url = "https://git.test:{port}/probes.txt.sha256"
key = "words/probes.txt"

[[files]]
match = "words/*.txt"
kind = "needle"
"""
FIRST = {**LISTS, PROBES: WORDS}
LISTS_JOB = """\
[source]
type = "git"
url = "https://git.test:{port}/lists"
ref = "master"

[[files]]
match = "lists/*.txt"
kind = "cidr"
"""


@dataclass(frozen=True, slots=True)
class Sea:
    """Both machines, what runs on that of the servers, and the directory that hubdata runs in on the other."""

    servers: Island
    engine: Island
    root: Path
    repo: Repo
    cloud: MotoServer
    bucket: str
    distribution: str

    @property
    def env(self) -> dict[str, str]:
        """Return credentials, and the certificate to trust."""
        trusted = str(self.root / "git.test.pem")
        return {**KEYS, "GIT_SSL_CAINFO": trusted, "REQUESTS_CA_BUNDLE": trusted}

    def hubdata(self, *arguments: str) -> Ended:
        """Return what a process on the engine's machine said and did."""
        within = knowing(NAMES, self.root)
        with self.engine.inside():
            return checked(hubdata(*arguments, cwd=self.root, env=self.env, within=within))

    def sync(self) -> Ended:
        """Return what a run did."""
        return self.hubdata("sync", "--once", "--format", "json")

    def objects(self) -> dict[str, bytes]:
        """Return the public data in the bucket."""
        with self.servers.inside():
            return public(self.cloud.objects(self.bucket))

    def invalidated(self) -> list[list[str]]:
        """Return the paths that the CDN was told, a list for each time."""
        with self.servers.inside():
            return [told["Paths"] for told in self.cloud.invalidations(self.distribution)]


@contextmanager
def file_server(files: Mapping[str, bytes], certificate: Path) -> Iterator[int]:
    """Give the port of a web server of these files, over TLS."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = files.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6

    with Server((SERVERS, 0), Handler) as server:
        server.daemon_threads = True
        server.socket = showing(certificate).wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def sea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sea]:
    """Give the two machines, with nothing published yet."""
    root = tmp_path_factory.mktemp("ipv6")
    certificate = certificate_for("git.test", root)
    repo = Repo.create(root / "git" / "lists")
    repo.commit({**LISTS})
    digest = hashlib.sha256(WORDS).hexdigest().encode()
    with ExitStack() as stack:
        servers, engine = stack.enter_context(islands())
        with servers.inside():
            git = stack.enter_context(serve_http(root / "git", host=SERVERS, tls=showing(certificate)))
            files = stack.enter_context(file_server({"/probes.txt": WORDS, "/probes.txt.sha256": digest}, certificate))
            cloud = stack.enter_context(MotoServer(SERVERS))
            bucket = cloud.bucket(versioned=True)
            distribution = cloud.distribution(bucket)
        settings = s3(bucket, cloud.url, cdn="edge") + cloudfront(distribution, cloud.url) + directory()
        for name, text in {
            "hubdata.toml": f'jobs = "jobs"\nspool = "spool"\n{settings}',
            "jobs/lists.toml": LISTS_JOB.format(port=git.port),
            "jobs/words.toml": WORDS_JOB.format(port=files),
        }.items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(text)
        yield Sea(servers, engine, root, repo, cloud, bucket, distribution)


@pytest.fixture(scope="module")
def published(sea: Sea) -> Ended:
    """Give what the first run said."""
    return sea.sync()


def test_there_is_no_ipv4_here(sea: Sea) -> None:
    """Not even loopback's: whatever works below works without."""
    for island in (sea.servers, sea.engine):
        assert island.addresses("-4") == ""
        assert "inet6 fd5e:d474::" in island.addresses("-6")
    with sea.engine.inside(), socket.socket() as plain, pytest.raises(OSError, match="unreachable"):
        plain.connect(("127.0.0.1", 80))


def test_a_run_publishes_and_tells_the_cdn(sea: Sea, published: Ended) -> None:
    """Fetched from git and from a web server, put to S3 and a directory, told to CloudFront."""
    assert published.code == 0, published.stdout + published.stderr
    assert {job["job"]: job["outcome"] for job in published.json["jobs"]} == {
        "lists": "published",
        "words": "published",
    }
    assert sea.objects() == FIRST
    assert {path: (sea.root / "mirror" / path).read_bytes() for path in FIRST} == FIRST
    assert len(sea.invalidated()) == 1


def test_the_next_runs_go_on_from_there(sea: Sea, published: Ended) -> None:
    """Nothing to do is seen as such; a change is published alone."""
    again = sea.sync()
    assert (again.code, {job["outcome"] for job in again.json["jobs"]}) == (0, {"unchanged"})
    sea.repo.commit({GOOD: NEW})
    changed = sea.sync()
    assert (changed.code, changed.puts("aws"), changed.puts("mirror")) == (0, [GOOD], [GOOD]), changed.stderr
    assert sea.objects() == {**FIRST, GOOD: NEW}
    assert len(sea.invalidated()) == 2


@pytest.fixture
def copy(sea: Sea, published: Ended) -> Iterator[PublicServer]:
    """Give the public copy, served from the servers' machine as anybody would start it."""
    with sea.servers.inside(), PublicServer(sea.root / "mirror") as server:
        yield server
        assert server.stderr == ""


def test_what_is_served_reaches_a_reader(sea: Sea, copy: PublicServer) -> None:
    """A plain HTTP client over there gets whole files, parts, and nothing it has already."""
    with sea.engine.inside():
        for key in FIRST:
            body = (sea.root / "mirror" / key).read_bytes()
            got = copy.ask(f"/{key}", host=SERVERS)
            assert (got.status, got.body, got.headers["etag"]) == (200, body, quoted_sha256(body))
            assert copy.ask(f"/{key}", "HEAD", host=SERVERS).headers["content-length"] == str(len(body))
            assert copy.ask(f"/{key}", host=SERVERS, Range="bytes=2-").body == body[2:]
            assert copy.ask(f"/{key}", host=SERVERS, If_None_Match=got.headers["etag"]).status == 304


@pytest.mark.skipif(shutil.which("curl") is None, reason="NOT TESTED WITH CURL: install it and run again")
def test_what_is_served_reaches_curl_by_name(sea: Sea, copy: PublicServer) -> None:
    """By a name that has an IPv6 address only."""
    url = f"http://public.test:{urlsplit(copy.urls[0]).port}/{OTHER}"
    argv = [*knowing(NAMES, sea.root), "curl", "--silent", "--show-error", "--fail", "--max-time", "30", url]
    with sea.engine.inside():
        done = subprocess.run(argv, capture_output=True, check=False, env={"PATH": os.environ["PATH"]})
    assert (done.returncode, done.stdout) == (0, LISTS[OTHER]), done.stderr


def test_the_public_copy_is_verified_from_there(sea: Sea, copy: PublicServer) -> None:
    """Over IPv6 all is well; that nobody with IPv4 alone could read it is told, as a failure of that family."""
    asked = ("verify", "--url", f"http://public.test:{copy.port}", "--target", "mirror", "--all", "--format", "json")
    alone = sea.hubdata(*asked, "--family", "ipv6")
    assert alone.code == 0, alone.stdout + alone.stderr
    both = sea.hubdata(*asked)
    assert both.code == 7, both.stdout + both.stderr
    wrong = {family["family"]: bool(family["findings"]) for family in both.json["families"]}
    assert wrong == {"ipv4": True, "ipv6": False}


def test_a_host_without_an_ipv6_address_is_named(sea: Sea, published: Ended) -> None:
    """The run ends with the upstream's code and says which host it could not reach."""
    job = sea.root / "jobs" / "lists.toml"
    before = job.read_text()
    job.write_text(before.replace("git.test", "192.0.2.1"))
    try:
        ended = sea.sync()
    finally:
        job.write_text(before)
    assert ended.code == 5, ended.stdout + ended.stderr
    assert "192.0.2.1" in ended.job("lists")["problem"]["message"]


def test_a_run_that_verifies_what_it_has_published_does_so_over_ipv6(sea: Sea, copy: PublicServer) -> None:
    """With `[verify]` set to that family, the run's own last step is taken too, and well."""
    settings = sea.root / "hubdata.toml"
    before = settings.read_text()
    url = f"http://public.test:{copy.port}"
    settings.write_text(f'{before}\n[verify]\nurl = "{url}"\nfamilies = ["ipv6"]\ntarget = "mirror"\nwait_s = 30\n')
    try:
        sea.repo.commit({OTHER: b"9.9.9.0/24\n8.8.4.0/24\n"})
        ended = sea.sync()
    finally:
        settings.write_text(before)
    assert (ended.code, ended.puts("mirror")) == (0, [OTHER]), ended.stdout + ended.stderr
    (looked,) = ended.json["verify"]["families"]
    assert (looked["family"], looked["address"], looked["well"]) == ("ipv6", SERVERS, True)
