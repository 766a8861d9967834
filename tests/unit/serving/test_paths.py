"""Which key a request's path asks for, and all the ways of asking for what is nobody's business."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubdata.model.key import RESERVED, key_problem
from hubdata.serving.paths import key_of


@pytest.mark.parametrize(
    ("target", "key"),
    [
        (b"/manifest.json", "manifest.json"),
        (b"/whitelists/a%20b.txt", "whitelists/a b.txt"),
        (b"/a+b.txt", "a+b.txt"),
        (b"/caf%C3%A9.txt", "café.txt"),
        (b"/100%25.txt", "100%.txt"),
        (b"/a..b/c...txt", "a..b/c...txt"),
        (b"/", "index.html"),
        (b"/status.json", "status.json"),
        (b"http://host:8080/lists/a.txt", "lists/a.txt"),
        (b"HTTPS://host", "index.html"),
        (b"/%6danifest.json", "manifest.json"),
    ],
)
def test_a_path_means_one_key(target: bytes, key: str) -> None:
    """Percent signs are undone once, a plus sign is itself, and the root is the index."""
    assert key_of(target) == key


@pytest.mark.parametrize(
    "target",
    [
        b"/.hubdata/lease.json",
        b"/.hubdata",
        b"/%2ehubdata/lease.json",
        b"/%2Ehubdata/lease.json",
        b"/lists/.secret",
        b"/lists/%2e.txt",
        b"/.git/config",
        b"/..",
        b"/../etc/passwd",
        b"/lists/../../etc/passwd",
        b"/lists/%2e%2e/%2e%2e/etc/passwd",
        b"/..%2f..%2fetc/passwd",
        b"/lists%2Fa.txt",
        b"/.%2e/x",
        b"//etc/passwd",
        b"/lists//a.txt",
        b"/lists/",
        b"/./manifest.json",
        b"/a%00.txt",
        b"/a%0a.txt",
        b"/a\\..\\b",
        b"/a%5cb",
        b"/%ff%fe",
        b"/" + b"a" * 1025,
        b"",
        b"*",
        b"manifest.json",
        b"host:443",
        b"ftp://host/manifest.json",
        b"http://host/.hubdata/lease.json",
        b"http://host//manifest.json",
    ],
)
def test_whatever_is_no_key_is_nothing(target: bytes) -> None:
    """No path is tidied up until it fits: dots, doubled and encoded slashes, and control characters mean no key."""
    assert key_of(target) is None


@given(st.binary(max_size=60) | st.text("/.%2eEfF\\ab", max_size=40).map(str.encode))
def test_no_path_leads_out_or_to_a_name_with_a_dot_in_front(tail: bytes) -> None:
    """Whatever is sent: the key is one that may be written to a target, and none of its names is hidden."""
    key = key_of(b"/" + tail)
    if key is not None:
        assert key in RESERVED or key_problem(key) is None
        assert not any(segment.startswith(".") or segment == "" for segment in key.split("/"))
