"""Signed publications by the real command, checked by minisign and coreutils; and theirs checked by ours."""

import base64
import json
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from hubdata.model.manifest import Manifest
from hubdata.signing.keys import public_key
from hubdata.signing.verify import judge
from tests.support.command import hubdata
from tests.support.guillotine import Guillotine
from tests.support.minisign import Minisign, needs_minisign
from tests.support.moto_server import MotoServer, shared
from tests.support.small_world import NEW, SmallWorld, problem

pytestmark = needs_minisign

SEAL = ("manifest.json.minisig", "SHA256SUMS", "SHA256SUMS.minisig")
PASSWORD = "sentinel-of-a-password"


@pytest.fixture
def keys(tmp_path: Path) -> Minisign:
    """Return a pair without a password."""
    return Minisign.generate(tmp_path)


@pytest.fixture
def signed(tmp_path: Path, keys: Minisign) -> SmallWorld:
    """Return a world that signs with it."""
    small = SmallWorld.create(tmp_path / "world")
    sign_with(small, keys)
    return small


def sign_with(small: SmallWorld, keys: Minisign, *more: str) -> None:
    """Let the world sign with `keys` from now on."""
    text = (small.root / "hubdata.toml").read_text().partition("[sign]")[0]
    table = ("[sign]", f'public_key = "{keys.line}"', f'key_file = "{keys.secret}"', *more)
    small.write("hubdata.toml", text + "\n".join(table) + "\n")


def offer(small: SmallWorld) -> None:
    """Let one file have other bytes."""
    small.repo.commit({"lists/good.txt": NEW})


def assert_sound(mirror: Path, keys: Minisign, generation: int) -> None:
    """Assert what a mirror asks: both signatures are good and of this generation, and every file is as summed up."""
    said = {}
    for name in ("manifest.json", "SHA256SUMS"):
        checked = keys.verify(mirror / name)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        said[name] = checked.stdout
        assert f"generation:{generation}\t" in checked.stdout
        assert f"file:{name}" in checked.stdout
    summed = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=mirror, capture_output=True, text=True, check=False
    )
    assert summed.returncode == 0, summed.stdout + summed.stderr
    named = json.loads((mirror / "manifest.json").read_bytes())["files"]
    assert summed.stdout.count(": OK\n") == len(named) == len(summed.stdout.splitlines())


def test_minisign_and_coreutils_verify_what_is_published(signed: SmallWorld, keys: Minisign) -> None:
    """Generation after generation; an unchanged run touches nothing, and does not even need the key."""
    assert signed.sync().code == 0
    assert_sound(signed.root / "mirror", keys, 1)
    offer(signed)
    assert signed.sync().code == 0
    assert_sound(signed.root / "mirror", keys, 2)

    before = signed.untouched()
    keys.secret.unlink()
    ended = signed.sync()

    assert ended.code == 0
    assert signed.untouched() == before
    assert set(SEAL) < set(before)
    assert {name: count for name, count in ended.requests("mirror").items() if count} == {"LIST": 1, "GET": 2}


def test_minisign_refuses_what_was_tampered_with(signed: SmallWorld, keys: Minisign) -> None:
    """The other program's verdict is one that can fail."""
    signed.sync()
    path = signed.root / "mirror" / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"generation": 1', b'"generation": 2'))
    assert keys.verify(path).returncode != 0


@pytest.mark.parametrize("flags", [(), ("-l",), ("-t", "generation:7\tfile:manifest.json"), ("-c", "whatever")])
def test_signatures_by_minisign_are_verified_by_ours(tmp_path: Path, keys: Minisign, flags: tuple[str, ...]) -> None:
    """Of both sorts, with its own comments and with given ones."""
    path = tmp_path / "manifest.json"
    path.write_bytes(Manifest(7, "2026-07-01T12:00:00Z", "r").to_bytes())
    signature = keys.sign(path, *flags).read_bytes()
    key = public_key(str(keys.public))

    assert judge(path.read_bytes(), signature, [key], min_generation=7).key == key
    assert judge(path.read_bytes() + b"\n", signature, [key]).findings
    assert public_key(keys.line) == key


def test_an_encrypted_key_of_minisigns_signs_with_its_password_alone(tmp_path: Path) -> None:
    """A wrong one, or none, ends the run before it writes; and nothing of it is ever said."""
    keys = Minisign.generate(tmp_path, password=PASSWORD)
    small = SmallWorld.create(tmp_path / "world")
    sign_with(small, keys)

    for environment in ({}, {"HUBDATA_SIGNING_PASSWORD": f"wrong-{PASSWORD}"}):
        ended = small.sync(env=environment)
        problem(ended, "lists", 2, "password", "HUBDATA_SIGNING_PASSWORD")
        assert not (small.root / "mirror").exists()
        assert PASSWORD not in ended.stdout + ended.stderr
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")

    ended = small.sync(env={"HUBDATA_SIGNING_PASSWORD_FILE": str(secret)})

    assert ended.code == 0, ended.stdout + ended.stderr
    assert_sound(small.root / "mirror", keys, 1)
    for body in small.mirror_files().values():
        assert PASSWORD.encode() not in body


def test_the_key_comes_from_the_environment_and_goes_nowhere(signed: SmallWorld, keys: Minisign) -> None:
    """With libraries at DEBUG, its text is in no output and in no file of the target."""
    text = keys.secret.read_text()
    keys.secret.unlink()
    line = text.splitlines()[1]

    missing = signed.sync()
    problem(missing, "lists", 2, "cannot be read", "mounted")
    loud = hubdata("sync", "--once", "-vv", cwd=signed.root, env={"HUBDATA_SIGNING_KEY": text})

    assert loud.code == 0, loud.stderr
    assert_sound(signed.root / "mirror", keys, 1)
    shown = hubdata("config", "show", cwd=signed.root, env={"HUBDATA_SIGNING_KEY": text})
    assert "HUBDATA_SIGNING_KEY" in shown.stdout
    everything = loud.stdout + loud.stderr + shown.stdout + shown.stderr
    everything += "".join(body.decode() for body in signed.mirror_files().values())
    assert line not in everything
    assert line[70:100] not in everything


def test_a_plan_needs_no_key(signed: SmallWorld, keys: Minisign) -> None:
    """Whoever reviews a pull request has none."""
    keys.secret.unlink()
    assert signed.run("plan", "--format", "json").code == 0


def test_rotation_as_the_documents_tell_it(signed: SmallWorld, keys: Minisign, tmp_path: Path) -> None:
    """Readers who have both public keys are served throughout; the old one alone stops working at step 2."""
    new = Minisign.generate(tmp_path, "new")
    both = [public_key(str(keys.public)), public_key(str(new.public))]
    mirror = signed.root / "mirror"

    def accepted() -> bool:
        signature = (mirror / "manifest.json.minisig").read_bytes()
        return not judge((mirror / "manifest.json").read_bytes(), signature, both).findings

    signed.sync()
    assert accepted()
    sign_with(signed, new, f'earlier_keys = ["{keys.line}"]')
    manifest = (mirror / "manifest.json").read_bytes()
    assert signed.sync().code == 0
    assert accepted()
    assert (mirror / "manifest.json").read_bytes() == manifest
    assert_sound(mirror, new, 1)
    assert keys.verify(mirror / "manifest.json").returncode != 0
    sign_with(signed, new)
    offer(signed)
    assert signed.sync().code == 0
    assert accepted()
    assert_sound(mirror, new, 2)


def test_a_manifest_that_was_changed_at_the_target_stops_the_next_publication(signed: SmallWorld) -> None:
    """Exit code 6, nothing written, and advice on how to go on; which then works."""
    signed.sync()
    path = signed.root / "mirror" / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"job": "words"', b'"job": "forged"'))
    offer(signed)
    before = signed.untouched()

    ended = signed.sync()

    problem(ended, "lists", 6, "is not what was signed", "restore manifest.json")
    assert signed.untouched() == before
    (signed.root / "mirror" / "manifest.json.minisig").unlink()
    (signed.root / "mirror" / ".hubdata" / "manifest.json.minisig").unlink()
    assert signed.sync().code == 0


def test_a_rollback_is_a_signed_generation_of_its_own(signed: SmallWorld, keys: Minisign) -> None:
    """It has a higher number than what it takes back, so readers that remember the last one take it."""
    signed.sync()
    mirror = signed.root / "mirror"
    first = (mirror / "SHA256SUMS").read_bytes()
    offer(signed)
    signed.sync()
    assert (mirror / "SHA256SUMS").read_bytes() != first

    ended = signed.run("rollback", "--to", "1", "--yes", "--job", "lists", "--format", "json")

    assert ended.code == 0, ended.stdout + ended.stderr
    assert_sound(mirror, keys, 3)
    assert (mirror / "SHA256SUMS").read_bytes() == first


def test_readers_never_meet_a_pair_that_looks_like_an_attack(signed: SmallWorld, keys: Minisign) -> None:
    """While generation after generation is published, a reader's two files fit or are of two moments, never forged."""
    signed.sync()
    key, mirror, over = public_key(keys.line), signed.root / "mirror", threading.Event()
    met: Counter[str] = Counter()

    def read() -> None:
        while not over.is_set():
            body = (mirror / "manifest.json").read_bytes()
            judged = judge(body, (mirror / "manifest.json.minisig").read_bytes(), [key])
            rule = judged.findings[0].rule if judged.findings else "fits"
            met[f"{rule} {'passing' if judged.passing else ''}".strip()] += 1

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(4):
            signed.repo.commit({"lists/good.txt": f"8.8.{number}.0/24\n1.1.1.0/24\n".encode()})
            assert signed.sync().code == 0
    finally:
        over.set()
        reader.join()

    assert met["fits"] > 100
    assert set(met) <= {"fits", "signature.other-generation passing"}
    assert_sound(mirror, keys, 5)


def test_no_job_can_claim_the_names_of_a_seal(signed: SmallWorld) -> None:
    """A source that has such a file gets a finding, and the file is not published."""
    signed.edit("jobs/words.toml", 'match = "words/*.txt"', 'match = "**"')
    for name in SEAL:
        signed.write(f"data/{name}", "forged\n")
    ended = signed.sync()
    assert ended.code == 3
    told = json.dumps(ended.job("words")["findings"])
    assert all(name in told for name in SEAL)
    assert all(b"forged" not in body for body in signed.mirror_files().values())


def test_unsigned_worlds_have_sums_only_where_they_are_asked_for(tmp_path: Path) -> None:
    """`sha256sums = true` needs no key and no cryptography."""
    small = SmallWorld.create(tmp_path / "world")
    small.sync()
    assert not set(SEAL) & set(small.mirror_files())
    small.write("hubdata.toml", "sha256sums = true\n" + (small.root / "hubdata.toml").read_text())
    assert small.sync().code == 0
    assert set(SEAL) & set(small.mirror_files()) == {"SHA256SUMS"}
    ended = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=small.root / "mirror", check=False)
    assert ended.returncode == 0


@pytest.fixture
def moto() -> MotoServer:
    """Return the server that S3, CloudFront and KMS are in."""
    return shared()


def test_a_bucket_is_signed_with_a_key_that_kms_unwraps(tmp_path: Path, moto: MotoServer, keys: Minisign) -> None:
    """Over HTTP, with CloudFront told of the seal; the unchanged run asks neither KMS nor more of the bucket."""
    kms = moto.client("kms")
    wrapping = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=wrapping, Plaintext=keys.secret.read_bytes())["CiphertextBlob"]
    keys.secret.write_text(base64.b64encode(blob).decode())
    bucket = moto.bucket()
    distribution = moto.distribution(bucket)
    small = SmallWorld.create(tmp_path / "world")
    targets = f'[targets.aws]\ntype = "s3"\nbucket = "{bucket}"\ncdn = "edge"\n'
    targets += f'[cdns.edge]\ntype = "cloudfront"\ndistribution_id = "{distribution}"\nendpoint_url = "{moto.url}"\n'
    small.write("hubdata.toml", 'jobs = "jobs"\nspool = "spool"\n' + targets)
    sign_with(small, keys, f'kms_key = "{wrapping}"', f'kms_endpoint_url = "{moto.url}"')

    ended = small.sync(env=moto.env)

    assert ended.code == 0, ended.stdout + ended.stderr
    mirror = tmp_path / "fetched"
    for key, body in moto.objects(bucket).items():
        (mirror / key).parent.mkdir(parents=True, exist_ok=True)
        (mirror / key).write_bytes(body)
    assert_sound(mirror, keys, 1)
    paths = moto.invalidations(distribution)[0]["Paths"]
    assert {f"/{name}" for name in (*SEAL, "manifest.json")} <= set(paths)
    head = moto.client("s3").head_object(Bucket=bucket, Key="SHA256SUMS.minisig")
    assert head["ContentType"] == "text/plain; charset=utf-8"

    small.edit("hubdata.toml", wrapping, kms.create_key()["KeyMetadata"]["KeyId"])
    unchanged = small.sync(env=moto.env)

    assert unchanged.code == 0
    assert {name: count for name, count in unchanged.requests("aws").items() if count} == {"LIST": 1, "GET": 2}
    offer(small)
    refused = small.sync(env=moto.env)
    problem(refused, "lists", 6, "the signing key could not be unwrapped", "Decrypt")
    assert moto.objects(bucket)["lists/good.txt"] != NEW


@pytest.mark.parametrize("key", ["manifest.json", *SEAL])
def test_a_process_that_is_killed_amid_sealing_leaves_nothing_for_a_person_to_do(
    tmp_path: Path, moto: MotoServer, keys: Minisign, key: str
) -> None:
    """Killed right before that file is written to the bucket; the next run seals, without another generation."""
    bucket = moto.bucket()
    small = SmallWorld.create(tmp_path / "world")
    target = f'[targets.aws]\ntype = "s3"\nbucket = "{bucket}"\n'
    small.write("hubdata.toml", f'jobs = "jobs"\nspool = "spool"\n{target}[lease]\nholds_s = 5\n')
    sign_with(small, keys)

    with Guillotine((moto.url,)) as guillotine:

        def gate(method: str, path: str) -> int | None:
            if method != "PUT" or path.partition("?")[0] != f"/{bucket}/{key}":
                return None
            guillotine.fall()
            return 503

        guillotine.gate = gate
        guillotine.reset(1_000_000)
        process = subprocess.Popen(
            [sys.executable, "-m", "hubdata", "sync", "--once", "-q"],
            cwd=small.root,
            env={**moto.env, "HOME": str(small.root), "AWS_ENDPOINT_URL": guillotine.urls[0]},
        )
        guillotine.victim(process.pid)
        assert process.wait(60) == -signal.SIGKILL
    assert key not in moto.objects(bucket)

    ended = small.sync(env=moto.env)

    assert ended.code == 0, ended.stdout + ended.stderr
    mirror = tmp_path / "fetched"
    for name, body in moto.objects(bucket).items():
        (mirror / name).parent.mkdir(parents=True, exist_ok=True)
        (mirror / name).write_bytes(body)
    assert_sound(mirror, keys, 1)
