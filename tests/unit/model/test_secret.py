"""Names that mean a secret, and texts shown without one."""

import pytest

from hubdata.model.secret import holds_secret, names_secret, redact


@pytest.mark.parametrize(
    "name",
    [
        "license_key",
        "secret_access_key",
        "aws_session_token",
        "TOKEN",
        "db.password",
        "api-key",
        "credentials",
        "apikey",
    ],
)
def test_names_of_secrets_are_known(name: str) -> None:
    """Whatever the case and the separator."""
    assert names_secret(name)
    assert redact(name, "hunter2") == "***"


@pytest.mark.parametrize(
    "name", ["bucket", "token_file", "token_env", "cache_tag", "keys", "key", "tokenizer", "account_id", "monkey"]
)
def test_other_names_are_left_alone(name: str) -> None:
    """`token_file` holds a path; a waiver's `key` is a file's name."""
    assert not names_secret(name)
    assert redact(name, "value") == "value"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:hunter2@example.net/x", "https://***@example.net/x"),
        ("https://ghp_0123456789abcdefghij@example.net", "https://***@example.net"),
    ],
)
def test_a_password_in_a_url_is_found_and_hidden(text: str, shown: str) -> None:
    """With a user before it, or alone in the user's place."""
    assert holds_secret(text)
    assert redact("url", text) == shown


@pytest.mark.parametrize("text", ["https://example.net/a:b@c", "ssh://git@example.net/x", "git@example.net:x", "a:b@c"])
def test_a_url_without_a_password_is_left_alone(text: str) -> None:
    """A user name alone is no secret, and an `@` in a path is not a user."""
    assert not holds_secret(text)
    assert redact("url", text) == text
