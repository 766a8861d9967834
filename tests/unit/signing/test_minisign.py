"""Signatures and public keys: what was made is accepted, and nothing else, to the byte."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubdata.signing import ed25519
from hubdata.signing.minisign import FormatError, PublicKey, Signature, signed
from tests.unit.signing.keys_for_tests import secret

KEY, OTHER = secret(1), secret(2)
BODY = b'{"schema": 1}\n'
COMMENT = "generation:1\ttimestamp:0\tfile:manifest.json\thashed"
MADE = KEY.sign(BODY, trusted_comment=COMMENT)

# Made by minisign 0.11: `minisign -G -W`, then `-S` and `-S -l` over "hi\n".
PUBLIC = """untrusted comment: minisign public key 15A5CE78F56EE9D0
RWTQ6W71eM6lFb/o8Tvr7QbuV5UJGXiQkXDFQae8UrjXWVF911XCiJCt
"""
HASHED = b"""untrusted comment: signature from minisign secret key
RUTQ6W71eM6lFZo9pZLaU4pC9/a7fjs2LFoxPoHgY+wSdxPTQYiig0sY36ZrdKWDAR3pc7i5JZkZbYiBDm0zGdaYkqfLcoPdvgc=
trusted comment: a\tb
XpxMB9+SmGn/mtGLbbGQO/cq629q0klOxdyQzvDRwPgFdsNSIAV+TZh+1wUZ1yhDosin+JnUotDJqzCsP/EMDQ==
"""
LEGACY = b"""untrusted comment: signature from minisign secret key
RWTQ6W71eM6lFbpNe3dnUc1/SE4V+jFOpkRMg9KLRQCeSARARZ1nHASLcIeygb+4SLB/TCb74+OdPQ/83rR7jxsWfC8KxZ6hOg0=
trusted comment: timestamp:1795389839\tfile:f
YADLBzuqUaa3CL5xboApFGbjfTPg0gVD4s55AEosHa8f2s3BtSjK1owDG2CVi3AI4fc+Vh9aE1xAboC0f/deAQ==
"""


def accepted(body: bytes, file: bytes, key: PublicKey) -> bool:
    """Tell whether a signature file is one of `body`, comment and all, by `key`."""
    try:
        found = Signature.parse(file)
    except FormatError:
        return False
    return found.holds(key, body) and found.comment_holds(key)


def test_what_minisign_wrote_is_read_and_holds() -> None:
    """Both sorts of signature, with comments, as an installed minisign made them."""
    key = PublicKey.parse(PUBLIC)

    assert (key.name, key.file) == ("15A5CE78F56EE9D0", PUBLIC)
    for file, prehashed in ((HASHED, True), (LEGACY, False)):
        assert Signature.parse(file).prehashed == prehashed
        assert accepted(b"hi\n", file, key)
        assert not accepted(b"ho\n", file, key)
        assert Signature.parse(file).to_bytes() == file


def test_a_public_key_is_read_from_its_file_or_its_line() -> None:
    """What `minisign -p` and `minisign -P` take; line ends of either sort."""
    line = PUBLIC.split("\n")[1]
    assert PublicKey.parse(line) == PublicKey.parse(PUBLIC) == PublicKey.parse(PUBLIC.replace("\n", "\r\n"))
    assert PublicKey.parse(line).text == line


@pytest.mark.parametrize(
    "text",
    [
        "",
        "RWQ",
        "untrusted comment: x",
        PUBLIC + "more\n",
        PUBLIC.replace("RWTQ", "RUTQ"),  # another algorithm
        PUBLIC.replace("iJCt", "iJCt===="),
        PUBLIC.replace("iJCt", "iJ"),
        "untrusted comment: " + "x" * 5000 + "\n" + PUBLIC.split("\n")[1],
        "RWTQ6W71eM6lFb/o8Tvr7QbuV5UJGXiQkXDFQae8UrjXWVF911XCiJC\u212a",
    ],
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    """Anything but a comment and a line of the right length and algorithm."""
    with pytest.raises(FormatError):
        PublicKey.parse(text)


@given(body=st.binary(max_size=200), comment=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80))
def test_what_is_signed_is_accepted_from_its_bytes(body: bytes, comment: str) -> None:
    """Made, written, read again, checked; and the same bytes the second time."""
    made = KEY.sign(body, trusted_comment=comment).to_bytes()

    assert accepted(body, made, KEY.public)
    assert not accepted(body, made, OTHER.public)
    assert KEY.sign(body, trusted_comment=comment).to_bytes() == made


def test_no_byte_of_a_signature_can_be_changed_save_in_the_untrusted_comment() -> None:
    """Every byte is flipped in eight ways: only the first line's words after the colon are nobody's business."""
    file = MADE.to_bytes()
    free = range(len("untrusted comment: "), file.index(b"\n"))
    for at, byte in enumerate(file[:-1]):
        for bit in range(8):
            changed = file[:at] + bytes([byte ^ 1 << bit]) + file[at + 1 :]
            if at not in free:
                assert not accepted(BODY, changed, KEY.public), (at, bit)
    assert accepted(BODY, file.replace(b"minisign secret", b"my own secret"), KEY.public)


def test_no_byte_of_the_file_can_be_changed() -> None:
    """One bit of any byte, one byte less, one more."""
    file = MADE.to_bytes()
    for at, byte in enumerate(BODY):
        assert not accepted(BODY[:at] + bytes([byte ^ 1]) + BODY[at + 1 :], file, KEY.public)
    assert not accepted(BODY[:-1], file, KEY.public)
    assert not accepted(BODY + b"\n", file, KEY.public)


def test_no_prefix_of_a_signature_is_one() -> None:
    """However much of it is cut off; the last line's end alone may be missing, as it was in transit by mail."""
    file = MADE.to_bytes()
    assert accepted(BODY, file[:-1], KEY.public)
    assert not any(accepted(BODY, file[:end], KEY.public) for end in range(len(file) - 1))


@pytest.mark.parametrize(
    "file",
    [
        MADE.to_bytes() + b"fifth line\n",
        MADE.to_bytes() + b"\n",
        b"\n" + MADE.to_bytes(),
        MADE.to_bytes().replace(b"generation", b"\x1b[2Jgeneration"),
        b"\xff" + MADE.to_bytes(),
        MADE.to_bytes().replace(b"untrusted comment: s", b"untrusted comment: " + b"x" * 1010 + b"s"),
        MADE.to_bytes() + b" " * 20_000,
    ],
)
def test_what_is_no_signature_file_is_refused(file: bytes) -> None:
    """More lines, control characters, other text, more bytes than minisign reads."""
    with pytest.raises(FormatError):
        Signature.parse(file)


def test_base64_with_spare_bits_set_is_refused() -> None:
    """Another spelling of the same bytes would be another file that is accepted."""
    file = MADE.to_bytes()
    lines = file.split(b"\n")
    twin = lines[1].replace(b"=", b"")
    last = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".index(twin[-1:])
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = lines[1].replace(twin, twin[:-1] + alphabet[last ^ 1 : (last ^ 1) + 1])
    assert base64.b64decode(other) == base64.b64decode(lines[1])
    with pytest.raises(FormatError, match="spare bits"):
        Signature.parse(file.replace(lines[1], other))


def test_an_unknown_algorithm_is_named() -> None:
    """A signature of tomorrow is not taken for one of today."""
    raw = bytearray(base64.b64decode(MADE.to_bytes().split(b"\n")[1]))
    raw[:2] = b"EX"
    lines = MADE.to_bytes().split(b"\n")
    lines[1] = base64.b64encode(bytes(raw))
    with pytest.raises(FormatError, match="found 'EX'"):
        Signature.parse(b"\n".join(lines))


def test_a_prehashed_signature_is_none_of_the_digest_as_a_legacy_one() -> None:
    """Who relabels ED as Ed has a signature of the digest's bytes, which is no manifest; the label is in the parse."""
    raw = bytearray(base64.b64decode(MADE.to_bytes().split(b"\n")[1]))
    raw[:2] = b"Ed"
    lines = MADE.to_bytes().split(b"\n")
    lines[1] = base64.b64encode(bytes(raw))
    assert not accepted(BODY, b"\n".join(lines), KEY.public)


def test_a_signature_moved_by_the_order_of_the_group_is_refused() -> None:
    """S + L is the other spelling of S, which RFC 8032 forbids."""
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(MADE.signature[32:], "little") + order
    moved = MADE.signature[:32] + s.to_bytes(32, "little")
    assert not ed25519.verifies(KEY.key, moved, BODY)


def test_a_key_of_small_order_verifies_nothing() -> None:
    """With the neutral point as key, R = S*B is a signature of every message."""
    identity = (1).to_bytes(32, "little")
    forged = identity + bytes(32)
    assert not ed25519.verifies(identity, forged, b"anything")


def test_comments_that_no_verifier_would_read_are_not_signed() -> None:
    """A line's end in a comment would make two lines of one."""
    for comment in ("a\nb", "x" * 8192, "\x00"):
        with pytest.raises(FormatError):
            signed(KEY.seed, KEY.id, BODY, trusted_comment=comment, untrusted_comment="")
