"""Archives made to hurt, and a vendor that never ends: each is refused in bounded time, memory and disk space.

Measured on real processes: the peak of the resident set beside that of a run in which all went well, no file over
100 MB (the kernel sees to it), and an end long before the process is killed. What is published stays as it is.
"""

import io
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command import Ended
from tests.support.geoip_world import CITY, JOB, KEY, database, keys
from tests.support.maxmind_server import MaxmindServer
from tests.support.small_world import GOOD, HTML, NEW, SmallWorld, problem

MIB = 1 << 20
BODY = b"\xab\xcd" * 50_000


@dataclass
class Place:
    """A world whose City is published, its vendor, and the peak of the run that published it."""

    small: SmallWorld
    vendor: MaxmindServer
    good_peak_mb: float


@pytest.fixture
def place(small: SmallWorld, tmp_path: Path) -> Iterator[Place]:
    """Give the place, and a new release that has yet to come."""
    (tmp_path / "old.mmdb").write_bytes(database(7200))
    with MaxmindServer({CITY: tmp_path / "old.mmdb"}) as vendor:
        small.write("jobs/geoip.toml", JOB.format(url=vendor.url, more="timeout_s = 40"))
        ended = small.sync("--job", "geoip", env=keys(vendor), alone=True)
        assert ended.code == 0, ended.stdout + ended.stderr
        (tmp_path / "new.mmdb").write_bytes(database(60))
        vendor.publish(CITY, tmp_path / "new.mmdb", date="2026-11-24")
        yield Place(small, vendor, ended.peak_mb)


def refused(place: Place, *words: str) -> Ended:
    """Run, and assert that the job failed with these words, in bounds, and nothing else changed."""
    small = place.small
    before = small.public()
    small.repo.commit({GOOD: NEW})
    ended = small.sync(env=keys(place.vendor), timeout=60, within=("prlimit", f"--fsize={100 * MIB}", "--"))
    problem(ended, "geoip", 5, CITY, *words)
    assert small.public() == {**before, GOOD: NEW}
    assert ended.peak_mb < place.good_peak_mb + 32, "what is downloaded, or unpacked, was kept"
    assert small.left_over() == ["memory-maxmind"]
    assert sum(f.stat().st_size for f in (small.root / "spool").rglob("*") if f.is_file()) < MIB
    return ended


def archive(*members: tuple[str, bytes, bytes, str]) -> bytes:
    """Return a `.tar.gz` of members: name, type, body, and where a link leads."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, kind, body, link in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(body), link
            tar.addfile(info, io.BytesIO(body))
    return out.getvalue()


def bomb(name: str) -> Callable[[], Iterator[bytes]]:
    """Return what yields half a megabyte that unpacks to a member of 512 MB of zeros."""

    def stream() -> Iterator[bytes]:
        info = tarfile.TarInfo(name)
        info.size = 512 * MIB
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        yield packer.compress(info.tobuf(tarfile.GNU_FORMAT)) + packer.flush(zlib.Z_FULL_FLUSH)
        piece = packer.compress(bytes(MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
        for _ in range(512):
            yield piece

    return stream


def endless() -> Iterator[bytes]:
    """Yield an archive without end whose bytes do not shrink."""
    info = tarfile.TarInfo("x.mmdb")
    info.size = 900 * MIB
    packer = zlib.compressobj(0, zlib.DEFLATED, 31)
    yield packer.compress(info.tobuf(tarfile.GNU_FORMAT))
    for _ in range(100_000):
        yield packer.compress(bytes(16 * 1024))


REG, LINK, HARD = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
FAULTS: Mapping[str, tuple[dict[str, object], str]] = {
    "gzip bomb of 512 MB": ({"stream": bomb("x/City.mmdb")}, "100 times its size"),
    "gzip bomb beside it": ({"stream": bomb("x/README.txt")}, "100 times its size"),
    "traversal": ({"body": archive(("../../../tmp/x.mmdb", REG, BODY, ""))}, "leads out of the archive"),
    "absolute path": ({"body": archive(("/tmp/x.mmdb", REG, BODY, ""))}, "leads out of the archive"),
    "two members": ({"body": archive(("a.mmdb", REG, BODY, ""), ("b.mmdb", REG, BODY, ""))}, "more than one file"),
    "symbolic link": ({"body": archive(("a.mmdb", LINK, b"", "/etc/passwd"))}, "symbolic link"),
    "hard link": ({"body": archive(("a.mmdb", HARD, b"", "/etc/passwd"))}, "hard link"),
    "truncated stream": ({"cut": 300}, ""),
    "truncated archive": ({"body": archive(("a.mmdb", REG, bytes(range(256)) * 99, ""))[:-9]}, "ends too early"),
    "HTML with status 200": ({"headers": {"Content-Type": "text/html"}, "body": HTML}, "HTML page"),
    "HTML as an archive": ({"body": HTML}, "not gzip"),
    "slow drip": ({"drip_s": 0.05}, "not done within the 3 s"),
    "slow drip of headers": ({"drip_s": 0.05, "drip_headers": True}, "not done within the 3 s"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_was_made_to_hurt_is_refused_within_bounds(place: Place, name: str) -> None:
    """Its words, exit 5, little memory and disk, an end in time; the published database and the lists are well."""
    fault, words = FAULTS[name]
    if "drip" in name:
        place.small.edit("jobs/geoip.toml", "timeout_s = 40", "timeout_s = 3")
    place.vendor.fail("object", **fault)
    refused(place, words)
    assert place.vendor.count("download") <= 3


def test_a_body_without_end_is_cut_at_the_cap(place: Place) -> None:
    """Bytes that do not shrink: `max_bytes` counts them as they come."""
    place.small.edit("jobs/geoip.toml", "timeout_s = 40", "timeout_s = 40\nmax_bytes = 20000000")
    place.vendor.fail("object", stream=endless)
    refused(place, "20,000,000 bytes allowed")


def test_a_database_with_another_md5_is_refused(place: Place) -> None:
    """Whatever else is right about it; it is not kept for the next run either."""
    place.vendor.announce_md5(CITY, "0" * 32)
    refused(place, "expected a database with MD5 " + "0" * 32)
    assert KEY in place.small.public()
