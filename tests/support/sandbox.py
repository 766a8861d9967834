"""A container's walls without containers: everything read-only but its volumes, another user, no capabilities.

What a pod's container is given (arguments, environment, volumes) is put together as the kubelet would, below one
directory: a path in the manifest is that path below it. Writing anywhere else fails, as it does on a read-only root.
Needs root, because it needs mounts of its own.
"""

import functools
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

AT = "/mnt"
"""Where the container's directory is for what runs in it."""
_CONFINED = """\
set -e
mount --bind "$1" {at}
for made in {volumes}; do mount -t tmpfs -o mode=0777,size=256m none {at}"$made"; done
awk '{{print $5}}' /proc/self/mountinfo | sort -r | while read -r made; do
  case "$made" in /proc*|/sys*|/dev*) continue ;; esac
  for writable in {volumes}; do [ "$made" = {at}"$writable" ] && continue 2; done
  mount -o remount,bind,ro "$made" 2>/dev/null || true
done
shift
cd {at}{home}
exec setpriv {user} --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"
"""


def _can_mount() -> bool:
    if os.geteuid() != 0 or not all(shutil.which(tool) for tool in ("unshare", "setpriv", "mount", "awk")):
        return False
    return subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode == 0


needs_mounts = pytest.mark.skipif(
    not _can_mount(), reason="CONTAINERS NOT CONFINED: this needs root, util-linux, and to be let to mount"
)


@functools.cache
def _user(uid: int) -> str:
    """Return what makes a process that user; nobody is changed to who could not read the program there."""
    flags = f"--reuid={uid} --regid={uid} --clear-groups"
    argv = ["setpriv", *flags.split(), "--", sys.executable, "-c", "import hubdata"]
    read = subprocess.run(argv, cwd="/", check=False, capture_output=True, env=_python_path())
    return flags if read.returncode == 0 else ""


def _python_path() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONDONTWRITEBYTECODE": "1"}


@dataclass(frozen=True, slots=True)
class Container:
    """One container, ready to be run: the command that puts its walls up, what runs within, and its environment."""

    walls: Sequence[str]
    program: Sequence[str]
    env: Mapping[str, str]

    def run(self) -> "subprocess.CompletedProcess[str]":
        """Return how it ended by itself, and what it said."""
        return subprocess.run(
            [*self.walls, *self.program],
            env=dict(self.env),
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
            timeout=120,
        )

    def start(self) -> "subprocess.Popen[str]":
        """Return the running process; what it says comes in its two streams."""
        return subprocess.Popen(
            [*self.walls, *self.program],
            env=dict(self.env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
        )


def container(
    pod: Any,
    root: Path,
    *,
    settings: str,
    image_env: Mapping[str, str],
    more: Mapping[str, str],
    files: Mapping[str, str],
) -> Container:
    """Return the one container of a pod template.

    `settings` is what its ConfigMap holds, `image_env` the environment of its image, `more` what takes the place of a
    cloud, `files` further files by their paths. A secret that is optional is absent.
    """
    spec = pod["spec"]
    (one,) = spec["containers"]
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    writable = []
    for mount in one["volumeMounts"]:
        path = root / mount["mountPath"].lstrip("/")
        path.mkdir(parents=True)
        volume = volumes[mount["name"]]
        if "emptyDir" in volume:
            writable.append(mount["mountPath"])
        elif "configMap" in volume:
            (path / "hubdata.toml").write_text(settings)
        else:
            assert volume["secret"]["optional"] is True
    for path, text in files.items():
        whole = root / path.lstrip("/")
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_text(text)
    for each in (root, *root.rglob("*")):
        each.chmod(0o755 if each.is_dir() else 0o644)
    told = {each["name"]: each["value"] for each in one.get("env", [])}
    env = {name: re.sub(r"^/(etc|run|var|tmp)/", rf"{AT}/\1/", value) for name, value in {**image_env, **told}.items()}
    home = image_env["HOME"]
    script = _CONFINED.format(
        at=AT, home=home, volumes=shlex.join(writable), user=_user(spec["securityContext"]["runAsUser"])
    )
    walls = ["unshare", "--mount", "--propagation=private", "sh", "-c", script, "sh", str(root)]
    program = [sys.executable, "-m", "hubdata", *one["args"]]
    return Container(walls, program, {**_python_path(), "TMPDIR": f"{AT}/tmp", **env, "HOME": f"{AT}{home}", **more})
