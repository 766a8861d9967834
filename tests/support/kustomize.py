"""Overlays of deploy/kubernetes, built as they would be applied: by kustomize, or by a kubectl that is new enough."""

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

KUBERNETES = Path(__file__).parents[2] / "deploy" / "kubernetes"
OVERLAYS = ("hourly", "per-job", "worker")
_TOOLS = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hubdata-ci" / "bin"
"""Where `.ci/run` builds a kustomize if there is none."""


@functools.cache
def builder() -> tuple[str, ...]:
    """Return the command that builds an overlay; empty where there is none."""
    if (kubectl := shutil.which("kubectl")) is not None:
        said = subprocess.run([kubectl, "version", "--client"], capture_output=True, text=True, check=False, timeout=60)
        if re.search(r"Kustomize Version: v[5-9]", said.stdout):
            return (kubectl, "kustomize")
    kustomize = shutil.which("kustomize", path=f"{os.environ['PATH']}:{_TOOLS}")
    return (kustomize, "build") if kustomize is not None else ()


needs_kustomize = pytest.mark.skipif(
    not builder(), reason="MANIFESTS NOT BUILT: neither kustomize nor a kubectl with kustomize 5 is here; see .ci/run"
)


@functools.cache
def built_text(overlay: str) -> str:
    """Return the manifests of an overlay."""
    argv = [*builder(), str(KUBERNETES / "overlays" / overlay)]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120).stdout


def built(overlay: str) -> list[Any]:
    """Return the objects of an overlay."""
    return list(yaml.safe_load_all(built_text(overlay)))


def of_kind(overlay: str, kind: str) -> dict[str, Any]:
    """Return the objects of a kind in an overlay, by name."""
    return {each["metadata"]["name"]: each for each in built(overlay) if each["kind"] == kind}


def pods(overlay: str) -> dict[str, Any]:
    """Return the pod templates of an overlay, by the name of what makes them."""
    jobs = {name: job["spec"]["jobTemplate"]["spec"] for name, job in of_kind(overlay, "CronJob").items()}
    rest = {name: each["spec"] for name, each in of_kind(overlay, "Deployment").items()}
    return {name: spec["template"] for name, spec in {**jobs, **rest}.items()}
