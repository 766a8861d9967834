"""Where the parts of a database lie, and what its nodes hold."""

import mmap
import random
from pathlib import Path

import pytest

from hubdata.mmdb.layout import read_layout, records
from hubdata.mmdb.malformed import Malformed
from tests.support.raw_mmdb import UINT16, database, metadata, node, text, uint


@pytest.mark.parametrize("bits", [24, 28, 32])
def test_both_records_of_every_node_are_read_in_full(bits: int, tmp_path: Path) -> None:
    """Random values of all bits, and none and all of them, from bytes and from a mapped file."""
    chance = random.Random(bits)
    most = (1 << bits) - 1
    values = [(0, most), (most, 0), *((chance.getrandbits(bits), chance.getrandbits(bits)) for _ in range(500))]
    tree = b"".join(node(left, right, bits) for left, right in values)
    body = tree + bytes(16) + b"\xa0" + metadata(len(values), record_size=uint(bits, UINT16))
    path = tmp_path / "x.mmdb"
    path.write_bytes(body)
    left, right = records(read_layout(body))
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == values
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert records(read_layout(mapped))[1].tolist() == right.tolist()


def test_a_layout_names_each_part_by_its_bytes() -> None:
    """One node of 6 bytes, 16 of nothing, the data, and the marker behind it."""
    body = database(b"\xa1\x07")
    layout = read_layout(body)
    assert (layout.tree_bytes, layout.data_start, layout.data_end) == (6, 22, 24)
    assert body[layout.data_end :].startswith(b"\xab\xcd\xefMaxMind.com")
    known = layout.metadata
    assert (known.database_type, known.build_epoch, known.ip_version) == ("Test", 1_700_000_000, 4)
    assert (known.record_size, known.node_count, known.binary_format) == (24, 1, (2, 0))
    assert (known.languages, dict(known.description)) == (("en",), {"en": "A test"})


def test_metadata_out_of_their_last_128_kib_are_not_looked_for() -> None:
    """The specification bounds the section, its marker included."""
    body = database(b"\xa0")
    size = len(body) - read_layout(body).data_end
    rest = (128 << 10) - size - len(text("x" * 70_000)) + 70_000
    assert read_layout(body + text("x" * rest)).data_start == 22
    with pytest.raises(Malformed) as caught:
        read_layout(body + text("x" * (rest + 1)))
    assert caught.value.problem == "no-metadata"
