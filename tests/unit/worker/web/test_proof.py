"""Whoever asks proves that he knows a secret, and learns nothing of it by trying."""

import hmac

import pytest

from hubdata.errors import ConfigError
from hubdata.transfer.secrets import Secret
from hubdata.worker.web.proof import bearer, is_secret, is_signed, long_enough, signature, signing
from tests.support.worker_surface import SECRET, TOKEN, signed

LENGTHS = ("", "a", TOKEN[:-1], TOKEN, f"{TOKEN}b", "c" * 5000, "\udcff", "é")


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, bytes]]:
    """Give what is compared by the one function whose time tells nothing."""
    seen: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        seen.append((one, other))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    return seen


def test_a_token_is_compared_in_constant_time(compared: list[tuple[bytes, bytes]]) -> None:
    """As digests of equal length, so that neither how much of it is right nor how long it is shows in the time."""
    found = [is_secret(given, Secret(TOKEN)) for given in LENGTHS]
    assert found == [given == TOKEN for given in LENGTHS]
    assert len(compared) == len(LENGTHS)
    assert {len(side) for pair in compared for side in pair} == {32}
    assert all(TOKEN.encode() not in pair for pair in compared)


def test_a_signature_is_compared_in_constant_time(compared: list[tuple[bytes, bytes]]) -> None:
    """Whole, whatever part of it is right."""
    made = signing(Secret(SECRET))
    made.update(b"bo")
    made.update(b"dy")
    named = signature(signed(b"body"))
    assert named is not None
    assert is_signed(named, made)
    assert not is_signed(named[:-1] + bytes([named[-1] ^ 1]), made)
    assert not is_signed(bytes([named[0] ^ 1]) + named[1:], made)
    assert len(compared) == 3


def test_githubs_own_example_of_a_signature() -> None:
    """The one that its documentation gives to test an implementation with."""
    made = signing(Secret("It's a Secret to Everybody"))
    made.update(b"Hello, World!")
    named = signature("sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")
    assert named is not None
    assert is_signed(named, made)


@pytest.mark.parametrize(
    "header", [None, "", "sha256=", "sha1=" + "0" * 40, "sha256=" + "G" * 64, "sha256=" + "0" * 63, "0" * 64]
)
def test_what_is_no_signature_is_none(header: str | None) -> None:
    """Nothing is guessed, and SHA-1 is not enough."""
    assert signature(header) is None


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer   a-b.c~=", "a-b.c~="),
        ("Bearer", None),
        ("Bearer ", None),
        ("Basic abc", None),
        ("Bearer a b", None),
        ("Bearer " + "x" * 5000, None),
        (None, None),
    ],
)
def test_a_token_stands_after_bearer(header: str | None, token: str | None) -> None:
    """And nowhere else."""
    assert bearer(header) == token


def test_a_secret_that_can_be_guessed_is_refused_without_being_shown() -> None:
    """With a way to make a better one."""
    assert long_enough(None, "HUBDATA_HTTP_TOKEN") is None
    with pytest.raises(ConfigError, match=r"HUBDATA_HTTP_TOKEN .* too short") as told:
        long_enough(Secret("hunter2"), "HUBDATA_HTTP_TOKEN")
    assert "hunter2" not in f"{told.value}{told.value.advice}"
    assert "openssl" in told.value.advice
