"""The Dockerfile's Python steps, run here word for word but for the directory: no Docker engine is needed to know that
they work. Needs the package index.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.mark.slow
def test_the_image_builds_runs_and_checks_its_health(tmp_path: Path) -> None:
    """The build stage's copies and commands give an environment whose entry point and health check work."""
    source, home = tmp_path / "src", tmp_path / "opt"
    source.mkdir()
    stage = DOCKERFILE.split("\nFROM ")[1]
    for copy in re.findall(r"^COPY (.+)$", stage, re.MULTILINE):
        *names, into = copy.split()
        for name in names:
            lies = ROOT / name
            if lies.is_dir():
                shutil.copytree(lies, source / into, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(lies, source / name)
    runs = re.findall(r"^RUN (.+?)(?<!\\)$", stage, re.MULTILINE | re.DOTALL)
    assert len(runs) == 2
    for run in runs:
        script = (
            run.replace("\\\n", " ").replace("/opt/hubdata", str(home)).replace("python -m venv", "python3 -m venv")
        )
        subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=source, check=True, timeout=600)
    (health,) = re.findall(r"^HEALTHCHECK .*CMD \[(.+)\]$", DOCKERFILE, re.MULTILINE)
    argv = [part.strip().strip('"') for part in health.split(",")]
    environment = {"PATH": f"{home}/bin:/usr/bin:/bin", "HOME": str(tmp_path), "HUBDATA_SPOOL": str(tmp_path / "spool")}
    assert subprocess.run(argv, cwd=tmp_path, env=environment, timeout=60, check=False).returncode == 0
    (tmp_path / "hubdata.toml").write_text("jobs = 1\n")
    assert subprocess.run(argv, cwd=tmp_path, env=environment, timeout=60, check=False).returncode == 2
