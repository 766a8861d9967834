"""The modules' READMEs say what their variables and outputs say."""

from pathlib import Path

import pytest

from tests.support.module_docs import readmes, written


@pytest.mark.parametrize("readme", tuple(readmes()), ids=lambda readme: readme.parent.name)
def test_tables_are_the_modules_own(readme: Path) -> None:
    """Each input with type and default, each output; `python -m tests.support.module_docs` writes them."""
    assert readme.read_text(encoding="utf-8") == written(readme)
    assert "| required |" in written(readme)
