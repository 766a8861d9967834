"""Installed as people do it: pipx, uv, a virtual environment; each command runs, or says which extra it wants.

Needs the package index: without one these tests skip loudly, and .ci/run does not let them.
"""

import base64
import json
import os
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from hubdata import __version__
from hubdata.model.manifest import Manifest
from hubdata.reference.manifest import schema as manifest_schema
from tests.support.packaged import Installed, environment, reached, wheel, with_uv
from tests.support.real import SEC_LISTS, needs_real
from tests.support.repos import Repo

pytestmark = [pytest.mark.slow, needs_real]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """Give the data repository that the built-in jobs are for."""
    return Repo.of_tree(tmp_path_factory.mktemp("data") / "repo", SEC_LISTS)


def _main_job(installed: Installed, data: Repo, cwd: Path) -> None:
    cwd.mkdir(exist_ok=True)
    told = installed.run("hubdata", "--version", cwd=cwd)
    assert (told.code, told.stdout) == (0, f"hubdata {__version__}\n"), told.stderr
    ended = installed.run("hubdata", "sync", "--once", "--checkout", data.path, "--format", "json", cwd=cwd)
    assert ended.code == 0, ended.stdout + ended.stderr
    manifest = json.loads((cwd / "hub-data" / "manifest.json").read_text())
    assert manifest["generation"] == 1
    Draft202012Validator(manifest_schema()).validate(manifest)
    manual = installed.run(
        "sh", "-c", 'cat "$(dirname "$(readlink -f "$(command -v hubdata)")")"/../share/man/man1/*', cwd=cwd
    )
    assert "HUBDATA\\-SYNC" in manual.stdout


def test_the_main_job_runs_from_a_virtual_environment(data: Repo, tmp_path: Path) -> None:
    """The wheel alone, with what it depends on, does the main job by its built-in jobs; so does `python -m hubdata`."""
    installed = environment()
    _main_job(installed, data, tmp_path / "work")
    module = installed.run("python", "-m", "hubdata", "--version", cwd=tmp_path)
    assert module.stdout == f"hubdata {__version__}\n"
    typed = installed.run(
        "python", "-c", "import hubdata, pathlib; print(pathlib.Path(hubdata.__file__).parent)", cwd=tmp_path
    )
    assert (Path(typed.stdout.strip()) / "py.typed").is_file()
    assert str(installed.bin.parent) in typed.stdout


KEY = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"
JQ_JOB = """\
[source]
type = "http"

[[source.items]]
url = "http://127.0.0.1:9/list.json"
output = "list.txt"
jq = ".[]"

[[files]]
match = "list.txt"
kind = "cidr"
"""


@pytest.mark.parametrize(
    ("extra", "argv"),
    [
        ("demo", ["demo"]),
        ("worker", ["serve", "."]),
        (
            "sign",
            [
                "verify",
                "--manifest",
                "manifest.json",
                "--signature",
                "manifest.json.minisig",
                "--pubkey",
                KEY,
                "--dir",
                ".",
            ],
        ),
        ("jq", ["sync", "--once", "--job", "web"]),
    ],
)
def test_a_command_whose_extra_is_missing_says_so(extra: str, argv: list[str], tmp_path: Path) -> None:
    """Not a traceback but the line to type."""
    signature = base64.b64encode(b"ED" + base64.b64decode(KEY)[2:10] + bytes(64)).decode()
    whole = f"untrusted comment: -\n{signature}\ntrusted comment: -\n{base64.b64encode(bytes(64)).decode()}\n"
    (tmp_path / "manifest.json.minisig").write_text(whole)
    (tmp_path / "manifest.json").write_bytes(Manifest(published_at="2026-01-02T03:04:05Z").to_bytes())
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "web.toml").write_text(JQ_JOB)
    (tmp_path / "hubdata.toml").write_text('jobs = "jobs"\n')
    ended = environment().run("hubdata", *argv, cwd=tmp_path)
    said = ended.stdout + ended.stderr
    assert ended.code == 2, said
    assert f"pip install 'hubdata[{extra}]'" in said
    assert "Traceback" not in said


def test_with_every_extra_each_command_runs(tmp_path: Path) -> None:
    """The demo publishes; what serves, signs and filters can be loaded."""
    installed = environment("demo", "jq", "sign", "worker")
    ended = installed.run("hubdata", "demo", cwd=tmp_path)
    assert ended.code == 0, ended.stdout + ended.stderr
    assert (tmp_path / "hubdata-demo" / "public" / "manifest.json").is_file()
    loaded = installed.run("python", "-c", "import cryptography, jq, starlette, uvicorn, hubdata.serving", cwd=tmp_path)
    assert loaded.code == 0, loaded.stderr


def test_uv_tool_install_gives_the_command(data: Repo, tmp_path: Path) -> None:
    """`uv tool install` of the wheel puts `hubdata` on the path, and the main job runs from there."""
    places = {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin")}
    with_uv("tool", "install", "--quiet", "--python", sys.executable, wheel(), env=places)
    _main_job(Installed(tmp_path / "bin"), data, tmp_path / "work")


def test_pipx_install_gives_the_command(data: Repo, tmp_path: Path) -> None:
    """`pipx install` of the wheel puts `hubdata` on the path and its manual pages where `man` looks."""
    places = {"PIPX_HOME": "home", "PIPX_BIN_DIR": "bin", "PIPX_MAN_DIR": "man"}
    env = {name: str(tmp_path / place) for name, place in places.items()}
    env["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    reached([sys.executable, "-m", "pipx", "install", "--backend", "uv", "--python", sys.executable, wheel()], env)
    _main_job(Installed(tmp_path / "bin"), data, tmp_path / "work")
    assert (tmp_path / "man" / "man1" / "hubdata-sync.1").exists()
