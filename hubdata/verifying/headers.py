"""What an answer's headers must say, so that engines and caches do the right thing with the file.

An engine sends a HEAD and downloads when its own file is older than Last-Modified: without that date, or with one in
the future, the whole fleet downloads each time; with one from before the change, nobody does. Pure: two values in,
findings out. `now` is this machine's time when the answer came.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from hubdata.model.manifest import Entry
from hubdata.model.verification import Discrepancy
from hubdata.transfer.http_date import http_moment
from hubdata.transfer.one_family import Answer
from hubdata.verifying.words import About

CLOCK_SLACK = timedelta(minutes=5)
"""By how much the edge's clock and ours may differ."""

_SLACK = timedelta(seconds=2)  # stores tell whole seconds, and not all at once
_MAX_AGE_S = 366 * 86_400


def changed_at(entry: Entry) -> datetime | None:
    """Return when the manifest says that a file changed, None where it says nothing that can be read."""
    try:
        return datetime.strptime(entry.changed_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def age_s(answer: Answer) -> int | None:
    """Return for how long a cache says to have had the answer; 0 without a word of it, None for nonsense."""
    text = answer.headers.get("age", "0").strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) > _MAX_AGE_S:
        return None
    return int(text)


def why_old(answer: Answer, since: datetime | None) -> str:
    """Return how an answer shows that it is from before `since`, empty when nothing shows it."""
    if since is None:
        return ""
    modified = http_moment(answer.headers.get("last-modified", ""))
    if modified is not None and modified < since:
        return f"Last-Modified {_text(modified)}"
    age = age_s(answer) or 0
    if age and answer.received_at - timedelta(seconds=age) < since:
        return f"in the cache for {age:,} s"
    return ""


def clock(about: About, answer: Answer) -> Iterator[Discrepancy]:
    """Yield what is wrong with the edge's clock: caches reckon freshness by it."""
    given = answer.headers.get("date", "")
    date = http_moment(given) if given else None
    if date is None:
        found = f"Date: {given}" if given else "no Date"
        yield about.warning("verify.clock", "a Date header", found, "have the edge tell its time")
        return
    # Some caches hand on the origin's Date, to which the age has to be added; others put their own.
    latest = date + timedelta(seconds=age_s(answer) or 0)
    if latest < answer.received_at - CLOCK_SLACK or date > answer.received_at + CLOCK_SLACK:
        behind = latest < answer.received_at
        seconds = (answer.received_at - latest if behind else date - answer.received_at).total_seconds()
        yield about.error(
            "verify.clock",
            f"the time, {_text(answer.received_at)}",
            f"Date: {given}, {seconds:,.0f} s {'behind' if behind else 'ahead'}",
            "set the edge's clock, or this machine's",
        )


def modified(about: About, answer: Answer, since: datetime | None) -> Iterator[Discrepancy]:
    """Yield what is wrong with Last-Modified of a file that is right otherwise and changed at `since`."""
    given = answer.headers.get("last-modified", "")
    moment = http_moment(given) if given else None
    rule = "verify.last-modified"
    if moment is None:
        found = f"Last-Modified: {given}" if given else "no Last-Modified"
        yield about.error(rule, "a Last-Modified date", found, "have the edge hand on the origin's Last-Modified")
    elif moment > answer.received_at + CLOCK_SLACK:
        yield about.error(
            rule,
            f"a Last-Modified that has come, before {_text(answer.received_at)}",
            f"Last-Modified: {given}",
            "set the origin's clock and publish the file anew: until then every engine downloads it each time",
        )
    elif since is not None and moment < since - _SLACK:
        yield about.warning(
            rule,
            f"a Last-Modified not before the change at {_text(since)}",
            f"Last-Modified: {given}",
            "fine for a file that was there before; else engines that hold another state never download this one",
        )


def described(about: About, answer: Answer, entry: Entry) -> Iterator[Discrepancy]:
    """Yield where Content-Type, Cache-Control and Age are not what the manifest or the standard wants."""
    for rule, name, wanted in (
        ("verify.content-type", "Content-Type", entry.content_type),
        ("verify.cache-control", "Cache-Control", entry.cache_control),
    ):
        given = answer.headers.get(name.lower(), "")
        if wanted and _parts(given) != _parts(wanted):
            yield about.warning(
                rule,
                f"{name}: {wanted}",
                f"{name}: {given}" if given else f"no {name}",
                "have the web server or CDN send what the manifest says, or correct the job file",
            )
    if age_s(answer) is None:
        found = f"Age: {answer.headers['age']}"
        yield about.warning("verify.age", "an Age in seconds", found, "have the CDN tell how old its copy is")


def same(about: About, head: Answer, body: Answer, size: int, since: datetime | None) -> Iterator[Discrepancy]:
    """Yield where the answer to a HEAD does not say what the GET does; engines decide by the HEAD."""
    rule, passing = "verify.head", bool(why_old(head, since))
    advice = "let the CDN answer HEAD from the same object as GET"
    if head.status != 200:
        yield about.error(rule, "status 200 for HEAD, as for GET", f"status {head.status}", "let the CDN take HEAD")
        return
    length = head.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:18]) != size:
        told = (f"Content-Length {size} for HEAD", f"Content-Length {length}")
        yield about.error(rule, *told, advice, passing=passing)
    for name in ("Last-Modified", "ETag", "Content-Type"):
        told_, given = (_plain(answer.headers.get(name.lower(), ""), name) for answer in (head, body))
        if told_ != given:
            wanted = f"{name} {given or 'absent'} for HEAD, as for GET"
            yield about.error(rule, wanted, f"{name} {told_ or 'absent'}", advice, passing=passing)


def _plain(value: str, name: str) -> str:
    """Return a header's value as it may be compared; an ETag is weak where the other answer was packed."""
    return value.removeprefix("W/") if name == "ETag" else value.strip()


def _parts(value: str) -> frozenset[str]:
    """Return what a list of parameters or directives says, whatever its order, case and spaces."""
    return frozenset(part.strip().lower().replace(" ", "") for part in value.replace(";", ",").split(",") if part)


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
