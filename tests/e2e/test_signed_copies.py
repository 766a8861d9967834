"""`hubdata verify` with keys: of the public copy over both families, and of a copy on disk. Attacks have names."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hubdata.model.manifest import Manifest
from hubdata.signing.comment import comment
from hubdata.signing.secret_key import SecretKey, key_file
from tests.support.command import Ended, hubdata
from tests.support.nginx import Cdn, cdn_before, needs_nginx
from tests.support.small_world import GOOD, NEW, SmallWorld
from tests.unit.signing.keys_for_tests import secret

OLD, NEW_KEY, FOREIGN = secret(1), secret(2), secret(3)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    """Return a world whose second generation is public, signed with the old key; the first one lies beside it."""
    small = SmallWorld.create(tmp_path_factory.mktemp("signed") / "world")
    settings = (small.root / "hubdata.toml").read_text()
    small.write("hubdata.toml", f'{settings}[sign]\npublic_key = "{OLD.public.text}"\n')
    publish(small)
    shutil.copytree(small.root / "mirror", small.root / "first")
    small.repo.commit({GOOD: NEW})
    publish(small)
    return small


@pytest.fixture
def signed(published: SmallWorld, tmp_path: Path) -> SmallWorld:
    """Return that world to do with what one likes; its repository is the others' too."""
    root = tmp_path / "world"
    for place in ("mirror", "first", "jobs", "data"):
        shutil.copytree(published.root / place, root / place)
    shutil.copy(published.root / "hubdata.toml", root)
    return SmallWorld(root, published.repo)


def publish(small: SmallWorld, key: SecretKey = OLD) -> None:
    """Publish what the world's sources hold."""
    ended = small.sync(env={"HUBDATA_SIGNING_KEY": key_file(key)})
    assert ended.code == 0, ended.stdout + ended.stderr


def on_disk(small: SmallWorld, *flags: str, key: SecretKey = OLD, place: str = "mirror") -> Ended:
    """Return what is said of a copy on disk, with the network out of reach and no settings."""
    files = ("--manifest", f"{place}/manifest.json", "--dir", place)
    return hubdata(
        "verify",
        *files,
        "--pubkey",
        key.public.text,
        "--format",
        "json",
        *flags,
        cwd=small.root,
        env={"HUBDATA_CONFIG": ""},
    )


def rules(ended: Ended) -> set[tuple[str, str]]:
    """Return key and rule of all findings."""
    assert "Traceback" not in ended.stderr
    assert ended.json["exit_code"] == ended.code
    return {(finding["key"], finding["rule"]) for finding in ended.json["findings"]}


def test_a_copy_on_disk_is_confirmed_file_by_file(signed: SmallWorld) -> None:
    """Each file that the signed manifest names is there, as it says; with no settings and no network."""
    ended = on_disk(signed, "--min-generation", "2")

    assert (ended.code, rules(ended)) == (0, set())
    assert len(ended.json["files"]) == 4
    assert "signed by 0000000000000001: generation 2" in ended.json["notices"][0]
    text = hubdata("verify", "--manifest", "mirror/manifest.json", "--pubkey", OLD.public.text, cwd=signed.root)
    assert text.code == 0
    assert "signed by 0000000000000001" in text.stdout


def tamper(small: SmallWorld) -> None:
    """Exchange a digest in the manifest."""
    small.edit("mirror/manifest.json", '"job": "words"', '"job": "other"')


def cut(small: SmallWorld) -> None:
    """Cut the manifest off."""
    path = small.root / "mirror/manifest.json"
    path.write_bytes(path.read_bytes()[:-100])


def swap(small: SmallWorld) -> None:
    """Put another signature of the publisher's there."""
    shutil.copy(small.root / "mirror/SHA256SUMS.minisig", small.root / "mirror/manifest.json.minisig")


def split(small: SmallWorld) -> None:
    """Leave the signature of the generation before."""
    shutil.copy(small.root / "first/manifest.json.minisig", small.root / "mirror/manifest.json.minisig")


def resign(small: SmallWorld) -> None:
    """Sign a forged manifest with a key of one's own."""
    body = Manifest.from_bytes((small.root / "mirror/manifest.json").read_bytes()).to_bytes()
    made = FOREIGN.sign(body, trusted_comment=comment(2, "", "manifest.json"))
    small.write("mirror/manifest.json.minisig", made.to_bytes())


def change_comment(small: SmallWorld) -> None:
    """Say another generation in the trusted comment."""
    small.edit("mirror/manifest.json.minisig", "generation:2", "generation:3")


def garble(small: SmallWorld) -> None:
    """Put a page there in place of the signature."""
    small.write("mirror/manifest.json.minisig", "<html>Sign in</html>\n")


def swell(small: SmallWorld) -> None:
    """Let the signature never end."""
    small.write("mirror/manifest.json.minisig", b"x" * 1_000_000)


ATTACKS = pytest.mark.parametrize(
    ("attack", "rule"),
    [
        (tamper, "signature.mismatch"),
        (cut, "signature.mismatch"),
        (swap, "signature.other-file"),
        (split, "signature.other-generation"),
        (resign, "signature.unknown-key"),
        (change_comment, "signature.comment"),
        (garble, "signature.malformed"),
        (swell, "signature.oversize"),
    ],
    ids=lambda each: each if isinstance(each, str) else each.__name__,
)
Attack = Callable[[SmallWorld], None]


@ATTACKS
def test_a_copy_on_disk_that_was_attacked_is_refused(signed: SmallWorld, attack: Attack, rule: str) -> None:
    """By its name, with exit code 3; and no file is looked at, for the manifest says nothing then."""
    attack(signed)
    ended = on_disk(signed)
    assert (ended.code, rules(ended)) == (3, {("manifest.json", rule)})
    assert len(ended.json["files"]) == 1


def test_a_copy_of_the_past_is_refused_by_whoever_has_seen_more(signed: SmallWorld) -> None:
    """It is whole and signed; only the number says that it is old."""
    assert on_disk(signed, place="first").code == 0
    ended = on_disk(signed, "--min-generation", "2", place="first")
    assert (ended.code, rules(ended)) == (3, {("manifest.json", "signature.rolled-back")})


def test_files_of_a_copy_that_are_not_what_was_published_are_named(signed: SmallWorld) -> None:
    """Changed, longer, missing, or a link to somewhere else."""
    mirror = signed.root / "mirror"
    (mirror / GOOD).write_bytes(NEW[:-1] + b"x")
    (mirror / "lists/other.txt").unlink()
    words = mirror / "words/probes.txt"
    words.rename(signed.root / "elsewhere")
    words.symlink_to(signed.root / "elsewhere")

    ended = on_disk(signed)

    assert ended.code == 3
    found = {(GOOD, "mirror.bytes"), ("lists/other.txt", "mirror.missing"), ("words/probes.txt", "mirror.missing")}
    assert rules(ended) == found
    words.unlink()
    words.write_bytes((signed.root / "elsewhere").read_bytes() + b"more\n")
    assert ("words/probes.txt", "mirror.bytes") in rules(on_disk(signed))


def test_two_keys_are_taken_during_a_rotation(signed: SmallWorld) -> None:
    """The old one and the new one; each alone is only good for its own signatures."""
    assert on_disk(signed, "--pubkey", NEW_KEY.public.text).code == 0
    assert on_disk(signed, key=NEW_KEY).code == 3
    signed.edit("hubdata.toml", OLD.public.text, NEW_KEY.public.text)
    signed.write("hubdata.toml", (signed.root / "hubdata.toml").read_text() + f'earlier_keys = ["{OLD.public.text}"]\n')
    publish(signed, NEW_KEY)
    signed.write("new.pub", NEW_KEY.public.file)
    assert on_disk(signed, "--pubkey", "new.pub").code == 0
    assert on_disk(signed, key=NEW_KEY).code == 0


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--manifest", "mirror/manifest.json"), "wants --pubkey"),
        (("--min-generation", "3"), "without --pubkey"),
        (("--dir", "mirror"), "name its manifest"),
        (("--pubkey", "RWQ", "--manifest", "mirror/manifest.json"), "expected a public key"),
        (("--pubkey", OLD.public.text, "--manifest", "none.json"), "none.json cannot be read"),
        (("--pubkey", OLD.public.text, "--manifest", "mirror/manifest.json", "--dir", "none"), "no such directory"),
    ],
)
def test_flags_that_make_no_sense_are_told(signed: SmallWorld, flags: tuple[str, ...], said: str) -> None:
    """With exit code 2, before anything is looked at."""
    ended = hubdata("verify", *flags, cwd=signed.root)
    assert ended.code == 2
    assert said in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr


@pytest.fixture
def cdn(signed: SmallWorld) -> Iterator[Cdn]:
    """Give a CDN before the signed mirror, which the settings name."""
    for directory in (signed.root, *signed.root.parents):
        if directory.owner() == Path.home().owner() and directory.is_relative_to("/tmp"):
            directory.chmod(0o755)  # nginx reads with a user of its own
    with cdn_before(signed.root / "mirror", signed.root / "nginx") as running:
        text = (signed.root / "hubdata.toml").read_text()
        signed.write("hubdata.toml", f'{text}\n[verify]\nurl = "{running.url}"\nwait_s = 0\nsilence_s = 1.0\n')
        yield running


def online(small: SmallWorld, *flags: str) -> Ended:
    """Return what is said of the public copy."""
    ended = hubdata("verify", "--format", "json", *flags, cwd=small.root)
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended


def by_family(ended: Ended) -> dict[str, set[str]]:
    """Return the rules of all errors, by family."""
    return {
        family["family"]: {f["rule"] for f in family["findings"] if f["severity"] == "error"}
        for family in ended.json["families"]
    }


@needs_nginx
def test_the_public_copy_is_signed_for_readers_of_both_families(signed: SmallWorld, cdn: Cdn) -> None:
    """By the key of the settings unasked, by one that is named, and not by another."""
    for flags in ((), ("--pubkey", OLD.public.text, "--min-generation", "2")):
        ended = online(signed, *flags)
        assert (ended.code, by_family(ended)) == (0, {"ipv4": set(), "ipv6": set()}), ended.stdout
    assert any("manifest.json.minisig" in line for line in cdn.log)
    ended = online(signed, "--pubkey", NEW_KEY.public.text)
    assert (ended.code, by_family(ended)) == (3, {f: {"signature.unknown-key"} for f in ("ipv4", "ipv6")})
    ended = online(signed, "--pubkey", OLD.public.text, "--min-generation", "3")
    assert (ended.code, by_family(ended)) == (3, {f: {"signature.rolled-back"} for f in ("ipv4", "ipv6")})
    text = hubdata("verify", "--pubkey", NEW_KEY.public.text, cwd=signed.root).stdout
    assert "must not trust what they have" in text
    assert "exit 3" in text


@needs_nginx
@ATTACKS
def test_an_edge_that_was_attacked_is_named_with_its_family(
    signed: SmallWorld, cdn: Cdn, attack: Attack, rule: str
) -> None:
    """IPv6 readers have the attack, IPv4 readers do not; nobody who can read the store need be asked."""
    good = signed.root / "good"
    shutil.copytree(signed.root / "mirror", good, ignore=shutil.ignore_patterns(".hubdata"))
    cdn.edges["ipv4"].root = good
    cdn.reload()
    attack(signed)

    ended = online(signed, "--public-only")

    assert ended.code == (7 if rule == "signature.mismatch" and attack is cut else 3)
    found = by_family(ended)
    assert found["ipv4"] <= {"verify.manifest"}  # where the newest generation has two forms, both are suspect
    if attack is not cut:  # what is no manifest at all is told as that
        assert rule in found["ipv6"]


@needs_nginx
def test_a_signature_that_an_edge_does_not_have_is_missing(signed: SmallWorld, cdn: Cdn) -> None:
    """Left out over one family alone."""
    cdn.edges["ipv6"].extra = "location = /manifest.json.minisig { return 404; }"
    cdn.reload()
    ended = online(signed)
    assert (ended.code, by_family(ended)) == (3, {"ipv4": set(), "ipv6": {"signature.missing"}})


@needs_nginx
def test_a_run_with_verify_looks_at_its_own_signature(signed: SmallWorld, cdn: Cdn) -> None:
    """What was published just now, signed, is had so by readers; an edge that keeps the old signature is waited for."""
    old = signed.root / "old"
    shutil.copytree(signed.root / "mirror", old, ignore=shutil.ignore_patterns(".hubdata"))
    cdn.edges["ipv6"].extra = f"location = /manifest.json.minisig {{ root {old}; }}"
    cdn.reload()
    signed.repo.commit({GOOD: b"1.2.3.0/24\n"})
    ended = signed.sync(env={"HUBDATA_SIGNING_KEY": key_file(OLD)})
    rules_ = {f["rule"] for family in ended.json["verify"]["families"] for f in family["findings"]}
    assert "signature.other-generation" in rules_
    cdn.edges["ipv6"].extra = ""
    cdn.reload()
    assert online(signed).code == 0
