"""What a long list of networks means is what it means row by row, in a fraction of the time and memory."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar import network_rows
from hubdata.grammar.intervals import merged
from hubdata.grammar.lines import ENGINE_LINE_BYTES, read_rows
from hubdata.meaning.lists import network_in
from hubdata.meaning.table import meaning_of
from hubdata.model.meaning import Meaning

ROWS = st.lists(
    st.sampled_from(
        [
            *(
                "8.8.8.0/24",
                "8.8.9.0/24",
                "8.8.10.0/23",
                "8.8.8.8/32",
                "8.8.8.9/32",
                "8.8.8.8",
                "9.9.9.9/8",
                "0.0.0.0/0",
            ),
            *("2a00::/32", "2A00:1::/32", "2a00:1::/32", "2a00::1/128", "2a00::1", "::/0", "::1", "10.0.0.0/8"),
            *("255.255.255.255/32", "2a00:0:0:1::/64", "2a00::ffff:ffff:ffff:ffff/128", "2a00::/64"),
            *("", "# c", "x", " 8.8.8.8", "8.8.8.8/32\r", "8.8.8.7/32", "\u00fc", "y" * ENGINE_LINE_BYTES),
        ]
    ),
    max_size=30,
)
BODIES = st.builds(lambda rows, end: "\n".join(rows).encode() + end, ROWS, st.sampled_from([b"", b"\n", b"\xff\n"]))


def long(kind: str, body: bytes) -> Meaning:
    """Return what `body` means when it counts as long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network_rows, "TABLE_BYTES", 0)
        return meaning_of(kind, body)


@settings(max_examples=300, deadline=None)
@given(BODIES)
def test_long_and_short_lists_are_read_alike(body: bytes) -> None:
    """The same addresses and the same rows that are none, as networks and as addresses."""
    for kind in ("cidr", "ip-exact"):
        assert long(kind, body) == meaning_of(kind, body)


@settings(max_examples=300, deadline=None)
@given(BODIES)
def test_a_list_means_the_networks_that_an_engine_reads_in_its_rows(body: bytes) -> None:
    """Held to a model of intervals: overlapping, repeated and adjacent networks are their union."""
    rows = [row.text for row in read_rows("k", body)[0]]
    found = [network for network in map(network_in, rows) if network is not None]
    meaning = long("cidr", body)
    if meaning.networks is None or meaning.names is None:
        assert rows == []
        return
    for version, intervals in ((4, meaning.networks.four), (6, meaning.networks.six)):
        assert intervals == merged((each.first, each.last) for each in found if each.version == version)
    assert list(meaning.names.values) == list(dict.fromkeys(row for row in rows if network_in(row) is None))
