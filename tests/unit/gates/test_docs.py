"""docs/gates.md says of every kind what the gate does with it, and names every flag there is."""

import re
from pathlib import Path

import click

from hubdata.cli.gate import crowdsec
from hubdata.gates.candidates import Loads, sort_files
from hubdata.model.job import FileRule, Job, SourceSpec
from hubdata.model.snapshot import SourceFile
from hubdata.plugins import KINDS

PAGE = (Path(__file__).parents[3] / "docs" / "gates.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (`[^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)


def test_every_kind_has_its_row_and_is_loaded_as_it_says(tmp_path: Path) -> None:
    """A kind that the gate learns, or is new, is told of."""
    told = {kind: loaded for kinds, loaded, _ in ROWS for kind in re.findall(r"`([a-z-]+)`", kinds)}
    assert set(told) == set(KINDS)
    path = tmp_path / "one"
    path.write_text("a row\n")
    for kind in KINDS:
        job = Job("one", SourceSpec("directory", {}), (FileRule("**", kind),))
        found = sort_files((job,), (SourceFile("GeoLite2-City.mmdb", path, 6, {}),))
        loads = found.candidates[0].loads if found.candidates else None
        assert ("not at all" in told[kind]) is (loads is None), kind
        if loads in (Loads.LINES, Loads.REGEXPS):
            assert told[kind].startswith(f"`{loads.value}`"), kind


def test_every_flag_is_named() -> None:
    """Nobody has to ask the command."""
    flags = [flag for param in crowdsec.params if isinstance(param, click.Option) for flag in param.opts]
    assert set(flags) == {"--engine", "--timeout", "--jobs"}
    assert all(f"| `{flag}" in PAGE for flag in flags)
