"""What must never be readable in anything hubdata prints or logs."""

import io
import logging
from pathlib import Path

import pytest

from hubdata.report.redaction import MASK, RedactingFormatter, Redactor, secret_values

SENTINEL = "s3ntinel+Zx/9=7Q"
IN_URL = "s3ntinel-Zx9"


@pytest.mark.parametrize(
    "name",
    [
        "MAXMIND_LICENSE_KEY",
        "GEOIPUPDATE_LICENSE_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "GITHUB_TOKEN",
        "CLOUDFLARE_API_TOKEN",
        "DB_PASSWORD",
        "proxy_password",
    ],
)
def test_values_of_secret_variables_disappear(name: str) -> None:
    """Whatever the environment holds under a secret's name is masked anywhere in a text."""
    redact = Redactor({name: SENTINEL})
    assert redact(f"before {SENTINEL} after") == f"before {MASK} after"


@pytest.mark.parametrize("name", ["HOME", "AWS_REGION", "MAXMIND_ACCOUNT_ID", "TOKEN_URL", "AWS_SECRET_ARN"])
def test_values_of_other_variables_stay_readable(name: str) -> None:
    """A redactor that hides places and names would hide what went wrong."""
    assert Redactor({name: SENTINEL})(f"x {SENTINEL}") == f"x {SENTINEL}"


def test_a_secret_is_hidden_in_its_escaped_forms_too() -> None:
    """A URL-encoded copy of a secret is the secret."""
    redact = Redactor({"API_TOKEN": SENTINEL})
    for form in ("s3ntinel%2BZx%2F9%3D7Q", "s3ntinel%2bzx%2f9%3d7q"):
        assert redact(f"path/{form}") == f"path/{MASK}"


def test_secret_files_are_read(tmp_path: Path) -> None:
    """The value behind `*_FILE` is as secret as the plain variable; a file that is missing is no error here."""
    held = tmp_path / "key"
    held.write_text(SENTINEL + "\n")
    environ = {"MAXMIND_LICENSE_KEY_FILE": str(held), "OTHER_TOKEN_FILE": str(tmp_path / "absent")}
    assert secret_values(environ) == (SENTINEL,)
    assert SENTINEL not in Redactor(environ)(f"key {SENTINEL}")


def test_a_longer_secret_wins_over_one_that_begins_it() -> None:
    """Masking the short secret first would leave the tail of the long one readable."""
    redact = Redactor({"A_TOKEN": "abcdef", "B_TOKEN": "abcdefghij"})
    assert redact("abcdefghij") == MASK


def test_short_values_are_left_alone() -> None:
    """`MY_TOKEN=1` must not mask every digit of a log."""
    assert Redactor({"MY_TOKEN": "1"})("1 of 11") == "1 of 11"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"Authorization: Basic {SENTINEL}", "Authorization: "),
        (f"authorization: Bearer {SENTINEL}\nHost: a", "\nHost: a"),
        (f"{{'Authorization': 'Basic {SENTINEL}', 'Host': 'a'}}", "'Host': 'a'"),
        (f"{{'Authorization': b'AWS4-HMAC-SHA256 Credential=AK/x, Signature={SENTINEL}', 'b': 1}}", "'b': 1"),
        (f"('Authorization', 'Basic {SENTINEL}')", "Authorization"),
        (f'"proxy-authorization": "Basic {SENTINEL}"', "proxy-authorization"),
        (f"GET /f?X-Amz-Date=2026&X-Amz-Signature={SENTINEL}&x=1", "x=1"),
        (f"GET /f?X-Amz-Credential={SENTINEL}&X-Amz-Security-Token={SENTINEL} HTTP/1.1", "HTTP/1.1"),
        (f"x-amz-security-token:{SENTINEL}\nhost:b", "host:b"),
        (f"{{'X-Amz-Security-Token': b'{SENTINEL}', 'n': 1}}", "'n': 1"),
        (f"https://h/geoip?edition_id=A&license_key={SENTINEL}&suffix=tar.gz", "suffix=tar.gz"),
        (f"https://h/f?Expires=1&Signature={SENTINEL}", "Expires=1"),
        (f"https://user:{IN_URL}@host/path", "@host/path"),
        (f"fatal: unable to access 'https://{IN_URL}@github.com/a/b/'", "@github.com/a/b/"),
        ("Signature:\n" + "0a" * 32, "Signature"),
        (f"LicenseKey {SENTINEL}\nEditionIDs GeoLite2-City", "EditionIDs GeoLite2-City"),
    ],
)
def test_secrets_are_known_by_their_shape(text: str, kept: str) -> None:
    """Headers, presigned queries and URL passwords are masked even if nobody knew the value; the rest stays."""
    shown = Redactor()(text)
    assert SENTINEL not in shown
    assert IN_URL not in shown
    assert "0a0a0a" not in shown
    assert MASK in shown
    assert kept in shown


@pytest.mark.parametrize(
    "text",
    [
        "whitelists/a.txt: 10.0.0.1/8 has host bits set",
        "job allowlists: basic check of 171 files",
        "https://example.net/a/b@2x.png",
        "git 1149fa3 https://github.com/crowdsecurity/sec-lists",
    ],
)
def test_plain_messages_pass_unharmed(text: str) -> None:
    """Ordinary text is returned as it was."""
    assert Redactor()(text) == text


def _logged(message: str, *args: object, error: Exception | None = None) -> str:
    """Return what a handler with our formatter writes for one record."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactingFormatter(Redactor({"A_TOKEN": SENTINEL}), "%(message)s"))
    handler.handle(
        logging.LogRecord(
            "urllib3", logging.DEBUG, "f", 1, message, args, (type(error), error, None) if error else None
        )
    )
    return stream.getvalue()


def test_secrets_in_log_arguments_are_masked() -> None:
    """The line is redacted after its arguments are put in, not before."""
    assert _logged("%s %r", "GET", ["k", SENTINEL]) == f"GET ['k', '{MASK}']\n"


def test_secrets_in_tracebacks_are_masked() -> None:
    """An exception's text and traceback go through the same net."""
    text = _logged("it failed", error=ValueError(f"bad key {SENTINEL}"))
    assert SENTINEL not in text
    assert f"ValueError: bad key {MASK}" in text


def test_long_hostile_text_is_redacted_in_bounded_time() -> None:
    """No shape backtracks on long input: 200 kB that nearly match are done at once (a hang fails the suite)."""
    for piece in ("authorization: ", "x-amz-signature=", "a://", "Signature: ", "Basic "):
        text = piece * (200_000 // len(piece))
        assert Redactor()(text)
