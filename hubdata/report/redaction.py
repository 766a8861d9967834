"""Keep secrets out of everything that is printed or logged.

Two nets, because either alone has holes. By value: whatever the environment holds under a name that means a secret
(`*_LICENSE_KEY`, `*TOKEN*`, ...; their `*_FILE` forms too) disappears wherever it turns up, also percent-encoded or
escaped. By shape: `Authorization` headers, presigned query strings, passwords in URLs and AWS signatures disappear
even when nobody knew the value beforehand. Libraries at DEBUG print all of these (botocore its headers and the
signature, urllib3 each URL), so the formatter works on the finished line, traceback included.
"""

import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

from hubdata.model.notify import URL_VARIABLE
from hubdata.model.secret import HIDDEN, names_secret

MASK = HIDDEN

# Wider than what a settings file may not name: in the environment a needless mask costs nothing.
_ALSO_SECRET = re.compile(r"LICENSE_KEY|SECRET|TOKEN|PASSWORD|PASSWD", re.IGNORECASE)
# Container credentials come by URI, and their names are no secrets: AWS_WEB_IDENTITY_TOKEN_FILE is read as a file.
_NOT_SECRET = re.compile(r"_(URI|URL|ARN|NAME|ENDPOINT|EXPIRATION|TTL|TYPE)$", re.IGNORECASE)
_MIN_CHARS = 6
"""Shorter values are left alone: hiding every `1` or `true` would hide the message and no secret."""
_MAX_FILE_BYTES = 64 * 1024

_TEXT = r"[^\s'\"<>&;,}\])]"
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    # `Authorization: Basic abc`, `'authorization': b'AWS4-HMAC-SHA256 Credential=..., Signature=...'`
    (re.compile(r"(?i)(\b(?:proxy-)?authorization['\"]?\s*[:=,]\s*b?)(['\"])[^'\"\r\n]*\2"), rf"\1\2{MASK}\2"),
    (re.compile(r"(?i)(\b(?:proxy-)?authorization\s*[:=]\s*)(?!b?['\"])[^\r\n'\"\\]+"), rf"\1{MASK}"),
    (re.compile(rf"(?i)\b(Bearer|Basic)(\s+)(?=[^\s'\"]{{12}}){_TEXT}+"), rf"\1\2{MASK}"),
    (
        re.compile(rf"(?i)(\bx-amz-(?:signature|security-token|credential)(?:['\"]?\s*[:=]\s*b?['\"]?|%3D)){_TEXT}+"),
        rf"\1{MASK}",
    ),
    (
        re.compile(
            rf"(?i)([?&](?:amp;)?(?:signature|awsaccesskeyid|license_key|key|api_?key|(?:access_|auth_)?token|password"
            rf"|secret|sig|code|verify)=){_TEXT}+"
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"(?i)(\bSignature['\"]?\s*[:=]\s*['\"]?)[0-9a-z+/=]{20,}"), rf"\1{MASK}"),
    (re.compile(r"(?i)(\b(?:LicenseKey|aws_secret_access_key|aws_session_token)\s*[ =:]\s*)[^\s'\",]+"), rf"\1{MASK}"),
    (re.compile(r"(?i)(\b[a-z][a-z0-9+.-]{1,20}://)[^\s/@'\"<>]{1,512}@"), rf"\1{MASK}@"),
)


class Redactor:
    """Takes secrets out of text. Give it what it must know by value; the shapes it knows already."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for value in secret_values({} if environ is None else environ):
            self.add(value)

    def add(self, secret: str) -> None:
        """Hide `secret` from now on, wherever it appears and in the usual escaped forms."""
        secret = secret.strip()
        if len(secret) < _MIN_CHARS:
            return
        forms = {secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]}
        self._values |= forms | {form.lower() for form in forms if "%" in form}
        # The longest first: one secret may begin with another.
        ordered = sorted(self._values, key=lambda value: (-len(value), value))
        self._pattern = re.compile("|".join(map(re.escape, ordered)))

    def __call__(self, text: str) -> str:
        """Return `text` with every secret replaced by a mask."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        for shape, replacement in _SHAPES:
            text = shape.sub(replacement, text)
        return text


class RedactingFormatter(logging.Formatter):
    """Formats a record as usual, then takes the secrets out of the whole line, its traceback included."""

    def __init__(self, redact: Redactor, fmt: str | None = None, datefmt: str | None = None) -> None:
        super().__init__(fmt, datefmt)
        self.redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Return the finished line without secrets."""
        return self.redact(super().format(record))


def secret_values(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values in `environ` that must never be shown, with what their `*_FILE` forms point to."""
    values = []
    for name, value in environ.items():
        if name.upper().endswith("_FILE"):
            if _secret_name(name[: -len("_FILE")]):
                values.append(_content(value))
        elif _secret_name(name):
            values.append(value)
    return tuple(v for v in values if len(v.strip()) >= _MIN_CHARS)


def _secret_name(name: str) -> bool:
    if name == URL_VARIABLE:  # whoever has it may write into the channel
        return True
    return not _NOT_SECRET.search(name) and (names_secret(name) or _ALSO_SECRET.search(name) is not None)


def _content(path: str) -> str:
    """Return what a secret file holds; empty when it cannot be read (whoever needs it will say so)."""
    try:
        with Path(path).open("rb") as file:
            return file.read(_MAX_FILE_BYTES).decode("utf-8", "replace").strip()
    except (OSError, ValueError):
        return ""


_shared: Redactor | None = None


def redactor() -> Redactor:
    """Return the process's redactor, made from the environment when it is first needed."""
    global _shared  # noqa: PLW0603 - one process, one environment, one set of secrets
    if _shared is None:
        _shared = Redactor(os.environ)
    return _shared


def redact(text: str) -> str:
    """Return `text` without the secrets that this process knows of."""
    return redactor()(text)
