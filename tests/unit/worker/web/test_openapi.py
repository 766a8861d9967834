"""The surface does what its OpenAPI says, whatever it is asked: schemathesis asks, and judges the answers."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from schemathesis import GenerationMode

from tests.support.worker_surface import TOKEN, Surface, signed

EXAMPLES = 25
OPERATIONS = [
    *(
        (path, method)
        for path in ("/", "/healthz", "/readyz", "/status.json", "/metrics", "/openapi.json")
        for method in ("GET", "HEAD")
    ),
    ("/jobs/{name}/run", "POST"),
    ("/hooks/github", "POST"),
]


@pytest.fixture(scope="module")
def described(one_surface: Surface) -> Any:
    """Give the description that the surface gives of itself."""
    return one_surface.ask("/openapi.json").json


@pytest.fixture(scope="module")
def schema(described: Any) -> Any:
    """Give it as schemathesis has it."""
    return schemathesis.openapi.from_dict(described)


def test_every_path_that_is_described_is_fuzzed(described: Any) -> None:
    """A new endpoint is asked as the others are; and the document is what it says it is."""
    known = {(path, method.upper()) for path, item in described["paths"].items() for method in item}
    assert known == set(OPERATIONS)
    assert described["openapi"] == "3.1.0"
    for each in described["components"]["schemas"].values():
        Draft202012Validator.check_schema(each)


def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Sign a delivery as GitHub would, whatever it holds."""
    body = request.body or b""
    request.headers["X-Hub-Signature-256"] = signed(body if isinstance(body, bytes) else body.encode())
    return request


POSTS = [
    pytest.param(path, "POST", mode, proven, id=f"{path}, {mode.value}, {'proven' if proven else 'a stranger'}")
    for path, method in OPERATIONS
    if method == "POST"
    for mode in GenerationMode
    for proven in (False, True)
]
READS = [
    pytest.param(path, method, GenerationMode.POSITIVE, False, id=f"{method} {path}")
    for path, method in OPERATIONS
    if method != "POST"
]


@pytest.mark.parametrize(("path", "method", "mode", "proven"), POSTS + READS)
def test_what_is_described_is_what_is_answered(
    surface: Surface, schema: Any, path: str, method: str, mode: GenerationMode, *, proven: bool
) -> None:
    """Right and wrong requests, with proof and without: no status, header or body that nobody described."""
    surface.desk.any_job = True
    operation = schema[path][method]
    headers = {"Authorization": f"Bearer {TOKEN}"} if proven and "jobs" in path else {}
    auth = sign if proven and "hooks" in path else None

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def asked(case: Any) -> None:
        surface.desk.since += 60
        response = case.call(base_url=surface.url.rstrip("/"), headers=headers, auth=auth)
        case.validate_response(response)

    asked()


def test_the_edges_of_every_request_are_tried(surface: Surface, tmp_path: Path) -> None:
    """Each header missing or twice, methods that there are not, values just beyond their patterns: nothing is wrong."""
    surface.desk.any_job = True
    document = f"{surface.url}openapi.json"
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", document, "--phases", "coverage", "--no-color"),
            *("--header", f"Authorization: Bearer {TOKEN}", "--generation-deterministic", "--warnings", "off"),
        ],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "13 selected / 13 total" in ended.stdout, ended.stdout
    assert surface.desk.asked, "what needs the token was not reached"
