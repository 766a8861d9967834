"""Secret keys: opened with the right password alone, at a bounded price, and never shown."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.signing.minisign import FormatError
from hubdata.signing.secret_key import (
    MAX_MEMLIMIT,
    MAX_OPSLIMIT,
    WrongPassword,
    is_encrypted,
    key_file,
    open_key,
    scrypt_cost,
)
from tests.unit.signing.keys_for_tests import secret

KEY = secret(1)
# Made by minisign 0.11: `minisign -G -W`.
PLAIN = """untrusted comment: minisign encrypted secret key
RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA0Olu9XjOpRWr1LKHaKzRlxa80IoM9y2GS1VUNPIIfms5kNCfd0+nVL/o8Tvr7QbuV5UJGXiQkXDFQae8UrjXWVF911XCiJCtAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
"""


def sealed(password: str) -> str:
    """Return the key file, encrypted with a password that costs little to try."""
    return key_file(KEY, password=password, salt=b"s" * 32, opslimit=32_768, memlimit=1 << 20)


def test_a_key_that_minisign_made_without_a_password_opens() -> None:
    """Its checksum is all zeros there, and its id that of the public key."""
    assert not is_encrypted(PLAIN)
    assert open_key(PLAIN, None).public.name == "15A5CE78F56EE9D0"
    assert open_key(PLAIN, "a password that nobody needs").public.name == "15A5CE78F56EE9D0"


def test_a_key_is_the_same_after_it_was_written_and_opened() -> None:
    """With a password and without; and its one line is enough."""
    plain, closed = key_file(KEY), sealed("secret")

    assert is_encrypted(closed)
    assert open_key(plain, None) == open_key(closed, "secret") == open_key(closed.split("\n")[1], "secret") == KEY


@pytest.mark.parametrize("password", [None, "", "Secret", "secret "])
def test_another_password_opens_nothing(password: str | None) -> None:
    """And the error says nothing of the key or the password."""
    with pytest.raises(WrongPassword) as caught:
        open_key(sealed("secret"), password)
    assert "ecret " not in str(caught.value)


@settings(max_examples=60)
@given(at=st.integers(0, 157), bit=st.integers(0, 7))
def test_a_key_file_that_was_changed_does_not_open_as_another_key(at: int, bit: int) -> None:
    """Whichever bit: it is refused, or was of no consequence."""
    raw = bytearray(base64.b64decode(key_file(KEY).split("\n")[1]))
    raw[at] ^= 1 << bit
    try:
        assert open_key(base64.b64encode(bytes(raw)).decode(), None) == KEY
    except FormatError:
        return
    assert 6 <= at < 54  # salt and limits, which an open key does not use


def test_halves_that_do_not_belong_together_are_refused() -> None:
    """Signing with them would give the private key away."""
    raw = bytearray(base64.b64decode(PLAIN.split("\n")[1]))
    raw[94] ^= 1  # in the public half; the checksum is not there to tell
    with pytest.raises(FormatError, match="do not belong together"):
        open_key(base64.b64encode(bytes(raw)).decode(), None)


@pytest.mark.parametrize(
    ("opslimit", "memlimit", "n", "p"),
    [
        (33_554_432, 1_073_741_824, 1 << 20, 1),  # libsodium's SENSITIVE, what minisign writes
        (16_777_216, 536_870_912, 1 << 19, 1),  # what it writes where memory is short
        (524_288, 16_777_216, 1 << 14, 1),  # INTERACTIVE
        (32_768, 1 << 30, 1 << 10, 1),
        (1 << 20, 1 << 20, 1 << 10, 32),
    ],
)
def test_costs_are_those_that_libsodium_picks(opslimit: int, memlimit: int, n: int, p: int) -> None:
    """Its two limits stand in the file; scrypt's own parameters follow from them."""
    assert scrypt_cost(opslimit, memlimit) == (n, p)


@pytest.mark.parametrize("limits", [(MAX_OPSLIMIT + 1, MAX_MEMLIMIT), (MAX_OPSLIMIT, MAX_MEMLIMIT + 1), (2**64 - 1, 0)])
def test_a_key_that_asks_for_more_than_minisign_would_is_refused_before_it_is_paid(limits: tuple[int, int]) -> None:
    """A hostile key file must not take the machine's memory or its day."""
    raw = bytearray(base64.b64decode(sealed("x").split("\n")[1]))
    raw[38:54] = limits[0].to_bytes(8, "little") + limits[1].to_bytes(8, "little")
    with pytest.raises(FormatError, match="more time or memory"):
        open_key(base64.b64encode(bytes(raw)).decode(), "x")


@given(opslimit=st.integers(0, MAX_OPSLIMIT), memlimit=st.integers(0, MAX_MEMLIMIT))
def test_no_limits_that_are_let_through_cost_more_than_minisign_itself(opslimit: int, memlimit: int) -> None:
    """Time goes with N * p, memory with N + p; both stay within what a key of minisign's takes."""
    n, p = scrypt_cost(opslimit, memlimit)
    assert n & (n - 1) == 0
    assert n * p <= 1 << 20
    assert 128 * 8 * (n + p) <= (1 << 30) + (1 << 10)


@pytest.mark.parametrize(
    "text", ["", "zzzz", "untrusted comment: a\nb\nc", PLAIN.replace("RWQAAEIy", "RWQAAEI0"), "RWTQ" * 40]
)
def test_what_is_no_key_is_refused_and_not_repeated(text: str) -> None:
    """An error is shown to people who may not see the file."""
    with pytest.raises(FormatError) as caught:
        open_key(text, None)
    assert text == "" or text not in str(caught.value)


def test_a_key_prints_as_its_name() -> None:
    """A traceback with locals must not give it away."""
    assert repr(KEY) == str(KEY) == "SecretKey(0000000000000001)"
    assert KEY.seed.hex() not in f"{KEY} {KEY!r}"
