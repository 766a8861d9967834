"""Proving: every file is read once, judged and digested as the same bytes, and only what passed is in the snapshot."""

import hashlib
import mmap
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from hubdata.errors import SourceError
from hubdata.model.finding import Finding, Severity
from hubdata.model.job import FileRule, Job, Limits, Unit, Waiver
from hubdata.model.snapshot import Artifact, Digests, SourceFile
from hubdata.planning.claims import Claim, claim
from hubdata.ports import Body, Demands, Verdict
from hubdata.running import proving
from hubdata.running.proving import DEFAULT_CACHE_CONTROL, Proof, prove
from tests.simulator.clock import START
from tests.simulator.source import TextKind
from tests.simulator.world import text_job


def proof(
    tmp_path: Path,
    files: dict[str, bytes],
    job: Job | None = None,
    *,
    kind: TextKind | None = None,
    kept: frozenset[str] = frozenset(),
    strays: tuple[Finding, ...] = (),
) -> Proof:
    """Return the proof of `files` for `job`."""
    job = job or text_job("job")
    claims = []
    for number, (key, body) in enumerate(files.items()):
        path = tmp_path / str(number)
        path.write_bytes(body)
        claims.append(SourceFile(key, path, len(body), {"type": "test"}))
    made = claim((job,), tuple(claims)).by_job[job.name]
    return prove(job, made, lambda _: kind or TextKind(), now=START, kept=kept, strays=strays)


def test_artifact_has_the_digests_of_the_judged_bytes(tmp_path: Path) -> None:
    """Size, SHA-256, MD5, headers and stats belong to what the kind saw."""
    made = proof(tmp_path, {"a": b"1\n2\n"}).snapshot.artifacts["a"]

    assert (made.size, made.sha256) == (4, hashlib.sha256(b"1\n2\n").hexdigest())
    assert made.md5 == hashlib.md5(b"1\n2\n").hexdigest()
    assert (made.content_type, made.cache_control, made.stats.entries) == ("text/plain", DEFAULT_CACHE_CONTROL, 2)


def test_job_s_own_headers_win(tmp_path: Path) -> None:
    """What a rule says of headers goes before the kind's and the default."""
    rule = FileRule("**", "text", cache_control="no-store", content_type="text/csv")

    made = proof(tmp_path, {"a": b""}, replace(text_job("job"), files=(rule,))).snapshot.artifacts["a"]

    assert (made.cache_control, made.content_type) == ("no-store", "text/csv")


def test_file_that_grew_after_listing_is_judged_as_it_is(tmp_path: Path) -> None:
    """The artifact's size is that of the bytes read, whatever the source said."""
    path = tmp_path / "f"
    path.write_bytes(b"12345")
    stale = Claim(FileRule("**", "text"), SourceFile("a", path, 2, {}))

    made = prove(text_job("job"), (stale,), lambda _: TextKind(), now=START).snapshot.artifacts["a"]

    assert (made.size, made.sha256) == (5, hashlib.sha256(b"12345").hexdigest())


def test_large_file_is_mapped_and_judged_alike(tmp_path: Path) -> None:
    """From 8 MiB on a file is mapped instead of read, with the same digests."""
    seen: list[type] = []

    class Looking(TextKind):
        def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
            seen.append(type(body))
            return super().check(artifact, body, demands)

    body = b"x" * (8 * 1024 * 1024)
    made = proof(tmp_path, {"a": body, "b": body[:-1]}, kind=Looking()).snapshot.artifacts

    assert seen == [mmap.mmap, bytes]
    assert made["a"].sha256 == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("size", [5, 8 << 20])
def test_what_a_source_says_of_its_bytes_is_believed_of_the_same_bytes_alone(tmp_path: Path, size: int) -> None:
    """A file that changed after its source digested it has the digests of what was judged."""
    path, body = tmp_path / "f", b"x" * size
    path.write_bytes(body)
    told = Digests(hashlib.sha256(body).hexdigest(), hashlib.md5(body).hexdigest())
    changed = Digests(hashlib.sha256(b"before").hexdigest(), hashlib.md5(b"before").hexdigest())
    for digests in (told, changed, None):
        made = Claim(FileRule("**", "text"), SourceFile("a", path, size, {}, digests))
        artifact = prove(text_job("job"), (made,), lambda _: TextKind(), now=START).snapshot.artifacts["a"]
        assert Digests(artifact.sha256, artifact.md5) == told


def test_refused_file_is_left_out_and_named(tmp_path: Path) -> None:
    """All findings of all files come at once; only the files with errors are refused."""
    made = proof(tmp_path, {"a": b"BAD\nBAD\n", "b": b"1\n", "c": b"BAD"})

    assert made.snapshot.artifacts.keys() == {"b"}
    assert made.snapshot.refused == {"a", "c"}
    assert [(f.key, f.line) for f in made.findings] == [("a", 1), ("a", 2), ("c", 1)]


def test_unit_job_refuses_everything_with_one_file(tmp_path: Path) -> None:
    """With `unit = "job"` nothing of the job is left to publish, and all of it counts as refused."""
    made = proof(tmp_path, {"a": b"BAD\n", "b": b"1\n"}, replace(text_job("job"), unit=Unit.JOB)).snapshot

    assert not made.artifacts
    assert made.refused == {"a", "b"}


@pytest.mark.parametrize(("stray", "whole"), [("sub/link", True), ("elsewhere", False)])
def test_stray_entry_refuses_the_unit_it_belongs_to(tmp_path: Path, stray: str, whole: bool) -> None:
    """A link where the job expects a file refuses the whole job; an entry of nobody's refuses only itself."""
    finding = Finding(stray, None, "source.link", Severity.ERROR, "a link", "")
    job = replace(text_job("job", "sub/*"), unit=Unit.JOB)

    made = proof(tmp_path, {"sub/a": b"1\n"}, job, strays=(finding,))

    assert stray in made.snapshot.refused
    assert (made.snapshot.artifacts == {}) is whole
    assert finding in made.findings


@pytest.mark.parametrize("limit", [None, 3])
def test_file_over_its_limit_is_refused_unread(tmp_path: Path, limit: int | None) -> None:
    """The job's limit, or else the kind's, is inclusive and holds before any byte is judged."""

    class Small(TextKind):
        max_bytes = 3

        def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
            assert len(body) <= 3
            return Verdict()

    rule = FileRule("**", "text", limits=Limits(max_bytes=limit))
    made = proof(tmp_path, {"a": b"1234", "b": b"123"}, replace(text_job("job"), files=(rule,)), kind=Small())

    assert made.snapshot.artifacts.keys() == {"b"}
    assert [f.rule for f in made.findings] == ["file.too-large"]


def test_unread_file_cannot_be_waived_into_public(tmp_path: Path) -> None:
    """A waiver lets a finding pass, never a file that nobody has read."""
    rule = FileRule("**", "text", limits=Limits(max_bytes=3))
    waiver = Waiver("a", "file.too-large", "we like it", date(2027, 1, 1))
    job = replace(text_job("job"), files=(rule,), waivers=(waiver,))

    made = proof(tmp_path, {"a": b"1234", "b": b"1"}, job)

    assert made.snapshot.artifacts.keys() == {"b"}
    assert made.snapshot.refused == {"a"}


def test_waiver_for_an_unread_file_is_not_called_unused(tmp_path: Path) -> None:
    """Nobody looked, so nobody can say that the file does without it."""
    rule = FileRule("**", "text", limits=Limits(max_bytes=3))
    waiver = Waiver("a", "text.bad", "known", date(2027, 1, 1))
    job = replace(text_job("job"), files=(rule,), waivers=(waiver,))

    made = proof(tmp_path, {"a": b"BAD\n"}, job)

    assert [f.rule for f in made.findings] == ["file.too-large"]


def test_waived_file_is_published_and_its_finding_stays(tmp_path: Path) -> None:
    """A waiver in force turns refusal into a warning that is still shown."""
    job = replace(text_job("job"), waivers=(Waiver("a", "text.bad", "known", date(2026, 7, 1)),))

    made = proof(tmp_path, {"a": b"BAD\n"}, job)

    assert made.snapshot.artifacts.keys() == {"a"}
    assert [(f.severity, f.waived) for f in made.findings] == [(Severity.WARNING, "until 2026-07-01: known")]


def test_source_with_none_of_the_files_is_refused_unless_all_are_kept(tmp_path: Path) -> None:
    """An empty claim is a missing input; keys that upstream says are unchanged are not."""
    assert [f.rule for f in proof(tmp_path, {}).findings] == ["job.empty"]
    kept = proof(tmp_path, {}, kept=frozenset({"a"}))
    assert kept.findings == ()
    assert kept.snapshot.kept == {"a"}


def test_file_that_vanished_is_a_source_error(tmp_path: Path) -> None:
    """Bytes that cannot be read are no finding: we could not find out."""
    gone = Claim(FileRule("**", "text"), SourceFile("a", tmp_path / "gone", 1, {}))

    with pytest.raises(SourceError, match="job job: a cannot be read") as caught:
        prove(text_job("job"), (gone,), lambda _: TextKind(), now=START)

    assert caught.value.advice


def test_waiver_for_a_kept_file_is_not_called_unused(tmp_path: Path) -> None:
    """A file that was not looked at says nothing about its waiver; an expired waiver is named all the same."""
    live, old = Waiver("a", "text.bad", "known", date(2027, 1, 1)), Waiver("a", "text.bad", "known", date(2026, 1, 1))
    job = replace(text_job("job"), waivers=(live, old))

    made = proof(tmp_path, {}, job, kept=frozenset({"a"}))

    assert [f.rule for f in made.findings] == ["waiver.expired"]


def test_file_that_grew_since_it_was_listed_is_read_whole(tmp_path: Path) -> None:
    """What is judged, digested and counted are all of its bytes, whatever size was told before."""
    (tmp_path / "file").write_bytes(b"1\n2\n3\n")
    job = text_job("job")
    claims = claim((job,), (SourceFile("a", tmp_path / "file", 2, {}),)).by_job["job"]
    made = prove(job, claims, lambda _: TextKind(), now=START).snapshot.artifacts["a"]
    assert (made.size, made.sha256) == (6, hashlib.sha256(b"1\n2\n3\n").hexdigest())


@pytest.mark.parametrize("told", [0, 1, 5, 6, 7, 100])
def test_file_that_changes_while_it_is_read_is_read_to_its_end(tmp_path: Path, told: int) -> None:
    """Whether it grew or was cut off between the two calls, the bytes are those of one pass."""
    (tmp_path / "file").write_bytes(b"1\n2\n3\n")
    with (tmp_path / "file").open("rb") as file:
        assert proving._whole(file.fileno(), told) == b"1\n2\n3\n"
