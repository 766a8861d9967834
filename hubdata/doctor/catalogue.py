"""Every check there is, in the order in which they are told, and what a run that fails at it ends with.

`docs/doctor.md` explains each of them under its name; a test holds the two together.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hubdata.errors import Exit
from hubdata.model.checkup import Check, Status

CHECKS: Mapping[str, tuple[str, Exit]] = {
    "python": ("the Python that runs hubdata, and hubdata itself", Exit.CONFIG),
    "extra": ("packages that only some settings need", Exit.CONFIG),
    "plugin": ("adapters that other packages bring", Exit.CONFIG),
    "settings": ("the settings and job files load", Exit.CONFIG),
    "git": ("the git executable", Exit.SOURCE),
    "spool": ("where downloads are staged: owner, mode, space", Exit.CONFIG),
    "source": ("each upstream can be reached", Exit.SOURCE),
    "geoip": ("the GeoIP account, and how many downloads are left today", Exit.SOURCE),
    "credentials": ("who asks, where that came from, and until when it holds", Exit.CONFIG),
    "store": ("each target answers, in the region that is set", Exit.TARGET),
    "read": ("the right to list and read there", Exit.TARGET),
    "versions": ("the target keeps what was published, so that it can be gone back to", Exit.TARGET),
    "write": ("the right to write and delete there, tried with `--write` alone", Exit.TARGET),
    "conditions": ("the store refuses a write over what somebody else wrote", Exit.TARGET),
    "checksums": ("the store refuses bytes that changed on their way", Exit.TARGET),
    "cdn": ("each CDN answers, and lets its caller ask", Exit.CDN_PENDING),
    "cdn-ipv6": ("the CDN serves readers over IPv6", Exit.CDN_PENDING),
    "dns": ("the public host has addresses of each family", Exit.CDN_PENDING),
    "public": ("readers of each family get an answer", Exit.CDN_PENDING),
    "clock": ("this machine's clock is that of the services", Exit.CONFIG),
    "signing": ("the key that manifests are signed with opens", Exit.CONFIG),
    "notify": ("the webhook's URL can be used", Exit.CONFIG),
    "http": ("the worker's secrets are there", Exit.CONFIG),
}
"""Name, what it looks at, and the exit code."""

_ORDER = tuple(CHECKS)


@dataclass(frozen=True, slots=True)
class About:
    """One check and its subject: makes what is said of it. Raises KeyError for a name that is not in the catalogue."""

    name: str
    subject: str = ""

    def ok(self, found: str) -> Check:
        """Return that it is well."""
        return self._said(Status.OK, found)

    def warn(self, found: str, advice: str = "") -> Check:
        """Return that somebody should look at it."""
        return self._said(Status.WARN, found, advice)

    def fail(self, found: str, advice: str = "") -> Check:
        """Return that a run will fail at it."""
        return self._said(Status.FAIL, found, advice)

    def skipped(self, found: str, advice: str = "") -> Check:
        """Return that it was not looked at, and why."""
        return self._said(Status.SKIPPED, found, advice)

    def _said(self, status: Status, found: str, advice: str = "") -> Check:
        return Check(self.name, self.subject, status, found, advice, CHECKS[self.name][1])


def place_of(check: Check) -> tuple[int, str]:
    """Return what checks are ordered by."""
    return _ORDER.index(check.name), check.subject
