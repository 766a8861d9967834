"""Lines of keys: every key that the parser finds has a line, and the right one."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from hubdata.config.toml_lines import Place, toml_lines

ROOT = Path(__file__).parents[3]

TEXT = '''\
# a comment = "not a key"
title = "a # in a string"   # and after
nested.key = 1

"quoted key" = """
[not.a.table]
not_a_key = 1
"""
raw = \'\'\'
x = "
\'\'\'
inline = { a = 1, b = { c = [1, 2] } }
list = [
  "one", # a ] in a comment
  { deep = true },

  [3, 4],
]
date = 2027-03-31 07:32:00

[table]
a = 1
[table.sub."x.y"]
b = 'lit#eral'

[[files]]
match = "one"
limits = { min = 1 }
[[files]]
match = "two"
[files.limits]
max = 2
[[files.inner]]
z = 1
[[files.inner]]
z = 2
'''

EXPECTED: dict[Place, int] = {
    ("title",): 2,
    ("nested", "key"): 3,
    ("quoted key",): 5,
    ("raw",): 9,
    ("inline", "a"): 12,
    ("inline", "b", "c", 1): 12,
    ("list", 0): 14,
    ("list", 1, "deep"): 15,
    ("list", 2, 1): 17,
    ("date",): 19,
    ("table",): 21,
    ("table", "a"): 22,
    ("table", "sub", "x.y", "b"): 24,
    ("files",): 26,
    ("files", 0, "match"): 27,
    ("files", 0, "limits", "min"): 28,
    ("files", 1): 29,
    ("files", 1, "match"): 30,
    ("files", 1, "limits", "max"): 32,
    ("files", 1, "inner", 1, "z"): 36,
}


@pytest.mark.parametrize(("place", "line"), EXPECTED.items(), ids=str)
def test_each_place_has_the_line_on_which_it_is_written(place: Place, line: int) -> None:
    """Tables, arrays of tables, inline tables, lists, dotted and quoted keys are all found where they stand."""
    assert toml_lines(TEXT)[place] == line


def test_the_scanner_finds_exactly_what_the_parser_finds() -> None:
    """No place is missing and none is made up, whatever strings and comments hold."""
    assert set(toml_lines(TEXT)) == set(_places(tomllib.loads(TEXT)))


@pytest.mark.parametrize(
    "path", [ROOT / "pyproject.toml", *sorted((ROOT / "jobs").glob("*.toml"))], ids=lambda p: p.name
)
def test_real_files_are_read_like_the_parser_reads_them(path: Path) -> None:
    """Every place of our own TOML files is found, each on a line that names its key."""
    text = path.read_text()
    found = toml_lines(text)
    assert set(found) == set(_places(tomllib.loads(text)))
    lines = text.splitlines()
    for place, line in found.items():
        if isinstance(place[-1], str):
            assert place[-1] in lines[line - 1], place


@pytest.mark.parametrize(
    "text",
    [
        'a = """x\\"""y"""\nb = 1\n',
        "a = '''it''s'''''\nb = 1\n",
        'a = "\\\\"\nb = 1',
        'a = """""quoted"""""\nb = 1',
        "a=[]\nb={}",
    ],
)
def test_strings_end_where_toml_says(text: str) -> None:
    """Escapes and quotes beside the closing quotes do not hide the next key."""
    assert toml_lines(text)[("b",)] == 2


def _places(value: Any, place: Place = ()) -> list[Place]:
    found = [place] if place else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _places(inner, (*place, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += _places(inner, (*place, index))
    return found
