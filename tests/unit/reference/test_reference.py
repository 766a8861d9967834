"""What lies in docs/ is what the code says of itself, and its manual pages are pages to whoever reads such."""

import dataclasses
import json
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from hubdata.cli.root import COMMANDS
from hubdata.config.schema import json_schema
from hubdata.errors import Exit
from hubdata.model.manifest import Entry, Manifest
from hubdata.model.snapshot import Stats
from hubdata.model.stage import Promoted
from hubdata.reference import manifest
from hubdata.reference.commands import every, tree
from hubdata.reference.exits import MEANINGS
from hubdata.reference.files import files
from hubdata.reference.manual import escaped, pages

DOCS = Path(__file__).parents[3] / "docs"
TOLD = files()
ENTRY = Entry(
    size=3,
    sha256="0" * 64,
    kind="cidr",
    job="lists",
    etag="abc",
    version_id=None,
    changed_at="2026-01-02T03:04:05Z",
    content_type="text/plain",
    cache_control="max-age=60",
    source={"type": "git", "revision": "f" * 40},
    stats=Stats(entries=3, ipv4_addresses=768),
    cache_tag="t",
)
WHOLE = Manifest(
    generation=3,
    published_at="2026-01-02T03:04:05Z",
    run_id="r",
    files={"lists/a.txt": ENTRY},
    withdrawn={"lists/a.txt": ("1" * 64, "absent")},
    promoted=Promoted("canary", 2, partial=True),
)


def accepts(body: bytes) -> bool:
    """Tell whether the schema lets a manifest through."""
    validator = jsonschema.Draft202012Validator(manifest.schema())
    return bool(validator.is_valid(json.loads(body)))


@pytest.mark.parametrize("path", TOLD)
def test_what_lies_there_is_what_would_be_written(path: str) -> None:
    """Whoever changes a flag, key, rule or field runs `python -m hubdata.reference` and commits what it writes."""
    assert (DOCS / path).is_file(), "run: python -m hubdata.reference"
    assert (DOCS / path).read_text(encoding="utf-8") == TOLD[path], "run: python -m hubdata.reference"


def test_no_page_is_of_a_command_that_is_gone() -> None:
    """The directory holds one page a command and nothing else."""
    assert {f"man/{page.name}" for page in (DOCS / "man").iterdir()} == {name for name in TOLD if name[:4] == "man/"}


def test_every_command_and_every_flag_has_its_place() -> None:
    """On the page and on its own manual page, with what it says of itself."""
    root, man = tree(), pages(tree())
    named = {one.path[1] for one in every(root) if len(one.path) > 1}
    assert named == set(COMMANDS)
    for command in every(root):
        assert f"\n## {command.name}\n" in TOLD["reference/cli.md"]
        for names, _ in command.flags:
            assert escaped(names) in man["-".join(command.path) + ".1"]
            assert f"- `{names}`: " in TOLD["reference/cli.md"]


def test_every_exit_code_has_a_meaning() -> None:
    """A code that nobody can look up helps no script."""
    assert {int(code) for code in Exit} == {code for code in MEANINGS if code < 128}


@pytest.mark.parametrize(
    ("text", "escaped_text"),
    [
        (".SH not a heading", "\\&.SH not a heading"),
        ("'so neither", "\\&'so neither"),
        ("a \\fB backslash", "a \\efB backslash"),
        ("--once", "\\-\\-once"),
        ("a.b", "a.b"),
    ],
)
def test_roff_takes_no_text_for_a_request(text: str, escaped_text: str) -> None:
    """Dots, apostrophes and backslashes lose what they mean; a hyphen can be copied into a shell."""
    assert escaped(text) == escaped_text


def test_mandoc_has_nothing_to_say() -> None:
    """Every page passes the linter, but for the date, which would differ with each build."""
    if shutil.which("mandoc") is None:
        pytest.skip("MANUAL PAGES NOT LINTED: mandoc is not installed (Debian's package mandoc)")
    told = sorted((DOCS / "man").iterdir())
    ended = subprocess.run(["mandoc", "-Tlint", *told], capture_output=True, text=True, timeout=60, check=False)
    lines = [line for line in ended.stdout.splitlines() if "missing date" not in line]
    assert lines == []
    shown = subprocess.run(
        ["mandoc", "-Tascii", DOCS / "man/hubdata-sync.1"], capture_output=True, text=True, check=True
    )
    assert "--approve PLAN_ID" in re.sub(r".\x08", "", shown.stdout)


def test_mandoc_notices_a_page_that_is_none(tmp_path: Path) -> None:
    """The check above can fail."""
    if shutil.which("mandoc") is None:
        pytest.skip("MANUAL PAGES NOT LINTED: mandoc is not installed (Debian's package mandoc)")
    (tmp_path / "bad.1").write_text('.TH X 1 ""\n.SH NAME\nx \\- y\n.NOSUCH\n')
    assert subprocess.run(["mandoc", "-Tlint", tmp_path / "bad.1"], capture_output=True, check=False).returncode


def test_the_schemas_are_schemas() -> None:
    """Each is valid by its own dialect."""
    for schema in (manifest.schema(), *json_schema().values()):
        jsonschema.Draft202012Validator.check_schema(schema)


def test_the_schema_names_every_field_of_a_manifest() -> None:
    """A field that is new in the code is new in the schema."""
    schema = manifest.schema()
    assert {field.name for field in dataclasses.fields(Manifest)} | {"schema"} == schema["properties"].keys()
    entry = schema["properties"]["files"]["additionalProperties"]
    assert {field.name for field in dataclasses.fields(Entry)} == entry["properties"].keys()
    stats = entry["properties"]["stats"]["properties"]
    assert {field.name for field in dataclasses.fields(Stats)} >= stats.keys()


def test_what_the_code_writes_is_what_the_schema_accepts() -> None:
    """With every field that there may be, and with none that may be left out."""
    assert accepts(WHOLE.to_bytes())
    assert accepts(Manifest(published_at="2026-01-02T03:04:05Z").to_bytes())


@pytest.mark.parametrize(
    ("this", "that"),
    [
        (b'"schema": 1', b'"schema": 2'),
        (b'"generation": 3', b'"generation": -3'),
        (b'"generation": 3', b'"generation": "3"'),
        (b'"2026-01-02T03:04:05Z"', b'"yesterday"'),
        (b'"sha256": "0', b'"sha256": "G'),
        (b'"size": 3', b'"size": null'),
        (b'"size": 3', b'"length": 3'),
        (b'"lists/a.txt": {', b'"/lists/a.txt": {'),
        (b'"absent"', b'"gone"'),
        (b'"type": "git"', b'"type": 7'),
        (b'"entries": 3', b'"entries": 3.5'),
        (b'"from": "canary"', b'"form": "canary"'),
    ],
)
def test_a_manifest_that_was_changed_is_not_accepted(this: bytes, that: bytes) -> None:
    """Each of these changes is one that readers would stumble over."""
    assert this in WHOLE.to_bytes()
    assert not accepts(WHOLE.to_bytes().replace(this, that))
