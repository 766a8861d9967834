"""Attacks on a signed manifest, each by its name: what must be refused, and what is only a moment's disorder."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.model.manifest import Manifest
from hubdata.signing.comment import Claim, claim, comment
from hubdata.signing.minisign import Signature
from hubdata.signing.secret_key import SecretKey
from hubdata.signing.verify import MAX_MANIFEST_BYTES, Judged, judge
from tests.unit.signing.keys_for_tests import secret

OLD, NEW, FOREIGN = secret(1), secret(2), secret(3)


def published(generation: int, key: SecretKey = OLD, run_id: str = "r") -> tuple[bytes, bytes]:
    """Return a manifest and its signature, as they lie at a target."""
    body = Manifest(generation, "2026-07-01T12:00:00Z", run_id).to_bytes()
    said = comment(generation, "2026-07-01T12:00:00Z", "manifest.json")
    return body, key.sign(body, trusted_comment=said).to_bytes()


BODY, SIGNATURE = published(12)


def rules(judged: Judged) -> list[str]:
    """Return what was found; whoever finds something vouches for nothing."""
    assert bool(judged.findings) == (judged.manifest is None)
    return [finding.rule for finding in judged.findings]


def test_a_manifest_and_its_signature_are_accepted() -> None:
    """And the key is named that made it."""
    judged = judge(BODY, SIGNATURE, [FOREIGN.public, OLD.public], min_generation=12)
    assert rules(judged) == []
    assert (judged.key, judged.manifest) == (OLD.public, Manifest(12, "2026-07-01T12:00:00Z", "r"))


def test_a_manifest_without_a_signature_is_refused() -> None:
    """Otherwise an attacker would leave it out. A cache may have kept its absence, so it is looked for again."""
    judged = judge(BODY, None, [OLD.public])
    assert (rules(judged), judged.passing) == (["signature.missing"], True)


@settings(max_examples=100)
@given(at=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7))
def test_a_tampered_manifest_is_refused(at: int, bit: int) -> None:
    """Whichever bit was flipped."""
    changed = BODY[:at] + bytes([BODY[at] ^ 1 << bit]) + BODY[at + 1 :]
    assert set(rules(judge(changed, SIGNATURE, [OLD.public]))) <= {"signature.mismatch", "signature.other-generation"}
    assert judge(changed, SIGNATURE, [OLD.public]).findings


@given(end=st.integers(0, len(BODY) - 1))
def test_a_truncated_manifest_is_refused(end: int) -> None:
    """However much is missing."""
    assert rules(judge(BODY[:end], SIGNATURE, [OLD.public])) == ["signature.mismatch"]


@given(end=st.integers(0, len(SIGNATURE) - 2))
def test_a_truncated_signature_is_refused(end: int) -> None:
    """However much is missing."""
    assert judge(BODY, SIGNATURE[:end], [OLD.public]).findings


def test_a_signature_of_another_file_is_refused_even_with_that_file() -> None:
    """Signed by the right key, but as something else: SHA256SUMS is no manifest."""
    sums = b"0" * 64 + b"  a\n"
    swapped = OLD.sign(sums, trusted_comment=comment(12, "", "SHA256SUMS")).to_bytes()
    assert rules(judge(BODY, swapped, [OLD.public])) == ["signature.other-file"]
    assert rules(judge(sums, swapped, [OLD.public])) == ["signature.other-file"]


def test_what_was_signed_is_a_manifest_or_nothing() -> None:
    """A key may be used for other things as well."""
    signature = OLD.sign(b"[]", trusted_comment="timestamp:1").to_bytes()
    assert rules(judge(b"[]", signature, [OLD.public])) == ["signature.other-file"]


def test_an_older_manifest_is_refused_by_whoever_saw_a_newer_one() -> None:
    """A roll-back has a good signature: only memory helps."""
    older = published(11)
    assert rules(judge(*older, [OLD.public])) == []
    judged = judge(*older, [OLD.public], min_generation=12)
    assert (rules(judged), judged.passing) == (["signature.rolled-back"], False)


@pytest.mark.parametrize(("manifest", "signature"), [(12, 11), (11, 12)])
def test_a_pair_of_two_moments_is_told_from_an_attack(manifest: int, signature: int) -> None:
    """Between two writes, or behind two caches, one of them is new and one is old: fetching both again helps."""
    judged = judge(published(manifest)[0], published(signature)[1], [OLD.public])
    assert (rules(judged), judged.passing) == (["signature.other-generation"], True)
    assert f"generation {manifest}" in judged.findings[0].message
    assert f"generation {signature}" in judged.findings[0].message


def test_a_forged_comment_does_not_make_an_attack_look_like_a_moment() -> None:
    """Only a comment that is authentic is believed when a pair does not fit."""
    old = published(11)[1].replace(b"generation:11", b"generation:10")
    judged = judge(BODY, old, [OLD.public])
    assert (rules(judged), judged.passing) == (["signature.mismatch"], False)


def test_a_changed_comment_beside_a_good_signature_is_refused() -> None:
    """It is signed too."""
    changed = SIGNATURE.replace(b"generation:12", b"generation:13")
    assert rules(judge(BODY, changed, [OLD.public])) == ["signature.comment"]


def test_the_signed_comment_must_be_of_the_manifests_own_generation() -> None:
    """A publisher that signs the wrong thing is caught by the first reader."""
    signature = OLD.sign(BODY, trusted_comment=comment(13, "", "manifest.json")).to_bytes()
    assert rules(judge(BODY, signature, [OLD.public], min_generation=13)) == ["signature.other-generation"]


def test_a_key_that_nobody_named_is_refused() -> None:
    """With its own id, and with one that is claimed."""
    assert rules(judge(*published(12, FOREIGN), [OLD.public, NEW.public])) == ["signature.unknown-key"]
    assert rules(judge(BODY, SIGNATURE, [])) == ["signature.unknown-key"]
    impostor = SecretKey(OLD.id, FOREIGN.seed, FOREIGN.key)
    assert rules(judge(*published(12, impostor), [OLD.public])) == ["signature.mismatch"]


def test_two_keys_with_one_id_are_both_tried() -> None:
    """Ids are eight bytes that anybody may claim: the key decides."""
    twin = SecretKey(OLD.id, FOREIGN.seed, FOREIGN.key)
    assert rules(judge(BODY, SIGNATURE, [twin.public, OLD.public])) == []


def test_old_and_new_key_are_good_during_a_rotation_and_the_new_one_alone_after() -> None:
    """Verifiers take both keys first, then the publisher changes, then they drop the old one."""
    both = [OLD.public, NEW.public]
    assert rules(judge(*published(12, OLD), both)) == rules(judge(*published(13, NEW), both)) == []
    assert rules(judge(*published(13, NEW), [NEW.public])) == []
    assert rules(judge(*published(12, OLD), [NEW.public])) == ["signature.unknown-key"]


@pytest.mark.parametrize("said", ["timestamp:1\tfile:manifest.json\thashed", "whatever somebody wrote", ""])
def test_a_signature_made_by_hand_with_minisign_is_accepted(said: str) -> None:
    """Its comment has no generation; the manifest's own is signed all the same."""
    signature = OLD.sign(BODY, trusted_comment=said).to_bytes()
    assert rules(judge(BODY, signature, [OLD.public], min_generation=12)) == []
    assert rules(judge(BODY, signature, [OLD.public], min_generation=13)) == ["signature.rolled-back"]


def test_what_is_too_large_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither file may cost a reader more than hubdata's own would."""
    assert rules(judge(BODY, SIGNATURE + b"x" * 20_000, [OLD.public])) == ["signature.oversize"]
    assert MAX_MANIFEST_BYTES > 100_000_000
    monkeypatch.setattr("hubdata.signing.verify.MAX_MANIFEST_BYTES", 10)
    assert rules(judge(BODY, SIGNATURE, [OLD.public])) == ["signature.oversize"]


def test_a_manifest_nobody_vouches_for_cannot_hurt_the_judge() -> None:
    """Of a pair that does not fit, the manifest is looked into, whatever it is."""
    for body in (b"[" * 100_000, b'{"generation": ' + b"9" * 5000 + b"}", b'{"generation": true}', b"\xff", b"1"):
        assert rules(judge(body, SIGNATURE, [OLD.public])) == ["signature.mismatch"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (comment(7, "2026-07-01T12:00:00Z", "manifest.json"), Claim(7, "manifest.json")),
        ("", Claim()),
        ("generation:x", Claim(-1)),
        ("generation:-1", Claim(-1)),
        ("generation:1\tgeneration:2", Claim(-1)),
        ("generation:" + "9" * 30, Claim(-1)),
        ("generation:\u0661", Claim(-1)),
        ("file:a:b", Claim(None, "a:b")),
    ],
)
def test_claims_are_read_strictly(text: str, found: Claim) -> None:
    """A number that can be read in two ways is none, and then no manifest is of that generation."""
    assert claim(text) == found


def test_the_comment_is_the_moment_of_publication() -> None:
    """A signature that is made anew says the same; one for a manifest with a strange date says 1970."""
    assert comment(7, "2026-07-01T12:00:00Z", "f") == "generation:7\ttimestamp:1782907200\tfile:f\thashed"
    assert comment(7, "yesterday", "f") == "generation:7\ttimestamp:0\tfile:f\thashed"
    assert Signature.parse(SIGNATURE).trusted_comment == comment(12, "2026-07-01T12:00:00Z", "manifest.json")
