"""Findings of a verification: how each is made, and what is said where a reader got no answer at all."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from hubdata.model.finding import Severity
from hubdata.model.verification import Discrepancy, Family
from hubdata.transfer.one_family import NoAnswer, Trouble

_EDGE = "check the CDN's configuration for this path"


@dataclass(frozen=True, slots=True)
class About:
    """What a finding is about: one URL, as readers of one family get it."""

    family: Family
    key: str
    url: str

    def error(self, rule: str, expected: str, found: str, advice: str, *, passing: bool = False) -> Discrepancy:
        """Return a finding that keeps readers from having what was published."""
        return Discrepancy(rule, Severity.ERROR, self.family, self.key, self.url, expected, found, advice, passing)

    def warning(self, rule: str, expected: str, found: str, advice: str) -> Discrepancy:
        """Return a finding that a person should know of."""
        return Discrepancy(rule, Severity.WARNING, self.family, self.key, self.url, expected, found, advice)


def _is_address(url: str) -> bool:
    """Tell whether the host of `url` is an address itself: then no DNS can add the other family's."""
    try:
        ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return False
    return True


def unanswered(about: About, err: NoAnswer, *, what: str = "an answer") -> Discrepancy:
    """Return the finding that a reader who gets no answer has."""
    family, found = about.family, str(err)
    label, record = family.label, family.record
    match err.trouble:
        case Trouble.NO_ADDRESS:
            advice = f"add an {record} record, and switch {label} on at the CDN: readers with {label} alone get nothing"
            if _is_address(about.url):
                advice = "name the host as readers do; to look at this address alone: --family, or families in [verify]"
            return about.error("verify.no-address", f"an {label} address ({record}) of the host", found, advice)
        case Trouble.DNS:
            return about.error("verify.dns", f"the host's {record} record", found, "check this machine's DNS")
        case Trouble.NO_ROUTE:
            advice = f"run this where there is {label}, or leave {family} out of verify.families: nothing is known"
            return about.error("verify.no-route", f"a network with {label} to look from", found, advice)
        case Trouble.FORBIDDEN:
            advice = "correct the DNS; to mean that address, pin it (--resolve HOST:PORT:ADDRESS)"
            return about.error("verify.address", "an address that readers can reach", found, advice)
        case Trouble.UNREACHABLE:
            advice = f"check that the CDN listens on this {label} address, and the firewalls before it"
            return about.error("verify.unreachable", f"a connection over {label}", found, advice)
        case Trouble.TLS:
            advice = "renew or correct the certificate of this host; REQUESTS_CA_BUNDLE names an authority of your own"
            return about.error("verify.tls", "a certificate that is valid for the host", found, advice)
        case Trouble.SILENT:
            return about.error("verify.silent", f"{what} in time", found, "find out what hangs, the edge or its origin")
        case Trouble.TRUNCATED:
            advice = _EDGE + ", and its connection to the origin"
            return about.error("verify.truncated", f"{what}, whole", found, advice)
        case Trouble.REDIRECT:
            advice = "serve the files under the URL itself: engines must not be led elsewhere; check verify.url"
            return about.error("verify.redirect", "the file, or a redirect on the same host", found, advice)
        case Trouble.REDIRECT_LOOP:
            return about.error("verify.redirect-loop", what, found, _EDGE + ": its redirects lead nowhere")


def refused(about: About, status: int, *, passing: bool) -> Discrepancy:
    """Return the finding for a status other than 200; `passing` where the file is new and may be cached as missing."""
    if status in (403, 404, 410):
        advice = "let the CDN forget the path if the file is new; else check the origin, its prefix and its rights"
        return about.error("verify.missing", "status 200", f"status {status}", advice, passing=passing)
    return about.error("verify.status", "status 200", f"status {status}", _EDGE + ", and its origin")
