"""docs/dependencies.md says of every package why it is here."""

import re
import tomllib
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")


def test_every_package_has_its_reason() -> None:
    """What is asked for without a word said would stay for ever; what is gone needs no reason any more."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = chain(project["dependencies"], *project["optional-dependencies"].values())
    packages = {re.split(r"[\[<>=; ]", line)[0] for line in wanted} - {"hubdata"}
    stubs = {name for name in packages if name.startswith("types-") or name.endswith("-stubs")}
    rows = ", ".join(re.findall(r"^\| ([^|]+) \|", PAGE, re.MULTILINE)[1:])
    named = set(re.sub(r" \([^)]*\)", "", rows).replace(" with ", " ").split(", "))
    assert {"type stubs", "PySocks"} <= named
    assert packages - stubs == named - {"type stubs", "PySocks"}
