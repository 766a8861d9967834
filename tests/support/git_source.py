"""The git source as a job file would describe it, and what targets answer that it asks."""

import os
from collections.abc import Mapping
from pathlib import Path

from hubdata.clock import SystemClock
from hubdata.model.snapshot import Fetched, Provenance
from hubdata.ports import SourceContext
from hubdata.sources.git import GitSource

TOKEN = "ghp_sentinel0123456789"


def nothing() -> Mapping[str, Provenance]:
    """Answer as targets that hold nothing."""
    return {}


def never() -> Mapping[str, Provenance]:
    """Fail the test when the source asks too early."""
    raise AssertionError("asked for what is public, but the fetch had failed already")


def source(url: str, workspace: Path, environment: Mapping[str, str] | None = None, **options: object) -> GitSource:
    """Build the source that a job file would describe."""
    return GitSource(
        GitSource.Options.model_validate({"url": url, "ref": "master", **options}),
        SourceContext(workspace, os.environ if environment is None else environment, SystemClock()),
    )


def contents(fetched: Fetched) -> dict[str, bytes]:
    """Return the bytes of each file by key."""
    return {file.key: file.path.read_bytes() for file in fetched.files}


def public(url: str, *revisions: str) -> Mapping[str, Provenance]:
    """Return what targets say that hold files of these revisions."""
    return {f"file{i}": {"type": "git", "url": url, "revision": r} for i, r in enumerate(revisions)}
