"""What hubdata works with when nobody has configured anything: its own jobs, and a directory to publish into."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import hubdata

DEFAULT_FILE = "hubdata.toml"
DEFAULT_TARGET = "local"
PUBLIC_URL = "https://hub-data.crowdsec.net"
"""Where the built-in jobs' data is public, and what hub items name, unless `[verify]` says otherwise."""


def builtin_jobs_dir() -> Path:
    """Return the directory of the jobs that come with hubdata: in the wheel, or `jobs/` of a source checkout."""
    package = Path(hubdata.__file__).parent
    packaged = package / "builtin_jobs"
    return packaged if packaged.is_dir() else package.parent / "jobs"


def defaults(environment: Mapping[str, str], cwd: Path) -> dict[str, Any]:
    """Return the lowest layer of the settings."""
    return {
        "jobs": str(builtin_jobs_dir()),
        "spool": str(_spool(environment)),
        "targets": {DEFAULT_TARGET: {"type": "directory", "path": str(cwd / "hub-data"), "cdn": "none"}},
    }


def _spool(environment: Mapping[str, str]) -> Path:
    """Return a directory of this user alone: one shared by all, as /tmp is, would let others plant files in it."""
    if cache := environment.get("XDG_CACHE_HOME"):
        return Path(cache) / "hubdata"
    home = environment.get("HOME", "")
    if home and home != "/" and Path(home).is_dir():
        return Path(home) / ".cache" / "hubdata"
    return Path(gettempdir()) / "hubdata"
