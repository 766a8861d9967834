"""The shipped workflow and hooks: safe as written, and their very commands run on the real tree as a runner would."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.real import SEC_LISTS, needs_real
from tests.support.repos import Repo
from tests.support.sarif import run_of

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / "deploy" / "github" / "validate-pull-request.yml"
LIST = "whitelists/cdn_providers/cloudflare_ips.txt"


def _workflow() -> Any:
    return yaml.safe_load(WORKFLOW.read_text())


def _steps() -> Iterator[Any]:
    for job in _workflow()["jobs"].values():
        yield from job["steps"]


def _command(job: str, start: str) -> str:
    (command,) = (step["run"] for step in _workflow()["jobs"][job]["steps"] if step.get("run", "").startswith(start))
    return str(command)


def test_actions_are_pinned_to_commits_with_the_version_beside() -> None:
    """A tag can be moved to other code; a commit cannot."""
    used = [step["uses"] for step in _steps() if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w.-]+(/[\w.-]+)+@[0-9a-f]{40}", action) for action in used)
    lines = [line for line in WORKFLOW.read_text().splitlines() if "uses:" in line]
    assert all(re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line) for line in lines)


def test_the_workflow_gives_a_strangers_branch_nothing() -> None:
    """No secrets, no write access but for alerts, no token left in the checkout, no text of theirs in a shell."""
    workflow = _workflow()
    assert list(workflow[True]) == ["pull_request"]  # `on` is a truth value to YAML 1.1
    assert workflow["permissions"] == {}
    assert workflow["jobs"]["validate"]["permissions"] == {"contents": "read"}
    assert workflow["jobs"]["code-scanning"]["permissions"] == {"contents": "read", "security-events": "write"}
    assert "head.repo.full_name == github.repository" in workflow["jobs"]["code-scanning"]["if"]
    assert "secrets." not in WORKFLOW.read_text()
    for job in workflow["jobs"].values():
        assert 0 < job["timeout-minutes"] <= 30
    for step in _steps():
        assert "${{" not in step.get("run", "")
        if "actions/checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


class Runner:
    """What a hosted runner has: the merge of a pull request checked out, and hubdata installed."""

    def __init__(self, path: Path, repo: Repo) -> None:
        self.path = path
        self.origin = repo
        self.summary = path / "summary.md"
        self.temp = path / "temp"
        self.temp.mkdir()
        tools = path / "bin"
        tools.mkdir()
        tool = tools / "hubdata"
        tool.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m hubdata "$@"\n')
        tool.chmod(0o755)
        self.env = {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(path), "CI": "true", "GITHUB_ACTIONS": "true"}

    def check_out(self) -> Path:
        """Check the pull request's merge out as actions/checkout does: two commits deep, detached."""
        (path := self.path / "workspace").mkdir()
        clone = Repo.create(path)
        depth = _workflow()["jobs"]["validate"]["steps"][0]["with"]["fetch-depth"]
        clone.git("fetch", "--quiet", "--no-tags", f"--depth={depth}", self.origin.url, "refs/pull/1/merge")
        clone.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
        return path

    def run(self, command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a step's command as a runner does."""
        env = self.env | {
            "GITHUB_WORKSPACE": str(cwd),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "RUNNER_TEMP": str(self.temp),
        }
        return subprocess.run(
            ["bash", "-e", "-c", command], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=120
        )


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """Return a runner before a data repository that holds the real tree."""
    return Runner(tmp_path, Repo.of_tree(tmp_path / "origin", SEC_LISTS))


def _pull_request(repo: Repo, files: dict[str, str]) -> None:
    """Make a pull request with `files` against a base that has gone on meanwhile, and its merge."""
    repo.git("checkout", "--quiet", "-b", "feature")
    repo.commit(files)
    repo.git("checkout", "--quiet", "master")
    repo.commit({"whitelists/cdn_providers/arvancloud_ips.txt": "broken meanwhile\n"})
    repo.git("merge", "--quiet", "--no-ff", "-m", "merge", "feature")
    repo.git("update-ref", "refs/pull/1/merge", "HEAD")


def _with(line: str) -> str:
    text = (SEC_LISTS / LIST).read_text()
    return text + ("" if text.endswith("\n") else "\n") + line + "\n"


@needs_real
def test_a_good_pull_request_passes(runner: Runner) -> None:
    """Its own file is judged, and not the one that the base branch broke meanwhile."""
    _pull_request(runner.origin, {LIST: _with("151.101.0.0/16")})
    done = runner.run(_command("validate", "hubdata"), runner.check_out())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 173 files differ from HEAD^1" in done.stdout
    assert "::error" not in done.stdout
    assert "none refused" in runner.summary.read_text()


@needs_real
def test_a_poisoned_pull_request_fails_with_an_annotation_at_its_line(runner: Runner) -> None:
    """The step fails, and the reviewer sees why in the diff."""
    poisoned = _with("0.0.0.0/0")
    _pull_request(runner.origin, {LIST: poisoned})
    done = runner.run(_command("validate", "hubdata"), runner.check_out())
    assert done.returncode == 3, done.stdout + done.stderr
    line = len(poisoned.splitlines())
    assert f"::error file={LIST},line={line},title=cidr." in done.stdout
    assert "arvancloud" not in done.stdout
    assert "0.0.0.0/0" in runner.summary.read_text()


@needs_real
def test_the_alerts_step_succeeds_with_findings_and_fails_without_an_answer(runner: Runner) -> None:
    """A refused file is an alert, not a failed step; a tree that cannot be judged is a failed step."""
    _pull_request(runner.origin, {LIST: _with("0.0.0.0/0")})
    workspace, command = runner.check_out(), _command("code-scanning", "hubdata")
    done = runner.run(command, workspace)
    assert done.returncode == 0, done.stderr
    results = run_of(json.loads((runner.temp / "hubdata.sarif").read_text()))["results"]
    broken = {
        r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in results if r["level"] == "error"
    }
    assert broken == {LIST, "whitelists/cdn_providers/arvancloud_ips.txt"}
    (workspace / "hubdata.toml").write_text("nonsense = 1\n")
    assert runner.run(command, workspace).returncode != 0


def _hook(name: str) -> Any:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    (hook,) = (hook for hook in hooks if hook["id"] == name)
    return hook


@needs_real
def test_the_hooks_judge_changed_files_and_whole_checkouts(runner: Runner) -> None:
    """As pre-commit calls them: the entry, split like a shell would, then the files, in the repository's root."""
    root = runner.origin.path
    changed, whole = _hook("hubdata-validate"), _hook("hubdata-validate-checkout")
    assert changed["language"] == whole["language"] == "python"
    assert changed["require_serial"] is True
    assert whole["pass_filenames"] is False
    files = f"{changed['entry']} {LIST} README.md"
    assert runner.run(files, root).returncode == 0
    assert runner.run(whole["entry"], root).returncode == 0
    (root / LIST).write_text(_with("0.0.0.0/0"))
    assert runner.run(files, root).returncode == 3
    assert runner.run(whole["entry"], root).returncode == 3


def test_the_page_names_what_is_shipped() -> None:
    """Commands, hooks and files on the page exist under these names."""
    page = (ROOT / "docs" / "pull-requests.md").read_text()
    assert "deploy/github/validate-pull-request.yml" in page
    for hook in ("hubdata-validate", "hubdata-validate-checkout"):
        assert f"id: {hook}" in page
        assert _hook(hook)["id"] == hook
    assert shlex.split(_command("validate", "hubdata")) == [
        *("hubdata", "validate", "--since", "HEAD^1"),
        *("--format", "github"),
    ]
