"""Keys: which names are safe on S3, below a directory and in a URL."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.model.key import key_problem


@pytest.mark.parametrize("key", ["a", "a/b.txt", "sub/manifest.json", "..a/b..", "é/ü.txt", "a b", "-", "x" * 1024])
def test_plain_names_are_safe(key: str) -> None:
    """Ordinary relative names pass, spaces and other scripts included."""
    assert key_problem(key) is None


@pytest.mark.parametrize(
    "key",
    [
        *(
            "",
            "/a",
            "a/",
            "a//b",
            "./a",
            "a/../b",
            "..",
            "a\\b",
            "a\0",
            "a\nb",
            "\x7f",
            "\udc80",
            "x" * 1025,
            "é" * 513,
        ),
        *("manifest.json", "index.html", "status.json", ".hubdata/x"),
    ],
)
def test_dangerous_names_are_refused_with_a_reason(key: str) -> None:
    """Names that climb, hide, confuse a store or are hubdata's own come with a reason."""
    assert key_problem(key)


@settings(max_examples=200)
@given(st.text("a./\\\n", max_size=8))
def test_safe_key_stays_below_its_root(key: str) -> None:
    """A key that passes joins to a path that is below the root, under exactly that name."""
    if key_problem(key) is None:
        path = PurePosixPath("/root") / key
        assert str(path) == f"/root/{key}"
        assert ".." not in path.parts
