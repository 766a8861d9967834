"""What a reader of each address family meets first: addresses in the DNS, and an answer to a HEAD."""

import os
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from hubdata.doctor.catalogue import About
from hubdata.doctor.skew import clock
from hubdata.model import manifest as manifests
from hubdata.model.checkup import Check
from hubdata.model.verification import Family, Pin
from hubdata.transfer.addresses import Dialer, Missing, Unreached
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.http_date import http_moment
from hubdata.transfer.one_family import Answer, FamilyClient, NoAnswer, Trouble
from hubdata.transfer.url import origin

_TIME = timedelta(seconds=5)
_MOST = 4


def public(url: str, family: Family, pins: tuple[Pin, ...]) -> Iterator[Check]:
    """Tell what `family` meets at `url`: the host's addresses, then the manifest below it, then the time there."""
    _, host, port = origin(url)
    dns = About("dns", f"{family.record} {host}")
    deadline = Deadline.after(_TIME)
    dialer = Dialer(family, pins=pins, deadline=lambda: deadline)
    try:
        addresses = dialer.addresses(host, port)
    except Unreached as err:
        yield dns.fail(
            str(err), _DNS_ADVICE[family] if err.why is Missing.ADDRESS else "see whether the resolver answers"
        )
        return
    more = f" and {len(addresses) - _MOST} more" if len(addresses) > _MOST else ""
    yield dns.ok(", ".join(addresses[:_MOST]) + more)
    yield from _asked(url, family, pins)


def _asked(url: str, family: Family, pins: tuple[Pin, ...]) -> Iterator[Check]:
    about = About("public", f"{family.label} {urlsplit(url).hostname}")
    with FamilyClient(url, family, pins=pins, silence=_TIME / 2, environment=os.environ) as client:
        try:
            answer = client.head(f"{url}/{manifests.KEY}", deadline=Deadline.after(_TIME))
        except NoAnswer as err:
            if err.trouble is Trouble.NO_ROUTE:
                yield about.skipped(str(err), f"look from a machine with {family.label}, as `hubdata verify` does")
            else:
                yield about.fail(str(err), f"see what stands behind the {family.record} record of the host")
            return
    yield _status(about, url, answer)
    there = http_moment(answer.headers.get("date", ""))
    age = answer.headers.get("age", "0")
    if there is not None and age.isascii() and age.isdigit() and len(age) < 9:
        # What a cache has kept carries the time at which it was made.
        yield clock(f"{family.label} {urlsplit(url).hostname}", answer.received_at, there + timedelta(seconds=int(age)))


def _status(about: About, url: str, answer: Answer) -> Check:
    found = f"{manifests.KEY}: {answer.status} from {answer.address}"
    if answer.status == 200:
        return about.ok(found)
    if answer.status in (403, 404):
        return about.warn(found, f"publish first, or correct the public URL: {url} must be the target's root")
    return about.fail(found, "look at what the edge says, and at its origin")


_DNS_ADVICE = {
    Family.IPV4: "add an A record (or alias) for the host: most readers have IPv4",
    Family.IPV6: "add an AAAA record (or alias) for the host: readers with IPv6 alone get nothing",
}
