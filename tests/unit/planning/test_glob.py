"""Globs: the reading that job files rely on, held against a slow model that knows no regular expressions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.errors import ConfigError
from hubdata.planning.glob import matches


@pytest.mark.parametrize(
    ("glob", "key", "named"),
    [
        ("README.md", "README.md", True),
        ("README.md", "docs/README.md", False),
        ("a/*.txt", "a/b.txt", True),
        ("a/*.txt", "a/b/c.txt", False),
        ("a/**", "a/b/c.txt", True),
        ("a/**", "b/a/c.txt", False),
        ("**/x.txt", "x.txt", True),
        ("**/x.txt", "a/b/x.txt", True),
        ("**/x.txt", "ax.txt", False),
        ("a/**/x", "a/x", True),
        ("a/**/x", "a/b/c/x", True),
        ("a**/x", "ax", False),
        ("a**/x", "ab/c/x", True),
        ("?.txt", "/.txt", False),
        ("[ab].txt", "a.txt", True),
        ("[!ab].txt", "a.txt", False),
        ("[!a]b", "/b", False),
        ("[]]", "]", True),
        ("[!]]", "]", False),
        ("[!]", "[!]", True),
        ("[", "[", True),
        ("a.c", "abc", False),
        ("a.txt", "a.txt\n", False),
        ("*", "line\nfeed", True),
        ("*.TXT", "a.txt", False),
    ],
)
def test_glob_names_whole_keys_segment_by_segment(glob: str, key: str, named: bool) -> None:
    """`*` and `?` stay within a segment, `**` crosses them, everything else is literal."""
    assert matches(glob, key) is named


def test_impossible_set_is_a_config_error() -> None:
    """A range that goes downwards is said to be the glob's fault, not a crash."""
    with pytest.raises(ConfigError, match="'\\[b-a\\]' is not one"):
        matches("[b-a]", "a")


def _slow(glob: str, key: str, *, at_start: bool = True) -> bool:
    """Tell the same as `matches`, for globs without sets, by trying everything."""
    if not glob:
        return not key
    if glob.startswith("**/") and at_start:
        ends = [0, *(i + 1 for i, c in enumerate(key) if c == "/" and (i > 0 and "//" not in key[: i + 1]))]
        return any(_slow(glob[3:], key[end:], at_start=True) for end in ends if not key[:end].startswith("/"))
    if glob.startswith("**"):
        return any(_slow(glob[2:], key[i:], at_start=False) for i in range(len(key) + 1))
    if glob[0] == "*":
        stop = key.find("/") if "/" in key else len(key)
        return any(_slow(glob[1:], key[i:], at_start=False) for i in range(stop + 1))
    if not key or (key[0] == "/" and glob[0] == "?") or glob[0] not in ("?", key[0]):
        return False
    return _slow(glob[1:], key[1:], at_start=glob[0] == "/")


@settings(max_examples=200, deadline=None)
@given(st.text("a*?/.", max_size=7), st.text("ab/.", max_size=7))
def test_glob_agrees_with_a_model_that_tries_everything(glob: str, key: str) -> None:
    """For any glob without sets and any key, the compiled form and the exhaustive one agree."""
    assert matches(glob, key) is _slow(glob, key)


@settings(max_examples=200, deadline=None)
@given(st.text(min_size=1, max_size=12))
def test_any_text_is_a_glob_or_a_config_error(glob: str) -> None:
    """No text makes matching crash; a text without special characters names itself."""
    try:
        named = matches(glob, glob)
    except ConfigError:
        assert "[" in glob
        return
    assert named or set(glob) & set("*?[")
