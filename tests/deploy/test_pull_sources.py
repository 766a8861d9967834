"""deploy/github/pull-sources.yml, its steps run here word for word: real git, real publishers, a stand-in for gh."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.list_server import PAGE, ListServer, path_of
from tests.support.list_world import AWS4, CLOUDFLARE, ListWorld
from tests.support.real import SEC_LISTS, needs_real
from tests.support.repos import Repo
from tests.support.workflows import GITHUB, workflow

NAME = "pull-sources.yml"
BRANCH = "hubdata/pull-sources"
TOKEN = "sentinel-token"
JOB = """\
[source]
type = "http"
items_file = "../sync-sources.json"

[[files]]
match = "whitelists/cdn_providers/quic_cloud_ips.txt"
kind = "ip-exact"

[[files]]
match = "whitelists/**/*.txt"
kind = "cidr"
limits = { max_change = 0.2, floor_entries = 5 }
"""
GH = """\
#!/bin/bash
# gh, as far as the workflow asks: keeps the title and body of one open pull request for the branch that was pushed.
set -e
state=$GH_STATE
echo "$@" >>"$state/calls"
case "$1 $2" in
  "auth setup-git") [ -n "$GH_TOKEN" ] ;;
  "pr list") if [ -e "$state/title" ]; then echo 7; fi ;;
  "pr create" | "pr edit")
    while [ $# -gt 0 ]; do
      case $1 in --title) printf '%s' "$2" >"$state/title" ;; --body-file) cp "$2" "$state/body" ;; esac
      shift
    done ;;
  *) exit 1 ;;
esac
"""


@dataclass
class Hosted:
    """A repository at a host, and a fresh machine for every run of the workflow."""

    lists: ListWorld
    origin: Repo
    home: Path
    runs: int = 0
    seen: list[Mapping[str, str]] = field(default_factory=list)

    @property
    def state(self) -> Path:
        """Return where the stand-in for gh keeps what it was told."""
        return self.home / "gh"

    def run(self, approve: str = "") -> int:
        """Return how the job ended, having carried out its steps as a runner does."""
        self.runs += 1
        temp, clone = self.home / f"temp-{self.runs}", self.home / f"clone-{self.runs}"
        temp.mkdir(parents=True)
        subprocess.run(["git", "clone", "--quiet", self.origin.url, str(clone)], check=True, env=self._env(temp))
        contexts = {"inputs.approve": approve, "github.token": TOKEN}
        told = workflow(NAME)
        for step in told["jobs"]["pull"]["steps"]:
            if "run" not in step or step["name"] == "Install hubdata":
                continue
            own = {name: _looked_up(value, contexts) for name, value in step.get("env", {}).items()}
            code = self._step(step["run"], clone, temp, own)
            if "id" in step:
                outputs = dict(line.split("=", 1) for line in (temp / "output").read_text().splitlines())
                contexts |= {f"steps.{step['id']}.outputs.{name}": value for name, value in outputs.items()}
            if code:
                return code
        return 0

    def pushed(self, path: str) -> str:
        """Return a file as it is on the branch."""
        return self.origin.git("show", f"{BRANCH}:{path}")

    def _step(self, command: str, clone: Path, temp: Path, own: Mapping[str, str]) -> int:
        script = temp / "step.sh"
        script.write_text(command)
        self.seen.append(own)
        env = {**self._env(temp), **own}
        ended = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=clone,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        print(ended.stdout, ended.stderr)
        return ended.returncode

    def _env(self, temp: Path) -> dict[str, str]:
        return {
            "PATH": f"{self.home / 'bin'}:{os.environ['PATH']}",
            "HOME": str(temp),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(temp / "output"),
            "GITHUB_STEP_SUMMARY": str(temp / "summary"),
            "HUBDATA_SPOOL": str(temp / "spool"),
            "RUNNER_TEMP": str(temp),
            "GH_STATE": str(self.state),
        }


def _looked_up(value: Any, contexts: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda match: contexts[match[1]], str(value))


@pytest.fixture(scope="module")
def running() -> Iterator[ListServer]:
    """One server for all tests."""
    with ListServer() as server:
        yield server


@pytest.fixture
def hosted(running: ListServer, tmp_path: Path) -> Hosted:
    """A repository with the lists, their sources and the job, on a host."""
    running.mend()
    lists = ListWorld.create(tmp_path / "world", running)
    lists.world.write("checkout/.github/pull/sources.toml", JOB)
    found = Hosted(lists, Repo.of_tree(tmp_path / "origin", lists.checkout), tmp_path / "home")
    for name, text in {"gh": GH, "hubdata": f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m hubdata "$@"\n'}.items():
        path = tmp_path / "home" / "bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    found.state.mkdir()
    return found


@needs_real
def test_what_changed_becomes_one_pull_request_that_is_kept_up_to_date(hosted: Hosted) -> None:
    """Nothing new: none is opened. One list: opened. One more, and a publisher down: updated, and the run is red."""
    assert hosted.run() == 0
    assert not (hosted.state / "calls").exists()

    body = (SEC_LISTS / CLOUDFLARE).read_bytes() + b"\n198.41.0.0/24"
    hosted.lists.server.set("cloudflare4", body)
    assert hosted.run() == 0
    assert (hosted.state / "title").read_text() == "Update cloudflare_ips.txt"
    assert "198.41.0.0/24" in (hosted.state / "body").read_text()
    assert "pr create" in (hosted.state / "calls").read_text()
    assert hosted.pushed(CLOUDFLARE).split() == body.decode().split()
    assert hosted.origin.git("log", "-1", "--format=%s", BRANCH) == "Update cloudflare_ips.txt"
    assert hosted.origin.git("diff", "--name-only", f"master..{BRANCH}") == CLOUDFLARE

    hosted.lists.server.fail(path_of("aws"), body=PAGE)
    assert hosted.run() == 5
    assert "pr edit" in (hosted.state / "calls").read_text()
    assert AWS4.replace("_", "&#95;") in (hosted.state / "body").read_text()
    assert hosted.pushed(CLOUDFLARE).split() == body.decode().split()


@needs_real
def test_a_job_that_cannot_be_read_opens_nothing(hosted: Hosted) -> None:
    """Exit 2 ends the run before anything is pushed."""
    hosted.lists.world.write("checkout/.github/pull/sources.toml", JOB.replace("http", "htpp"))
    hosted.origin = Repo.of_tree(hosted.home / "broken", hosted.lists.checkout)
    assert hosted.run() == 2
    assert hosted.origin.git("branch", "--list", BRANCH) == ""


def test_the_token_that_may_write_is_in_one_step_alone() -> None:
    """The step that reads what publishers send has none, and the checkout leaves none behind."""
    told = workflow(NAME)
    steps = told["jobs"]["pull"]["steps"]
    assert [step["name"] for step in steps if "github.token" in str(step)] == ["Open or update the pull request"]
    (checkout,) = (step for step in steps if step.get("uses", "").startswith("actions/checkout@"))
    assert checkout["with"]["persist-credentials"] is False
    assert told["permissions"] == {}
    assert told["jobs"]["pull"]["permissions"] == {"contents": "write", "pull-requests": "write"}


def test_no_input_is_part_of_a_shells_text_and_all_actions_are_pinned() -> None:
    """Inputs come by the environment; actions by commits, with their versions beside them."""
    text = (GITHUB / NAME).read_text()
    for step in workflow(NAME)["jobs"]["pull"]["steps"]:
        assert "${{" not in step.get("run", "")
    uses = re.findall(r"uses: (.+)", text)
    assert uses
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each) for each in uses)
