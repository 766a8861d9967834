"""The example package's CDN keeps every promise that the built-in ones do."""

from pathlib import Path

import pytest

from hubdata.errors import CdnError
from hubdata.plugins import Seam, load, parse_options
from hubdata.ports import Cdn
from tests.contracts import test_cdns
from tests.support.contracts import adopt
from tests.support.plugin_example import installed


@pytest.fixture
def cdn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cdn:
    """Give the CDN with an empty list."""
    monkeypatch.syspath_prepend(str(installed(tmp_path / "site")))
    options = parse_options(Seam.CDN, "purge-list", {"path": str(tmp_path / "purges")})
    made: Cdn = load(Seam.CDN, "purge-list")("edge", options, key_prefix="", reporter=None, patience=None)
    return made


adopt(test_cdns, globals(), without=["test_a_cdn_that_cannot_be_reached_is_pending"])


def test_one_that_cannot_be_written_to_is_pending(tmp_path: Path, cdn: Cdn) -> None:
    """The next run tells it again."""
    (tmp_path / "purges").mkdir()
    with pytest.raises(CdnError) as caught:
        cdn.invalidate(cdn.paths(("a",)), "r1")
    assert caught.value.retryable
