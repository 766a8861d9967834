r"""Settings written on Windows: carriage returns, a mark at the beginning, backslashes, and drives.

hubdata runs where paths have slashes; its settings are edited anywhere.
"""

import json
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from hubdata.config.check import check
from hubdata.config.jobs import read_jobs
from hubdata.config.problems import Problem
from hubdata.config.settings import load_settings
from hubdata.config.windows_paths import is_windows_path, windows_path_faults
from hubdata.errors import ConfigError
from hubdata.model.key import key_of
from hubdata.report.github import command
from hubdata.report.redaction import redact
from hubdata.report.terminal import plain
from hubdata.transfer.geoip_conf import read_geoip_conf
from hubdata.transfer.git import url_problem

SETTINGS = """\
jobs = "jobs"

[targets.local]
type = "directory"
path = "public"

[verify]
url = "https://hub-data.example.net"
"""
JOB = """\
[source]
type = "directory"
path = "data"

[[files]]
match = "lists/*.txt"
kind = "cidr"
"""


def found(root: Path, settings: str | bytes = SETTINGS, job: str | bytes = JOB) -> tuple[Problem, ...]:
    """Return what `config check` finds in a file and a job written so."""
    (root / "jobs").mkdir(exist_ok=True)
    (root / "jobs" / "a.toml").write_bytes(job if isinstance(job, bytes) else job.encode())
    (root / "hubdata.toml").write_bytes(settings if isinstance(settings, bytes) else settings.encode())
    return check(config=None, environment={"HOME": str(root)}, flags={}, cwd=root)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_carriage_returns_and_a_mark_change_nothing(tmp_path: Path, mark: bytes) -> None:
    """Both files read as they are meant, and a mistake in them has its own line."""
    crlf = (mark + SETTINGS.replace("\n", "\r\n").encode(), mark + JOB.replace("\n", "\r\n").encode())
    assert found(tmp_path, *crlf) == ()
    settings = load_settings(config=None, environment={"HOME": str(tmp_path)}, flags={}, cwd=tmp_path)
    assert settings.targets["local"].options["path"] == str(tmp_path / "public")
    assert settings.verify is not None
    assert settings.verify.url == "https://hub-data.example.net"
    (job,) = read_jobs(settings.jobs).jobs
    assert (job.files[0].match, job.source.options["path"]) == ("lists/*.txt", str(tmp_path / "jobs" / "data"))
    wrong = found(tmp_path, crlf[0].replace(b"path", b"pth"), crlf[1].replace(b"kind", b"kinds"))
    assert {(p.file, p.line, p.key) for p in wrong} >= {
        ("hubdata.toml", 5, "targets.local.pth"),
        ("jobs/a.toml", 7, "files[1].kinds"),
    }


def test_a_file_in_utf_16_is_told_as_such(tmp_path: Path) -> None:
    """As a shell of Windows writes what is redirected into a file."""
    (problem,) = (p for p in found(tmp_path, SETTINGS.encode("utf-16")) if p.file == "hubdata.toml")
    assert (problem.message, problem.advice) == ("is not UTF-8", "save the file as UTF-8")


@pytest.mark.parametrize("path", ["C:\\hub", "C:\\Users\\x", "data\\lists", "C:\\xyz", "D:\\q"])
def test_a_backslash_in_double_quotes_is_told_with_how_to_write_it(tmp_path: Path, path: str) -> None:
    """TOML takes it for an escape: the line, and what to do."""
    (problem,) = (p for p in found(tmp_path, SETTINGS.replace('"public"', f'"{path}"')) if p.file == "hubdata.toml")
    assert problem.line == 5
    assert problem.advice == (
        "a backslash in double quotes begins an escape: write paths in single quotes, or with slashes"
    )


@pytest.mark.parametrize(
    "path", ["C:\\hub\\data", "c:/hub", "\\\\server\\share\\hub", "data\\lists", "..\\data", "C:da\\ta"]
)
def test_a_path_of_windows_is_told_and_not_made_a_file_here(tmp_path: Path, path: str) -> None:
    """Wherever a path may stand: with the key, and nothing is published into a directory of that name."""
    settings = SETTINGS.replace('"public"', f"'{path}'").replace('"jobs"', f"'{path}'", 1)
    assert {p.key for p in found(tmp_path, settings)} >= {"targets.local.path", "jobs"}
    (problem,) = found(tmp_path, SETTINGS, JOB.replace('"data"', f"'{path}'"))
    assert (problem.file, problem.line, problem.key) == ("jobs/a.toml", 3, "source.path")
    assert path in problem.message
    assert "slashes" in problem.advice
    with pytest.raises(ConfigError):
        load_settings(config=None, environment={"HUBDATA_SPOOL": path}, flags={}, cwd=tmp_path)


@pytest.mark.parametrize(
    "path",
    ["data", "./data", "../data", "/var/tmp/hub", "~/hub", "a:b/c", "//host/share", "with space/x", "\\", "x\\", ""],
)
def test_a_path_of_ours_is_none(path: str) -> None:
    """Odd names are names."""
    assert not is_windows_path(path)
    assert list(windows_path_faults({"spool": path})) == []


def test_on_windows_its_paths_are_right() -> None:
    """The check is for machines that are not one."""
    assert list(windows_path_faults({"spool": "C:\\hub"}, windows=True)) == []
    assert [fault.path for fault in windows_path_faults({"spool": "C:\\hub"}, windows=False)] == [("spool",)]


def test_globs_and_keys_have_slashes(tmp_path: Path) -> None:
    """A backslash in a `match` matches no key: it is told, as a key that cannot be."""
    (problem,) = found(tmp_path, SETTINGS, JOB.replace('"lists/*.txt"', "'lists\\*.txt'"))
    assert (problem.key, problem.line) == ("files[1].match", 6)
    assert "backslash" in problem.message


@pytest.mark.parametrize(
    ("path", "root", "key"),
    [
        (PureWindowsPath("C:\\hub\\lists\\a b.txt"), PureWindowsPath("C:\\hub"), "lists/a b.txt"),
        (PureWindowsPath("c:\\HUB\\lists\\a.txt"), PureWindowsPath("C:\\hub"), "lists/a.txt"),
        (PureWindowsPath("lists\\a.txt"), None, "lists/a.txt"),
        (PureWindowsPath("\\\\server\\share\\x\\a.txt"), PureWindowsPath("\\\\server\\share\\x"), "a.txt"),
        (PurePosixPath("/hub/lists/a.txt"), PurePosixPath("/hub"), "lists/a.txt"),
    ],
)
def test_keys_have_slashes_on_every_system(path: PureWindowsPath, root: PureWindowsPath | None, key: str) -> None:
    """What is published has one name, wherever it is validated."""
    assert key_of(path, root) == key
    if root is not None:
        with pytest.raises(ValueError, match=r"subpath"):
            key_of(path, root / "elsewhere")


@pytest.mark.parametrize("url", ["C:\\repos\\lists", "C:/repos/lists", "d:/x"])
def test_a_drive_is_no_host(url: str) -> None:
    """Git would take `C:/repos` for a path at the host C, and ssh would ask for it."""
    assert "Windows" in (url_problem(url) or "") or "expected https" in (url_problem(url) or "")
    assert url_problem("c:repos/lists") is None  # a host may be called so


def test_a_geoip_conf_of_windows_is_read(tmp_path: Path) -> None:
    """The vendor's updater runs there, too."""
    path = tmp_path / "GeoIP.conf"
    path.write_bytes(b"\xef\xbb\xbfAccountID 42\r\nLicenseKey abcdef\r\nEditionIDs GeoLite2-City GeoLite2-ASN\r\n")
    read = read_geoip_conf(path)
    assert (read.account_id, read.editions) == ("42", ("GeoLite2-City", "GeoLite2-ASN"))
    assert read.license_key is not None
    assert read.license_key.reveal() == "abcdef"


def test_backslashes_in_messages_stay_as_they_are() -> None:
    """No report takes them for escapes, and what a program reads is what was written."""
    message = r"C:\new\table\x1b\u202e: cannot be read"
    assert plain(message) == message
    assert redact(message) == message
    assert json.loads(json.dumps(message)) == message
    assert message in command("error", message, file="hubdata.toml", line=1, title="x")
