"""What an answer's content must be: the bytes that the manifest names, unpacked as an engine would unpack them.

Bytes that are not right are stale where the answer shows that it is older than the change: then waiting helps. Else
they are simply wrong, and waiting helps nobody. Pure: values in, findings out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hubdata.model.manifest import Entry
from hubdata.model.verification import Discrepancy
from hubdata.transfer.one_family import Answer, NoAnswer
from hubdata.verifying import headers
from hubdata.verifying.words import About, refused, unanswered

_TEXTUAL = ("text/", "application/json", "application/x-ndjson", "application/xml", "application/javascript")


@dataclass(frozen=True, slots=True)
class Answers:
    """What came for one file: `packed` as engines ask (gzip allowed), `plain` where that was asked for, and HEAD."""

    packed: Answer | NoAnswer
    plain: Answer | NoAnswer | None = None
    head: Answer | NoAnswer | None = None


def may_be_packed(entry: Entry) -> bool:
    """Tell whether gzip on the way does a file any good; others are binary, or packed already."""
    return entry.kind != "mmdb" and entry.content_type.lower().startswith(_TEXTUAL)


def compare(about: About, entry: Entry, answers: Answers, *, new: bool) -> tuple[Discrepancy, ...]:
    """Return every way in which what came is not the file `entry`; `new` when the last publication brought it."""
    return tuple(_all(about, entry, answers, new=new))


def _all(about: About, entry: Entry, answers: Answers, *, new: bool) -> Iterator[Discrepancy]:
    packed, plain = answers.packed, answers.plain
    if isinstance(packed, NoAnswer):
        yield unanswered(about, packed, what="the file")
        return
    if packed.status != 200:
        yield refused(about, packed.status, passing=new)
        return
    wrong = tuple(body(about, entry, packed, asked="gzip"))
    yield from wrong
    of_plain = () if plain is None or wrong else tuple(_plainly(about, entry, plain, new=new))
    yield from of_plain
    if not wrong:
        yield from headers.modified(about, packed, headers.changed_at(entry))
    yield from headers.described(about, packed, entry)
    if not wrong and not of_plain:  # HEAD can only agree with one of the two
        yield from _head(about, entry, answers.head, plain if isinstance(plain, Answer) else packed)


def _plainly(about: About, entry: Entry, plain: Answer | NoAnswer, *, new: bool) -> Iterator[Discrepancy]:
    """Yield what is wrong with the answer to who asked for plain bytes."""
    if isinstance(plain, NoAnswer):
        yield unanswered(about, plain, what="the file, asked for without gzip,")
    elif plain.status != 200:
        yield refused(about, plain.status, passing=new)
    else:
        yield from body(about, entry, plain, asked="identity")


def _head(about: About, entry: Entry, head: Answer | NoAnswer | None, shown: Answer) -> Iterator[Discrepancy]:
    if isinstance(head, NoAnswer):
        advice = "let the CDN answer HEAD: engines ask so before each download"
        yield about.error("verify.head", "an answer to HEAD", str(head), advice)
    elif head is not None:
        yield from headers.same(about, head, shown, entry.size, headers.changed_at(entry))


def body(about: About, entry: Entry, answer: Answer, *, asked: str) -> Iterator[Discrepancy]:
    """Yield what is wrong with one body, asked for with an Accept-Encoding of `asked`."""
    rule = "verify.content-encoding"
    if answer.encoding and asked == "identity":
        found = f"Content-Encoding: {answer.encoding}"
        yield about.error(rule, "plain bytes, as was asked for", found, "pack only for who accepts it")
    elif answer.encoding and not may_be_packed(entry):
        found = f"Content-Encoding: {answer.encoding}"
        yield about.error(rule, "no Content-Encoding for a binary file", found, "exempt its type from compression")
    elif answer.encoding not in ("", "gzip"):
        found = f"Content-Encoding: {answer.encoding}"
        yield about.error(rule, "gzip or nothing: engines know no other", found, "pack only as the reader accepts")
        return
    if answer.fault:
        advice = "let the CDN forget the path, or not pack it"
        yield about.error(rule, "gzip that unpacks to the file", answer.fault, advice)
        return
    if answer.too_long or (answer.size, answer.sha256) != (entry.size, entry.sha256):
        yield _wrong(about, entry, answer, "" if asked == "gzip" else " (asked for without gzip)")


def _wrong(about: About, entry: Entry, answer: Answer, how: str) -> Discrepancy:
    expected = f"{entry.size:,} bytes with SHA-256 {entry.sha256}"
    found = f"{answer.size:,} bytes with SHA-256 {answer.sha256}{how}"
    if answer.too_long:
        found = f"more than {entry.size:,} bytes{how}"
    if old := headers.why_old(answer, headers.changed_at(entry)):
        expected, found = f"{expected}, since {entry.changed_at}", f"{found}, {old}"
        advice = "let the CDN forget the path, then look again"
        return about.error("verify.stale", expected, found, advice, passing=True)
    advice = "find out who changed it on the way: engines load what they get"
    return about.error("verify.bytes", expected, found, advice)
