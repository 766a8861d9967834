"""Minisign's public keys and signatures, to the byte: parsed, written, made and checked.

Whatever can be written in two ways is accepted in one: base64 that decodes to the same bytes with other spare bits, a
fifth line, a comment that would move a terminal's cursor are all refused. So a signature that was accepted is the one
that was made, but for the untrusted comment, which says so itself.

Signatures are made over a file's BLAKE2b-512 digest (`ED`); the older sort, over the file itself (`Ed`), is accepted.
Format: https://jedisct1.github.io/minisign/, "Signature format" and "Public key format".
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from hubdata.signing import ed25519

PREHASHED = b"ED"
LEGACY = b"Ed"

MAX_SIGNATURE_BYTES = 16 * 1024
MAX_PUBLIC_KEY_BYTES = 4 * 1024
_MAX_COMMENT_BYTES = 1024  # minisign's COMMENTMAXBYTES
_MAX_TRUSTED_BYTES = 8192  # minisign's TRUSTEDCOMMENTMAXBYTES
_UNTRUSTED = "untrusted comment: "
_TRUSTED = "trusted comment: "


class FormatError(ValueError):
    """Bytes that are not what they should be. `str()` says what was expected and found; it never repeats a secret."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What signatures are checked with. `id` is eight bytes that a signature names its key by."""

    id: bytes
    key: bytes

    @property
    def name(self) -> str:
        """Return the key's id as minisign prints it: sixteen hexadecimal digits."""
        return key_name(self.id)

    @property
    def text(self) -> str:
        """Return the key on one line, as `minisign -P` takes it."""
        return _encoded(LEGACY + self.id + self.key)

    @property
    def file(self) -> str:
        """Return the key file that `minisign -p` reads."""
        return f"{_UNTRUSTED}minisign public key {self.name}\n{self.text}\n"

    @staticmethod
    def parse(text: str) -> "PublicKey":
        """Return the key that `text` holds: a key file, or the one line of base64. Raises FormatError."""
        if len(text.encode(errors="replace")) > MAX_PUBLIC_KEY_BYTES:
            raise FormatError(f"expected a public key, found more than {MAX_PUBLIC_KEY_BYTES} bytes")
        lines = [line.rstrip("\r") for line in text.strip().split("\n")]
        if len(lines) == 2 and lines[0].startswith(_UNTRUSTED):
            del lines[0]
        if len(lines) != 1:
            raise FormatError(f"expected a comment and a line of base64, found {len(lines)} lines")
        raw = decoded(lines[0], 42, "a public key")
        if raw[:2] != LEGACY:
            raise FormatError(f"expected a public key of algorithm Ed, found {shown(raw[:2])}")
        return PublicKey(raw[2:10], raw[10:])


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature file. `over_comment` is the signature over `signature` and the trusted comment together."""

    algorithm: bytes
    key_id: bytes
    signature: bytes
    trusted_comment: str
    over_comment: bytes
    untrusted_comment: str = ""

    @property
    def prehashed(self) -> bool:
        """Tell whether it is over the file's digest; else it is over the file, as older minisign made them."""
        return self.algorithm == PREHASHED

    def to_bytes(self) -> bytes:
        """Return the `.minisig` file."""
        lines = (
            _UNTRUSTED + self.untrusted_comment,
            _encoded(self.algorithm + self.key_id + self.signature),
            _TRUSTED + self.trusted_comment,
            _encoded(self.over_comment),
        )
        return ("\n".join(lines) + "\n").encode()

    @staticmethod
    def parse(body: bytes) -> "Signature":
        """Return the signature in a `.minisig` file. Raises FormatError; an algorithm nobody knows is one too."""
        if len(body) > MAX_SIGNATURE_BYTES:
            raise FormatError(f"expected a signature, found more than {MAX_SIGNATURE_BYTES} bytes")
        try:
            text = body.decode()
        except UnicodeDecodeError as err:
            raise FormatError("it is not UTF-8 text") from err
        lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
        if len(lines) != 4:
            raise FormatError(f"expected four lines, found {len(lines)}")
        untrusted = _comment(lines[0], _UNTRUSTED, _MAX_COMMENT_BYTES)
        raw = decoded(lines[1], 74, "a signature")
        trusted = _comment(lines[2], _TRUSTED, _MAX_TRUSTED_BYTES)
        if raw[:2] not in (PREHASHED, LEGACY):
            raise FormatError(f"expected algorithm ED (or Ed), found {shown(raw[:2])}")
        over_comment = decoded(lines[3], 64, "the signature over the trusted comment")
        return Signature(raw[:2], raw[2:10], raw[10:], trusted, over_comment, untrusted)

    def holds(self, key: PublicKey, body: bytes) -> bool:
        """Tell whether `key` made this signature of `body`. The comment is another question: `comment_holds`."""
        message = hashlib.blake2b(body).digest() if self.prehashed else body
        return key.id == self.key_id and ed25519.verifies(key.key, self.signature, message)

    def comment_holds(self, key: PublicKey) -> bool:
        """Tell whether `key` made the trusted comment together with this signature, of whatever file that is."""
        message = self.signature + self.trusted_comment.encode()
        return key.id == self.key_id and ed25519.verifies(key.key, self.over_comment, message)


def signed(seed: bytes, key_id: bytes, body: bytes, *, trusted_comment: str, untrusted_comment: str) -> Signature:
    """Return the signature of `body` by the private key `seed`: the same for the same input, so it can be made anew."""
    _comment(_TRUSTED + trusted_comment, _TRUSTED, _MAX_TRUSTED_BYTES)
    _comment(_UNTRUSTED + untrusted_comment, _UNTRUSTED, _MAX_COMMENT_BYTES)
    signature = ed25519.sign(seed, hashlib.blake2b(body).digest())
    over_comment = ed25519.sign(seed, signature + trusted_comment.encode())
    return Signature(PREHASHED, key_id, signature, trusted_comment, over_comment, untrusted_comment)


def key_name(key_id: bytes) -> str:
    """Return a key's id as minisign prints it: a little-endian number in sixteen hexadecimal digits."""
    return f"{int.from_bytes(key_id, 'little'):016X}"


def decoded(line: str, length: int, what: str) -> bytes:
    """Return the `length` bytes of a line of base64. Raises FormatError, which repeats nothing of the line."""
    try:
        raw = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raise FormatError(f"expected {what} in base64, found something else") from None
    if len(raw) != length:
        raise FormatError(f"expected {what} of {length} bytes, found {len(raw)}")
    if _encoded(raw) != line:
        raise FormatError(f"expected {what} in base64, found spare bits that are set")
    return raw


def shown(algorithm: bytes) -> str:
    """Return an algorithm's two bytes fit to be printed."""
    return repr(algorithm.decode("latin-1"))


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _comment(line: str, prefix: str, most: int) -> str:
    if not line.startswith(prefix):
        raise FormatError(f"expected a line that begins with `{prefix.strip()}`, found another")
    comment = line.removeprefix(prefix)
    if len(line.encode()) >= most:
        raise FormatError(f"the line `{prefix.strip()}` has more than {most - 1} bytes")
    if not all(char == "\t" or char.isprintable() for char in comment):
        raise FormatError(f"the line `{prefix.strip()}` holds characters that are not printable")
    return comment
