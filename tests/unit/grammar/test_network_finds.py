"""Networks held as numbers come back as they were, and cover what they cover as objects."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar import network_finds
from hubdata.grammar.network_finds import Finds
from hubdata.grammar.networks import Network, coverage, masked

NETWORKS = st.builds(
    lambda version, value, cut: masked(version, value, (32 if version == 4 else 128) - cut),
    st.sampled_from([4, 6]),
    st.integers(0x08080800, 0x08080840) | st.integers(0, (1 << 32) - 1),
    st.integers(0, 20),
) | st.builds(
    lambda value, prefix: masked(6, value << 64, prefix), st.integers(0x2A00 << 48, (1 << 64) - 1), st.integers(48, 128)
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 1 << 24), NETWORKS), max_size=30))
def test_what_was_taken_is_given_back_and_counted_alike(found: list[tuple[int, Network]]) -> None:
    """In the order it came, of both versions; as columns it covers as much as one by one."""
    finds = Finds()
    for line, network in found:
        finds.add(line, network)
    assert list(finds) == found
    expected = coverage(network for _, network in found)
    assert finds.coverage() == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network_finds, "MANY", 0)
        assert finds.coverage() == expected
