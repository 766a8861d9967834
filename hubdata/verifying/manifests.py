"""What the manifest must be over each family: the generation that was published, byte for byte.

Without a target to compare with, the newest generation that any family was given counts: then at least a family that
lags behind the other is found. Pure: values in, findings out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hubdata.errors import TargetError
from hubdata.model.manifest import KEY, Entry, Manifest
from hubdata.model.verification import Discrepancy, Family
from hubdata.transfer.one_family import Answer, NoAnswer
from hubdata.verifying import contents, headers
from hubdata.verifying.contents import Answers
from hubdata.verifying.words import About, refused, unanswered

MAX_BYTES = 64 << 20
_ADVICE = f"let the CDN forget /{KEY}, then look again"


@dataclass(frozen=True, slots=True)
class Front:
    """The manifest as one family was given it: what came, and the manifest in it, if there was one."""

    about: About
    answers: Answers
    manifest: Manifest | None

    @property
    def raw(self) -> bytes | None:
        """Return the bytes that came, None when none did."""
        packed = self.answers.packed
        return packed.body if isinstance(packed, Answer) else None


@dataclass(frozen=True, slots=True)
class Expected:
    """The manifest that every family should give: `raw` its bytes where they are known, `source` who says so.

    `at_least` allows a newer one: somebody named the generation, and others may publish meanwhile.
    """

    manifest: Manifest
    source: str
    raw: bytes | None = None
    at_least: bool = False


def front_of(about: About, answers: Answers) -> Front:
    """Return what a family was given."""
    manifest = None
    packed = answers.packed
    if isinstance(packed, Answer) and packed.status == 200 and packed.body is not None and not packed.fault:
        try:
            manifest = Manifest.from_bytes(packed.body)
        except TargetError:
            manifest = None
    return Front(about, answers, manifest)


def newest(fronts: Mapping[Family, Front]) -> Expected | None:
    """Return the newest manifest that any family was given, None when none was given one."""
    given = [front for front in fronts.values() if front.manifest is not None]
    if not given:
        return None
    best = max(given, key=lambda front: front.manifest.generation if front.manifest else 0)
    assert best.manifest is not None  # noqa: S101 - as filtered
    return Expected(best.manifest, f"the manifest over {best.about.family.label}", best.raw)


def compare(front: Front, expected: Expected | None) -> tuple[Discrepancy, ...]:
    """Return every way in which what a family was given is not the expected manifest, well served."""
    return tuple(_all(front, expected))


def _all(front: Front, expected: Expected | None) -> Iterator[Discrepancy]:
    about, packed = front.about, front.answers.packed
    if isinstance(packed, NoAnswer):
        yield unanswered(about, packed, what="the manifest")
        return
    yield from headers.clock(about, packed)
    if packed.status != 200:
        yield refused(about, packed.status, passing=expected is not None and expected.manifest.generation == 1)
        return
    if front.manifest is None:
        found = f"{packed.size:,} bytes that are none{', ' + packed.fault if packed.fault else ''}"
        yield about.error("verify.manifest", "a manifest of hubdata's", found, "check verify.url and what serves it")
        return
    wrong = tuple(_generation(about, front, front.manifest, expected)) if expected else ()
    yield from wrong
    yield from _served(about, front, packed, agrees=not wrong)


def _generation(about: About, front: Front, given: Manifest, expected: Expected) -> Iterator[Discrepancy]:
    wanted = expected.manifest.generation
    if given.generation != wanted:
        newer = given.generation > wanted
        if newer and expected.at_least:
            return
        told = f"generation {wanted}, as {expected.source} has it"
        advice = f"find out which target the CDN stands before; {_ADVICE}" if newer else _ADVICE
        yield about.error("verify.generation", told, f"generation {given.generation}", advice, passing=not newer)
    elif expected.raw is not None and front.raw != expected.raw:
        told = f"generation {wanted} byte for byte as {expected.source} has it"
        found = "other bytes, with the same generation"
        yield about.error("verify.manifest", told, found, "find out who changed it on the way")


def _served(about: About, front: Front, packed: Answer, *, agrees: bool) -> Iterator[Discrepancy]:
    """Yield what is wrong with how it is served, whatever it says."""
    published_at = front.manifest.published_at if front.manifest else ""
    for finding in contents.compare(about, _entry(packed, published_at), front.answers, new=False):
        # Plain and packed copies are cached apart: while one is old, they may differ.
        if agrees or finding.rule in ("verify.content-encoding", "verify.content-type", "verify.last-modified"):
            yield finding


def _entry(packed: Answer, published_at: str) -> Entry:
    """Return the manifest as a file among others, its content as it came."""
    return Entry(
        size=packed.size,
        sha256=packed.sha256,
        kind="json",
        job="",
        etag="",
        version_id=None,
        changed_at=published_at,
        content_type="application/json",
        cache_control="",
        source={},
    )
