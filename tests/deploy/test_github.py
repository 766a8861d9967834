"""deploy/github: workflows that publish are safe as written, and their steps are run here as a runner would."""

import json
import os
import re
import shlex
import time
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from hubdata.demo.mmdb_writer import mmdb
from tests.support.maxmind_server import MaxmindServer
from tests.support.moto_server import CREDENTIALS
from tests.support.nginx import needs_nginx
from tests.support.real import SEC_LISTS, needs_real
from tests.support.repos import Repo
from tests.support.stack import BUCKET, Stack, stack
from tests.support.workflows import GITHUB, OURS, Runner, Step, action, defaults, workflow

ROOT = Path(__file__).parents[2]
PUBLISHING = ("publish.yml", "geoip-daily.yml", "by-hand.yml")
LIST = "whitelists/cdn_providers/cloudflare_ips.txt"
SETTINGS = """\
jobs = "jobs"

[targets.aws]
type = "s3"
bucket = "hub-data"
region = "us-east-1"
cdn = "edge"

[cdns.edge]
type = "cloudfront"
distribution_id = "{distribution}"

[verify]
url = "{url}"
wait_s = 20
"""
GEOIP = """\
[source]
type = "maxmind"
editions = ["GeoLite2-City", "GeoLite2-ASN"]
url = "{url}"

[[files]]
match = "mmdb_update/*.mmdb"
kind = "mmdb"
"""
DATABASES = ("mmdb_update/GeoLite2-ASN.mmdb", "mmdb_update/GeoLite2-City.mmdb")
ROLE = "arn:aws:iam::123456789012:role/hub-data-publisher"


def steps(name: str) -> Iterator[Any]:
    """Yield every step of a workflow."""
    for job in workflow(name)["jobs"].values():
        yield from job["steps"]


@pytest.mark.parametrize("name", [*PUBLISHING, "action.yml"])
def test_everything_used_is_pinned_to_a_commit(name: str) -> None:
    """Others' actions with their version beside; hubdata's own by a commit that whoever copies the file fills in."""
    lines = [line for line in (GITHUB / name).read_text().splitlines() if re.search(r"^\s*(- )?uses:", line)]
    assert lines
    for line in lines:
        ours = rf"{re.escape(OURS)}0{{40}} # the commit of hubdata that you reviewed"
        assert re.search(rf"uses: ({ours}|[\w./-]+@[0-9a-f]{{40}} # v\d+\.\d+\.\d+)$", line), line


def test_one_action_has_one_pin_everywhere() -> None:
    """Two workflows never use two commits of one action."""
    pins: dict[str, set[str]] = {}
    for path in GITHUB.glob("*.yml"):
        for uses in re.findall(r"uses: (\S+@\S+ # \S+)", path.read_text()):
            pins.setdefault(uses.partition("@")[0], set()).add(uses)
    assert {name: found for name, found in pins.items() if len(found) > 1} == {}


@pytest.mark.parametrize("name", PUBLISHING)
def test_workflows_may_do_no_more_than_they_must(name: str) -> None:
    """Read the checkout and prove who they are, in the environment the role trusts; no token stays in the checkout."""
    told = workflow(name)
    assert told["permissions"] == {}
    assert told["concurrency"]["cancel-in-progress"] is False
    assert "pull_request_target" not in told[True]
    for job in told["jobs"].values():
        assert job["permissions"] == {"contents": "read", "id-token": "write"}
        assert job["environment"] == "hub-data"
        assert 0 < job["timeout-minutes"] <= 30
        assert job["steps"][0]["with"]["persist-credentials"] is False


def test_each_workflow_waits_in_a_line_of_its_own() -> None:
    """GitHub keeps one waiting run a group: a push would push the daily GeoIP run out of a common one."""
    groups = [workflow(name)["concurrency"]["group"] for name in PUBLISHING]
    assert len(set(groups)) == len(PUBLISHING)


@pytest.mark.parametrize("name", [*PUBLISHING, "action.yml"])
def test_no_expression_is_ever_part_of_a_shells_text(name: str) -> None:
    """Inputs reach a shell in its environment; what is run is the same text whatever they hold."""
    every = action()["runs"]["steps"] if name == "action.yml" else list(steps(name))
    for step in every:
        assert "${{" not in step.get("run", "")
        assert "${{" not in step.get("uses", "")


def test_the_daily_run_is_at_the_jobs_own_time() -> None:
    """The workflow's cron is that of jobs/geoip.toml."""
    (when,) = workflow("geoip-daily.yml")[True]["schedule"]
    assert when["cron"] == tomllib.loads((ROOT / "jobs" / "geoip.toml").read_text())["schedule"]


def test_a_push_publishes_every_job_of_the_repository() -> None:
    """The workflow names all built-in jobs but the databases', which have a workflow and credentials of their own."""
    named = next(step["with"]["job"] for step in steps("publish.yml") if step["uses"].startswith(OURS)).split()
    jobs = {path.stem: tomllib.loads(path.read_text()) for path in (ROOT / "jobs").glob("*.toml")}
    assert set(named) == {name for name, job in jobs.items() if job["source"]["type"] == "git"}


@dataclass(frozen=True, slots=True)
class World:
    """A data repository, a bucket with a distribution, and what readers get of it."""

    repo: Repo
    stack: Stack
    vendor: MaxmindServer
    distribution: str
    root: Path

    def runner(self, name: str) -> Runner:
        """Return a machine with hubdata installed, and the repository's variables and secrets."""
        contexts: dict[str, Mapping[str, object]] = {
            "vars": {"HUBDATA_ROLE_ARN": ROLE, "HUBDATA_REGION": "us-east-1"},
            "secrets": {"MAXMIND_ACCOUNT_ID": self.vendor.account, "MAXMIND_LICENSE_KEY": self.vendor.key},
        }
        keys = {**CREDENTIALS, "AWS_ENDPOINT_URL": self.stack.store.url}
        runner = Runner(self.root / name, self.repo, keys, contexts=contexts)
        runner.install()
        return runner

    def manifest(self) -> Any:
        """Return the manifest that is public."""
        return json.loads(self.stack.store.objects(BUCKET)["manifest.json"])

    def told(self) -> int:
        """Return how often the distribution was told."""
        return len(self.stack.store.invalidations(self.distribution))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a data repository with the real tree and its settings, and a bucket that nothing is published to yet."""
    root = tmp_path_factory.mktemp("github")
    paths = {edition: root / f"{edition}.mmdb" for edition in ("GeoLite2-City", "GeoLite2-ASN")}
    for edition, path in paths.items():
        record: dict[str, object] = {"autonomous_system_number": 15169} if "ASN" in edition else {"country": {}}
        path.write_bytes(mmdb(edition, {ip_network("8.8.8.0/24"): record}, build_epoch=int(time.time()) - 86400))
    with stack(root / "stack") as there, MaxmindServer(paths) as vendor:
        distribution = there.store.distribution(BUCKET)
        repo = Repo.of_tree(root / "origin", SEC_LISTS)
        jobs = {f".github/jobs/{path.name}": path.read_text() for path in (ROOT / "jobs").glob("*.toml")}
        jobs[".github/jobs/geoip.toml"] = GEOIP.format(url=vendor.url)
        repo.commit({**jobs, ".github/hubdata.toml": SETTINGS.format(distribution=distribution, url=there.url)})
        yield World(repo, there, vendor, distribution, root)


def fine(step: Step) -> Step:
    """Return `step`, which ended well and said so to later ones."""
    assert (step.code, step.outputs) == (0, {"exit-code": "0"}), step.said
    return step


@needs_real
@needs_nginx
def test_a_push_publishes_what_changed_and_nothing_that_went_back(world: World) -> None:
    """From nothing to published and verified; one changed line is one put; a re-run of an old push changes nothing."""
    runner = world.runner("first")
    done = fine(runner.run("publish.yml", "publish"))
    assert "::error" not in done.said
    assert "published" in runner.summary
    whole = world.manifest()
    assert (whole["generation"], len(whole["files"]) > 100, world.told()) == (1, True, 1)
    before = world.repo.head

    text = (SEC_LISTS / LIST).read_text()
    world.repo.commit({LIST: text + ("" if text.endswith("\n") else "\n") + "151.101.0.0/16\n"})
    fine(world.runner("second").run("publish.yml", "publish"))
    changed = world.manifest()
    assert changed["generation"] == 2
    assert [key for key, file in changed["files"].items() if file["sha256"] != whole["files"][key]["sha256"]] == [LIST]
    assert world.told() == 2

    after = world.repo.head
    world.repo.git("checkout", "--quiet", "-B", "master", before)
    again = world.runner("again").run("publish.yml", "publish")
    world.repo.git("checkout", "--quiet", "-B", "master", after)
    assert (again.code, "limits.rewound" in again.said) == (4, True), again.said
    assert again.outputs == {"exit-code": str(again.code)}
    assert world.manifest() == changed


@needs_real
@needs_nginx
def test_the_daily_run_publishes_a_release_once(world: World) -> None:
    """The databases and nothing else; on the next day without a release nothing is downloaded or told."""
    fine(world.runner("daily").run("geoip-daily.yml", "geoip"))
    published = {key: file for key, file in world.manifest()["files"].items() if file["job"] == "geoip"}
    assert tuple(sorted(published)) == DATABASES
    asked, told = len(world.vendor.requests), world.told()
    fine(world.runner("next-day").run("geoip-daily.yml", "geoip"))
    assert {request.endpoint for request in world.vendor.requests[asked:]} == {"metadata"}
    assert world.told() == told
    assert {key: world.manifest()["files"][key] for key in DATABASES} == published


@needs_real
@needs_nginx
def test_by_hand_one_database_is_forced_out_again(world: World) -> None:
    """What somebody chose on the page arrives at hubdata, each choice where it belongs."""
    before = world.manifest()["files"]
    inputs = {"edition": "GeoLite2-ASN", "force": True}
    fine(world.runner("forced").run("by-hand.yml", "run", inputs))
    after = world.manifest()["files"]
    assert {key for key in DATABASES if after[key]["changed_at"] != before.get(key, {}).get("changed_at")} == {
        DATABASES[0]
    }


@needs_real
@needs_nginx
def test_hostile_inputs_are_arguments_and_nothing_else(world: World) -> None:
    """Quotes, commands and options in an input reach hubdata as ids that no plan has, and start nothing."""
    manifest = world.manifest()
    runner = world.runner("hostile")
    text = 'x"; touch pwned; $(touch pwned) `touch pwned` --allow-rollback * \n --force'
    done = runner.run("by-hand.yml", "run", {"command": "plan", "approve": text})
    assert (done.code, 'error: --approve x";' in done.said) == (2, True), done.said
    assert not list(runner.home.rglob("pwned"))
    assert world.manifest() == manifest


@pytest.mark.parametrize(
    ("given", "arguments"),
    [
        ({}, "sync --once --format github"),
        ({"command": "plan", "job": "a  b\nc"}, "plan --format github --job=a --job=b --job=c"),
        ({"command": "geoip"}, "geoip refresh --format github"),
        ({"command": "geoip", "edition": "X Y"}, "geoip refresh --format github --edition=X --edition=Y"),
        ({"command": "sync", "edition": "X"}, "sync --once --format github"),
        ({"command": "verify", "config": "a b.toml"}, "verify --format github --config=a b.toml"),
        (
            {
                "checkout": ".",
                "target": "t",
                "force": "true",
                "dry-run": "true",
                "allow-rollback": "true",
                "wait": "true",
            },
            "sync --once --format github --checkout=. --target=t --force --dry-run --allow-rollback --wait",
        ),
        ({"approve": "-c /etc/passwd"}, "sync --once --format github --approve=-c --approve=/etc/passwd"),
        ({"job": "* ?"}, "sync --once --format github --job=* --job=?"),
        ({"command": "rollback"}, ""),
        ({"command": ""}, ""),
        ({"force": "yes"}, ""),
    ],
)
def test_inputs_become_arguments(tmp_path: Path, given: dict[str, str], arguments: str) -> None:
    """Each in its place; what is neither a command nor a truth value ends the step with 2, before hubdata starts."""
    runner = Runner(tmp_path, Repo(tmp_path), {})
    runner.workspace.mkdir()
    (runner.workspace / "x").touch()  # what `*` would be, were a shell to read an input
    tool = runner.temp / "hubdata" / "bin" / "hubdata"
    tool.parent.mkdir(parents=True)
    tool.write_text('#!/bin/sh\nprintf "%s\\n" "$*"\n')
    tool.chmod(0o755)
    (step,) = (step for step in action()["runs"]["steps"] if step.get("id") == "run")
    runner.contexts["inputs"] = {**defaults(action()["inputs"]), **given}
    done = runner.shell(step["run"], {name: runner.text(value) for name, value in step["env"].items()})
    if arguments:
        assert (done.code, done.said.strip(), done.outputs) == (0, arguments, {"exit-code": "0"})
    else:
        assert (done.code, done.said[:7], done.outputs) == (2, "::error", {})


def test_the_action_installs_what_the_image_does(tmp_path: Path) -> None:
    """Run with a pip that only listens: its own commit, and every dependency by its hash, as the Dockerfile has it.

    The Dockerfile's commands are run for real in tests/e2e/test_image_steps.py.
    """
    runner = Runner(tmp_path, Repo(tmp_path), {})
    runner.workspace.mkdir()
    heard, python = tmp_path / "heard", tmp_path / "bin" / "python"
    python.parent.mkdir()
    pip = f'#!/bin/sh\necho "$PWD: $*" >>{heard}\n'
    python.write_text(
        f'#!/bin/sh\n[ "$1 $2" = "-m venv" ] && mkdir -p "$3/bin" && printf %s {shlex.quote(pip)} >"$3/bin/pip" '
        '&& chmod +x "$3/bin/pip"\n'
    )
    python.chmod(0o755)
    (step,) = (step for step in action()["runs"]["steps"] if "install.sh" in step.get("run", ""))
    done = runner.shell(step["run"], {"PATH": f"{python.parent}:{os.environ['PATH']}"})
    assert done.code == 0, done.said
    said = [line.partition(": install ")[2].replace(f"{GITHUB}/../../", "") for line in heard.read_text().splitlines()]
    said = [line.replace(f"{GITHUB}/../..", ".") for line in said]
    image = re.findall(r"/pip install ([^\n]+)", (ROOT / "Dockerfile").read_text())
    quiet = re.compile(r"--(quiet|disable-pip-version-check|no-cache-dir) |[ \\]+$")
    assert [quiet.sub("", line) for line in said] == [quiet.sub("", line) for line in image]
    assert len(said) == 2
