"""`hubdata verify` and a run with `[verify]`, against nginx on both loopback addresses, each edge with its own faults.

Every fault is named, with the family that has it and no other, and ends with the right exit code.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Ended, hubdata
from tests.support.moto_server import shared
from tests.support.nginx import Cdn, cdn_before, needs_nginx, rude_server, stop
from tests.support.shared_target import KEYS, s3
from tests.support.small_world import GOOD, NEW, OTHER, WORDS, SmallWorld

pytestmark = needs_nginx

ONE_LOOK = "wait_s = 0\n"
IMPATIENT = ONE_LOOK + "silence_s = 1.0\n"


@pytest.fixture
def cdn(small: SmallWorld) -> Iterator[Cdn]:
    """Give a CDN before the small world's mirror, which the settings name."""
    with cdn_before(small.root / "mirror", small.root / "nginx") as running:
        configure(small, running)
        yield running


def configure(small: SmallWorld, cdn: Cdn, more: str = ONE_LOOK) -> None:
    """Write the table `[verify]`."""
    settings = (small.root / "hubdata.toml").read_text().partition("\n[verify]")[0]
    small.write("hubdata.toml", f'{settings}\n[verify]\nurl = "{cdn.url}"\n{more}')


def verify(small: SmallWorld, *flags: str) -> Ended:
    """Return what `hubdata verify` says in JSON; its code is that of the object."""
    ended = hubdata("verify", "--format", "json", *flags, cwd=small.root)
    assert "Traceback" not in ended.stderr, ended.stderr
    assert ended.json["exit_code"] == ended.code
    return ended


def found(told: Any, *, severity: str = "error") -> dict[str, set[tuple[str, str]]]:
    """Return rule and key of every finding by family, having asserted that each says all it must."""
    result: dict[str, set[tuple[str, str]]] = {}
    for family in told["families"]:
        for finding in family["findings"]:
            assert finding["family"] == family["family"]
            assert finding["url"].endswith(finding["key"])
            assert all(finding[word] for word in ("expected", "found", "advice"))
        here = {(f["rule"], f["key"]) for f in family["findings"] if f["severity"] == severity}
        if here:
            result[family["family"]] = here
    return result


def finding(told: Any, rule: str) -> Any:
    """Return the one finding of that rule."""
    (one,) = [f for family in told["families"] for f in family["findings"] if f["rule"] == rule]
    return one


def copied(small: SmallWorld, name: str) -> Path:
    """Return a copy of the mirror for one edge to serve, times and all; one that is there is brought up to date.

    The manifest comes last, so nobody who reads meanwhile is told of files that are not there yet.
    """
    copy = small.root / name
    for path in sorted((small.root / "mirror").rglob("*"), key=lambda path: path.name == "manifest.json"):
        here = copy / path.relative_to(small.root / "mirror")
        if path.is_file() and ".hubdata" not in here.parts:
            here.parent.mkdir(parents=True, exist_ok=True)
            state, beside = path.stat(), here.with_name(f".{here.name}")
            beside.write_bytes(path.read_bytes())
            os.utime(beside, ns=(state.st_atime_ns, state.st_mtime_ns))
            beside.rename(here)
    return copy


def until(so: Callable[[], bool]) -> bool:
    """Wait until something is so, for a minute at most; tell whether it is."""
    end = time.monotonic() + 60
    while not so() and time.monotonic() < end:
        time.sleep(0.02)
    return so()


def aged(path: Path, hours: float) -> None:
    """Set a file's time of change back."""
    then = time.time() - hours * 3600
    os.utime(path, (then, then))


def test_a_copy_that_is_right_over_both_families_ends_with_0(small: SmallWorld, cdn: Cdn) -> None:
    """Each edge is asked for the manifest and for each file: as engines ask, plainly, and by HEAD."""
    ended = verify(small, "--all")
    assert ended.code == 0, ended.stdout
    told = ended.json
    assert found(told) == found(told, severity="warning") == {}
    assert [(f["family"], f["address"], f["generation"], f["files"]) for f in told["families"]] == [
        ("ipv4", "127.0.0.1", 1, 3),
        ("ipv6", "::1", 1, 3),
    ]
    assert (told["against"], told["generation"], told["published"]) == ("target mirror", 1, 3)
    asked = [line.split() for line in cdn.log]
    for address in ("127.0.0.1", "::1"):
        for path in ("manifest.json", GOOD, OTHER, WORDS):
            ways = {(method, coding) for at, method, uri, _, coding in asked if (at, uri) == (address, f"/{path}")}
            assert ways == {("GET", '"gzip"'), ("GET", '"identity"'), ("HEAD", '"identity"')}, path


def wrong_bytes(small: SmallWorld, cdn: Cdn) -> None:
    """Have the edge of IPv6 serve a file that nobody published, changed after the publication."""
    cdn.edges["ipv6"].root = copied(small, "edge6")
    (cdn.edges["ipv6"].root / GOOD).write_bytes(b"0.0.0.0/0\n")


def old_bytes(small: SmallWorld, cdn: Cdn) -> None:
    """Have the edge of IPv4 serve what a file was an hour before it changed."""
    cdn.edges["ipv4"].root = copied(small, "edge4")
    old = cdn.edges["ipv4"].root / GOOD
    old.write_bytes(b"8.8.4.0/24\n")
    aged(old, 1)


def old_by_age(small: SmallWorld, cdn: Cdn) -> None:
    """Have the edge of IPv4 serve old bytes that show it by the Age of the copy alone."""
    old_bytes(small, cdn)
    os.utime(cdn.edges["ipv4"].root / GOOD)
    cdn.edges["ipv4"].extra = f"location = /{GOOD} {{ {headers('Age: 7200')} }}"


def half_gone(small: SmallWorld, cdn: Cdn) -> None:
    """Have the edge of IPv6 miss a file."""
    cdn.edges["ipv6"].root = copied(small, "edge6")
    (cdn.edges["ipv6"].root / OTHER).unlink()


def headers(*lines: str) -> str:
    """Return directives that add headers to the usual ones."""
    usual = "Cache-Control: public, max-age=60, s-maxage=86400, stale-while-revalidate=60, stale-if-error=86400"
    pairs = (line.partition(": ") for line in (usual, *lines))
    return " ".join(f'add_header {name} "{value}";' for name, _, value in pairs)


def extra(family: str, directives: str) -> Callable[[SmallWorld, Cdn], None]:
    """Return what gives one edge more directives."""

    def set_up(small: SmallWorld, cdn: Cdn) -> None:
        cdn.edges[family].extra = directives

    return set_up


def rude(family: str, answer: bytes) -> Callable[[SmallWorld, Cdn], None]:
    """Return what has one edge hand one file over to a server that is cut off after `answer`, or says nothing."""

    def set_up(small: SmallWorld, cdn: Cdn) -> None:
        if not answer:
            configure(small, cdn, IMPATIENT)
        port = rude_server(cdn, answer)
        location = f"location = /{GOOD} {{ proxy_pass http://127.0.0.1:{port}; proxy_http_version 1.1; }}"
        cdn.edges[family].extra = location

    return set_up


def binary(small: SmallWorld, cdn: Cdn) -> None:
    """Publish an opaque file that gzip would shrink, and have the edge of IPv6 shrink it."""
    small.write("data/words/blob.bin", b"\0\1" * 4000 + b"\n")
    job = (small.root / "jobs/words.toml").read_text()
    small.write(
        "jobs/words.toml", job + '\n[[files]]\nmatch = "words/*.bin"\nkind = "opaque"\noptions = { binary = true }\n'
    )
    ended = small.sync()
    assert ended.code == 0, ended.stdout
    cdn.edges["ipv6"].extra = "gzip on; gzip_min_length 1; gzip_types application/octet-stream;"


def clock_behind(small: SmallWorld, cdn: Cdn) -> None:
    """Have the edge of IPv6 hand on the Date of a server whose clock is an hour behind."""
    manifest = (small.root / "mirror/manifest.json").read_bytes()
    lines = ("HTTP/1.1 200 OK", f"Date: {_BACK}", f"Last-Modified: {_BACK}", "Content-Type: application/json")
    head = "\r\n".join((*lines, f"Content-Length: {len(manifest)}", "", ""))
    port = rude_server(cdn, head.encode() + manifest)
    location = f"location = /manifest.json {{ proxy_pass http://127.0.0.1:{port}; proxy_pass_header Date; }}"
    cdn.edges["ipv6"].extra = location


BLOB = "words/blob.bin"
_CUT = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4096\r\n\r\n8.8.8.0/24\n"
_BACK = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)
_AHEAD = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
FAULTS: dict[str, tuple[Callable[[SmallWorld, Cdn], None], str, str, str, str]] = {
    # name: what is done, the family it shows in, its rule, its key, a word of what was found
    "wrong bytes": (wrong_bytes, "ipv6", "verify.bytes", GOOD, "10 bytes with SHA-256"),
    "gzip on a binary": (binary, "ipv6", "verify.content-encoding", BLOB, "Content-Encoding: gzip"),
    "stale object": (old_bytes, "ipv4", "verify.stale", GOOD, "Last-Modified"),
    "stale by age": (old_by_age, "ipv4", "verify.stale", GOOD, "in the cache for 7,200 s"),
    "missing": (half_gone, "ipv6", "verify.missing", OTHER, "404"),
    "redirect loop": (
        extra("ipv6", f"location = /{GOOD} {{ return 302 /b; }} location = /b {{ return 301 /{GOOD}; }}"),
        *("ipv6", "verify.redirect-loop", GOOD, "redirects without end (2 so far"),
    ),
    "redirect to a host": (
        extra("ipv4", f"location = /{GOOD} {{ return 302 http://169.254.169.254/latest/meta-data/; }}"),
        *("ipv4", "verify.redirect", GOOD, "http://169.254.169.254/latest/meta-data/"),
    ),
    "HEAD refused": (
        extra("ipv6", "if ($request_method = HEAD) { return 405; }"),
        *("ipv6", "verify.head", GOOD, "status 405"),
    ),
    "clock behind": (clock_behind, "ipv6", "verify.clock", "manifest.json", " s behind"),
    "truncated": (rude("ipv4", _CUT), "ipv4", "verify.truncated", GOOD, "after 11 of 4,096 bytes"),
    "hanging": (rude("ipv6", b""), "ipv6", "verify.silent", GOOD, "nothing came"),
    "no Last-Modified": (
        extra("ipv6", "add_header Last-Modified '';"),
        *("ipv6", "verify.last-modified", GOOD, "no Last-Modified"),
    ),
    "Last-Modified to come": (
        extra("ipv4", f"location = /{GOOD} {{ add_header Last-Modified '{_AHEAD}'; }}"),
        *("ipv4", "verify.last-modified", GOOD, _AHEAD),
    ),
    "gzip that is none": (
        extra("ipv4", f"location = /{GOOD} {{ {headers('Content-Encoding: gzip')} }}"),
        *("ipv4", "verify.content-encoding", GOOD, "no gzip"),
    ),
    "another coding": (
        extra("ipv4", f"location = /{GOOD} {{ {headers('Content-Encoding: br')} }}"),
        *("ipv4", "verify.content-encoding", GOOD, "br"),
    ),
    "server error": (extra("ipv6", f"location = /{GOOD} {{ return 502; }}"), "ipv6", "verify.status", GOOD, "502"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_one_edge_is_named_with_its_family_and_ends_with_7(small: SmallWorld, cdn: Cdn, name: str) -> None:
    """The family, the rule, the file and what was found; the other family has nothing to complain of."""
    set_up, family, rule, key, word = FAULTS[name]
    set_up(small, cdn)
    cdn.reload()
    ended = verify(small, "--all")
    assert ended.code == 7, ended.stdout
    errors = found(ended.json)
    assert errors.keys() == {family}, errors
    assert {named for named, _ in errors[family]} == {rule}, errors
    assert (rule, key) in errors[family]
    about = [f for view in ended.json["families"] for f in view["findings"] if (f["rule"], f["key"]) == (rule, key)]
    assert word in about[0]["found"], about


def test_a_person_reads_the_family_and_the_rule_first(small: SmallWorld, cdn: Cdn) -> None:
    """A line to copy, what was expected and found, and one sentence at the end."""
    old_bytes(small, cdn)
    cdn.reload()
    ended = hubdata("verify", cwd=small.root)
    assert ended.code == 7
    assert f"error IPv4 [verify.stale] {cdn.url}/{GOOD}" in ended.stdout
    assert "Readers over IPv4 do not have generation 1: 1 error" in ended.stdout


def test_a_host_without_an_aaaa_record_is_a_failure(small: SmallWorld, cdn: Cdn) -> None:
    """With one IPv4 address pinned the host has no other, as with curl; IPv4 alone, if wanted, is fine."""
    pin = ("--resolve", f"localhost:{cdn.port}:127.0.0.1")
    ended = verify(small, *pin)
    assert ended.code == 7
    assert found(ended.json) == {"ipv6": {("verify.no-address", "manifest.json")}}
    assert "AAAA" in finding(ended.json, "verify.no-address")["expected"]
    assert [view["files"] for view in ended.json["families"]] == [3, 0]
    assert verify(small, *pin, "--family", "ipv4").code == 0


MAY_MOUNT = subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode == 0
OWN_DNS = """
printf '127.0.0.1 localhost\\n127.0.0.1 four.test both.test\\n::1 both.test\\n' > hosts
printf 'hosts: files\\n' > nsswitch
mount --bind hosts /etc/hosts && mount --bind nsswitch /etc/nsswitch.conf || exit 99
"$@"
"""


@pytest.mark.skipif(not MAY_MOUNT, reason="no file system may be mounted here")
def test_the_systems_resolver_is_asked_for_each_family(small: SmallWorld, cdn: Cdn) -> None:
    """No pins: a name that has an IPv4 address alone, and one that has both, as the system knows them."""
    within = ["unshare", "-rm", "sh", "-c", OWN_DNS, "sh"]
    url = cdn.url.replace("localhost", "{}.test")
    flags = ("verify", "--format", "json", "--target", "mirror", "--url")
    both = hubdata(*flags, url.format("both"), cwd=small.root, within=within)
    assert both.code == 0, both.stdout + both.stderr
    assert [view["address"] for view in both.json["families"]] == ["127.0.0.1", "::1"]
    four = hubdata(*flags, url.format("four"), cwd=small.root, within=within)
    assert four.code == 7
    assert found(four.json) == {"ipv6": {("verify.no-address", "manifest.json")}}
    assert finding(four.json, "verify.no-address")["found"] == "the DNS has no AAAA record of four.test"


def certificate(directory: Path, name: str) -> tuple[Path, Path]:
    """Return a certificate for `name`, signed by itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    whose = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(whose)
        .issuer_name(whose)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, secret = directory / "cert.pem", directory / "key.pem"
    pem.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
    return pem, secret


def test_tls_is_verified_for_the_hosts_name_at_a_pinned_address(small: SmallWorld) -> None:
    """Connected to by address, asked for by name: the right name passes over both families, another does not."""
    pem, key = certificate(small.root, "hub-data.test")
    with cdn_before(small.root / "mirror", small.root / "nginx", certificate=pem, key=key) as cdn:
        for host, code in (("hub-data.test", 0), ("other.test", 7)):
            pins = [f"{host}:{cdn.port}:{address}" for address in ("127.0.0.1", "[::1]")]
            flags = [word for pin in pins for word in ("--resolve", pin)]
            where = ("--url", f"https://{host}:{cdn.port}", "--target", "mirror", *flags)
            ended = hubdata("verify", "--format", "json", *where, cwd=small.root, env={"REQUESTS_CA_BUNDLE": str(pem)})
            assert ended.code == code, ended.stdout + ended.stderr
        distrusted = {("verify.tls", "manifest.json")}
        assert found(ended.json) == {"ipv4": distrusted, "ipv6": distrusted}
        unknown = hubdata("verify", "--format", "json", *where, cwd=small.root)
        assert "not trusted" in unknown.json["families"][0]["findings"][0]["found"]


def test_an_address_that_nobody_answers_is_a_failure(small: SmallWorld, cdn: Cdn) -> None:
    """An AAAA record that leads nowhere is as bad as none."""
    pins = [f"localhost:{cdn.port}:{address}" for address in ("127.0.0.1", "[::1]")]
    del cdn.edges["ipv6"]
    cdn.reload()
    ended = verify(small, *(word for pin in pins for word in ("--resolve", pin)))
    assert ended.code == 7
    assert found(ended.json) == {"ipv6": {("verify.unreachable", "manifest.json")}}
    assert finding(ended.json, "verify.unreachable")["found"].endswith("::1 (Connection refused)")


def test_an_old_manifest_over_one_family_is_named(small: SmallWorld, cdn: Cdn) -> None:
    """The target says which generation counts; without a target, the newest that any family was given does."""
    cdn.edges["ipv6"].root = copied(small, "edge6")
    aged(cdn.edges["ipv6"].root / "manifest.json", 1)
    cdn.reload()
    small.repo.commit({GOOD: NEW})
    assert small.sync().code == 7
    for flags in ((), ("--public-only",)):
        ended = verify(small, *flags)
        assert ended.code == 7
        assert found(ended.json) == {"ipv6": {("verify.generation", "manifest.json"), ("verify.stale", GOOD)}}
        assert [view["generation"] for view in ended.json["families"]] == [2, 1]
    assert verify(small, "--family", "ipv6", "--public-only").code == 0  # alone, nobody knows better
    assert verify(small, "--family", "ipv6", "--generation", "2").code == 7


def manifest_reads(cdn: Cdn, address: str) -> int:
    """Return how often the edge at `address` was asked for its manifest: three times a look."""
    return sum(line.startswith(f"{address} ") and " /manifest.json " in line for line in cdn.log)


def _catch_up(
    small: SmallWorld, cdn: Cdn, before: bytes, let_go: threading.Event, over: threading.Event, after_s: float
) -> None:
    """Renew both edges, each when its time has come, unless all is `over` before."""

    def once(so: Callable[[], bool]) -> bool:
        while not so():
            if over.wait(0.02):
                return False
        return True

    def looked_at(looks: int) -> Callable[[], bool]:
        seen = {address: manifest_reads(cdn, address) for address in ("127.0.0.1", "::1")}
        return lambda: all(manifest_reads(cdn, address) >= count + 3 * looks for address, count in seen.items())

    if not once(let_go.is_set):
        return
    whole_look = looked_at(1)
    if not once(lambda: (small.root / "mirror/manifest.json").read_bytes() != before):
        return
    if once(whole_look) and not over.wait(after_s):
        copied(small, "cache-ipv4")
        if once(looked_at(2)) and not over.wait(after_s):  # the first of them may have begun before
            copied(small, "cache-ipv6")


@contextmanager
def lagging(small: SmallWorld, cdn: Cdn, *, wanted: bool = True, after_s: float = 0) -> Iterator[threading.Event]:
    """Give each edge a cache of its own with what is public now. When it is renewed, whoever looks says by its looks.

    The event that is given, once set, holds the edges back no longer, if they are `wanted` to be renewed at all. Then,
    after the next publication, the edge of IPv4 is renewed `after_s` after the first whole look at both, and the edge
    of IPv6 as long after a whole look that has found IPv4 renewed.
    """
    before = (small.root / "mirror/manifest.json").read_bytes()
    let_go, over = threading.Event(), threading.Event()
    for family in cdn.edges:
        cdn.edges[family].root = copied(small, f"cache-{family}")
        for path in cdn.edges[family].root.rglob("*.*"):
            aged(path, 1)
    cdn.reload()

    thread = threading.Thread(target=_catch_up, args=(small, cdn, before, let_go, over, after_s))
    if wanted:
        thread.start()
    try:
        yield let_go
    finally:
        over.set()
        if wanted:
            thread.join()


@pytest.mark.parametrize("catch_up_s", [0.0, pytest.param(20.0, marks=pytest.mark.slow)])
def test_a_run_waits_until_the_cdn_has_caught_up(small: SmallWorld, cdn: Cdn, catch_up_s: float) -> None:
    """Each family for itself; stderr says what for; what was right is not asked for again; the run ends with 0."""
    configure(small, cdn, "wait_s = 60\n")
    small.repo.commit({GOOD: NEW})
    with lagging(small, cdn, after_s=catch_up_s / 2) as let_go:
        let_go.set()
        ended = hubdata("sync", "--once", "--format", "json", cwd=small.root)
    assert ended.code == 0, ended.stdout
    told = ended.json["verify"]
    assert found(told) == {}
    assert [view["generation"] for view in told["families"]] == [2, 2]
    assert catch_up_s / 2 < told["waited_s"] <= 60
    assert told["looks"] > 2
    lines = [line for line in ended.stderr.splitlines() if " copy.waiting " in line]
    assert len(lines) == told["looks"] - 1
    assert "family=ipv4,ipv6" in lines[0]
    assert 'for="manifest.json: generation 2' in lines[0]
    assert "family=ipv6 " in lines[-1]
    asked = [line for line in cdn.log if line.startswith("127.0.0.1 ") and f"/{GOOD} " in line]
    assert len(asked) == 3  # gzip, plain, HEAD: once


def test_a_run_whose_cdn_does_not_catch_up_in_time_ends_with_7(small: SmallWorld, cdn: Cdn) -> None:
    """Published it is; what is old is named with both generations, and the next run, with nothing to do, is fine."""
    configure(small, cdn, "wait_s = 1.5\n")
    small.repo.commit({GOOD: NEW})
    with lagging(small, cdn, wanted=False):
        ended = hubdata("sync", "--once", cwd=small.root)
    assert ended.code == 7
    assert "error IPv6 [verify.generation]" in ended.stdout
    assert "expected: generation 2, as target mirror has it" in ended.stdout
    assert "found:    generation 1" in ended.stdout
    assert "(exit 7: published, but not every reader has it)" in ended.stdout
    assert small.public()[GOOD] == NEW
    again = small.sync()
    assert again.code == 0
    assert again.json["verify"] is None


def caching(cdn: Cdn, origin: str) -> None:
    """Make each edge a cache of its own before a web server, that keeps what it has as long as it is told to."""
    for family, edge in cdn.edges.items():
        edge.extra = f"location / {{ proxy_pass {origin}; proxy_cache {family}; add_header X-Edge {family}; }}"
    zones = (f"proxy_cache_path {cdn.home}/kept-{family} keys_zone={family}:1m;" for family in cdn.edges)
    cdn.extra = " ".join(zones)
    cdn.reload()


def test_a_real_cache_before_a_real_bucket(small: SmallWorld) -> None:
    """What S3 serves is what the manifest says, headers too; a cache that was told nothing is found, then purged."""
    cloud = shared()
    bucket = cloud.bucket()
    anybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
    cloud.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)
    small.write("hubdata.toml", f'jobs = "jobs"\nspool = "spool"\n{s3(bucket, cloud.url)}')
    with cdn_before(small.root, small.root / "nginx") as cdn:
        caching(cdn, f"{cloud.url}/{bucket}/")
        configure(small, cdn)
        first = small.sync(env=KEYS)
        assert first.code == 0, first.stdout
        told = first.json["verify"]
        assert found(told) == found(told, severity="warning") == {}
        assert (told["generation"], told["files"], told["against"]) == (1, 3, "target aws")
        small.repo.commit({GOOD: NEW})
        time.sleep(1.1)  # Last-Modified tells whole seconds
        second = small.sync(env=KEYS)
        assert second.code == 7, second.stdout
        old = {("verify.generation", "manifest.json"), ("verify.stale", GOOD)}
        assert found(second.json["verify"]) == {"ipv4": old, "ipv6": old}
        stop(cdn)
        for family in cdn.edges:
            shutil.rmtree(cdn.home / f"kept-{family}")
        cdn.reload()
        flags = ("verify", "--format", "json", "--all")
        third = hubdata(*flags, cwd=small.root, env=KEYS)
        assert third.code == 0, third.stdout
        assert found(third.json) == found(third.json, severity="warning") == {}


def test_what_no_waiting_mends_is_told_at_once(small: SmallWorld, cdn: Cdn) -> None:
    """A wrong setting is none of the CDN's lateness: no second look, and no minute lost."""
    configure(small, cdn, "wait_s = 60\n")
    cdn.edges["ipv6"].extra = "if ($request_method = HEAD) { return 405; }"
    cdn.reload()
    small.repo.commit({GOOD: NEW})
    began = time.monotonic()
    ended = small.sync()
    assert ended.code == 7
    assert time.monotonic() - began < 40
    assert ended.json["verify"]["looks"] == 1
    assert {rule for rule, _ in found(ended.json["verify"])["ipv6"]} == {"verify.head"}
    assert ended.job("lists")["exit_code"] == 0


def test_verify_waits_when_told_to(small: SmallWorld, cdn: Cdn) -> None:
    """`--wait` is a run's patience, by hand."""
    small.repo.commit({GOOD: NEW})
    with lagging(small, cdn) as let_go:
        assert small.sync().code == 7  # wait_s = 0
        assert verify(small).code == 7
        let_go.set()
        ended = verify(small, "--wait", "60")
    assert ended.code == 0, ended.stdout
    assert ended.json["looks"] > 1


def test_other_headers_are_warnings(small: SmallWorld, cdn: Cdn) -> None:
    """Engines do not read Content-Type and Cache-Control: told, and no reason to fail."""
    cdn.edges["ipv4"].extra = 'default_type x/y; types { } add_header Cache-Control "max-age=31536000";'
    cdn.reload()
    ended = verify(small, "--file", GOOD)
    assert ended.code == 0, ended.stdout
    assert {rule for rule, key in found(ended.json, severity="warning")["ipv4"] if key == GOOD} == {
        "verify.content-type",
        "verify.cache-control",
    }
    assert hubdata("verify", "--file", GOOD, "-q", cwd=small.root).stdout == ""


def test_what_cannot_be_asked_for_is_a_usage_error(small: SmallWorld, cdn: Cdn) -> None:
    """A file that is not published, a pin that is none, no URL at all: 2, before or without any look."""
    for flags, word in (
        (("--file", "lists/god.txt"), "did you mean `lists/good.txt`?"),
        (("--resolve", "localhost:nowhere"), "HOST:PORT:ADDRESS"),
        (("--url", "ftp://localhost/"), "http"),
        (("--file", GOOD, "--all"), "--file"),
    ):
        ended = hubdata("verify", *flags, cwd=small.root)
        assert (ended.code, word in ended.stderr) == (2, True), ended.stderr
    small.write("hubdata.toml", (small.root / "hubdata.toml").read_text().partition("\n[verify]")[0])
    nowhere = hubdata("verify", cwd=small.root)
    assert nowhere.code == 2
    assert "[verify]" in nowhere.stderr


def test_a_target_that_was_named_must_be_readable(small: SmallWorld, cdn: Cdn) -> None:
    """Named: 6. Not named: done without, and told; the public copy alone is looked at."""
    (small.root / "mirror/manifest.json").rename(small.root / "manifest.json")
    cdn.edges["ipv4"].extra = cdn.edges["ipv6"].extra = f"location = /manifest.json {{ root {small.root}; }}"
    cdn.reload()
    (small.root / "mirror/manifest.json").mkdir()
    named = hubdata("verify", "--target", "mirror", cwd=small.root)
    assert named.code == 6, named.stdout + named.stderr
    ended = verify(small)
    assert ended.code == 0, ended.stdout
    assert ended.json["against"].startswith("the manifest over IPv")
    assert "compared with the public manifest alone" in ended.json["notices"][0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_breaks_off_a_look_waits_for_no_edge(small: SmallWorld, cdn: Cdn, number: signal.Signals) -> None:
    """However long an edge would be waited for; the code is the signal's, as shells have it."""
    configure(small, cdn, "silence_s = 60\n")
    port = rude_server(cdn, b"")
    for edge in cdn.edges.values():
        edge.extra = f"location /lists/ {{ proxy_pass http://127.0.0.1:{port}; proxy_read_timeout 60s; }}"
    cdn.reload()
    process = subprocess.Popen(
        [sys.executable, "-m", "hubdata", "verify"],
        cwd=small.root,
        env={"PATH": os.environ["PATH"], "HOME": str(small.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert until(lambda: len([line for line in cdn.log if "/manifest.json" in line]) == 6)
    time.sleep(0.3)  # by now, files are asked for
    began = time.monotonic()
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert time.monotonic() - began < 30
    assert (process.returncode, b"Traceback" in said) == (128 + number, False), said
