"""deploy/systemd: units without a fault, confined, and a real run that needs nothing that they deny."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.moto_server import CREDENTIALS
from tests.support.small_world import SmallWorld
from tests.support.stack import BUCKET, Stack, stack

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
SERVICES = ("hubdata.service", "hubdata-worker.service")
WORST_SCORE = 1.2
PROGRAM = "/opt/hubdata/bin/hubdata"
AWS = """
[targets.aws]
type = "s3"
bucket = "hub-data"
region = "us-east-1"

[verify]
url = "{url}"
target = "aws"
"""

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="UNITS NOT VERIFIED: systemd-analyze is absent; apt-get install systemd",
)
needs_strace = pytest.mark.skipif(
    shutil.which("strace") is None, reason="SYSTEM CALLS NOT WATCHED: strace is absent; apt-get install strace"
)


def analyze(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Return what systemd-analyze says; it needs no running systemd."""
    argv = ["systemd-analyze", "--no-pager", *map(str, arguments)]
    return subprocess.run(
        argv, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "LC_ALL": "C.UTF-8"}
    )


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Give a directory of units as on a machine, with a program that this one has."""
    for unit in UNITS.iterdir():
        (tmp_path / unit.name).write_text(unit.read_text().replace(PROGRAM, "/bin/true"))
    for service in SERVICES:
        (tmp_path / f"{service}.d").mkdir()
        shutil.copy(UNITS / "credentials.conf", tmp_path / f"{service}.d")
    return tmp_path


def complaints(units: Path) -> str:
    """Return what is wrong with the units of a directory; systemd-analyze ends with 0 whatever it finds."""
    ended = analyze("verify", "--man=no", *(units / name for name in (*SERVICES, "hubdata.timer")))
    return ended.stderr + ("" if ended.returncode == 0 else f"exit code {ended.returncode}")


@needs_systemd
def test_units_are_without_a_fault(installed: Path) -> None:
    """Every key is known and every value understood, with the drop-in for credentials beside them."""
    assert complaints(installed) == ""


@needs_systemd
@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("hubdata.service", "ProtectClock=", "ProtectClocks="),
        ("hubdata.service", "SystemCallFilter=@system-service", "SystemCallFilter=@system-services"),
        ("hubdata-worker.service", "Restart=on-failure", "Restart=sometimes"),
        ("hubdata.timer", "*-*-* *:17:00 UTC", "hourly at 17"),
        ("hubdata.service.d/credentials.conf", "LoadCredential=aws:", "LoadCredentials=aws:"),
    ],
)
def test_a_fault_would_be_noticed(installed: Path, name: str, old: str, new: str) -> None:
    """The check above can fail."""
    text = (installed / name).read_text()
    assert old in text
    (installed / name).write_text(text.replace(old, new))
    assert Path(name).name in complaints(installed)


@needs_systemd
@pytest.mark.parametrize("service", SERVICES)
def test_services_are_confined(installed: Path, service: str) -> None:
    """systemd rates how exposed they are from 0 to 10: what is left is that they speak with the internet."""
    said = analyze("security", "--offline=true", installed / service).stdout
    score = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert score is not None, said
    assert float(score[1]) <= WORST_SCORE, said
    left = {line.split()[1] for line in said.splitlines() if line.startswith("✗")}
    assert {name for name in left if not name.startswith("RestrictAddressFamilies=")} == {
        *("RootDirectory=/RootImage=", "PrivateNetwork=", "IPAddressDeny=", "DeviceAllow=", "ProcSubset="),
    }


def confinement(service: str) -> list[str]:
    """Return what a service may be and do."""
    text = (UNITS / service).read_text().partition("# --- What it may be and do")[2]
    return [line for line in text.partition("[Install]")[0].splitlines() if line]


def test_both_services_are_confined_alike() -> None:
    """What one may not, the other may not."""
    assert len(confinement(SERVICES[0])) > 40
    assert confinement(SERVICES[0]) == confinement(SERVICES[1])


def settings(service: str, key: str) -> list[str]:
    """Return every value of a key."""
    return re.findall(rf"^{key}=(.*)$", (UNITS / service).read_text(), re.MULTILINE)


@needs_systemd
def test_the_timer_is_in_utc_and_makes_up_for_what_was_missed() -> None:
    """Once an hour, also after the machine was off."""
    (when,) = settings("hubdata.timer", "OnCalendar")
    assert when.endswith(" UTC")
    assert analyze("calendar", when).returncode == 0
    assert settings("hubdata.timer", "Persistent") == ["yes"]


def test_the_guide_installs_what_there_is() -> None:
    """Every file that the guide names is shipped, and every unit shipped is in the guide."""
    guide = (UNITS / "README.md").read_text()
    named = set(re.findall(r"deploy/systemd/([\w.-]+\w)", guide))
    assert named == {path.name for path in UNITS.iterdir()} - {"README.md"}
    assert {start.split()[0] for service in SERVICES for start in settings(service, "ExecStart")} == {PROGRAM}
    assert f"python3 -m venv {Path(PROGRAM).parents[1]}" in guide
    variables = {value.partition("=")[0] for value in settings("hubdata.service", "Environment")}
    assert variables == {"HUBDATA_CONFIG", "HUBDATA_SPOOL", "PYTHONDONTWRITEBYTECODE"}


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Give every system call of a run that fetches, proves, publishes to S3 and verifies; of its children too."""
    world = SmallWorld.create(tmp_path_factory.mktemp("traced"))
    log = world.root / "strace"
    with stack(world.root / "stack") as there:
        _settle(world, there)
        argv = ["strace", "-f", "-qq", "-e", "signal=none", "-s", "0", "-o", str(log), sys.executable, "-m", "hubdata"]
        ended = subprocess.run(
            [*argv, "sync", "--once"],
            cwd=world.root,
            env={"PATH": os.environ["PATH"], **CREDENTIALS, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert there.store.objects(BUCKET)
    return log.read_text().splitlines()


def _settle(world: SmallWorld, there: Stack) -> None:
    text = (world.root / "hubdata.toml").read_text()
    world.write(
        "hubdata.toml",
        text + AWS.format(url=there.url).replace("region =", f'endpoint_url = "{there.store.url}"\nregion ='),
    )


def members(name: str) -> set[str]:
    """Return the system calls of one of systemd's sets, those of sets within it too."""
    found: set[str] = set()
    for line in analyze("syscall-filter", name).stdout.splitlines()[1:]:
        word = line.strip()
        if word.startswith("@"):
            found |= members(word)
        elif word and not word.startswith("#"):
            found.add(word)
    return found


@needs_systemd
@needs_strace
def test_a_run_needs_no_system_call_that_is_denied(traced: list[str]) -> None:
    """Python, git and all libraries make do with what the filter lets through."""
    used = {match[1] for line in traced if (match := re.match(r"\d+ +(\w+)\(", line))}
    assert {"execve", "connect", "openat"} <= used
    first, second = settings("hubdata.service", "SystemCallFilter")
    assert second.startswith("~")
    allowed = members(first) - {call for name in second[1:].split() for call in members(name)}
    assert used - allowed == set()


@needs_strace
def test_a_run_needs_no_memory_that_is_written_and_executed(traced: list[str]) -> None:
    """MemoryDenyWriteExecute= would end it otherwise."""
    asked = [line for line in traced if re.search(r" (mmap|mprotect|pkey_mprotect)\(", line)]
    assert len(asked) > 100
    assert [line for line in asked if "PROT_WRITE" in line and "PROT_EXEC" in line] == []
    assert [line for line in asked if "mprotect(" in line and "PROT_EXEC" in line] == []


@needs_strace
def test_a_run_needs_no_socket_that_is_denied(traced: list[str]) -> None:
    """IPv4, IPv6, and what names are asked by; no namespace, no other kind of socket."""
    families = {match[1] for line in traced if (match := re.search(r" socket\((AF_\w+)", line))}
    assert families >= {"AF_INET", "AF_INET6"}
    assert families <= set(" ".join(settings("hubdata.service", "RestrictAddressFamilies")).split())
    assert [line for line in traced if re.search(r" (unshare|setns)\(|CLONE_NEW", line)] == []
