"""What every target that keeps its past gives back of it: generations, and exactly the bytes that one of them names."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hubdata.errors import ConfigError, TargetError
from hubdata.model import manifest as manifests
from hubdata.model.manifest import Manifest
from hubdata.model.snapshot import Stats
from hubdata.ports import Archive, Attic
from hubdata.publishing.recall import generation, generations, recall
from hubdata.targets.directory import DirectoryTarget
from hubdata.targets.s3 import S3Target
from tests.support.generations import publish
from tests.support.moto_server import CREDENTIALS, shared
from tests.support.strict_s3 import S3_BUCKET, Fault, StrictS3

Store = DirectoryTarget | S3Target


@pytest.fixture(params=["directory", "moto", "moto-prefix", "strict"])
def target(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Give one empty target of each sort that keeps its past."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    if request.param == "directory":
        yield DirectoryTarget("dir", DirectoryTarget.Options(path=tmp_path / "public"))
    elif request.param == "strict":
        with StrictS3(versioned=True) as store:
            yield S3Target("s3", S3Target.Options(bucket=S3_BUCKET, endpoint_url=store.url))
    else:
        prefix = "a/prefix" if request.param == "moto-prefix" else ""
        bucket = shared().bucket(versioned=True)
        yield S3Target("s3", S3Target.Options(bucket=bucket, endpoint_url=shared().url, prefix=prefix))


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """Give the private directory that files are staged in."""
    path = tmp_path / "staged"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def past(target: Store, tmp_path: Path) -> list[Manifest]:
    """Publish five generations: `a` changes each time, `b` never, `c é` goes and comes back."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    same = {"lists/b": b"same\n"}
    return [
        publish(target, {**same, "lists/a": b"one\n", "lists/c é": b"here\n"}, scratch),
        publish(target, {**same, "lists/a": b"two\n"}, scratch),
        publish(target, {**same, "lists/a": b"one\n", "lists/c é": b"here again\n"}, scratch),
        publish(target, {**same, "empty": b""}, scratch),
        publish(target, {**same, "lists/a": b"five" * 1_000_000}, scratch),
    ]


def test_it_keeps_its_past_and_lets_go_of_it(target: Store) -> None:
    """Who recalls asks for the one, who retires for the other."""
    assert isinstance(target, Archive)
    assert isinstance(target, Attic)


def test_generations_are_told_the_newest_first(target: Store, past: list[Manifest]) -> None:
    """Each as it was published, and no more than were asked for."""
    assert generations(target) == tuple(reversed(past))
    assert generations(target, most=2) == (past[4], past[3])
    assert generations(target, most=1) == (past[4],)
    for manifest in past:
        assert generation(target, manifest.generation) == manifest


def test_a_target_without_publication_has_no_generations(target: Store) -> None:
    """Nothing is created by looking."""
    assert generations(target) == ()
    with pytest.raises(TargetError, match="expected generation 1, found 0"):
        generation(target, 1)
    assert target.listing() == {}


def test_every_file_of_every_generation_comes_back(target: Store, past: list[Manifest], into: Path) -> None:
    """The same bytes, with all that the manifest says of them; whatever has become of the key since."""
    bodies = {b"one\n", b"two\n", b"same\n", b"here\n", b"here again\n", b"", b"five" * 1_000_000}
    by_digest = {hashlib.sha256(body).hexdigest(): body for body in bodies}
    for manifest in past:
        here = into / str(manifest.generation)
        here.mkdir()
        found = recall(target, manifest, manifest.files, here)
        assert found.keys() == manifest.files.keys()
        for key, artifact in found.items():
            entry = manifest.files[key]
            body = artifact.path.read_bytes()
            assert body == by_digest[entry.sha256]
            assert (artifact.key, artifact.size, artifact.sha256) == (key, len(body), entry.sha256)
            assert artifact.md5 == hashlib.md5(body, usedforsecurity=False).hexdigest()
            assert (artifact.kind, artifact.content_type) == ("needle", "text/plain")
            assert (artifact.cache_control, artifact.source) == ("public, max-age=60", entry.source)
            assert artifact.stats == entry.stats != Stats()
            assert artifact.path.parent == here


def test_only_the_keys_asked_for_are_staged(target: Store, past: list[Manifest], into: Path) -> None:
    """One read for each, and nothing written to the target."""
    before = target.requests()
    found = recall(target, past[0], ["lists/a"], into)
    after = target.requests()
    assert [artifact.path.read_bytes() for artifact in found.values()] == [b"one\n"]
    assert len(list(into.iterdir())) == 1
    assert {m: after[m] - before[m] for m in after if after[m] != before[m]} == {"GET": 1}
    assert recall(target, past[0], [], into) == {}


def test_a_key_that_the_generation_never_had_is_refused(target: Store, past: list[Manifest], into: Path) -> None:
    """By its name, before anything is read."""
    with pytest.raises(TargetError, match="generation 2 has no lists/c é"):
        recall(target, past[1], ["lists/a", "lists/c é"], into)
    assert list(into.iterdir()) == []


def test_an_expired_state_refuses_the_whole_generation(target: Store, past: list[Manifest], into: Path) -> None:
    """Naming key, version and generation; nobody gets the rest of it."""
    entry = past[1].files["lists/a"]
    for state in target.past("lists/a"):
        if state.key == "lists/a" and not state.current and state.size == entry.size:
            kept = target.read(state.key, max_bytes=100, version_id=state.version_id)
            if kept is not None and kept.body == b"two\n":
                target.forget(state.key, state.version_id)
    with pytest.raises(TargetError, match=r"generation 2 is no longer whole: .* lists/a ") as caught:
        recall(target, past[1], past[1].files, into)
    assert entry.version_id is None or entry.version_id in str(caught.value)
    assert "nothing was written" in caught.value.advice
    assert set(recall(target, past[0], past[0].files, _beside(into))) == set(past[0].files)


def test_other_bytes_are_not_passed_off_as_the_old_ones(target: Store, past: list[Manifest], into: Path) -> None:
    """The manifest's SHA-256 decides, even where size and ETag are right."""
    wrong = replace(past[0].files["lists/a"], sha256="0" * 64)
    lying = replace(past[0], files={**past[0].files, "lists/a": wrong})
    with pytest.raises(TargetError, match="generation 1 is no longer whole"):
        recall(target, lying, ["lists/a", "lists/b"], into)


def test_a_state_is_found_where_the_manifest_names_no_version(target: Store, past: list[Manifest], into: Path) -> None:
    """As of files that lay there before the first publication: by ETag and size."""
    entry = replace(past[1].files["lists/a"], version_id=None)
    nameless = replace(past[1], files={"lists/a": entry})
    found = recall(target, nameless, ["lists/a"], into)
    assert found["lists/a"].path.read_bytes() == b"two\n"


def test_a_full_disk_is_told_as_such(
    target: Store, past: list[Manifest], into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the spool that is full, not the target that fails."""
    monkeypatch.setattr("hubdata.publishing.recall._Staged.finished", _full)
    with pytest.raises(ConfigError, match=r"spool .* cannot be used"):
        recall(target, past[0], past[0].files, into)


def _full(staged: object) -> tuple[int, str, str]:
    with staged._explained():  # type: ignore[attr-defined]
        raise OSError(28, "No space left on device")


def test_what_is_no_manifest_is_passed_over(target: Store, past: list[Manifest]) -> None:
    """Somebody wrote rubbish there once, and somebody else put the manifest back."""
    held = target.stat(manifests.KEY)
    assert held is not None
    kwargs = {"content_type": "", "cache_control": ""}
    held = target.write(manifests.KEY, b"rubbish", **kwargs, if_etag=held.etag)
    again = replace(past[4], generation=6, published_at="2026-01-06T00:00:00Z")
    target.write(manifests.KEY, again.to_bytes(), **kwargs, if_etag=held.etag)
    assert [each.generation for each in generations(target)] == [6, 5, 4, 3, 2, 1]
    assert [generation(target, number).generation for number in range(1, 7)] == [1, 2, 3, 4, 5, 6]


def test_generations_that_began_anew_are_found_all_the_same(target: Store, tmp_path: Path) -> None:
    """Somebody removed the manifest: numbers begin again at 1, and the older ones are still there to be found."""
    for body in (b"1", b"2", b"3", b"4"):
        publish(target, {"a": body}, tmp_path)
    target.delete(manifests.KEY)
    target.delete("a")
    newest = publish(target, {"a": b"5"}, tmp_path)
    assert generation(target, 1) == newest
    second = publish(target, {"a": b"6"}, tmp_path)
    assert generation(target, 2) == second
    assert [each.generation for each in generations(target)] == [2, 1, 4, 3]


def test_a_broken_read_is_tried_again(into: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that stumbles once costs no generation; one that refuses is named with the permission it wants."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with StrictS3(versioned=True) as store:
        target = S3Target("s3", S3Target.Options(bucket=S3_BUCKET, endpoint_url=store.url))
        manifest = publish(target, {"a": b"one"}, tmp_path)
        store.faults.append(Fault("GET", 503, "SlowDown"))
        assert recall(target, manifest, ["a"], into)["a"].path.read_bytes() == b"one"
        store.faults += [Fault("GET", 403, "AccessDenied")]
        with pytest.raises(TargetError) as caught:
            recall(target, manifest, ["a"], _beside(into))
        assert "s3:GetObjectVersion" in caught.value.advice


def test_a_bucket_without_versions_gives_back_the_present_alone(
    into: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has overwritten is gone, and that is said."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    target = S3Target("s3", S3Target.Options(bucket=shared().bucket(), endpoint_url=shared().url))
    first = publish(target, {"a": b"1", "b": b"same"}, tmp_path)
    second = publish(target, {"a": b"2", "b": b"same"}, tmp_path)
    assert generations(target) == (second,)
    with pytest.raises(TargetError, match="generation 1 is wanted, 2 is published"):
        generation(target, 1)
    with pytest.raises(TargetError, match="a \\(ETag "):
        recall(target, first, first.files, into)
    assert set(recall(target, second, second.files, _beside(into))) == {"a", "b"}


def _beside(into: Path) -> Path:
    path = into.with_name("staged-again")
    path.mkdir(mode=0o700)
    return path
