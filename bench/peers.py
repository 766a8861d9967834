"""The tools that hubdata is measured against, installed as their users do: each in an environment of its own."""

import os
import subprocess
import sys
import venv
from pathlib import Path

AWSCLI = "awscli==1.45.11"


def aws() -> Path:
    """Return the `aws` command, installed once into the cache outside the repository."""
    home = (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hubdata-bench" / AWSCLI.replace("==", "-")
    )
    command = home / "bin" / "aws"
    if not command.exists():
        print(f"installing {AWSCLI} ...", file=sys.stderr)
        venv.create(home, with_pip=True)
        subprocess.run([home / "bin" / "pip", "install", "-q", AWSCLI], check=True)
    return command
