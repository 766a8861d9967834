"""A package of one's own, installed beside hubdata: its four adapters work in a real run, and failures are its own."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from hubdata.cli.root import root as hubdata_root
from tests.support.command import Ended, hubdata
from tests.support.plugin_example import EXAMPLE, installed

SETTINGS = """\
jobs = "jobs"
spool = "spool"

[targets.device]
type = "sqlite"
path = "objects.db"
cdn = "proxy"

[cdns.proxy]
type = "purge-list"
path = "purges.txt"
"""
JOB = """\
[source]
type = "inline"
key = "lists/blocked.txt"
lines = [{lines}]

[[files]]
match = "lists/*.txt"
kind = "hostnames"
"""


def world(root: Path, *lines: str) -> Path:
    """Return a directory with settings and one job, whose list has `lines`."""
    (root / "jobs").mkdir(parents=True, exist_ok=True)
    (root / "hubdata.toml").write_text(SETTINGS)
    (root / "jobs" / "blocked.toml").write_text(JOB.format(lines=", ".join(map(json.dumps, lines))))
    return root


def run(root: Path, site: Path, *arguments: str) -> Ended:
    """Return what one process said that has `site` on its path."""
    return hubdata(*arguments, cwd=root, env={"PYTHONPATH": str(site)})


def here(root: Path, site: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Ended:
    """Return what the command says in this very process: it spares the machine a start of Python."""
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.chdir(root)
    monkeypatch.setenv("HOME", str(root))
    ended = CliRunner().invoke(hubdata_root, list(arguments), prog_name="hubdata")
    return Ended(ended.exit_code, ended.stdout, ended.stderr, 0.0)


def held(root: Path) -> Mapping[str, bytes]:
    """Return what the database holds."""
    with sqlite3.connect(root / "objects.db") as database:
        return dict(database.execute("SELECT key, body FROM object"))


def pip_installed(site: Path) -> Path:
    """Install the example into `site` with pip, as anybody would; nothing is fetched."""
    argv = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--no-input"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(site.parent), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [sys.executable, *argv, "--target", str(site), str(EXAMPLE)]
    subprocess.run(command, check=True, env=environment, capture_output=True, timeout=300, cwd=site.parent)
    return site


def test_a_package_installed_by_pip_publishes(tmp_path: Path) -> None:
    """Fetched, judged, stored and told by its four adapters; the second run changes nothing, a third what is new."""
    site = pip_installed(tmp_path / "site")
    root = world(tmp_path / "world", "ads.example.net", "tracker.example.org")

    first = run(root, site, "sync", "--once", "--format", "json")
    assert first.code == 0, first.stderr
    assert first.puts("device") == ["lists/blocked.txt"]
    assert held(root)["lists/blocked.txt"] == b"ads.example.net\ntracker.example.org\n"
    manifest = json.loads(held(root)["manifest.json"])
    assert manifest["files"]["lists/blocked.txt"]["kind"] == "hostnames"
    assert manifest["files"]["lists/blocked.txt"]["stats"]["entries"] == 2
    assert "/lists/blocked.txt" in (root / "purges.txt").read_text().splitlines()

    second = run(root, site, "sync", "--once", "--format", "json")
    assert (second.code, second.job("blocked")["outcome"]) == (0, "unchanged")

    world(root, "ads.example.net", "*.tracker")
    third = run(root, site, "sync", "--once", "--format", "json")
    assert third.code == 3
    (finding,) = third.job("blocked")["findings"]
    assert (finding["rule"], finding["line"]) == ("hostnames.malformed", 2)
    assert held(root)["lists/blocked.txt"] == b"ads.example.net\ntracker.example.org\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the example as an installer leaves it."""
    return installed(tmp_path_factory.mktemp("site"))


def test_its_words_are_known_wherever_words_are(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`config check`, `config schema`, `validate --kind` and `plan` know them; `config show` and `doctor` list them."""
    root = world(tmp_path, "ads.example.net")
    assert here(root, site, monkeypatch, "config", "check").code == 0
    shown = here(root, site, monkeypatch, "config", "show", "--format", "json").json
    assert {
        "key": "kinds.hostnames",
        "value": "hubdata_example.hostnames:HostnamesKind",
        "origin": "hubdata-example 1.0",
    } in shown
    job = here(root, site, monkeypatch, "config", "schema", "job").stdout
    assert '"hostnames"' in job
    assert '"inline"' in job
    (root / "list.txt").write_text("one.example.net\nnot a name\n")
    judged = here(
        root,
        site,
        monkeypatch,
        "validate",
        "--kind",
        "hostnames",
        "--option",
        "min_labels=3",
        "list.txt",
        "--format",
        "sarif",
    )
    assert judged.code == 3, judged.stderr
    assert [r["ruleId"] for r in judged.json["runs"][0]["results"]] == ["hostnames.malformed"]
    assert here(root, site, monkeypatch, "plan", "--format", "json").code == 0
    looked = here(root, site, monkeypatch, "doctor", "--format", "json", "--no-network")
    found = {check["subject"]: check["status"] for check in looked.json["checks"] if check["name"] == "plugin"}
    assert found == dict.fromkeys(["kind hostnames", "source inline", "target sqlite", "cdn purge-list"], "ok")


def test_a_near_miss_is_told(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`did you mean` knows the words of packages, and the keys of their options."""
    root = world(tmp_path, "ads.example.net")
    (root / "hubdata.toml").write_text(
        SETTINGS.replace('"sqlite"', '"sqlit"').replace('path = "purges', 'pth = "purges')
    )
    checked = here(root, site, monkeypatch, "config", "check", "--format", "json")
    assert checked.code == 2
    advice = {problem["key"]: problem["advice"] for problem in checked.json["problems"]}
    assert advice["targets.device.type"] == "did you mean `sqlite`?"
    assert advice["cdns.proxy.pth"] == "did you mean `path`?"


def test_without_the_package_the_settings_say_what_is_missing(tmp_path: Path) -> None:
    """A word that no package brings is told with the key, and nothing is attempted."""
    ended = hubdata("sync", "--once", cwd=world(tmp_path, "ads.example.net"))
    assert ended.code == 2
    assert "hubdata.toml:5: targets.device.type: unknown target `sqlite`" in ended.stderr
    assert not (tmp_path / "objects.db").exists()


def test_what_a_plugin_raises_in_a_run_is_told_as_its_own_fault(tmp_path: Path) -> None:
    """Exit 1, one line that names the package, and no traceback unless it is asked for."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "acme_kinds.py").write_text(
        "from pydantic import BaseModel, ConfigDict\n"
        "class Broken:\n"
        "    content_type, max_bytes = 'text/plain', 1 << 20\n"
        "    class Options(BaseModel):\n"
        "        model_config = ConfigDict(extra='forbid')\n"
        "    def __init__(self, options): ...\n"
        "    def check(self, artifact, body, demands): return 1 / 0\n"
    )
    installed(site, name="acme", entry_points="[hubdata.kinds]\nbroken = acme_kinds:Broken\n")
    (tmp_path / "list.txt").write_text("x\n")
    ended = run(tmp_path, site, "validate", "--kind", "broken", "list.txt")
    assert ended.code == 1
    said = "the plug-in acme 1.0: ZeroDivisionError: division by zero, while judging list.txt of job broken"
    assert f"this is a bug in {said}" in ended.stderr
    assert "Traceback" not in ended.stderr
