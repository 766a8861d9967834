"""Find the signing key and open it: from the environment, from a file, or wrapped by AWS KMS.

The settings name the public key, so a run knows whose signatures it makes before it opens anything, and a wrong
secret is found before the first write, not by the first mirror. The secret itself is opened by runs that publish and
by no other: it may cost a second and a gigabyte (scrypt), or a request (KMS).
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hubdata.errors import ConfigError
from hubdata.model.manifest import Manifest
from hubdata.signing.comment import comment
from hubdata.signing.minisign import FormatError, PublicKey, Signature
from hubdata.signing.secret_key import SecretKey, WrongPassword, open_key
from hubdata.signing.variables import KEY_VARIABLE, PASSWORD_VARIABLE
from hubdata.transfer.secrets import Secret, read_secret, secret_variable

_MAX_FILE_BYTES = 16 * 1024
_GENERATE = "`minisign -G` makes a pair; see docs/signing.md"


@dataclass(frozen=True, slots=True)
class KmsKey:
    """The key of AWS KMS that the signing key is wrapped with: an id, an ARN or an alias."""

    id: str
    region: str | None = None
    endpoint_url: str | None = None


@dataclass(frozen=True, slots=True)
class SignSpec:
    """What the settings say of signatures. `earlier` are keys that what lies at a target may still be signed with."""

    public_key: PublicKey
    earlier: tuple[PublicKey, ...] = ()
    key_file: Path | None = None
    kms: KmsKey | None = None


class Signer:
    """Signs with the key of the settings, which it opens when told to; and knows what was signed with it before."""

    def __init__(self, spec: SignSpec, environment: Mapping[str, str]) -> None:
        self._spec = spec
        self._environment = environment
        self._key: SecretKey | None = None
        self._opening = threading.Lock()

    @property
    def name(self) -> str:
        """Return the id of the public key that all signatures of this run verify with."""
        return self._spec.public_key.name

    def open(self) -> None:
        """Open the key, once. Raises ConfigError when it is not there, or not the one of the settings.

        Raises TargetError when KMS cannot be asked.
        """
        with self._opening:  # targets are visited side by side, and a key may cost a gigabyte to open
            if self._key is None:
                self._key = load(self._spec, self._environment)

    def sign(self, body: bytes, *, manifest: Manifest, file: str) -> bytes:
        """Return the `.minisig` file of `body`, published as `file` with `manifest`: the same for the same input."""
        self.open()
        assert self._key is not None  # noqa: S101 - opened
        said = comment(manifest.generation, manifest.published_at, file)
        return self._key.sign(body, trusted_comment=said).to_bytes()

    def knows(self, body: bytes, signature: bytes) -> bool:
        """Tell whether `signature` is one of `body` by the key of the settings, or an earlier one."""
        try:
            parsed = Signature.parse(signature)
        except FormatError:
            return False
        keys = (self._spec.public_key, *self._spec.earlier)
        return any(parsed.holds(key, body) and parsed.comment_holds(key) for key in keys)


def load(spec: SignSpec, environment: Mapping[str, str]) -> SecretKey:
    """Return the key that `spec` and the environment give. Raises as `Signer.open` does; repeats nothing of a key."""
    text, place = _text(spec, environment)
    password = read_secret(environment, PASSWORD_VARIABLE)
    try:
        if spec.kms is not None:
            from hubdata.signing.kms import unwrapped

            text = unwrapped(text, spec.kms, place)
        key = open_key(text.reveal(), None if password is None else password.reveal())
    except WrongPassword as err:
        given = secret_variable(environment, PASSWORD_VARIABLE) or f"{PASSWORD_VARIABLE} (or {PASSWORD_VARIABLE}_FILE)"
        raise ConfigError(f"{place}: {err}", advice=f"correct {given}") from err
    except FormatError as err:
        raise ConfigError(f"{place} is not a minisign secret key: {err}", advice=_GENERATE) from err
    if key.public != spec.public_key:
        found = key.public.name if key.id != spec.public_key.id else f"another one of the same id, {key.public.text}"
        raise ConfigError(
            f"{place}: expected the secret key of {spec.public_key.name} ([sign] public_key), found that of {found}",
            advice="give the key that belongs to `public_key`; to change keys see docs/signing.md",
        )
    return key


def _text(spec: SignSpec, environment: Mapping[str, str]) -> tuple[Secret, str]:
    """Return the text of the key file, and where it is from, fit to be shown."""
    found = read_secret(environment, KEY_VARIABLE)
    if found is not None:
        return found, secret_variable(environment, KEY_VARIABLE) or KEY_VARIABLE
    if spec.key_file is None:
        raise ConfigError(
            f"[sign] is set, and there is no key to sign with: expected {KEY_VARIABLE}, {KEY_VARIABLE}_FILE or"
            " [sign] key_file",
            advice=f"give the secret key of {spec.public_key.name} in one of them; nothing was published unsigned",
        )
    place = f"[sign] key_file {spec.key_file}"
    try:
        with spec.key_file.open("rb") as file:
            body = file.read(_MAX_FILE_BYTES + 1)
    except OSError as err:
        raise ConfigError(
            f"{place} cannot be read: {err.strerror or type(err).__name__}",
            advice="check that the file is mounted and that this user may read it",
        ) from err
    if len(body) > _MAX_FILE_BYTES:
        raise ConfigError(f"{place} holds more than {_MAX_FILE_BYTES} bytes", advice=_GENERATE)
    try:
        return Secret(body.decode().strip()), place
    except UnicodeDecodeError:
        raise ConfigError(f"{place} is not text", advice=_GENERATE) from None


def public_key(text: str) -> PublicKey:
    """Return the key that `--pubkey` names: the base64 line itself, or a file of minisign's.

    Raises ConfigError when it is neither.
    """
    try:
        return PublicKey.parse(text)
    except FormatError:
        pass
    try:
        with Path(text).open("rb") as file:
            body = file.read(_MAX_FILE_BYTES)
        return PublicKey.parse(body.decode())
    except (OSError, ValueError) as err:
        why = err.strerror or str(err) if isinstance(err, OSError) else str(err)
        raise ConfigError(
            f"--pubkey {text[:200]}: expected a public key of minisign's or a file that holds one ({why})",
            advice="the line of base64 from minisign.pub, or the path of that file",
        ) from err
