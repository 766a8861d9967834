"""Write the demo's workspace: a small data repository, a sample GeoIP database, job files and settings.

All data here is made up for the purpose: the networks are those of public registries, the rest is nobody's.
"""

import os
import subprocess
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from hubdata.demo.mmdb_writer import mmdb
from hubdata.errors import ConfigError

LISTS = {
    "whitelists/registries_ipv4.txt": (
        "# Networks of Internet registries\n193.0.0.0/21\n192.0.32.0/20\n199.4.0.0/22\n202.12.28.0/22\n200.3.12.0/22\n"
    ),
    "whitelists/registries_ipv6.txt": "2001:67c:2e8::/48\n2001:500:88::/48\n2001:dc0::/32\n",
    "whitelists/crawlers.regex": "# PTR names of crawlers\n^crawl-[0-9-]+\\.crawler\\.example\\.$\n",
    "web/admin_panels.txt": "/admin/setup.php\n/manager/html\n/phpmyadmin/\n",
    "web/bad_agents.regex": "(?i)^masscan/\n(?i)sqlmap/[0-9]\n",
    "bots/example.json": '{"name":"examplebot","user_agent":"examplebot","rdns":["^crawl\\\\.examplebot\\\\.net$"]}\n',
    "README.md": "# The data of the demo\n\nEdit a list, commit, and run `hubdata sync --once` again.\n",
}

LISTS_JOB = """\
description = "The demo's lists, from a git repository"
schedule = "17 * * * *"            # cron, UTC

[source]
type = "git"
url = "{url}"
ref = "main"

[[files]]
match = "whitelists/*_ipv4.txt"
kind = "cidr"
options = {{ family = "ipv4" }}
limits = {{ min_entries = 1, max_change = 0.5, floor_entries = 25 }}

[[files]]
match = "whitelists/*_ipv6.txt"
kind = "cidr"
options = {{ family = "ipv6" }}
limits = {{ min_entries = 1, max_change = 0.5, floor_entries = 25 }}

[[files]]
match = "whitelists/*.regex"
kind = "rdns-regexp"

[[files]]
match = "web/*.txt"
kind = "needle"

[[files]]
match = "web/*.regex"
kind = "regexp"

[[files]]
match = "bots/*.json"
kind = "bots"

[[ignore]]
match = "README.md"
"""

GEOIP_JOB = """\
description = "A sample GeoIP database; with a MaxMind account, see `type = \\"maxmind\\"` in the built-in jobs"
schedule = "41 4 * * *"

[source]
type = "directory"
path = "{path}"

[[files]]
match = "mmdb_update/*.mmdb"
kind = "mmdb"

[[canaries]]
ip = "193.0.0.1"
expect = {{ "country.iso_code" = "NL" }}
edition = "GeoLite2-City"
"""

SETTINGS = """\
# What the demo leaves behind: publish into a directory. For a bucket, see README.md, "A real configuration".
jobs = "jobs"
spool = "spool"

[targets.local]
type = "directory"
path = "public"
"""

CLOUD_SETTINGS = (
    SETTINGS
    + """
[targets.aws]
type = "s3"
bucket = "hub-data"
region = "us-east-1"
endpoint_url = "{endpoint}"
cdn = "edge"

[cdns.edge]
type = "cloudfront"
distribution_id = "{distribution}"
endpoint_url = "{endpoint}"
"""
)

_COUNTRIES = {
    "193.0.0.0/21": "NL",
    "192.0.32.0/20": "US",
    "199.4.0.0/22": "US",
    "202.12.28.0/22": "AU",
    "200.3.12.0/22": "UY",
    "2001:67c:2e8::/48": "NL",
    "2001:500:88::/48": "US",
    "2001:dc0::/32": "AU",
}


@dataclass(frozen=True, slots=True)
class Workspace:
    """The demo's directory: `data` is the git repository, `public` the directory target."""

    root: Path

    @property
    def data(self) -> Path:
        """Return the data repository."""
        return self.root / "data"

    @property
    def public(self) -> Path:
        """Return where the directory target publishes."""
        return self.root / "public"

    def edit(self, key: str, text: str, message: str) -> None:
        """Write one file of the data repository and commit it."""
        path = self.data / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", message)

    def revert(self) -> None:
        """Undo the last commit by another one, as a maintainer would."""
        self._git("revert", "--no-edit", "HEAD")

    def _git(self, *arguments: str) -> None:
        environment = {
            **os.environ,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _PERSON.items()},
        }
        argv = ["git", "-c", "init.defaultBranch=main", *arguments]
        try:
            subprocess.run(argv, cwd=self.data, env=environment, check=True, capture_output=True, timeout=60)
        except FileNotFoundError as err:
            raise ConfigError("the demo needs git, which is not on the PATH", advice="install git") from err
        except subprocess.CalledProcessError as err:
            reason = err.stderr.decode(errors="replace").strip()
            raise ConfigError(f"git {arguments[0]} failed in {self.data}: {reason}") from err


_PERSON = {"NAME": "hubdata demo", "EMAIL": "demo@example.invalid"}


def create(root: Path, *, build_epoch: int) -> Workspace:
    """Return a new workspace at `root`. Raises ConfigError when something is there already."""
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise ConfigError(
            f"{root} is there already and not empty", advice="remove it, or name another directory with --dir"
        )
    space = Workspace(root.resolve())
    space.data.mkdir(parents=True)
    for key, text in LISTS.items():
        path = space.data / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    space._git("init", "--quiet")
    space.edit("README.md", LISTS["README.md"], "Begin the lists")
    database = space.root / "geoip" / "mmdb_update" / "GeoLite2-City.mmdb"
    database.parent.mkdir(parents=True)
    records = {ip_network(net): {"country": {"iso_code": code}} for net, code in _COUNTRIES.items()}
    database.write_bytes(mmdb("GeoLite2-City", records, build_epoch=build_epoch))
    jobs = space.root / "jobs"
    jobs.mkdir()
    (jobs / "lists.toml").write_text(LISTS_JOB.format(url=space.data.as_uri()), encoding="utf-8")
    (jobs / "geoip.toml").write_text(GEOIP_JOB.format(path=space.root / "geoip"), encoding="utf-8")
    (space.root / "hubdata.toml").write_text(SETTINGS, encoding="utf-8")
    return space
