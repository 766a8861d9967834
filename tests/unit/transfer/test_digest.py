"""Digests against known answers, and readers against files that change after they were checked."""

import hashlib
import io
import mmap
from pathlib import Path

import pytest

from hubdata.errors import TargetError
from hubdata.model.snapshot import Digests
from hubdata.transfer.digest import VerifiedReader, digests, multipart_etag, read_verified

_BODY = bytes(range(256)) * 40_000  # ten megabytes: more than one chunk
_SHA256 = hashlib.sha256(_BODY).hexdigest()


def reader(path: Path, size: int = len(_BODY), sha256: str = _SHA256) -> VerifiedReader:
    """Open `path` as the file that was checked."""
    return VerifiedReader(path, size=size, sha256=sha256, error=TargetError)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a file that holds _BODY."""
    path = tmp_path / "body"
    path.write_bytes(_BODY)
    return path


def flip(path: Path, offset: int) -> None:
    """Change one byte of a file."""
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))


@pytest.mark.parametrize("body", [b"", b"a", _BODY], ids=["empty", "one byte", "many chunks"])
def test_digests_of_bytes(body: bytes) -> None:
    """Both digests agree with hashlib's own."""
    found = digests(body)
    assert found.sha256 == hashlib.sha256(body).hexdigest()
    assert found.md5 == hashlib.md5(body).hexdigest()


def test_an_md5_that_is_known_with_the_sha256_is_not_computed_again() -> None:
    """Bytes of the same SHA-256 are the same bytes, so that the MD5 told with it is theirs."""
    known = Digests(_SHA256, "the MD5 that came with it")
    assert digests(_BODY, known) is known


@pytest.mark.parametrize("body", [b"", _BODY[:-1], _BODY[1:]], ids=["empty", "cut off", "another"])
def test_nothing_known_is_believed_of_other_bytes(body: bytes) -> None:
    """Of bytes with another SHA-256 both digests are computed."""
    found = digests(body, Digests(_SHA256, "not the MD5 of this"))
    assert found == Digests(hashlib.sha256(body).hexdigest(), hashlib.md5(body).hexdigest())


def test_digests_of_a_mapped_file_let_go_of_the_map(path: Path) -> None:
    """A mapped file gives the same digests, and can be closed afterwards."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert digests(mapped) == digests(_BODY)


@pytest.mark.parametrize(
    ("size", "part_size", "parts"),
    [(0, 10, 1), (1, 10, 1), (10, 10, 1), (11, 10, 2), (20, 10, 2), (3 << 20, (1 << 20) + 5, 3)],
)
def test_multipart_etag_is_the_digest_of_the_parts_digests(
    tmp_path: Path, size: int, part_size: int, parts: int
) -> None:
    """The ETag is computed as S3 does, also when the last part is full."""
    body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    (tmp_path / "f").write_bytes(body)
    cut = [body[i : i + part_size] for i in range(0, size, part_size)] or [b""]
    assert len(cut) == parts
    expected = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in cut)).hexdigest()
    assert multipart_etag(tmp_path / "f", part_size) == f"{expected}-{parts}"


def test_multipart_etag_known_answer(tmp_path: Path) -> None:
    """Six bytes in parts of five: computed by hand once, so that code and test cannot be wrong together."""
    (tmp_path / "f").write_bytes(b"hello!")
    first, second = "5d41402abc4b2a76b9719d911017c592", "9033e0e305f247c0c3c80d0c7848c8b3"
    joined = hashlib.md5(bytes.fromhex(first + second)).hexdigest()
    assert multipart_etag(tmp_path / "f", 5) == f"{joined}-2"


def test_verified_reader_gives_the_file(path: Path) -> None:
    """An unchanged file is read whole, in pieces of any size, and then ends."""
    with reader(path) as file:
        assert b"".join(iter(lambda: file.read(70_001), b"")) == _BODY
        assert file.read() == b""
    assert file.failure is None


def test_verified_reader_can_be_read_again_after_seek_to_the_start(path: Path) -> None:
    """Signing reads a body and rewinds, a retry rewinds half way: each pass is the whole file."""
    with reader(path) as file:
        assert file.read() == _BODY
        assert file.seek(0) == 0
        assert file.read(1000) == _BODY[:1000]
        assert file.seek(0) == 0
        assert file.read() == _BODY


def test_verified_reader_tells_its_size_by_seeking_to_the_end(path: Path) -> None:
    """Clients find the length with seek and tell, or with len; reading then begins anew."""
    with reader(path) as file:
        assert file.seek(0, io.SEEK_END) == file.tell() == len(file) == len(_BODY)
        assert file.read() == b""
        file.seek(0)
        assert file.read(5) == _BODY[:5]
        assert file.seek(0, io.SEEK_CUR) == 5
        assert file.read(5) == _BODY[5:10]


@pytest.mark.parametrize("offset", [0, len(_BODY) // 2, len(_BODY) - 1])
@pytest.mark.parametrize("piece", [8192, len(_BODY), -1], ids=["small reads", "one exact read", "read all"])
def test_changed_file_is_never_handed_out_whole(path: Path, offset: int, piece: int) -> None:
    """One changed bit anywhere: the last read raises, so the bytes handed out stay fewer than announced."""
    flip(path, offset)
    given = 0
    with reader(path) as file:
        with pytest.raises(TargetError, match="changed on disk") as caught:  # noqa: PT012  # counts what came first
            for chunk in iter(lambda: file.read(piece), b""):
                given += len(chunk)
        assert given < len(_BODY)
        assert file.failure is caught.value


def test_change_between_two_passes_is_seen(path: Path) -> None:
    """A file that was right when it was signed and is wrong when it is sent does not go out."""
    with reader(path) as file:
        assert file.read() == _BODY
        flip(path, 77)
        file.seek(0)
        with pytest.raises(TargetError):
            file.read()


def test_there_is_no_pass_after_one_that_failed(path: Path) -> None:
    """A client that sends again after a failure is stopped at once: the file will not be right the second time."""
    flip(path, 77)
    with reader(path) as file:
        with pytest.raises(TargetError):
            file.read()
        with pytest.raises(TargetError, match="changed on disk"):
            file.seek(0)


@pytest.mark.parametrize("change", ["shorter", "longer"])
def test_file_of_another_length(path: Path, change: str) -> None:
    """A cut file raises; bytes appended to it are never read."""
    if change == "shorter":
        path.write_bytes(_BODY[:-1])
        with reader(path) as file, pytest.raises(TargetError, match="changed on disk"):
            file.read()
    else:
        path.write_bytes(_BODY + b"more")
        with reader(path) as file:
            assert file.read() == _BODY


def test_empty_file_is_checked_before_anything_is_read(tmp_path: Path) -> None:
    """An empty body may be sent without a read, so a wrong digest stops at once; the right one is fine."""
    (tmp_path / "empty").touch()
    with pytest.raises(TargetError):
        reader(tmp_path / "empty", size=0)
    with reader(tmp_path / "empty", size=0, sha256=hashlib.sha256().hexdigest()) as file:
        assert file.read() == b""


def test_reading_from_the_middle_is_refused(path: Path) -> None:
    """Bytes that the digest did not pass over are not handed out."""
    with reader(path) as file:
        file.seek(5)
        with pytest.raises(io.UnsupportedOperation):
            file.read(1)


def test_readinto_is_verified_too(path: Path) -> None:
    """The other way to read gives the same bytes under the same check."""
    flip(path, len(_BODY) - 1)
    buffer = bytearray(len(_BODY))
    with reader(path) as file, pytest.raises(TargetError):
        file.readinto(buffer)
    assert not any(buffer)


def test_missing_file_is_the_callers_error(tmp_path: Path) -> None:
    """A file that is gone is told in the caller's own kind of error, by both ways to read."""
    with pytest.raises(TargetError, match="cannot be read"):
        reader(tmp_path / "none")
    with pytest.raises(TargetError, match="cannot be read"):
        read_verified(tmp_path / "none", size=1, sha256="", error=TargetError)


def test_read_verified(path: Path) -> None:
    """The small way reads the whole file, or raises when a bit or the length is not as checked."""
    assert read_verified(path, size=len(_BODY), sha256=_SHA256, error=TargetError) == _BODY
    for size in (len(_BODY) - 1, len(_BODY) + 1):
        with pytest.raises(TargetError, match="changed on disk"):
            read_verified(path, size=size, sha256=_SHA256, error=TargetError)
    flip(path, 3)
    with pytest.raises(TargetError, match="changed on disk"):
        read_verified(path, size=len(_BODY), sha256=_SHA256, error=TargetError)
