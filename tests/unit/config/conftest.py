"""Every test of the configuration works with the sample adapters, and writes its files with `write`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hubdata import plugins

HERE = "tests.unit.config.sample_adapters"
SAMPLES = {
    "SOURCES": {"git": "GitSource", "directory": "DirectorySource", "list": "ListSource"},
    "KINDS": {"cidr": "CidrKind", "ip-exact": "PlainKind", "mmdb": "PlainKind"},
    "TARGETS": {"s3": "S3Target", "directory": "DirectoryTarget"},
    "CDNS": {"cloudfront": "CloudfrontCdn", "none": "NoCdn"},
}

Write = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def _sample_adapters(monkeypatch: pytest.MonkeyPatch) -> None:
    for table, words in SAMPLES.items():
        found: Any = getattr(plugins, table)
        for word in list(found):
            monkeypatch.delitem(found, word)
        for word, name in words.items():
            monkeypatch.setitem(found, word, f"{HERE}:{name}")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a file below the test's directory and returns its path."""

    def write_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write_file
