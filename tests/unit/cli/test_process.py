"""The real process: what start-up costs, what a pipe and a poor locale do, and codes that a shell sees."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hubdata import __version__

REPOSITORY = Path(__file__).parents[3]
HEAVY = ("boto3", "botocore", "requests", "numpy", "geoip2", "maxminddb", "re2", "rich", "pydantic", "apscheduler")


def _run(*args: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), "HOME": str(cwd), **environment}
    return subprocess.run(
        [sys.executable, "-m", "hubdata", *args],
        cwd=cwd,
        env=clean,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _loaded(cwd: Path, *args: str) -> set[str]:
    """Return the names of all modules that a process with these arguments has loaded when it ends."""
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: open('modules', 'w').write(' '.join(sys.modules)))\n"
        "from hubdata.cli import main\n"
        "main()\n"
    )
    subprocess.run(
        [sys.executable, "-c", code, *args],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    return set((cwd / "modules").read_text().split())


def test_version_loads_nothing(tmp_path: Path) -> None:
    """Health checks ask for the version: not even click is loaded for it."""
    loaded = _loaded(tmp_path, "--version")
    assert "hubdata.cli" in loaded
    assert not loaded & {"click", "logging", "hubdata.app", "hubdata.cli.root", *HEAVY}
    assert _run("--version", cwd=tmp_path).stdout == f"hubdata {__version__}\n"


@pytest.mark.parametrize("args", [["-h"], ["sync", "-h"], ["sync", "--force"], ["completion", "zsh"]])
def test_help_loads_no_heavy_library(tmp_path: Path, args: list[str]) -> None:
    """Help, completion and usage errors answer at once."""
    loaded = _loaded(tmp_path, *args)
    assert "click" in loaded
    assert not loaded & {"hubdata.app", *HEAVY}


def test_a_command_loads_no_other(tmp_path: Path) -> None:
    """Whoever syncs does not pay for the other commands."""
    loaded = _loaded(tmp_path, "sync", "--force")
    assert "hubdata.cli.sync" in loaded
    assert not loaded & {"hubdata.cli.plan", "hubdata.cli.geoip", "hubdata.cli.config", "hubdata.cli.validate"}


def test_validate_ends_with_zero_or_three(tmp_path: Path) -> None:
    """A sound list passes, a poisoned one is refused at its line; the verdict is on stdout, stderr is silent."""
    (tmp_path / "good.txt").write_text("8.8.8.0/24\n")
    (tmp_path / "bad.txt").write_text("8.8.8.0/24\n0.0.0.0/0\n")
    good = _run("validate", "--kind", "cidr", "good.txt", cwd=tmp_path)
    assert (good.returncode, good.stderr) == (0, "")
    bad = _run("validate", "--kind", "cidr", "--format", "json", "bad.txt", cwd=tmp_path)
    assert (bad.returncode, bad.stderr) == (3, "")
    errors = [f for f in json.loads(bad.stdout)["findings"] if f["severity"] == "error"]
    assert {f["line"] for f in errors} == {2}


def test_an_unknown_kind_ends_with_two_and_advice(tmp_path: Path) -> None:
    """A wrong word is a settings error, told in one line."""
    (tmp_path / "a.txt").write_text("8.8.8.0/24\n")
    done = _run("validate", "--kind", "cidrr", "a.txt", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("hubdata: error: ")
    assert "cidr" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_settings_file_with_mistakes_ends_with_two(tmp_path: Path) -> None:
    """All mistakes are told, each with file and line, and none of it is a traceback."""
    (tmp_path / "hubdata.toml").write_text('[targets.a]\ntype = "s4"\n[verfy]\nurl = "x"\n')
    done = _run("sync", "--once", cwd=tmp_path)
    assert done.returncode == 2
    assert "hubdata.toml:2" in done.stderr
    assert "hubdata.toml:3" in done.stderr
    assert "Traceback" not in done.stderr


def test_output_survives_a_locale_without_unicode(tmp_path: Path) -> None:
    """Where only ASCII can be printed, other characters are escaped; the report is not lost."""
    (tmp_path / "l\u00efst.txt").write_text("0.0.0.0/0\n")
    done = _run("validate", "--kind", "cidr", "l\u00efst.txt", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == 3
    assert "l\\xefst.txt" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("lines", [1, 20_000])
def test_a_reader_that_goes_away_is_no_error(tmp_path: Path, lines: int) -> None:
    """With nobody left to read stdout, the end is quiet, and the code is the one that the run itself earned."""
    (tmp_path / "bad.txt").write_text("x\n" * lines)
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "hubdata", "validate", "--kind", "cidr", "-v", "bad.txt"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)},
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (3, "")


def test_bash_completes_with_the_printed_script(tmp_path: Path) -> None:
    """The printed script works in a real bash: `hubdata val<TAB>` becomes `validate`."""
    (tmp_path / "hubdata").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hubdata "$@"\n')
    (tmp_path / "hubdata").chmod(0o755)
    script = (
        'eval "$(hubdata completion bash)"; COMP_WORDS=(hubdata val); COMP_CWORD=1; '
        '_hubdata_completion hubdata; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "validate\n"
