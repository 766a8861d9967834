"""A runner for shipped workflows: their steps are carried out as GitHub's runners do, with the world of a test.

Steps that are somebody else's actions are stood in for: a checkout is a clone, credentials are the test's. Those of
`deploy/github/action.yml` run word for word. Expressions are looked up, nothing more; one that this cannot evaluate
is an error, and so is an input that an action does not have.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.repos import Repo

GITHUB = Path(__file__).parents[2] / "deploy" / "github"
OURS = "OWNER/hubdata/deploy/github@"
_EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")


def workflow(name: str) -> Any:
    """Return a workflow of deploy/github."""
    return yaml.safe_load((GITHUB / name).read_text())


def action() -> Any:
    """Return the composite action."""
    return yaml.safe_load((GITHUB / "action.yml").read_text())


@dataclass(frozen=True, slots=True)
class Step:
    """How the last step ended, and what it said. `outputs` is what it wrote for later ones."""

    code: int
    said: str
    outputs: Mapping[str, str]


@dataclass
class Runner:
    """A machine for one job. `credentials` is what the action that assumes the role leaves in the environment."""

    home: Path
    origin: Repo
    credentials: Mapping[str, str]
    contexts: dict[str, Mapping[str, object]] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    used: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.temp.mkdir(parents=True)

    @property
    def temp(self) -> Path:
        """Return the runner's directory for what lasts as long as the job."""
        return self.home / "temp"

    @property
    def workspace(self) -> Path:
        """Return where the checkout lies."""
        return self.home / "workspace"

    @property
    def summary(self) -> str:
        """Return what the steps wrote into the job's summary."""
        path = self.home / "summary.md"
        return path.read_text() if path.exists() else ""

    def install(self) -> None:
        """Put this environment's hubdata where `install.sh` would install it."""
        tool = self.temp / "hubdata" / "bin" / "hubdata"
        tool.parent.mkdir(parents=True)
        tool.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m hubdata "$@"\n')
        tool.chmod(0o755)

    def run(self, name: str, job: str, inputs: Mapping[str, object] | None = None) -> Step:
        """Return how the last step of a workflow's job ended, having carried out all of them in order."""
        told = workflow(name)
        self.contexts["inputs"] = {
            **defaults((told[True].get("workflow_dispatch") or {}).get("inputs", {})),
            **(inputs or {}),
        }
        last = Step(0, "", {})
        for step in told["jobs"][job]["steps"]:
            last = self._step(step)
            if last.code:
                break
        return last

    def _step(self, step: Any) -> Step:
        given = {key: self.text(value) for key, value in step.get("with", {}).items()}
        env = {key: self.text(value) for key, value in step.get("env", {}).items()}
        uses = step["uses"]
        self.used.append((uses, given))
        if uses.startswith("actions/checkout@"):
            self._check_out(int(given.get("fetch-depth", "1")))
        elif uses.startswith("aws-actions/configure-aws-credentials@"):
            assert given["role-to-assume"].startswith("arn:aws:iam::"), given
            self.env |= {**self.credentials, "AWS_REGION": given["aws-region"]}
        elif uses.startswith(OURS):
            return self._action(given, env)
        else:
            raise AssertionError(f"nothing stands in for {uses}")
        return Step(0, "", {})

    def _check_out(self, depth: int) -> None:
        self.workspace.mkdir()
        clone = Repo.create(self.workspace)
        clone.git("fetch", "--quiet", "--no-tags", *([f"--depth={depth}"] if depth else []), self.origin.url, "master")
        clone.git("checkout", "--quiet", "--detach", "FETCH_HEAD")

    def _action(self, given: Mapping[str, str], env: Mapping[str, str]) -> Step:
        told = action()
        assert given.keys() <= told["inputs"].keys(), given
        outer = self.contexts["inputs"]
        self.contexts["inputs"] = {**defaults(told["inputs"]), **given}
        last = Step(0, "", {})
        for step in told["runs"]["steps"]:
            if "install.sh" in step.get("run", "") and (self.temp / "hubdata").exists():
                continue
            if "run" in step:
                own = {key: self.text(value) for key, value in step.get("env", {}).items()}
                last = self.shell(step["run"], {**env, **own})
            if last.code:
                break
        self.contexts["inputs"] = outer
        return last

    def shell(self, command: str, env: Mapping[str, str]) -> Step:
        """Return how a step's command ended: by bash, as `shell: bash` has it."""
        output = self.home / "output"
        output.write_text("")
        whole = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(GITHUB),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.home / "summary.md"),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temp),
            **self.env,
            **env,
        }
        ended = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command],
            cwd=self.workspace,
            env=whole,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        lines = (line.partition("=") for line in output.read_text().splitlines())
        return Step(ended.returncode, ended.stdout + ended.stderr, {key: value for key, _, value in lines})

    def text(self, value: object) -> str:
        """Return a value with its expressions looked up, as GitHub writes it into an environment."""
        whole = _text(value)
        found = _EXPRESSION.sub(lambda match: _text(self._look_up(match[1])), whole)
        assert "${{" not in found, f"cannot evaluate {whole}"
        return found

    def _look_up(self, path: str) -> object:
        context, _, name = path.partition(".")
        return self.contexts[context].get(name, "")


def defaults(inputs: Mapping[str, Any]) -> dict[str, object]:
    """Return what each input is that nobody gives."""
    return {name: told.get("default", "") for name, told in inputs.items()}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
