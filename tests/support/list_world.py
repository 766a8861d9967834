"""A data repository whose lists come from the web: the real list of sources, its hosts on this machine, the real lists.

Every publisher serves what the repository holds today, in the shape that it has there; so a first pull changes nothing.
"""

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.command import Ended
from tests.support.list_server import ListServer, aws, gcore, google
from tests.support.real import SEC_LISTS
from tests.support.small_world import SETTINGS, SmallWorld

ROOT = Path(__file__).parents[2]
CDN = "whitelists/cdn_providers"
CRAWLERS = "whitelists/benign_bots/search_engine_crawlers"
CLOUDFLARE = f"{CDN}/cloudflare_ips.txt"
AWS4, AWS6 = f"{CDN}/aws_cloudfront_ipv4.txt", f"{CDN}/aws_cloudfront_ipv6.txt"
GCORE4, GCORE6 = f"{CDN}/gcore_ipv4.txt", f"{CDN}/gcore_ipv6.txt"
GOOGLE4, GOOGLE6 = (f"{CRAWLERS}/google_special_crawlers_{family}.txt" for family in ("ipv4", "ipv6"))
PLAIN = {
    "cloudflare4": CLOUDFLARE,
    "cloudflare6": f"{CDN}/cloudflare_ip6s.txt",
    "quic": f"{CDN}/quic_cloud_ips.txt",
    "arvan": f"{CDN}/arvancloud_ips.txt",
}
SOURCE = '[source]\ntype = "http"\nitems_file = "../checkout/.github/sync-sources.json"\n'


def real(key: str) -> list[str]:
    """Return the lines of a list as it is published today."""
    return (SEC_LISTS / key).read_text().split()


@dataclass(frozen=True, slots=True)
class ListWorld:
    """The checkout, the job `sources`, which has the limits of the job that comes with hubdata, and the publishers."""

    world: SmallWorld
    server: ListServer

    @classmethod
    def create(cls, root: Path, server: ListServer) -> "ListWorld":
        """Return a new world below `root`."""
        found = cls(SmallWorld(root, None), server)  # type: ignore[arg-type]
        shutil.copytree(SEC_LISTS / "whitelists", root / "checkout" / "whitelists")
        for path in (root / "checkout").rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        listed = json.loads((SEC_LISTS / ".github/sync-sources.json").read_bytes())
        found.world.write("checkout/.github/sync-sources.json", json.dumps(server.here(listed), indent=2))
        job = (ROOT / "jobs/allowlists.toml").read_text()
        job = re.sub(r"^\[source\]\n(.+\n)+", SOURCE, job, count=1, flags=re.MULTILINE)
        found.world.write("jobs/sources.toml", re.sub(r"^\[\[waivers\]\]\n(.+\n)+", "", job, flags=re.MULTILINE))
        found.world.write("hubdata.toml", SETTINGS)
        found.serve_all()
        return found

    def serve_all(self) -> None:
        """Have every publisher serve what is in the repository."""
        for name, key in PLAIN.items():
            self.server.set(name, (SEC_LISTS / key).read_bytes())
        self.server.set("aws", aws(real(AWS4), real(AWS6)))
        self.server.set("gcore", gcore(real(GCORE4), real(GCORE6)))
        self.server.set("google", google(real(GOOGLE4), real(GOOGLE6)))

    @property
    def checkout(self) -> Path:
        """Return the checkout's directory."""
        return self.world.root / "checkout"

    def pull(self, *flags: str) -> Ended:
        """Run `pull sources --into checkout --format json`."""
        ended = self.world.run("pull", "sources", "--into", "checkout", "--format", "json", *flags)
        if "error" not in ended.json:
            assert ended.json["exit_code"] == ended.code
        return ended

    def states(self) -> Mapping[str, tuple[int, int, bytes]]:
        """Return inode, modification time and bytes of everything in the checkout: equal means not touched."""
        found: dict[str, tuple[int, int, bytes]] = {}
        for directory, _, names in os.walk(self.checkout):
            for name in names:
                path = Path(directory, name)
                state = path.lstat()
                body = b"" if path.is_symlink() else path.read_bytes()
                found[path.relative_to(self.checkout).as_posix()] = (state.st_ino, state.st_mtime_ns, body)
        return found
