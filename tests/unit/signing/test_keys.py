"""Where the signing key comes from, and what is said when it cannot be used: never the key, never the password."""

import base64
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from hubdata.errors import ConfigError, TargetError
from hubdata.model.manifest import Manifest
from hubdata.model.secret import names_secret
from hubdata.signing.keys import KmsKey, Signer, SignSpec, load, public_key
from hubdata.signing.minisign import PublicKey, Signature
from hubdata.signing.secret_key import key_file
from tests.support.moto_server import CREDENTIALS, MotoServer, shared
from tests.unit.signing.keys_for_tests import secret

KEY, OTHER = secret(1), secret(2)
TEXT = key_file(KEY)
PASSWORD = "sentinel-of-a-password"
CLOSED = key_file(KEY, password=PASSWORD, salt=b"s" * 32, opslimit=32_768, memlimit=1 << 20)
SPEC = SignSpec(KEY.public)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file with the key in it."""
    path = tmp_path / "hubdata.key"
    path.write_text(TEXT)
    return path


@pytest.mark.parametrize("text", [TEXT, TEXT.split("\n")[1], TEXT.replace("\n", "\r\n"), f"\n{TEXT}\n"])
def test_the_key_is_read_from_the_environment(text: str) -> None:
    """Whole, or its second line alone, for variables do not like line ends."""
    assert load(SPEC, {"HUBDATA_SIGNING_KEY": text}) == KEY


def test_the_key_is_read_from_a_file_that_a_variable_or_the_settings_name(path: Path) -> None:
    """The environment goes before the settings."""
    assert load(SPEC, {"HUBDATA_SIGNING_KEY_FILE": str(path)}) == KEY
    assert load(SignSpec(KEY.public, key_file=path), {}) == KEY
    assert load(SignSpec(KEY.public, key_file=Path("/nowhere")), {"HUBDATA_SIGNING_KEY": TEXT}) == KEY


def test_the_password_is_read_from_the_environment_or_a_file(tmp_path: Path) -> None:
    """Without the line's end that editors leave."""
    (tmp_path / "pw").write_text(f"{PASSWORD}\n")
    given = {"HUBDATA_SIGNING_KEY": CLOSED}
    assert load(SPEC, {**given, "HUBDATA_SIGNING_PASSWORD": PASSWORD}) == KEY
    assert load(SPEC, {**given, "HUBDATA_SIGNING_PASSWORD_FILE": str(tmp_path / "pw")}) == KEY


@pytest.mark.parametrize(
    ("environment", "said", "advice"),
    [
        ({}, "there is no key to sign with", "0000000000000001"),
        ({"HUBDATA_SIGNING_KEY": CLOSED}, "there is no password", "correct HUBDATA_SIGNING_PASSWORD"),
        (
            {"HUBDATA_SIGNING_KEY": CLOSED, "HUBDATA_SIGNING_PASSWORD": f"not-{PASSWORD}"},
            "the password is wrong",
            "correct HUBDATA_SIGNING_PASSWORD",
        ),
        ({"HUBDATA_SIGNING_KEY": "SENTINEL"}, "HUBDATA_SIGNING_KEY is not a minisign secret key", "minisign -G"),
        ({"HUBDATA_SIGNING_KEY": key_file(OTHER)}, "found that of 0000000000000002", "belongs to `public_key`"),
        ({"HUBDATA_SIGNING_KEY_FILE": "/nowhere/at/all"}, "/nowhere/at/all, which cannot be read", "mounted"),
        ({"HUBDATA_SIGNING_KEY": TEXT, "HUBDATA_SIGNING_KEY_FILE": "x"}, "are both set", "unset one"),
    ],
)
def test_a_key_that_cannot_be_used_is_a_fault_of_the_settings(
    environment: dict[str, str], said: str, advice: str
) -> None:
    """It says from where the key was to come, what is wrong and what to do; and shows nothing secret."""
    with pytest.raises(ConfigError) as caught:
        load(SPEC, environment)
    assert said in str(caught.value)
    assert advice in caught.value.advice
    whole = f"{caught.value} {caught.value.advice} {caught.value.__cause__}"
    for hidden in (PASSWORD, "SENTINEL", KEY.seed.hex(), TEXT.split("\n")[1], CLOSED.split("\n")[1]):
        assert hidden not in whole


@pytest.mark.parametrize("body", [b"\xff\xfe", b"x" * 20_000, b""])
def test_a_key_file_that_is_none_is_named(tmp_path: Path, body: bytes) -> None:
    """With the setting that names it."""
    (tmp_path / "key").write_bytes(body)
    with pytest.raises(ConfigError, match=r"\[sign\] key_file .*/key"):
        load(SignSpec(KEY.public, key_file=tmp_path / "key"), {})


def test_another_key_under_the_same_id_is_found_out() -> None:
    """Ids can be chosen; signatures by the wrong half would be noticed by mirrors first."""
    twin = SignSpec(PublicKey(KEY.id, OTHER.key))
    with pytest.raises(ConfigError, match="another one of the same id"):
        load(twin, {"HUBDATA_SIGNING_KEY": TEXT})


def test_a_signer_opens_its_key_once_and_knows_what_earlier_keys_signed(path: Path) -> None:
    """The file may be gone after that: it was a mount of one moment."""
    signer = Signer(SignSpec(KEY.public, (OTHER.public,), path), {})
    signer.open()
    path.unlink()
    made = signer.sign(b"body", manifest=Manifest(3, "2026-07-01T12:00:00Z"), file="SHA256SUMS")

    assert Signature.parse(made).trusted_comment == "generation:3\ttimestamp:1782907200\tfile:SHA256SUMS\thashed"
    assert signer.name == KEY.public.name
    assert signer.knows(b"body", made)
    assert signer.knows(b"body", OTHER.sign(b"body", trusted_comment="").to_bytes())
    assert not signer.knows(b"body", secret(3).sign(b"body", trusted_comment="").to_bytes())
    assert not signer.knows(b"other", made)
    assert not signer.knows(b"body", made.replace(b"generation:3", b"generation:4"))
    assert not signer.knows(b"body", b"nonsense")


def test_a_public_key_is_named_by_its_line_or_its_file(tmp_path: Path) -> None:
    """What `--pubkey` takes."""
    (tmp_path / "k.pub").write_text(KEY.public.file)
    assert public_key(KEY.public.text) == public_key(str(tmp_path / "k.pub")) == KEY.public
    for text in (str(tmp_path / "none"), "RWQ", "\0", str(tmp_path), KEY.public.text[:-1] + "!"):
        with pytest.raises(ConfigError, match="expected a public key"):
            public_key(text)


def test_the_names_of_secrets_are_known_as_such() -> None:
    """So they never stand in a settings file, and are never shown from one."""
    assert names_secret("HUBDATA_SIGNING_KEY")
    assert names_secret("signing_key")
    assert names_secret("HUBDATA_SIGNING_PASSWORD")
    assert not names_secret("public_key")
    assert not names_secret("key_file")
    assert not names_secret("kms_key")


def test_settings_and_formats_load_neither_cryptography_nor_botocore() -> None:
    """A run that changes nothing pays for none of them."""
    code = "import sys, hubdata.publishing.sealing, hubdata.signing.verify, hubdata.config.sign_table;"
    code += "print([m for m in ('cryptography', 'botocore', 'boto3') if m in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


def test_without_the_extra_the_advice_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing package is no traceback."""
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.ed25519", None)
    with pytest.raises(ConfigError) as caught:
        load(SPEC, {"HUBDATA_SIGNING_KEY": TEXT})
    assert caught.value.advice == "pip install 'hubdata[sign]'"


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> MotoServer:
    """Return a server with KMS in it, and the credentials for it in the environment."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return shared()


def wrapped(server: MotoServer, plaintext: str, *, key: str = "") -> tuple[str, str]:
    """Return the id of a KMS key and `plaintext` encrypted with it, as `aws kms encrypt --output text` prints it."""
    client = server.client("kms")
    key = key or client.create_key()["KeyMetadata"]["KeyId"]
    blob = client.encrypt(KeyId=key, Plaintext=plaintext.encode())["CiphertextBlob"]
    return key, base64.b64encode(blob).decode()


def test_a_key_wrapped_by_kms_is_unwrapped_over_http(kms: MotoServer, caplog: pytest.LogCaptureFixture) -> None:
    """With or without a password besides; and no log has what came back, libraries at DEBUG included."""
    caplog.set_level(logging.DEBUG)
    key, text = wrapped(kms, TEXT)
    _, closed = wrapped(kms, CLOSED, key=key)
    spec = SignSpec(KEY.public, kms=KmsKey(key, "us-east-1", kms.url))
    caplog.clear()  # the test itself has sent the key to KMS

    assert load(spec, {"HUBDATA_SIGNING_KEY": text}) == KEY
    assert load(spec, {"HUBDATA_SIGNING_KEY": closed, "HUBDATA_SIGNING_PASSWORD": PASSWORD}) == KEY
    assert "Decrypt" in caplog.text
    for hidden in (TEXT.split("\n")[1], base64.b64encode(TEXT.encode()).decode()):
        assert hidden not in caplog.text


def test_a_key_that_kms_does_not_unwrap_is_told_apart(kms: MotoServer) -> None:
    """Wrapped by another key, not wrapped at all, wrapping something else, or no KMS to ask."""
    key, text = wrapped(kms, TEXT)
    other, _ = wrapped(kms, TEXT)
    here = KmsKey(key, "us-east-1", kms.url)

    def fails(kind: type[Exception], environment: str, at: KmsKey = here) -> str:
        with pytest.raises(kind) as caught:
            load(SignSpec(KEY.public, kms=at), {"HUBDATA_SIGNING_KEY": environment})
        assert TEXT.split("\n")[1] not in str(caught.value)
        return str(caught.value)

    assert "Decrypt" in fails(TargetError, text, KmsKey(other, "us-east-1", kms.url))
    assert "wrapped by KMS" in fails(ConfigError, TEXT)
    assert "not a minisign secret key" in fails(ConfigError, wrapped(kms, "something else", key=key)[1])
    assert "could not be unwrapped" in fails(TargetError, text, KmsKey("no-such-key", "us-east-1", kms.url))
    assert "could not be unwrapped" in fails(TargetError, base64.b64encode(b"x" * 100).decode())
