"""What one record may unfold into: as much as readers bear, and no more, however few bytes it takes."""

from collections.abc import Callable

import pytest

from tests.support.raw_mmdb import BYTES, array, control, database, mapping, nested, of, pointer, problems, text, uint

ONE = uint(1)
TEXTS = [0, 60_003, 60_003 + 2 + 20 * 2 + 0]


def fan_out(width: int, height: int) -> bytes:
    """Return a database whose last record unfolds into width to the power of height values."""
    data, records = bytearray(array(ONE)), [0]
    for _ in range(height):
        records.append(len(data))
        data += array(*[pointer(records[-2])] * width)
    return database(bytes(data), records)


def chain_of_pointers(length: int) -> bytes:
    """Return a database whose last record leads through as many pointers."""
    return fan_out(1, length)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (fan_out(2, 20), "record-heavy"),
        (fan_out(200, 3), "record-heavy"),
        (database(array(*[ONE] * 65_537)), "record-heavy"),
        (database(control(BYTES, 2 << 20) + bytes(2 << 20)), "record-heavy"),
        (database(text("x" * 60_000) + array(*[pointer(0)] * 36), [0, 60_003]), "record-heavy"),
        (
            database(text("x" * 60_000) + array(*[pointer(0)] * 20) + array(*[pointer(60_003)] * 2), TEXTS),
            "record-heavy",
        ),
        (chain_of_pointers(300), "record-deep"),
        (database(array(pointer(0))), "pointer-cycle"),
        (database(array(pointer(4)) + array(pointer(0)), [0, 4]), "pointer-cycle"),
        (database(mapping(text("k"), array(ONE, pointer(0)))), "pointer-cycle"),
    ],
    ids=lambda value: value if isinstance(value, str) else len(value),
)
def test_a_record_that_unfolds_without_measure_is_refused(body: bytes, problem: str) -> None:
    """Pointer bombs, records that are large without pointers, chains, and pointers back into what holds them."""
    assert problems(body) == [problem]


@pytest.mark.parametrize(
    "body",
    [
        fan_out(2, 10),
        fan_out(100, 2),
        database(array(*[ONE] * 65_000)),
        database(array(*[of({"a": 1})] * 600)),
        database(array(*[of({"a": 1})] * 600) + array(pointer(0)), [0, len(array(*[of({"a": 1})] * 600))]),
        database(control(BYTES, 2_000_000) + bytes(2_000_000)),
        chain_of_pointers(200),
    ],
    ids=len,
)
def test_a_record_within_the_limits_is_proven(body: bytes) -> None:
    """Large and shared data, short of what readers bear; six hundred maps side by side are not deep."""
    assert problems(body) == []


@pytest.mark.parametrize("wrap", [array, lambda field: mapping(text("k"), field), lambda field: array(ONE, field)])
def test_512_levels_are_proven_and_513_are_not(wrap: Callable[[bytes], bytes]) -> None:
    """The limit of all readers, of arrays, of maps, and of arrays that keys can only be told in with a stack."""
    assert problems(database(nested(512, wrap))) == []
    assert problems(database(nested(513, wrap))) == ["record-deep"]


def test_a_pointer_is_a_level_wherever_it_is() -> None:
    """To a number at the end of 511 levels and of 512, and the same behind another pointer."""

    def below(levels: int) -> bytes:
        field = pointer(0)
        for _ in range(levels):
            field = array(field)
        return field

    assert problems(database(ONE + below(511), [0, 2])) == []
    assert problems(database(ONE + below(512), [0, 2])) == ["record-deep"]
    for levels, expected in ((509, []), (510, ["record-deep"])):
        data = ONE + below(levels)
        assert problems(database(data + array(pointer(2)), [0, 2, len(data)])) == expected
