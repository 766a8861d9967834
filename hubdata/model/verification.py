"""What the world is seen to have: the public copy, looked at over one address family after the other.

A verification says what readers get, not what a store holds. What is wrong is a `Discrepancy`, and names the rule, the
family, the URL, what was expected and what was found; it is `passing` where time alone can mend it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_address

from hubdata.errors import Exit
from hubdata.model.finding import Severity


class Family(StrEnum):
    """An address family. Readers have one of them, or both."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"

    @property
    def label(self) -> str:
        """Return the name that people write."""
        return "IPv4" if self is Family.IPV4 else "IPv6"

    @property
    def record(self) -> str:
        """Return what the DNS calls an address of this family."""
        return "A" if self is Family.IPV4 else "AAAA"


@dataclass(frozen=True, slots=True)
class Pin:
    """An address to use for a host and port in place of what the DNS says. `host` is in lower case."""

    host: str
    port: int
    address: str

    @classmethod
    def parse(cls, text: str) -> "Pin":
        """Return the pin that `HOST:PORT:ADDRESS` means, an IPv6 address in brackets or not; as curl has it.

        Raises ValueError with what is wrong.
        """
        host, _, rest = text.partition("]:") if text.startswith("[") else text.partition(":")
        port, _, address = rest.partition(":")
        if not host or not port.isascii() or not port.isdigit() or not 0 < int(port[:6]) < 65_536 or not address:
            raise ValueError(f"expected HOST:PORT:ADDRESS, found {text!r}")
        try:
            ip = ip_address(address.removeprefix("[").removesuffix("]"))
        except ValueError:
            raise ValueError(f"expected an IPv4 or IPv6 address after HOST:PORT:, found {address!r}") from None
        return cls(host.removeprefix("[").lower(), int(port), str(ip))

    def __str__(self) -> str:
        bracketed = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.host}:{self.port}:{bracketed}"


@dataclass(frozen=True, slots=True)
class VerifySpec:
    """How the world reads what was published, and how patiently that is looked at.

    `url` has no slash at its end. `target` is what stands behind it; None means the first of the settings. `wait` is
    how long a CDN may take to catch up after a publication, `silence` how long an edge may say nothing, `timeout` how
    long one look at everything may take. `sample` files are looked at besides those that changed last.
    """

    url: str
    families: tuple[Family, ...] = (Family.IPV4, Family.IPV6)
    target: str | None = None
    pins: tuple[Pin, ...] = ()
    sample: int = 20
    wait: timedelta = timedelta(seconds=120)
    silence: timedelta = timedelta(seconds=15)
    timeout: timedelta = timedelta(seconds=300)


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One way in which what readers of one family get is not what was published.

    `key` is empty where it is about the host. `passing` tells that a CDN which catches up mends it.
    """

    rule: str
    severity: Severity
    family: Family
    key: str
    url: str
    expected: str
    found: str
    advice: str
    passing: bool = False

    @property
    def message(self) -> str:
        """Return what is wrong in one sentence."""
        return f"over {self.family.label}: expected {self.expected}; found {self.found}"


@dataclass(frozen=True, slots=True)
class FamilyView:
    """What one family was given. `generation` is that of its manifest, None without one; `files` were looked at.

    `address` is the one that answered, empty when none did. `requests` and `bytes` count what was asked and sent.
    """

    family: Family
    address: str = ""
    generation: int | None = None
    files: int = 0
    requests: int = 0
    bytes: int = 0
    elapsed_s: float = 0.0
    findings: tuple[Discrepancy, ...] = ()

    @property
    def well(self) -> bool:
        """Tell whether its readers have what was published."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Verification:
    """A whole verification of `generation` (0: no manifest was had anywhere) as `against` has it.

    `files` were chosen of the `published` ones, by `seed`. `looks` is how often the copy was looked at, and `waited_s`
    how long for the CDN between them. `manifests` are the bytes as they came over each family, for whoever checks their
    signature. `unknown` tells that nothing could be found out.
    """

    url: str
    against: str
    generation: int
    views: tuple[FamilyView, ...]
    files: int = 0
    published: int = 0
    seed: str = ""
    looks: int = 1
    waited_s: float = 0.0
    elapsed_s: float = 0.0
    notices: tuple[str, ...] = ()
    manifest_url: str = ""
    manifests: Mapping[Family, bytes] = field(default_factory=dict)
    unknown: bool = False

    @property
    def findings(self) -> tuple[Discrepancy, ...]:
        """Return every finding, family by family."""
        return tuple(finding for view in self.views for finding in view.findings)

    @property
    def exit_code(self) -> Exit:
        """Return CDN_PENDING when readers of any family do not have what was published, else FINE.

        REFUSED when what any of them have is not signed by a key that is good.
        """
        if any(finding.rule.startswith("signature.") for finding in self.findings):
            return Exit.REFUSED
        fine = not self.unknown and all(view.well for view in self.views)
        return Exit.FINE if fine else Exit.CDN_PENDING
