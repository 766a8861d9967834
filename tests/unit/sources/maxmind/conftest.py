"""The vendor, the source that asks it, and time that costs nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.maxmind_kit import ASN, BODY, CITY, SECRET, FakeClock, Kit
from tests.support.maxmind_server import MaxmindServer


@pytest.fixture
def clock() -> FakeClock:
    """Time that costs nothing."""
    return FakeClock()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MaxmindServer]:
    """The vendor, with two small databases."""
    city, asn = tmp_path / "city", tmp_path / "asn"
    city.write_bytes(BODY)
    asn.write_bytes(BODY[::-1])
    with MaxmindServer({CITY: city, ASN: asn}, key=SECRET) as running:
        yield running


@pytest.fixture
def kit(server: MaxmindServer, tmp_path: Path, clock: FakeClock) -> Kit:
    """A source with credentials that are right."""
    return Kit(server, tmp_path / "workspace", clock)
