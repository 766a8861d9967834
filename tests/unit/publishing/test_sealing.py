"""Seals: whatever happens to a run, readers find a signature that fits, or one that says that it does not yet."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from hubdata.errors import Exit, TargetError
from hubdata.model.manifest import Manifest
from hubdata.model.run import Outcome, RunResult
from hubdata.publishing import ledger
from hubdata.publishing.sealing import PENDING, Sealer
from hubdata.signing.keys import Signer, SignSpec
from hubdata.signing.secret_key import SecretKey, key_file
from hubdata.signing.verify import Judged, judge
from tests.simulator.wire import Killed, When
from tests.simulator.world import World, text_job
from tests.unit.signing.keys_for_tests import secret

OLD, NEW, FOREIGN = secret(1), secret(2), secret(3)
FILES = {"a.txt": b"one\n", "b.txt": b"two\n"}
SEAL = ("manifest.json.minisig", "SHA256SUMS", "SHA256SUMS.minisig")


def sealer(key: SecretKey, *earlier: SecretKey) -> Sealer:
    """Return what seals with `key`."""
    spec = SignSpec(key.public, tuple(each.public for each in earlier))
    return Sealer(Signer(spec, {"HUBDATA_SIGNING_KEY": key_file(key)}))


def with_no_key() -> Sealer:
    """Return what would seal with the old key, were there one."""
    return Sealer(Signer(SignSpec(OLD.public), {}))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a signed world with one target, and something to publish."""
    return signed_world(tmp_path)


def signed_world(tmp_path: Path, *, silent_cdn: bool = False) -> World:
    """Return a world that signs with the old key."""
    world = World(tmp_path, sealer=sealer(OLD))
    world.add_target(silent_cdn=silent_cdn)
    world.add_job(replace(text_job("texts"), prune=True), FILES)
    return world


def judged(world: World, *keys: SecretKey, name: str = "manifest.json") -> Judged:
    """Return what a reader with these keys finds."""
    store = world.targets["memory"]
    assert name == "manifest.json"
    public = [key.public for key in keys or (OLD,)]
    return judge(store.body(name) or b"", store.body(f"{name}.minisig"), public)


def whole(world: World, *keys: SecretKey) -> bool:
    """Tell whether all of a seal is there and right."""
    store, manifest = world.targets["memory"], world.manifest()
    lines = [f"{entry.sha256}  {key}\n" for key, entry in sorted(manifest.files.items())]
    sums = store.body("SHA256SUMS") or b""
    known = Signer(SignSpec(*((keys or (OLD,))[0].public,)), {}).knows(sums, store.body("SHA256SUMS.minisig") or b"")
    return not judged(world, *keys).findings and sums == "".join(lines).encode() and known


def calls_of(world: World, before: int) -> list[str]:
    """Return the calls since `before`, without the target's name."""
    return [str(call).partition(" ")[2] for call in world.wire.calls[before:]]


def outcome(result: RunResult) -> tuple[Exit, Outcome]:
    """Return how a run of one job ended."""
    return result.exit_code, result.jobs[0].outcome


def test_a_publication_is_sealed_after_its_swap_and_the_cdn_told_of_all(world: World) -> None:
    """The private signature comes first, then the swap, then what readers see, then the CDN."""
    assert outcome(world.run()) == (Exit.FINE, Outcome.PUBLISHED)

    written = [e.call.key for e in world.wire.effects if e.call.method == "PUT"]
    own = [key for key in written if key not in FILES and key not in (".hubdata/lease.json", ".hubdata/receipts.json")]
    assert own == [PENDING, "manifest.json", *SEAL]
    told = world.wire.effects[-1].paths or [e.paths for e in world.wire.effects if e.paths][-1]
    assert set(told) == {"/manifest.json", *(f"/{key}" for key in (*SEAL, *FILES))}
    assert whole(world)
    assert world.untold() == set()
    headers = world.targets["memory"].versions["manifest.json.minisig"][-1].headers
    assert headers["content_type"].startswith("text/plain")
    assert headers["cache_control"].startswith("public, max-age=60")
    assert "no-store" in world.targets["memory"].versions[PENDING][-1].headers["cache_control"]


def test_an_unchanged_run_sends_three_requests_and_opens_no_key(world: World) -> None:
    """The ledger has the seal's ETags, and the listing those of today."""
    world.run()
    world.sealer = with_no_key()
    before = len(world.wire.calls)

    assert outcome(world.run()) == (Exit.FINE, Outcome.UNCHANGED)
    assert sorted(calls_of(world, before)) == ["GET .hubdata/receipts.json", "GET manifest.json", "LIST"]


def test_a_run_that_cannot_open_its_key_writes_nothing(world: World) -> None:
    """Neither data nor lease: nothing is published unsigned where signatures are promised."""
    world.sealer = with_no_key()

    result = world.run()

    assert result.exit_code is Exit.CONFIG
    assert world.wire.effects == []
    problem = result.jobs[0].targets[0].problem
    assert problem is not None
    assert "there is no key to sign with" in problem.message


def _calls_of_one_run(tmp_path: Path, silent_cdn: bool) -> int:
    world = signed_world(tmp_path, silent_cdn=silent_cdn)
    world.run()
    world.sources["texts"].files = {"b.txt": b"new\n", "z.txt": b"z\n"}
    before = len(world.wire.calls)
    world.run()
    return len(world.wire.calls) - before


@pytest.mark.parametrize("silent_cdn", [False, True], ids=["cdn", "no-cdn"])
@pytest.mark.parametrize("when", list(When))
def test_a_crash_at_any_call_is_mended_by_the_next_run(tmp_path: Path, when: When, silent_cdn: bool) -> None:
    """Meanwhile readers find a pair that fits or says of itself that it is of two moments; then all is whole again.

    The run after that changes nothing, and a run that mends has nothing of the data to write.
    """
    total = _calls_of_one_run(tmp_path, silent_cdn)
    assert total >= 14
    for number in range(total):
        world = signed_world(tmp_path, silent_cdn=silent_cdn)
        store = world.targets["memory"]
        world.run()
        world.sources["texts"].files = {"b.txt": b"new\n", "z.txt": b"z\n"}
        world.wire.kill_at(len(world.wire.calls) + number, when)
        with pytest.raises(Killed):
            world.run()
        died_at = f"{when} {world.wire.calls[-1]}"
        found = judged(world)
        assert found.passing or not found.findings, died_at
        world.wire.revive()

        assert world.run().exit_code is Exit.FINE, died_at
        assert whole(world), died_at
        assert store.public() == world.sources["texts"].files, died_at
        assert [store.writes(key) for key in ("b.txt", "z.txt")] == [2, 1], died_at
        assert world.manifest().generation == 2, died_at
        if not silent_cdn:
            assert world.untold() == set(), died_at
        world.sealer = with_no_key()
        before = len(world.wire.calls)
        assert outcome(world.run()) == (Exit.FINE, Outcome.UNCHANGED), died_at
        assert len(calls_of(world, before)) == 3, died_at


@pytest.mark.parametrize("key", SEAL)
@pytest.mark.parametrize("lost", [True, False], ids=["deleted", "overwritten"])
def test_a_seal_that_somebody_broke_is_mended_without_a_new_generation(world: World, key: str, lost: bool) -> None:
    """A listing shows it; the run that finds it writes that file alone, and tells the CDN."""
    world.run()
    store = world.targets["memory"]
    good = {each: store.body(each) for each in (*SEAL, "manifest.json")}
    if lost:
        store.lose(key)
    else:
        store.seed(key, b"something else\n")
    before = len(world.wire.effects)

    assert world.run().exit_code is Exit.FINE

    assert {each: store.body(each) for each in good} == good
    public = [e.call.key for e in world.wire.effects[before:] if not e.call.key.startswith(".hubdata/") and not e.paths]
    assert public == [key]
    assert any(f"/{key}" in e.paths for e in world.wire.effects[before:])
    before = len(world.wire.calls)
    world.run()
    assert len(calls_of(world, before)) == 3


def test_a_manifest_that_somebody_else_wrote_is_neither_signed_nor_built_upon(world: World) -> None:
    """Whoever can write the bucket has not the key; the run stops before it writes, and says how to go on."""
    world.run()
    store, manifest = world.targets["memory"], world.manifest()
    entry = replace(manifest.files["a.txt"], job="theirs")
    forged = replace(manifest, files={**manifest.files, "evil.txt": entry}).to_bytes()
    store.seed("manifest.json", forged)
    for files in ({**FILES, "c.txt": b"three\n"}, FILES):
        world.sources["texts"].files = files
        before = len(world.wire.effects)

        result = world.run()

        assert result.exit_code is Exit.TARGET
        problem = result.jobs[0].targets[0].problem
        assert problem is not None
        assert "is not what was signed with 0000000000000001" in problem.message
        assert f"delete manifest.json.minisig and {PENDING}" in problem.advice
        lease_only = {e.call.key for e in world.wire.effects[before:]}
        assert lease_only <= {".hubdata/lease.json"}
        assert store.body("manifest.json") == forged
    assert judged(world).findings[0].rule == "signature.mismatch"


def test_deleting_both_signatures_begins_anew(world: World) -> None:
    """An act of the operator's: what is there then is taken as it is, and signed."""
    world.run()
    store = world.targets["memory"]
    store.seed("manifest.json", replace(world.manifest(), run_id="restored").to_bytes())
    store.lose("manifest.json.minisig")
    store.lose(PENDING)

    assert world.run().exit_code is Exit.FINE

    assert whole(world)
    assert world.manifest().run_id == "restored"


def test_signing_can_begin_at_a_target_that_was_never_signed(world: World) -> None:
    """The next run signs what is public, though nothing changed: same generation, same bytes."""
    world.sealer = None
    world.run()
    before = world.targets["memory"].body("manifest.json")
    assert world.targets["memory"].body("SHA256SUMS") is None
    world.sealer = sealer(OLD)

    assert outcome(world.run())[0] is Exit.FINE

    assert whole(world)
    assert world.targets["memory"].body("manifest.json") == before


def test_a_new_key_signs_at_the_next_run_and_readers_with_both_never_notice(world: World) -> None:
    """The rotation of docs/signing.md, step by step."""
    world.run()
    assert not judged(world, OLD, NEW).findings

    world.sealer = sealer(NEW, OLD)
    world.run()
    assert not judged(world, OLD, NEW).findings
    assert judged(world, NEW).key == NEW.public
    assert judged(world, OLD).findings[0].rule == "signature.unknown-key"
    assert whole(world, NEW)
    assert world.manifest().generation == 1

    world.sealer = sealer(NEW)
    world.sources["texts"].files = {**FILES, "c.txt": b"three\n"}
    assert outcome(world.run()) == (Exit.FINE, Outcome.PUBLISHED)
    assert whole(world, NEW)


def test_a_new_key_that_does_not_name_the_old_one_is_refused(world: World) -> None:
    """Otherwise whoever can write the bucket could pass off any manifest as one from before the change."""
    world.run()
    world.sealer = sealer(NEW)
    assert world.run().exit_code is Exit.TARGET
    assert not judged(world, OLD).findings


def test_a_run_without_a_key_at_a_signed_target_is_noticed(world: World) -> None:
    """It leaves a manifest that nobody signed, which the next run with a key will not build upon."""
    world.run()
    world.sealer = None
    world.sources["texts"].files = {"b.txt": b"two\n"}
    world.run()
    world.sealer = sealer(OLD)

    assert world.run().exit_code is Exit.TARGET
    assert judged(world).passing  # of two moments, as its comment says


@pytest.mark.parametrize("key", SEAL)
def test_a_store_that_refuses_the_seal_does_not_keep_the_cdn_from_being_told(world: World, key: str) -> None:
    """What is published is told; the run says what it lacks and ends with 6, and the next one mends it."""
    world.wire.fail("PUT", key, error=TargetError("no room", advice="make some"))

    result = world.run()

    assert outcome(result) == (Exit.TARGET, Outcome.FAILED)
    problem = result.jobs[0].targets[0].problem
    assert problem is not None
    assert (problem.message, problem.advice) == (
        "published, but not sealed: no room",
        "make some; the next run seals it",
    )
    assert "manifest.json" not in world.untold()
    assert outcome(world.run())[0] is Exit.FINE
    assert whole(world)
    assert world.untold() == set()


def test_a_lost_answer_to_a_seals_write_is_no_failure(world: World) -> None:
    """The write had its effect: reading it back says so."""
    for key in (*SEAL, PENDING):
        world.wire.fail("PUT", key, error=TargetError("reset", retryable=True), when=When.AFTER)
    assert world.run().exit_code in (Exit.FINE, Exit.TARGET)
    world.wire.revive()
    assert world.run().exit_code is Exit.FINE
    assert whole(world)


def test_a_cdn_that_refuses_is_told_when_it_can_be(world: World) -> None:
    """The receipt stays open with the seal's paths in it; nothing is sealed twice."""
    from hubdata.errors import CdnError

    world.wire.fail("INVALIDATE", error=CdnError("busy"), times=2)
    assert world.run().exit_code is Exit.CDN_PENDING
    assert world.run().exit_code is Exit.CDN_PENDING
    assert world.run().exit_code is Exit.FINE
    store = world.targets["memory"]
    assert [store.writes(key) for key in SEAL] == [1, 1, 1]
    assert world.untold() == set()
    before = len(world.wire.calls)
    world.run()
    assert len(calls_of(world, before)) == 3


def test_a_cdn_that_refuses_a_mended_seal_is_told_later(world: World) -> None:
    """The mending has a receipt of its own."""
    from hubdata.errors import CdnError

    world.run()
    world.targets["memory"].lose("SHA256SUMS")
    world.wire.fail("INVALIDATE", error=CdnError("busy"))
    world.run()
    assert ledger.read(world.targets["memory"]).open
    assert world.run().exit_code is Exit.FINE
    assert world.untold() == set()
    assert ledger.read(world.targets["memory"]).open == ()


def test_sums_alone_need_no_key(tmp_path: Path) -> None:
    """`sha256sums = true` without [sign]: one file more, and nothing else."""
    world = World(tmp_path, sealer=Sealer())
    world.add_target()
    world.add_job(text_job("texts"), FILES)
    world.run()
    store = world.targets["memory"]
    digests = {key: hashlib.sha256(body).hexdigest() for key, body in FILES.items()}
    assert store.body("SHA256SUMS") == "".join(f"{digests[key]}  {key}\n" for key in sorted(FILES)).encode()
    assert [store.body(key) for key in ("manifest.json.minisig", "SHA256SUMS.minisig", PENDING)] == [None] * 3
    before = len(world.wire.calls)
    world.run()
    assert len(calls_of(world, before)) == 3


def test_sums_that_stay_the_same_are_not_written_again(world: World) -> None:
    """A generation in which no byte of the data changed (a file is named by another job) has the same digests."""
    world.run()
    store = world.targets["memory"]
    now = Manifest.from_bytes(store.body("manifest.json") or b"")
    assert [store.writes(key) for key in SEAL] == [1, 1, 1]
    store.lose(".hubdata/receipts.json")  # what was sealed is forgotten, and found to be right
    before = len(world.wire.calls)
    world.run()
    assert "INVALIDATE" not in {call.method for call in world.wire.calls[before:]}
    assert [store.writes(key) for key in SEAL] == [1, 1, 1]
    assert world.manifest() == now


def test_a_ledger_of_an_older_hubdata_has_no_seal_and_stays_readable(world: World) -> None:
    """It is written by whichever version comes by; a seal that it drops is looked at again."""
    world.run()
    store = world.targets["memory"]
    body = store.body(".hubdata/receipts.json") or b""
    head, _, _ = body.partition(b',\n "seal"')
    store.seed(".hubdata/receipts.json", head + b"\n}\n")
    assert ledger.read(store).seal is None
    assert world.run().exit_code is Exit.FINE
    assert ledger.read(store).seal is not None


@pytest.mark.parametrize("seal", ["[]", '{"manifest": "x"}', '{"manifest": "x", "signed_by": "y", "files": []}'])
def test_a_ledger_with_a_broken_seal_is_refused_as_any_other_broken_ledger(world: World, seal: str) -> None:
    """Somebody else wrote it: a person looks at it."""
    store = world.targets["memory"]
    store.seed(".hubdata/receipts.json", f'{{"open": [], "closed": [], "seal": {seal}}}'.encode())
    with pytest.raises(TargetError, match="is not a ledger"):
        ledger.read(store)
