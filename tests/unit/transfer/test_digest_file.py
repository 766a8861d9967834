"""Digests as they are published beside files, in every usual form, and what is none."""

import hashlib
import json

import pytest

from hubdata.errors import SourceError
from hubdata.transfer.digest_file import Digest, as_digest, parse_digest

FILE, OTHER = b"the file", b"another file"
SHA256, SHA1, MD5 = (getattr(hashlib, name)(FILE).hexdigest() for name in ("sha256", "sha1", "md5"))
SHA512 = hashlib.sha512(FILE).hexdigest()
ALIEN = hashlib.sha256(OTHER).hexdigest()
NAME = "db.mmdb.gz"


@pytest.mark.parametrize(
    "body",
    [
        SHA256,
        f"{SHA256}\n",
        f"  {SHA256.upper()}\r\n",
        f"\ufeff{SHA256}\n",
        f"{SHA256}  {NAME}\n",
        f"{SHA256} *{NAME}\n",
        f"{SHA256}\t./dist/{NAME}\n",
        f"{SHA256}  GeoLite2-City_20261120.tar.gz\n",
        f"\\{SHA256}  C:\\\\{NAME}\n",
        f"SHA256 ({NAME}) = {SHA256}\n",
        f"# digests\n\n{ALIEN}  other.gz\n{SHA256}  {NAME}\n",
        f"MD5 ({NAME}) = {MD5}\nSHA256 ({NAME}) = {SHA256}\n",
        f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{SHA256}  {NAME}\n",
    ],
)
def test_the_digest_of_our_file_is_found(body: str) -> None:
    """Bare, with a name, in a list, with a weaker one beside it."""
    assert parse_digest(body.encode(), name=NAME) == Digest("sha256", SHA256)


@pytest.mark.parametrize(("value", "algorithm"), [(MD5, "md5"), (SHA1, "sha1"), (SHA256, "sha256"), (SHA512, "sha512")])
def test_its_length_tells_the_algorithm(value: str, algorithm: str) -> None:
    """As `hashlib` calls them."""
    assert parse_digest(f"{value}  {NAME}".encode(), name=NAME) == Digest(algorithm, value)
    assert str(as_digest(value.upper())) == f"{algorithm}:{value}"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\n",
        "<html>sign in</html>",
        SHA256[:-1],
        SHA256 + "0",
        "g" * 64,
        f"{ALIEN}  a.gz\n{SHA256}  b.gz\n",
        f"{ALIEN}\n{SHA256}\n",
        f"{MD5}  a.gz\n{SHA256}  b.gz\n",
        f"{ALIEN}  {NAME}\n{SHA256}  {NAME}\n",
        f"{SHA256} and some words with spaces that are a name\n{ALIEN}  x\n",
        json.dumps({"sha256": SHA256}),
    ],
)
def test_nothing_is_guessed(body: str) -> None:
    """No digest, two that contradict each other, or a list without our name."""
    with pytest.raises(SourceError, match=f"one digest in hex for {NAME}, found") as caught:
        parse_digest(body.encode(), name=NAME)
    assert "digest_url" in caught.value.advice


def test_a_field_of_json_is_found_by_its_path() -> None:
    """Through objects and lists."""
    body = json.dumps({"checksums": {"sha256": SHA256.upper(), "md5": MD5}, "files": [{"sum": f" {SHA1}\n"}]}).encode()
    assert parse_digest(body, name=NAME, field="checksums.sha256") == Digest("sha256", SHA256)
    assert parse_digest(body, name=NAME, field="checksums.md5") == Digest("md5", MD5)
    assert parse_digest(body, name=NAME, field="files.0.sum") == Digest("sha1", SHA1)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("{}", "a"),
        ('{"a": 5}', "a"),
        ('{"a": ["x"]}', "a.5"),
        ('{"a": ["x"]}', "a.b"),
        ('{"a": null}', "a.b"),
        ('{"a": "text"}', "a.0"),
        ("[" * 100_000, "a"),
        ("<html>", "a"),
        (SHA256, "a"),
    ],
    ids=str,
)
def test_json_without_a_digest_at_the_path_is_refused(body: str, field: str) -> None:
    """Whatever came instead, said in words."""
    with pytest.raises(SourceError, match=f"a digest in hex at `{field}`, found"):
        parse_digest(body.encode(), name=NAME, field=field)
