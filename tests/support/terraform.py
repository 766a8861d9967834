"""Terraform itself, with a provider that lies on this machine where there is one, else downloaded once.

No test needs an account: plans are made with stand-ins for what AWS would compute, or with a provider that is told
to ask nobody. The provider is named to Terraform as a development override, so a root needs no `init`, only
`modules_of` it: what a lock file says of the provider is a test of its own, not part of each.

Where a provider is looked for: `TF_PLUGIN_DIR`, `TF_PLUGIN_CACHE_DIR`, the directories that Terraform looks into by
itself (its documentation: "Implied Local Mirror Directories"), and whatever below `/opt` is laid out as one.
"""

import fcntl
import functools
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
import threading
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
TERRAFORM = ROOT / "deploy" / "terraform"
MODULES = TERRAFORM / "modules"
LOCK = TERRAFORM / "examples" / "complete" / ".terraform.lock.hcl"

needs_terraform = pytest.mark.skipif(
    shutil.which("terraform") is None,
    reason="DEPLOY/TERRAFORM IS NOT TESTED: terraform is absent; install it from its vendor and run again",
)

_SOURCE = "registry.terraform.io/hashicorp/aws"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_TOLD = "told: "
_RUN = re.compile(r'^run "(\w+)" \{$', re.MULTILINE)

OFFLINE = """\
provider "aws" {
  region                      = "us-east-1"
  access_key                  = "AKIATESTTESTTESTTEST"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}
"""
"""A provider that plans without asking anybody."""


def locked_version() -> str:
    """Return the version of the AWS provider that the example's lock file names."""
    found = re.search(r'^ +version += "([0-9.]+)"$', LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    return found[1]


def mirrors() -> Iterator[Path]:
    """Yield every directory on this machine that may hold providers laid out as Terraform's mirrors are."""
    for name in ("TF_PLUGIN_DIR", "TF_PLUGIN_CACHE_DIR"):
        if value := os.environ.get(name):
            yield Path(value)
    home = Path(os.environ.get("HOME") or "/nonexistent")
    yield home / ".terraform.d" / "plugins"
    data = os.environ.get("XDG_DATA_HOME") or str(home / ".local" / "share")
    shared = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    for each in (data, *shared.split(":")):
        yield Path(each) / "terraform" / "plugins"
    yield from sorted(Path("/opt").glob("*"))


@functools.cache
def mirror() -> Path | None:
    """Return the first directory that holds the locked provider unpacked, or None."""
    return next((each for each in mirrors() if _unpacked(each).is_dir()), None)


def _unpacked(root: Path) -> Path:
    machine = _MACHINES.get(platform.machine(), platform.machine())
    return root / _SOURCE / locked_version() / f"{platform.system().lower()}_{machine}"


@functools.cache
def plugins() -> Path:
    """Return what `terraform init -plugin-dir` takes; downloads into a directory, once for a user, where none is."""
    found = mirror()
    if found is not None:
        return found
    cache = Path(tempfile.gettempdir()) / f"hubdata-terraform-{os.getuid()}"
    cache.mkdir(mode=0o700, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of two test processes, one downloads
        if not _unpacked(cache).is_dir():
            _download(cache)
    return cache


def _download(cache: Path) -> None:
    version = f'version = "{locked_version()}"'
    requirement = f'terraform {{\n required_providers {{\n aws = {{ source = "hashicorp/aws", {version} }}\n}}\n}}'
    with tempfile.TemporaryDirectory() as root:
        shutil.copy(LOCK, root)  # nothing is taken whose hash is not in it
        (Path(root) / "main.tf").write_text(requirement, encoding="utf-8")
        environment = {"PATH": os.environ["PATH"], "HOME": root, "TF_PLUGIN_CACHE_DIR": str(cache)}
        for name in ("https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_FILE"):
            environment |= {name: os.environ[name]} if name in os.environ else {}
        done = subprocess.run(
            ["terraform", "init", "-no-color", "-input=false"],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    if done.returncode:
        pytest.fail(f"the AWS provider is in no mirror here, and cannot be downloaded: {done.stderr}")


@dataclass(frozen=True, slots=True)
class Ended:
    """What one command of Terraform said."""

    code: int
    stdout: str
    stderr: str

    @property
    def said(self) -> str:
        """Return all of it, for a person."""
        return f"{self.stdout}\n{self.stderr}"


def terraform(
    *arguments: str, cwd: Path, env: Mapping[str, str] | None = None, override: bool = True, timeout: float = 300
) -> Ended:
    """Return what `terraform ARGUMENTS` said in `cwd`. Without `override` the provider must have come by `init`."""
    home = cwd / ".home"
    home.mkdir(exist_ok=True)
    settings = home / "terraform.rc"
    overrides = f'  dev_overrides {{\n    "hashicorp/aws" = "{_unpacked(plugins())}"\n  }}\n' if override else ""
    settings.write_text(f"provider_installation {{\n{overrides}  direct {{}}\n}}\n", encoding="utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TF_CLI_CONFIG_FILE": str(settings),
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "GOGC": "400",  # collecting garbage is a third of what Terraform and its provider do
        **(env or {}),
    }
    done = subprocess.run(
        ["terraform", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@contextmanager
def standing_provider() -> Iterator[Mapping[str, str]]:
    """Run the provider until the end, and yield the `env` with which `terraform` asks it: TF_REATTACH_PROVIDERS.

    Terraform itself starts it about four times for each run of a test, which is four fifths of all that these tests
    cost. For stand-ins alone (`mock_provider`): one process has one configuration, whatever aliases a root gives it.
    """
    (program,) = _unpacked(plugins()).glob("terraform-provider-aws_v*")
    with tempfile.TemporaryDirectory() as sockets, (Path(sockets) / "stderr").open("w+", encoding="utf-8") as errors:
        provider = subprocess.Popen(
            [program, "-debug"],
            env={"PATH": os.environ["PATH"], "HOME": sockets, "TMPDIR": sockets, "AWS_EC2_METADATA_DISABLED": "true"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        late = threading.Timer(120, provider.kill)
        late.start()
        try:
            assert provider.stdout is not None
            told = (re.search(r"TF_REATTACH_PROVIDERS='(.+)'", line) for line in provider.stdout)
            found = next((each for each in told if each is not None), None)
            late.cancel()
            if found is None:
                errors.seek(0)
                pytest.fail(f"the AWS provider does not start: {errors.read()[-2000:]}")
            yield {"TF_REATTACH_PROVIDERS": found[1]}
        finally:
            late.cancel()
            provider.kill()
            provider.communicate()


def module_copy(name: str, into: Path) -> Path:
    """Return a copy of one module below `into`, to hurt it or to leave things in it."""
    return Path(shutil.copytree(MODULES / name, into / name, ignore=shutil.ignore_patterns(".terraform*", ".home")))


def planned(root: Path, *arguments: str) -> dict[str, Any]:
    """Return the plan of a root as `terraform show -json` has it. It must need no network."""
    for command in (["get"], ["plan", "-input=false", "-lock=false", "-out=plan", *arguments]):
        done = terraform(*command, "-no-color", cwd=root)
        assert done.code == 0, done.said
    shown = terraform("show", "-json", "plan", cwd=root)
    assert shown.code == 0, shown.said
    plan: dict[str, Any] = json.loads(shown.stdout)
    return plan


def resources(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield every planned resource of `planned_values.root_module`, those of its children too."""
    yield from module.get("resources", ())
    for child in module.get("child_modules", ()):
        yield from resources(child)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `terraform test` found of one module: the messages of assertions that failed; and what it was to tell."""

    failures: tuple[str, ...]
    told: str = ""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake: `old`, which stands once in `file`, or first after `after`, becomes `new`; `run` must see it."""

    name: str
    file: str
    old: str
    new: str
    after: str = ""
    run: str = ""

    def apply(self, module: Path) -> None:
        """Make the mistake in a copy of the module."""
        path = module / self.file
        text = path.read_text(encoding="utf-8")
        start = text.index(self.after) if self.after else 0
        count = text.count(self.old, start)
        assert count == 1 or (count and self.after), f"{self.name}: {self.old!r} stands {count} times in {self.file}"
        path.write_text(text[:start] + text[start:].replace(self.old, self.new, 1), encoding="utf-8")


def mutants(name: str) -> tuple[Mutant, ...]:
    """Return the mistakes that `tests/deploy/mutants/NAME.toml` lists."""
    text = (ROOT / "tests" / "deploy" / "mutants" / f"{name}.toml").read_text(encoding="utf-8")
    return tuple(Mutant(**each) for each in tomllib.loads(text)["mutant"])


def judged(module: str, hurt: Sequence[Mutant], home: Path, *, tell: str = "") -> Mapping[str, Verdict]:
    """Return what the module's own tests say of it (key "") and of each mutant, by name.

    All in one process of Terraform, a copy of the module each, and of a mutant only the run that must see it (the
    first unless it names one): reading the provider's schema costs more than a plan. `tell` is an expression, such as
    a policy, whose text in the first run is told as well.
    """
    (home / "tests").mkdir(parents=True)
    shutil.copy(MODULES / module / "versions.tf", home)
    stories = {path.name: path.read_text(encoding="utf-8") for path in sorted((MODULES / module / "tests").glob("*"))}
    first = next(run for story in stories.values() for run in _RUN.findall(story))
    for number, mutant in enumerate((None, *hurt)):
        copy = module_copy(module, home / f"m{number}")
        if mutant is not None:
            mutant.apply(copy)
        for file, story in stories.items():
            only = None if mutant is None else mutant.run or first
            if only is None or only in _RUN.findall(story):
                text = _of(story, f"./m{number}/{module}", only, {first: tell} if tell else {})
                (home / "tests" / f"m{number}-{file}").write_text(text, encoding="utf-8")
        shutil.rmtree(copy / "tests")
    got = terraform("get", "-no-color", cwd=home)
    assert got.code == 0, got.said
    with standing_provider() as env:
        done = terraform("test", "-json", cwd=home, env=env, timeout=600)
    names = ["", *(mutant.name for mutant in hurt)]
    return {name: _read(done, f"tests/m{number}-") for number, name in enumerate(names)}


def _of(story: str, source: str, only: str | None, tell: Mapping[str, str]) -> str:
    """Return a test file that asks the module at `source`, with all its runs or only one.

    What is to be told is the message of an assertion that fails: plans in full hold the provider's schema, 13 MB each.
    """
    head, *runs = re.split(r'(?m)^(?=run "\w+" \{$)', story)
    kept = []
    for run in runs:
        name = _RUN.findall(run)[0]
        added = f'\n  module {{\n    source = "{source}"\n  }}\n'
        if name in tell:
            told = f'condition     = !can({tell[name]})\n    error_message = "{_TOLD}${{{tell[name]}}}"'
            added += f"\n  assert {{\n    {told}\n  }}\n"
        if only in (None, name):
            kept.append(_RUN.sub(lambda found, added=added: found[0] + added, run))
    return head + "".join(kept)


def _read(done: Ended, start: str) -> Verdict:
    failures: list[str] = []
    told = ""
    seen = False
    for event in map(json.loads, done.stdout.splitlines()):
        if not str(event.get("@testfile", "")).startswith(start):
            continue
        seen = seen or event["type"] == "test_run"
        if event["type"] == "diagnostic" and event["diagnostic"]["severity"] == "error":
            detail = str(event["diagnostic"].get("detail", ""))
            if detail.startswith(_TOLD):
                told = detail.removeprefix(_TOLD)
            else:
                failures.append(f"{event['diagnostic']['summary']}: {detail}")
    assert seen or failures, f"no run of {start} was made: {done.said[-3000:]}"
    return Verdict(tuple(failures), told)
