"""Secrets: where they come from, and that they never show."""

import pickle
import traceback
from pathlib import Path

import pytest

from hubdata.errors import ConfigError
from hubdata.transfer.secrets import Secret, read_secret, secret_variable

VALUE = "sentinel-7f3a9c"


def test_a_secret_shows_in_no_form_but_by_its_name() -> None:
    """`str`, `repr`, formatting, containers: stars. `reveal()`: the value."""
    secret = Secret(VALUE)
    shown = [str(secret), repr(secret), f"{secret}", f"{secret!r:>40}", f"{secret:>40}", str([secret]), repr([secret])]
    assert all(VALUE not in text for text in shown)
    assert secret.reveal() == VALUE


def test_a_secret_is_written_nowhere() -> None:
    """Neither pickled nor hashed nor given attributes."""
    with pytest.raises(TypeError):
        pickle.dumps(Secret(VALUE))
    with pytest.raises(TypeError):
        hash(Secret(VALUE))
    assert not hasattr(Secret(VALUE), "__dict__")


def test_equal_secrets_are_equal() -> None:
    """And nothing else is equal to one, not even its value."""
    assert Secret(VALUE) == Secret(VALUE)
    assert Secret(VALUE) != Secret("other")
    assert Secret(VALUE) != VALUE


def test_a_secret_comes_from_its_variable_without_white_space() -> None:
    """A line feed that a shell or a web form added is not part of it."""
    assert read_secret({"KEY": f" {VALUE}\n"}, "KEY") == Secret(VALUE)


def test_a_secret_comes_from_the_file_that_a_variable_names(tmp_path: Path) -> None:
    """As containers mount them, with a final line feed."""
    path = tmp_path / "key"
    path.write_text(f"{VALUE}\n")
    assert read_secret({"KEY_FILE": f"{path}\n"}, "KEY") == Secret(VALUE)
    assert secret_variable({"KEY_FILE": str(path)}, "KEY") == "KEY_FILE"


def test_an_empty_variable_is_as_good_as_none() -> None:
    """CI gives a fork the secrets it may not see as empty strings."""
    assert read_secret({"KEY": " ", "KEY_FILE": ""}, "KEY") is None
    assert secret_variable({"KEY": " ", "KEY_FILE": ""}, "KEY") is None


def test_two_places_for_one_secret_are_one_too_many(tmp_path: Path) -> None:
    """Nobody could tell which one is meant."""
    with pytest.raises(ConfigError, match="KEY and KEY_FILE are both set"):
        read_secret({"KEY": VALUE, "KEY_FILE": str(tmp_path)}, "KEY")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (None, "No such file"),
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (VALUE.encode() + b"\xff\xfe", "not UTF-8"),
        (VALUE.encode() * 10_000, "more than 65536 bytes"),
    ],
)
def test_a_file_that_holds_no_secret_is_named_and_not_quoted(tmp_path: Path, body: bytes | None, message: str) -> None:
    """The error has the variable, the path and advice; the traceback has none of the content."""
    path = tmp_path / "key"
    if body is not None:
        path.write_bytes(body)
    with pytest.raises(ConfigError, match=message) as caught:
        read_secret({"KEY_FILE": str(path)}, "KEY")
    assert "KEY_FILE" in str(caught.value)
    assert str(path) in str(caught.value)
    assert caught.value.advice
    assert VALUE not in "".join(traceback.format_exception(caught.value))


def test_a_directory_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    """As happens when a container mounts a file that is not there."""
    with pytest.raises(ConfigError, match="Is a directory"):
        read_secret({"KEY_FILE": str(tmp_path)}, "KEY")
