"""docs/deploy.md and docs/runbook.md: what they have people type works, in their order, and what they name is there."""

import re
import shlex
import textwrap
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

import click
import pytest

from hubdata.cli.root import root as hubdata_command
from hubdata.config.schema import json_schema
from hubdata.demo.mmdb_writer import mmdb
from hubdata.rules import BY_ID
from tests.support.command import Ended, hubdata
from tests.support.maxmind_server import MaxmindServer
from tests.support.moto_server import CREDENTIALS
from tests.support.nginx import needs_nginx
from tests.support.small_world import GOOD, LISTS, SmallWorld
from tests.support.stack import BUCKET, Stack, stack

ROOT = Path(__file__).parents[2]
PAGES = {name: (ROOT / "docs" / name).read_text() for name in ("deploy.md", "runbook.md")}
EXAMPLE = ROOT / "deploy" / "terraform" / "examples" / "complete"
WORDS = {name: set(re.findall(r"`([^`\n]+)`", page)) for name, page in PAGES.items()}
COMMANDS = {name: re.findall(r"^ *\$ (hubdata .+)$", page, re.MULTILINE) for name, page in PAGES.items()}
INLINE = {word for words in WORDS.values() for word in words if word.startswith("hubdata ") and "…" not in word}
ELSEWHERE = ("hubdata validate .", "hubdata verify --public-only --pubkey OLD.pub --pubkey NEW.pub")
"""Commands that are run by tests of other pages, in worlds of their own: pull requests, signatures."""

JOBS = {
    "jobs/lists.toml": """\
[source]
type = "git"
url = "{repo}"
ref = "master"

[[files]]
match = "lists/*.txt"
kind = "cidr"
limits = {{ max_change = 0.5 }}

[[ignore]]
match = "README.md"
""",
    "jobs/geoip.toml": """\
[source]
type = "maxmind"
editions = ["GeoLite2-City", "GeoLite2-ASN"]
url = "{vendor}"

[[files]]
match = "mmdb_update/*.mmdb"
kind = "mmdb"
""",
}


def parsed(line: str) -> None:
    """Assert that there is such a command with such options."""
    words = shlex.split(line)
    assert words[0] == "hubdata", line
    command: click.Command = hubdata_command
    context = click.Context(command, info_name="hubdata")
    rest = words[1:]
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None, line
        command, context = found, click.Context(found, info_name=name, parent=context)
    command.make_parser(context).parse_args(rest)


@pytest.mark.parametrize("line", sorted({*COMMANDS["deploy.md"], *COMMANDS["runbook.md"], *INLINE}))
def test_every_command_exists_with_its_options(line: str) -> None:
    """A flag that was renamed would fail in the hour in which somebody needs it."""
    parsed(line)


def test_a_command_that_does_not_exist_is_noticed() -> None:
    """The check above can fail."""
    for line in ("hubdata synk", "hubdata sync --onse", "hubdata geoip refreshed", "hubdata rollback --too 1"):
        with pytest.raises((click.UsageError, AssertionError)):
            parsed(line)


@dataclass(frozen=True, slots=True)
class World:
    """A data repository, a vendor, a bucket with a distribution, and what readers get of it."""

    small: SmallWorld
    stack: Stack
    env: dict[str, str]

    def run(self, line: str) -> Ended:
        """Return what a line of a page did, with what it stands for put in."""
        return hubdata(*shlex.split(line)[1:], cwd=self.small.root, env=self.env)

    def fine(self, line: str, code: int = 0) -> str:
        """Return what a line said, having asserted how it ended."""
        ended = self.run(line)
        assert ended.code == code, f"{line}\n{ended.stdout}{ended.stderr}"
        return ended.stdout


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a world with the settings that docs/deploy.md shows, nothing published yet."""
    small = SmallWorld.create(tmp_path_factory.mktemp("deploy-docs"))
    (small.root / "jobs" / "words.toml").unlink()
    paths = {edition: small.root / f"{edition}.mmdb" for edition in ("GeoLite2-City", "GeoLite2-ASN")}
    for edition, path in paths.items():
        record: dict[str, object] = {"autonomous_system_number": 15169} if "ASN" in edition else {"country": {}}
        path.write_bytes(mmdb(edition, {ip_network("8.8.8.0/24"): record}, build_epoch=int(time.time()) - 86400))
    with stack(small.root / "stack") as there, MaxmindServer(paths) as vendor:
        for name, text in JOBS.items():
            small.write(name, text.format(repo=small.repo.url, vendor=vendor.url))
        (settings,) = (
            text for text in re.findall(r"^```toml\n(.+?)^```", PAGES["deploy.md"], re.MULTILINE | re.DOTALL)
        )
        small.write("hubdata.toml", settings)
        env = {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": there.store.url,
            "MAXMIND_ACCOUNT_ID": vendor.account,
            "MAXMIND_LICENSE_KEY": vendor.key,
            "HUBDATA_JOBS": "jobs",
            "HUBDATA_SPOOL": "spool",
            "HUBDATA_TARGETS__AWS__BUCKET": BUCKET,
            "HUBDATA_TARGETS__AWS__REGION": "us-east-1",
            "HUBDATA_CDNS__EDGE__DISTRIBUTION_ID": there.store.distribution(BUCKET),
            "HUBDATA_VERIFY__URL": there.url,
        }
        yield World(small, there, env)


@needs_nginx
def test_from_nothing_to_a_file_seen_over_ipv6(world: World) -> None:
    """The steps of docs/deploy.md that are hubdata's, as they stand but for names and addresses."""
    check, plan, sync, verify = COMMANDS["deploy.md"]
    world.fine(check)
    assert "Would publish" in world.fine(plan)
    assert world.stack.store.objects(BUCKET) == {}
    assert "published" in world.fine(sync)
    looked = world.fine(verify.replace("https://hub-data.example.net", world.stack.url))
    assert "ipv6" in looked.lower()
    assert GOOD in world.stack.store.objects(BUCKET)
    lines = (world.stack.home / "access.log").read_text().splitlines()
    assert [line for line in lines if line.startswith("::1 ") and GOOD in line]


@needs_nginx
def test_the_runbook_works_in_its_order(world: World) -> None:
    """Each command as it stands but for names: after a held change, a rollback, a force, and a second target."""
    if not world.stack.store.objects(BUCKET):
        world.fine("hubdata sync --once")
    many = "".join(f"8.9.{number}.0/24\n" for number in range(40))
    put_in = {"SECOND_URL": world.stack.url, "SECOND": "second", "GENERATION": "1"}
    ran = []
    for line in COMMANDS["runbook.md"]:
        if line in ELSEWHERE:
            continue
        if line == "hubdata plan -v":
            world.small.repo.commit({GOOD: many})
        if line == "hubdata sync --once --force":
            world.small.repo.commit({GOOD: LISTS[GOOD] + b"9.9.9.0/24\n"})
        if "--target SECOND" in line:
            world.env["HUBDATA_TARGETS__SECOND__TYPE"] = "directory"
            world.env["HUBDATA_TARGETS__SECOND__PATH"] = "second"
            world.env["HUBDATA_VERIFY__TARGET"] = "aws"
        now = line
        for name, value in put_in.items():
            now = re.sub(rf"\b{name}\b", value, now)
        said = world.fine(now, 4 if line == "hubdata plan -v" else 0)
        ran.append(line)
        if found := re.findall(r"--approve ([0-9a-f]{64})", said):
            put_in["PLAN_ID"] = found[0]
    assert len(ran) >= 18
    assert set(COMMANDS["runbook.md"]) - set(ran) == set(ELSEWHERE)


def test_every_part_that_was_asked_for_is_there() -> None:
    """The troubles that an operator looks up have a heading each."""
    headings = re.findall(r"^## (.+)$", PAGES["runbook.md"], re.MULTILINE)
    assert headings == [
        *("Stale GeoIP", "A refused file", "A held plan", "Rollback", "Key rotation"),
        *("An invalidation is stuck", "A region is lost"),
    ]


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_is_there(page: str) -> None:
    """Paths, and the names of files in deploy/."""
    named = {
        word for word in WORDS[page] if re.fullmatch(r"(deploy|docs|tests|base|overlays|ours|jobs)/[\w./-]+", word)
    }
    named |= set(re.findall(r"(?:deploy|tests)/[\w./-]*\w", PAGES[page]))
    gone = [
        name for name in named if not any((root / name).exists() for root in (ROOT, ROOT / "deploy" / "kubernetes"))
    ]
    assert gone == []
    workflows = {word for word in WORDS[page] if re.fullmatch(r"[\w-]+\.yml", word)}
    assert all((ROOT / "deploy" / "github" / name).is_file() for name in workflows)


@pytest.mark.parametrize("page", PAGES)
def test_every_rule_that_is_named_exists(page: str) -> None:
    """A rule that was renamed would leave its reader with nothing to look up."""
    families = {rule.partition(".")[0] for rule in BY_ID}
    named = {word for word in WORDS[page] if re.fullmatch(r"[a-z]+\.[a-z-]+", word)}
    named = {word for word in named if word.partition(".")[0] in families}
    assert named
    assert named <= BY_ID.keys()


def test_the_settings_shown_are_valid() -> None:
    """The example has only tables and keys that there are."""
    (example,) = re.findall(r"^```toml\n(.+?)^```", PAGES["deploy.md"], re.MULTILINE | re.DOTALL)
    told = tomllib.loads(example)
    assert told.keys() <= json_schema()["hubdata.toml"]["properties"].keys()
    assert told["verify"]["families"] == ["ipv4", "ipv6"]


def test_the_settings_shown_are_what_terraform_puts_out() -> None:
    """Line for line the output `settings` of the example, with the variables that the page gives it."""
    (shown,) = re.findall(r"^```toml\n(.+?)^```", PAGES["deploy.md"], re.MULTILINE | re.DOTALL)
    (given,) = re.findall(r"^```hcl\n(.+?)^```", PAGES["deploy.md"], re.MULTILINE | re.DOTALL)
    (template,) = re.findall(r"<<-EOT\n(.+?)\n +EOT", (EXAMPLE / "outputs.tf").read_text(), re.DOTALL)
    values = {
        "module.data.bucket": re.findall(r'^bucket += "(.+)"', given, re.MULTILINE)[0],
        "module.data.distribution_id": "E2EXAMPLE",
        "module.data.url": "https://" + re.findall(r'^data_domain += "(.+)"', given, re.MULTILINE)[0],
        "var.region": "eu-west-1",
    }
    filled = re.sub(r"\$\{(.+?)\}", lambda match: values[match[1]], textwrap.dedent(template))
    assert tomllib.loads(filled) == tomllib.loads(shown)


def test_every_variable_and_output_of_terraform_that_is_named_exists() -> None:
    """What the page has people set and read is what the example takes and gives; what it must have is on the page."""
    (given,) = re.findall(r"^```hcl\n(.+?)^```", PAGES["deploy.md"], re.MULTILINE | re.DOTALL)
    variables = dict(
        re.findall(r'^variable "(\w+)" \{\n(.+?)^\}', (EXAMPLE / "variables.tf").read_text(), re.MULTILINE | re.DOTALL)
    )
    set_there = set(re.findall(r"^(\w+) +=", given, re.MULTILINE))
    assert set_there <= variables.keys()
    assert {name for name, body in variables.items() if "default" not in body} <= set_there
    outputs = set(re.findall(r'^output "(\w+)"', (EXAMPLE / "outputs.tf").read_text(), re.MULTILINE))
    named = set(re.findall(r"output -raw (\w+)|Terraform's `(\w+)`", PAGES["deploy.md"]))
    assert {raw or told for raw, told in named} >= {"settings", "workflow_role_arn"}
    assert {raw or told for raw, told in named} <= outputs
