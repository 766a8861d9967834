"""Minisign's secret key files: read, opened with a password, and written for tests and rotations.

A key file says itself how costly its password is to try (scrypt's limits), so a hostile one could ask for any amount
of memory and time: more than minisign itself ever writes is refused before it is spent.

Format: https://jedisct1.github.io/minisign/, "Secret key format"; the costs are libsodium's `pickparams`.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from hubdata.signing import ed25519
from hubdata.signing.minisign import LEGACY, FormatError, PublicKey, Signature, decoded, shown, signed

MAX_OPSLIMIT = 33_554_432
MAX_MEMLIMIT = 1 << 30
"""What minisign encrypts with: about a second, and 1 GiB of memory. Nothing dearer is tried."""

_SCRYPT = b"Sc"
_PLAIN = b"\0\0"
_BLAKE2B = b"B2"
_BLOCK = 8  # scrypt's r, the only one that libsodium picks


class WrongPassword(FormatError):
    """The key did not open: the password is another, or there is none, or the file was changed."""


@dataclass(frozen=True, slots=True, repr=False)
class SecretKey:
    """What signatures are made with. It is never printed."""

    id: bytes
    seed: bytes
    key: bytes

    def __repr__(self) -> str:
        return f"SecretKey({self.public.name})"

    @property
    def public(self) -> PublicKey:
        """Return the half that everybody may have."""
        return PublicKey(self.id, self.key)

    def sign(self, body: bytes, *, trusted_comment: str) -> Signature:
        """Return the signature of `body`: the same for the same input."""
        comment = f"signature from minisign secret key {self.public.name}"
        return signed(self.seed, self.id, body, trusted_comment=trusted_comment, untrusted_comment=comment)


def is_encrypted(text: str) -> bool:
    """Tell whether the key file asks for a password. Raises FormatError when it is none."""
    return _raw(text)[2:4] == _SCRYPT


def open_key(text: str, password: str | None) -> SecretKey:
    """Return the key in a key file. Takes a second and 1 GiB where it is encrypted.

    Raises WrongPassword, or FormatError; neither repeats anything of the file.
    """
    raw = _raw(text)
    kdf, salt, box = raw[2:4], raw[6:38], raw[54:]
    opslimit, memlimit = int.from_bytes(raw[38:46], "little"), int.from_bytes(raw[46:54], "little")
    if kdf == _SCRYPT:
        if not password:
            raise WrongPassword("the key is encrypted, and there is no password for it")
        pad = _stretched(password.encode(), salt, opslimit, memlimit, len(box))
        box = bytes(a ^ b for a, b in zip(box, pad, strict=True))
    elif kdf != _PLAIN:
        raise FormatError(f"expected a key encrypted with scrypt or not at all, found {shown(kdf)}")
    key_id, seed, public, checksum = box[:8], box[8:40], box[40:72], box[72:]
    right = hashlib.blake2b(raw[:2] + box[:72], digest_size=32).digest()
    unchecked = kdf == _PLAIN and checksum == bytes(32)  # as minisign -W writes it
    if not unchecked and not hmac.compare_digest(checksum, right):
        raise WrongPassword("the password is wrong" if kdf == _SCRYPT else "its checksum is wrong")
    if ed25519.public_of(seed) != public:  # else a signature by mismatched halves would give the key away
        raise FormatError("its private and public halves do not belong together")
    return SecretKey(key_id, seed, public)


def key_file(key: SecretKey, *, password: str = "", salt: bytes = b"", opslimit: int = 0, memlimit: int = 0) -> str:
    """Return a key file that holds `key`, encrypted where there is a password (then `salt` is 32 random bytes)."""
    inner = key.id + key.seed + key.key
    box = inner + hashlib.blake2b(LEGACY + inner, digest_size=32).digest()
    if not password:
        raw = LEGACY + _PLAIN + _BLAKE2B + bytes(48) + box
    else:
        pad = _stretched(password.encode(), salt, opslimit, memlimit, len(box))
        limits = opslimit.to_bytes(8, "little") + memlimit.to_bytes(8, "little")
        sealed = bytes(a ^ b for a, b in zip(box, pad, strict=True))
        raw = LEGACY + _SCRYPT + _BLAKE2B + salt + limits + sealed
    return f"untrusted comment: minisign encrypted secret key\n{base64.b64encode(raw).decode()}\n"


def scrypt_cost(opslimit: int, memlimit: int) -> tuple[int, int]:
    """Return scrypt's N and p (r is 8) for libsodium's two limits. Raises FormatError beyond what minisign writes."""
    if opslimit > MAX_OPSLIMIT or memlimit > MAX_MEMLIMIT:
        raise FormatError("its password would cost more time or memory to try than minisign ever asks for")
    opslimit = max(opslimit, 32_768)
    by_time = opslimit < memlimit // 32
    most = opslimit // (_BLOCK * 4) if by_time else memlimit // (_BLOCK * 128)
    log_n = 1
    while 1 << log_n <= most // 2 and log_n < 63:
        log_n += 1
    return 1 << log_n, 1 if by_time else max(1, opslimit // 4 // (1 << log_n) // _BLOCK)


def _stretched(password: bytes, salt: bytes, opslimit: int, memlimit: int, length: int) -> bytes:
    n, p = scrypt_cost(opslimit, memlimit)
    room = 128 * _BLOCK * (n + p + 2) + (1 << 20)
    try:
        return hashlib.scrypt(password, salt=salt, n=n, r=_BLOCK, p=p, maxmem=room, dklen=length)
    except (MemoryError, ValueError) as err:
        raise FormatError(f"its password needs {room >> 20} MiB of memory to try, which is not to be had") from err


def _raw(text: str) -> bytes:
    """Return the 158 bytes of a key file."""
    lines = [line.rstrip("\r") for line in text.strip().split("\n")]
    if len(lines) == 2 and lines[0].startswith("untrusted comment: "):
        del lines[0]
    if len(lines) != 1:
        raise FormatError("expected a comment and a line of base64, found other lines")
    raw = decoded(lines[0], 158, "a secret key")
    if raw[:2] != LEGACY:
        raise FormatError(f"expected a secret key of algorithm Ed, found {shown(raw[:2])}")
    if raw[4:6] != _BLAKE2B:
        raise FormatError(f"expected a checksum of sort B2, found {shown(raw[4:6])}")
    return raw
