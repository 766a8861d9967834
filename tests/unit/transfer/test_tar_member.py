"""The one file out of an archive: honest archives give it, all others are refused and leave nothing behind."""

import gzip
import hashlib
import io
import os
import resource
import tarfile
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubdata.errors import SourceError
from hubdata.transfer.tar_member import Extracted, extract_member

BODY = bytes(range(256)) * 700 + b"tail"
MIB = 1 << 20


def member(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    """Return a member's header."""
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, link
    return info


def tar(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    """Return an archive of members with their data."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for info, body in members:
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body) if body else None)
    return out.getvalue()


def names(directory: Path) -> list[str]:
    """Return what lies in a directory."""
    return sorted(path.name for path in directory.iterdir())


def pieces(body: bytes, size: int = 1000) -> Iterator[bytes]:
    """Yield `body` as a network would cut it."""
    for start in range(0, len(body), size):
        yield body[start : start + size]


def extract(body: bytes, into: Path, *, max_bytes: int = 10 * MIB, piece: int = 1000) -> Extracted:
    """Extract the `.mmdb` of a packed archive with small limits."""
    return extract_member(pieces(body, piece), ".mmdb", into, max_packed_bytes=MIB, max_bytes=max_bytes)


GOOD = tar(
    (member("X_20261120", kind=tarfile.DIRTYPE), b""),
    (member("X_20261120/LICENSE.txt"), b"text"),
    (member("X_20261120/X.mmdb"), BODY),
    (member("X_20261120/README.txt"), b"more text" * 100),
)


@pytest.mark.parametrize("piece", [1, 511, 512, 10**6])
def test_the_one_file_is_written_with_its_digests(tmp_path: Path, piece: int) -> None:
    """However the network cuts the stream, and wherever in the archive the file lies."""
    into = tmp_path / "out.mmdb"
    found = extract(gzip.compress(GOOD), into, piece=piece)
    assert into.read_bytes() == BODY
    assert found == Extracted(len(BODY), hashlib.md5(BODY).hexdigest(), hashlib.sha256(BODY).hexdigest())
    assert names(tmp_path) == ["out.mmdb"]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_are_understood_in_every_format(tmp_path: Path, form: int) -> None:
    """The suffix of a name over 100 bytes is found in ustar prefixes, GNU long names and pax headers."""
    name = "d" * 90 + "/" + "n" * 60 + ".mmdb"
    into = tmp_path / "out.mmdb"
    extract(gzip.compress(tar((member("ä.txt"), b"x"), (member(name), BODY), form=form)), into)
    assert into.read_bytes() == BODY


def test_the_name_in_the_archive_is_never_a_path(tmp_path: Path) -> None:
    """The file goes where the caller says, whatever directory the member names."""
    extract(gzip.compress(tar((member("etc/cron.d/X.mmdb"), BODY))), tmp_path / "out.mmdb")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["out.mmdb"]


def _sparse() -> bytes:
    return tar((member("a.mmdb", kind=tarfile.GNUTYPE_SPARSE), b""))


def _pax(**headers: str) -> bytes:
    info = member("a.mmdb")
    info.pax_headers = headers
    return tar((info, BODY), form=tarfile.PAX_FORMAT)


REFUSED = {
    "none": (tar((member("a.txt"), b"x")), "no file ending .mmdb"),
    "empty": (tar(), "no file ending .mmdb"),
    "two": (tar((member("a.mmdb"), BODY), (member("b.mmdb"), BODY)), "more than one file"),
    "same twice": (tar((member("a.mmdb"), BODY), (member("a.mmdb"), BODY)), "more than one file"),
    "symlink": (tar((member("a.mmdb", kind=tarfile.SYMTYPE, link="/etc/passwd"), b"")), "symbolic link"),
    "hard link": (tar((member("a.mmdb", kind=tarfile.LNKTYPE, link="/etc/passwd"), b"")), "hard link"),
    "link after": (tar((member("a.mmdb"), BODY), (member("b", kind=tarfile.SYMTYPE, link="/"), b"")), "symbolic link"),
    "char device": (tar((member("a.mmdb", kind=tarfile.CHRTYPE), b"")), "device"),
    "block device": (tar((member("a.mmdb", kind=tarfile.BLKTYPE), b"")), "device"),
    "fifo": (tar((member("a.mmdb", kind=tarfile.FIFOTYPE), b"")), "pipe"),
    "sparse": (_sparse(), "sparse"),
    "pax sparse": (_pax(**{"GNU.sparse.major": "1"}), "sparse"),
    "pax size": (_pax(size="3"), "sparse or resized"),
    "unknown type": (tar((member("a.mmdb", kind=b"Z"), b"")), "unknown type"),
    "absolute": (tar((member("/etc/a.mmdb"), BODY)), "leads out"),
    "climbing": (tar((member("x/../../a.mmdb"), BODY)), "leads out"),
    "climbing text": (tar((member("a.mmdb"), BODY), (member("../b.txt"), b"x")), "leads out"),
    "climbing pax": (tar((member("../" * 50 + "b.mmdb"), BODY), form=tarfile.PAX_FORMAT), "leads out"),
    "damaged": (GOOD[:148] + b"7777777\0" + GOOD[156:], "checksum"),
    "not tar": (b"<html>" + b"x" * 5000, "no number where one belongs"),
    "trailing data": (GOOD + b"surprise", "data follows the end of the archive"),
    "many members": (tar(*[(member(f"{n}"), b"") for n in range(1001)]), "more than 1000 members"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_archive_that_the_vendor_does_not_make_is_refused(tmp_path: Path, name: str) -> None:
    """It says why, is not retried, and leaves nothing on disk, not even what was already written."""
    body, reason = REFUSED[name]
    with pytest.raises(SourceError, match=reason) as caught:
        extract(gzip.compress(body), tmp_path / "out.mmdb")
    assert not caught.value.retryable
    assert caught.value.advice
    assert names(tmp_path) == []


@pytest.mark.parametrize("keep", [0, 5, 200, 1000, -1, -8, -9])
def test_a_stream_that_ends_early_is_an_error_worth_another_try(tmp_path: Path, keep: int) -> None:
    """In the header, in the data, in the padding or in the last byte of the checksum."""
    packed = gzip.compress(GOOD)
    with pytest.raises(SourceError, match="ends too early") as caught:
        extract(packed[:keep], tmp_path / "out.mmdb")
    assert caught.value.retryable
    assert names(tmp_path) == []


def test_a_tar_cut_off_inside_whole_gzip_is_refused(tmp_path: Path) -> None:
    """The compression may be in order while the archive is not."""
    with pytest.raises(SourceError, match="ends too early"):
        extract(gzip.compress(GOOD[:5000]), tmp_path / "out.mmdb")


@pytest.mark.parametrize(
    "body",
    [b"<html>hello</html>", gzip.compress(GOOD)[:-6] + bytes(6), gzip.compress(GOOD)[:10] + b"\xff" * 300],
    ids=["HTML", "wrong trailer", "broken block"],
)
def test_what_is_not_gzip_or_damaged_is_refused(tmp_path: Path, body: bytes) -> None:
    """The trailer's checksum counts too."""
    with pytest.raises(SourceError, match="not gzip, or it is damaged"):
        extract(body, tmp_path / "out.mmdb")


def test_bytes_after_the_gzip_stream_are_refused(tmp_path: Path) -> None:
    """Nobody should be able to hide a second archive behind the first."""
    with pytest.raises(SourceError, match="data follows the end of the gzip stream"):
        extract(gzip.compress(GOOD) * 2, tmp_path / "out.mmdb")


def test_a_member_that_claims_more_than_allowed_is_refused_unread(tmp_path: Path) -> None:
    """The header is enough: nothing of the member is decompressed."""
    header = member("a.mmdb", 5 * MIB).tobuf(tarfile.GNU_FORMAT)

    def stream() -> Iterator[bytes]:
        yield gzip.compress(header)[:-8]
        raise AssertionError("the data was asked for")

    with pytest.raises(SourceError, match="goes beyond the 1,048,576 bytes"):
        extract_member(stream(), ".mmdb", tmp_path / "out.mmdb", max_packed_bytes=MIB, max_bytes=MIB)


def test_a_size_in_base_256_is_refused(tmp_path: Path) -> None:
    """Only sizes from 8 GiB on need it."""
    body = member("a.mmdb", 9 * 1024**3).tobuf(tarfile.GNU_FORMAT)
    with pytest.raises(SourceError, match="8 GiB or more"):
        extract(gzip.compress(body), tmp_path / "out.mmdb")


def test_a_giant_extended_header_is_refused_unread(tmp_path: Path) -> None:
    """A pax header is read into memory, so it may not be large."""
    body = member("x", 5 * MIB, tarfile.XHDTYPE).tobuf(tarfile.GNU_FORMAT) + b"\0" * 4096
    with pytest.raises(SourceError, match="extended header of 5242880 bytes"):
        extract(gzip.compress(body), tmp_path / "out.mmdb")


def test_an_endless_stream_is_stopped_before_decompression(tmp_path: Path) -> None:
    """Bytes that do not compress are counted as they arrive."""
    asked = 0

    def stream() -> Iterator[bytes]:
        nonlocal asked
        zip_ = zlib.compressobj(0, zlib.DEFLATED, 31)
        yield zip_.compress(member("a.mmdb", 100 * MIB).tobuf(tarfile.GNU_FORMAT))
        while True:
            asked += 1
            assert asked < 100, "the stream was not stopped"
            yield zip_.compress(os.urandom(65536)) + zip_.flush(zlib.Z_SYNC_FLUSH)

    with pytest.raises(SourceError, match="1,048,576 bytes allowed packed"):
        extract_member(stream(), ".mmdb", tmp_path / "out.mmdb", max_packed_bytes=MIB, max_bytes=200 * MIB)
    assert names(tmp_path) == []


def bomb(unpacked: int) -> Iterator[bytes]:
    """Yield gzip pieces of a tar whose members are zeros; about a thousandth of `unpacked`."""
    zip_ = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(MIB)
    for n in range(unpacked // MIB):
        yield zip_.compress(member(f"{n}.txt", MIB).tobuf(tarfile.GNU_FORMAT) + zeros)
    yield zip_.flush()


def test_a_gzip_bomb_is_stopped_at_the_cap_in_little_memory(tmp_path: Path) -> None:
    """512 MB of zeros in half a megabyte: refused after the 16 MB allowed, with less than 5 MB in memory."""
    packed = b"".join(bomb(512 * MIB))
    assert len(packed) < MIB
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match="16,777,216 bytes allowed"):
            extract(packed, tmp_path / "out.mmdb", max_bytes=16 * MIB, piece=65536)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * MIB
    assert names(tmp_path) == []


def test_padding_without_end_is_stopped_at_the_cap(tmp_path: Path) -> None:
    """The zeros that may follow an archive count as well."""
    with pytest.raises(SourceError, match="unpacks to more than the 1,048,576 bytes allowed"):
        extract(gzip.compress(GOOD + bytes(2 * MIB)), tmp_path / "out.mmdb", max_bytes=MIB)
    assert names(tmp_path) == []


def test_a_full_disk_is_said_in_words_and_leaves_no_half(tmp_path: Path) -> None:
    """The limit on file sizes stands in for the disk: what cannot be written whole is not there at all."""
    import signal

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(SourceError, match=r"out\.mmdb could not be written") as caught:
            extract(gzip.compress(GOOD), tmp_path / "out.mmdb")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert "spool" in caught.value.advice
    assert names(tmp_path) == []
