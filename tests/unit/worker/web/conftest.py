"""One surface for all tests of a module, its desk as new for each of them."""

from collections.abc import Iterator

import pytest

from tests.support.worker_surface import Surface, running


@pytest.fixture(scope="module")
def one_surface() -> Iterator[Surface]:
    """Give a surface with everything."""
    with running() as surface:
        yield surface


@pytest.fixture
def surface(one_surface: Surface) -> Surface:
    """Give the surface as if nobody had asked anything."""
    one_surface.desk.reset()
    return one_surface
