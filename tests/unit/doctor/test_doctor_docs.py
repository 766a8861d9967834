"""docs/doctor.md has every check there is, with its exit code, and no other."""

import re
from pathlib import Path

from hubdata.doctor.catalogue import CHECKS

PAGE = (Path(__file__).parents[3] / "docs" / "doctor.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([a-z0-9-]+)` \| (.+?) \| (\d) \| (.+?) \|$", PAGE, re.MULTILINE)


def test_the_page_has_every_check_and_no_other() -> None:
    """The table is the catalogue, in its order; each row says what to do."""
    assert [name for name, *_ in ROWS] == list(CHECKS)
    assert all(meaning.strip() and advice.strip() for _, meaning, _, advice in ROWS)


def test_the_codes_are_the_catalogues() -> None:
    """What a failed check ends with stands in the table."""
    assert {name: int(code) for name, _, code, _ in ROWS} == {name: int(code) for name, (_, code) in CHECKS.items()}
