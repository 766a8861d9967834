"""Tell whether who asks knows a secret: a bearer token, or the signature that GitHub puts on a delivery.

Secrets are compared in a time that depends on nothing that a stranger may learn: digests of both sides, through
`hmac.compare_digest`, so that not even a secret's length shows.
"""

import hashlib
import hmac
import re

from hubdata.errors import ConfigError
from hubdata.model.secret import HIDDEN
from hubdata.transfer.secrets import Secret

MIN_CHARS = 16
"""A shorter secret can be guessed by whoever may try."""

_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([\x21-\x7e]{1,4096})")
_SIGNATURE = re.compile(r"sha256=([0-9a-f]{64})")


def long_enough(secret: Secret | None, variable: str) -> Secret | None:
    """Return `secret` unless it is too short to be one. Raises ConfigError."""
    if secret is not None and len(secret.reveal()) < MIN_CHARS:
        raise ConfigError(
            f"{variable} ({HIDDEN}) is too short: at least {MIN_CHARS} characters are needed",
            advice="make one of 32 bytes: openssl rand -hex 32",
        )
    return secret


def sendable(token: Secret | None, variable: str) -> Secret | None:
    """Return `token` if an `Authorization` header can carry it. Raises ConfigError."""
    if token is not None and _TOKEN.fullmatch(token.reveal()) is None:
        raise ConfigError(
            f"{variable} ({HIDDEN}) cannot stand in a header: it has blanks, or characters beyond ASCII, or too many",
            advice="make one of 32 bytes: openssl rand -hex 32",
        )
    return token


def bearer(header: str | None) -> str | None:
    """Return the token of an `Authorization` header (RFC 6750, 2.1); None when it has none."""
    found = _BEARER.fullmatch(header) if header else None
    return found[1] if found else None


def is_secret(given: str, secret: Secret) -> bool:
    """Tell whether `given` is the secret."""
    return hmac.compare_digest(_digest(given), _digest(secret.reveal()))


def signature(header: str | None) -> bytes | None:
    """Return the digest that an `X-Hub-Signature-256` header names; None when it names none."""
    found = _SIGNATURE.fullmatch(header) if header else None
    return bytes.fromhex(found[1]) if found else None


def signing(secret: Secret) -> "hmac.HMAC":
    """Return what makes the signature of a body, piece by piece.

    The body's bytes as they came, keyed with the secret: docs.github.com, "Validating webhook deliveries".
    """
    return hmac.new(secret.reveal().encode(), digestmod=hashlib.sha256)


def is_signed(named: bytes, made: "hmac.HMAC") -> bool:
    """Tell whether the digest that a delivery names is that of its body."""
    return hmac.compare_digest(named, made.digest())


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
