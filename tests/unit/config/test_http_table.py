"""Where the worker listens and what it heeds, from the file and from the environment."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hubdata.config.check import check
from hubdata.config.http_table import GithubSpec, HttpSpec, Place
from hubdata.config.settings import Settings, load_settings
from hubdata.config.show import show
from hubdata.errors import ConfigError

Write = Callable[[str, str], Path]


def read(tmp_path: Path, **environment: str) -> Settings:
    """Return the settings of a directory."""
    return load_settings(config=None, environment={"HOME": os.devnull, **environment}, flags={}, cwd=tmp_path)


def test_nothing_is_listened_to_unless_it_is_said_where(tmp_path: Path, write: Write) -> None:
    """A table that says everything else leaves it off."""
    assert read(tmp_path).http is None
    write("hubdata.toml", "[http]\nmax_connections = 5\n")
    assert read(tmp_path).http is None
    assert read(tmp_path, HUBDATA_HTTP_LISTEN="").http is None


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ('"[::1]:8080"', [Place("[::1]", 8080)]),
        ('":80"', [Place("", 80)]),
        ('"[::1]:0, 127.0.0.1:0"', [Place("[::1]", 0), Place("127.0.0.1", 0)]),
        ('["localhost:8080", "[fe80::1%eth0]:65535"]', [Place("localhost", 8080), Place("[fe80::1%eth0]", 65_535)]),
    ],
)
def test_places_are_read_from_a_text_or_a_list(tmp_path: Path, write: Write, text: str, places: list[Place]) -> None:
    """IPv6 addresses stand in brackets, as in URLs; the environment says the same, and wins."""
    write("hubdata.toml", f"[http]\nlisten = {text}\n")
    assert read(tmp_path).http == HttpSpec(tuple(places))
    other = read(tmp_path, HUBDATA_HTTP_LISTEN="[::1]:9, 127.0.0.1:9").http
    assert other == HttpSpec((Place("[::1]", 9), Place("127.0.0.1", 9)))


@pytest.mark.parametrize(
    "text", ["8080", "::1:8080", "[::1]", "host:", "host:65536", "ho st:1", "http://[::1]:80", "[]"]
)
def test_what_is_no_place_is_refused(tmp_path: Path, text: str) -> None:
    """With the variable it stands in."""
    with pytest.raises(ConfigError, match="HUBDATA_HTTP_LISTEN"):
        read(tmp_path, HUBDATA_HTTP_LISTEN=text)


GITHUB = '[http]\nlisten = ":80"\n[http.github]\nrepository = "example/lists"\nref = "{ref}"\njobs = ["b", "a", "b"]\n'


@pytest.mark.parametrize(
    ("ref", "whole"), [("main", "refs/heads/main"), ("a/b", "refs/heads/a/b"), ("refs/tags/v1", "refs/tags/v1")]
)
def test_a_branch_stands_for_its_whole_ref(tmp_path: Path, write: Write, ref: str, whole: str) -> None:
    """Pushes name refs in full, so no tag can pass for a branch; a job is named once."""
    write("hubdata.toml", GITHUB.format(ref=ref))
    http = read(tmp_path).http
    assert http is not None
    assert http.github == GithubSpec("example/lists", whole, ("b", "a"))


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('"example/lists"', '"https://github.com/example/lists"', "repository"),
        ('ref = "main"\n', "", "ref"),
        ('jobs = ["b", "a", "b"]', "jobs = []", "jobs"),
        ('jobs = ["b", "a", "b"]', 'jobs = ["a"]\nsecret = "x"', "secret"),
        ('jobs = ["b", "a", "b"]', 'jobs = ["a"]\nmax_bytes = 26214401', "max_bytes"),
        ('listen = ":80"', 'listen = ":80"\ntarget = "nowhere"', "there is no [targets.nowhere]"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, write: Write, old: str, new: str, word: str) -> None:
    """A secret has no place in the file at all."""
    text = GITHUB.format(ref="main")
    assert old in text
    write("hubdata.toml", text.replace(old, new))
    with pytest.raises(ConfigError) as told:
        read(tmp_path)
    assert word in str(told.value)
    assert "hubdata.toml" in str(told.value)


def test_a_job_that_a_push_is_to_run_has_a_file(tmp_path: Path, write: Write) -> None:
    """`config check` names the one that there is not, its line, and what may have been meant."""
    write("hubdata.toml", 'jobs = "jobs"\n' + GITHUB.format(ref="main"))
    job = '[source]\ntype = "directory"\npath = "."\n[[files]]\nmatch = "*"\nkind = "cidr"\n'
    for name in ("a", "bb"):
        write(f"jobs/{name}.toml", job)
    found = check(config=None, environment={"HOME": os.devnull}, flags={}, cwd=tmp_path)
    assert [str(problem) for problem in found if "jobs" in problem.key] == [
        "hubdata.toml:7: http.github.jobs: there is no job b (did you mean `bb`?)"
    ]


def test_the_worker_s_secrets_are_no_settings_misspelt(tmp_path: Path) -> None:
    """They pass without a notice, and nothing of them is kept."""
    names = ("HUBDATA_HTTP_TOKEN", "HUBDATA_GITHUB_SECRET")
    settings = read(tmp_path, **dict.fromkeys([*names, *(f"{name}_FILE" for name in names)], "sentinel"))
    assert settings.notices == ()
    assert "sentinel" not in str(settings)


def test_what_is_in_force_is_shown_and_secrets_are_named_alone(tmp_path: Path, write: Write) -> None:
    """`config show` has each value and where it came from."""
    write("hubdata.toml", GITHUB.format(ref="main"))
    environment = {"HOME": os.devnull, "HUBDATA_HTTP_LISTEN": "[::1]:9", "HUBDATA_HTTP_TOKEN": "sentinel"}
    rows = show(config=None, environment=environment, flags={}, cwd=tmp_path)
    found = {row.key: (row.value, row.origin) for row in rows}
    assert found["http.listen"] == ("[::1]:9", "HUBDATA_HTTP_LISTEN")
    assert found["http.max_connections"] == ("1024", "default")
    assert found["http.github.ref"] == ("refs/heads/main", "hubdata.toml:5")
    assert found["http.github.jobs"] == ("b, a", "hubdata.toml:6")
    assert found["HUBDATA_HTTP_TOKEN"] == ("***", "environment")
    assert "sentinel" not in str(rows)
