"""Adapters of other packages: found by their words, held against their ports, and refused with the package's name."""

import subprocess
import sys
from pathlib import Path

import pytest

from hubdata.config.adapters import adapter_faults
from hubdata.errors import ConfigError
from hubdata.extensions import _MADE_WITH, GROUPS
from hubdata.plugins import TABLES, Seam, brought, known, load, options_model, words
from tests.support.plugin_example import installed

MODULE = """
from pydantic import BaseModel, ConfigDict

class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")

class Good:
    content_type, max_bytes, Options = "text/plain", 10, Options
    def __init__(self, options): ...
    def check(self, artifact, body, demands): ...

class NoOptions(Good):
    Options = None

class Lax(Good):
    class Options(BaseModel): ...

class NoCheck:
    content_type, max_bytes, Options = "text/plain", 10, Options
    def __init__(self, options): ...

class WrongCheck(Good):
    def check(self, body): ...

class WrongMake(Good):
    def __init__(self): ...

class NoSize:
    content_type, Options = "text/plain", Options
    def __init__(self, options): ...
    def check(self, artifact, body, demands): ...

def function(options): ...
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a directory on Python's path, for packages."""
    path = tmp_path / "site"
    path.mkdir()
    monkeypatch.syspath_prepend(str(path))
    return path


def kinds(site: Path, name: str, **points: str) -> None:
    """Put the metadata of a package that brings these kinds."""
    lines = "".join(f"{word.replace('_', '-')} = {path}\n" for word, path in points.items())
    installed(site, name=name, entry_points=f"[hubdata.kinds]\n{lines}")


def test_the_example_brings_one_of_each_and_all_are_found_by_their_words(site: Path) -> None:
    """They are known, suggested and loaded like built-in ones; nothing is imported to list them."""
    installed(site)
    sys.modules.pop("hubdata_example", None)
    listed = {seam: [(one.word, one.package, one.trouble) for one in brought(seam)] for seam in Seam}
    assert listed == {
        Seam.KIND: [("hostnames", "hubdata-example 1.0", "")],
        Seam.SOURCE: [("inline", "hubdata-example 1.0", "")],
        Seam.TARGET: [("sqlite", "hubdata-example 1.0", "")],
        Seam.CDN: [("purge-list", "hubdata-example 1.0", "")],
    }
    assert "hubdata_example" not in sys.modules
    for seam, ((word, _, _),) in listed.items():
        assert known(seam, word)
        assert word in words(seam)
        assert load(seam, word).__module__.startswith("hubdata_example.")
        assert options_model(seam, word).model_config["extra"] == "forbid"
    with pytest.raises(ConfigError) as near:
        load(Seam.KIND, "hostname")
    assert near.value.advice == "did you mean `hostnames`?"


def test_without_packages_every_word_is_built_in() -> None:
    """What this environment has beside hubdata brings nothing."""
    assert {seam: words(seam) for seam in Seam} == {seam: tuple(sorted(TABLES[seam])) for seam in Seam}


def test_a_built_in_word_is_never_looked_for_elsewhere() -> None:
    """A plain run reads no package's metadata: that would cost it a tenth of a second."""
    code = (
        "import sys; from hubdata.plugins import TABLES, load;"
        "[load(seam, word) for seam, table in TABLES.items() for word in table];"
        "print([m for m in ('hubdata.extensions',) if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout.strip() == "[]"


def test_no_package_takes_the_place_of_a_built_in_one(site: Path) -> None:
    """The built-in stays what it is, and the package is named where packages are listed."""
    (site / "evil_kinds.py").write_text(MODULE)
    kinds(site, "evil", cidr="evil_kinds:Good")
    (one,) = brought(Seam.KIND)
    assert (one.word, one.package) == ("cidr", "evil 1.0")
    assert one.trouble == "hubdata has a kind of this name, and no package takes its place"
    assert load(Seam.KIND, "cidr").__module__ == "hubdata.kinds.cidr"
    assert words(Seam.KIND) == tuple(sorted(TABLES[Seam.KIND]))


def test_two_packages_with_one_word_are_both_refused(site: Path) -> None:
    """Which of them would judge must not follow from the order of a path."""
    (site / "first_kinds.py").write_text(MODULE)
    kinds(site, "first", names="first_kinds:Good")
    kinds(site, "second", names="first_kinds:Good")
    with pytest.raises(ConfigError) as caught:
        load(Seam.KIND, "names")
    assert "several packages bring it: first 1.0, second 1.0" in str(caught.value)


def test_a_package_that_lies_twice_on_the_path_is_one(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older copy behind the one that is imported brings nothing, as Python imports nothing from it."""
    behind = tmp_path / "behind"
    (behind).mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(behind)])
    (site / "once_kinds.py").write_text(MODULE)
    kinds(site, "once", names="once_kinds:Good")
    installed(behind, name="Once", version="0.9", entry_points="[hubdata.kinds]\nnames = once_kinds:NoCheck\n")
    assert load(Seam.KIND, "names").__name__ == "Good"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("no_such_module:Good", "no_such_module:Good cannot be imported (ModuleNotFoundError"),
        ("shaped_kinds:Missing", "shaped_kinds:Missing cannot be imported (AttributeError"),
        ("shaped_kinds:function", "is no kind: expected a class, found function"),
        ("shaped_kinds:NoOptions", "it has no `Options`, a pydantic model"),
        ("shaped_kinds:Lax", "`Options` must refuse unknown keys"),
        ("shaped_kinds:NoCheck", "it has no method `check`"),
        ("shaped_kinds:WrongCheck", "`check` cannot be called as the port has it"),
        ("shaped_kinds:WrongMake", "it cannot be made with (options)"),
        ("shaped_kinds:NoSize", "it has no `max_bytes`"),
        ("exiting_kinds:Good", "cannot be imported (SystemExit: 3)"),
        ("dividing_kinds:Good", "cannot be imported (ZeroDivisionError: division by zero)"),
        ("shaped_kinds", "'shaped_kinds' does not name a class: expected module:Class"),
        ("os:system('true')", "does not name a class: expected module:Class"),
        ("../../etc:passwd", "does not name a class: expected module:Class"),
    ],
)
def test_what_is_no_adapter_is_refused_with_the_packages_name(site: Path, path: str, said: str) -> None:
    """Whatever it does when it is imported, and whatever it lacks: one line, at the key that names it."""
    (site / "shaped_kinds.py").write_text(MODULE)
    (site / "exiting_kinds.py").write_text("raise SystemExit(3)")
    (site / "dividing_kinds.py").write_text("1 / 0")
    kinds(site, "acme-lists", odd=path)
    for module in ("shaped_kinds", "exiting_kinds", "dividing_kinds"):
        sys.modules.pop(module, None)
    (fault,) = adapter_faults(Seam.KIND, "odd", {}, ("files", 0, "kind"))
    assert fault.path == ("files", 0, "kind")
    assert fault.message.startswith("kind `odd` of the package acme-lists 1.0: ")
    assert said in fault.message
    assert "acme-lists 1.0" in fault.advice


@pytest.mark.parametrize(
    "word", ["UPPER", "with space", "../up", "a/b", "x" * 65, "esc\x1b[31m", "rtl\u202e", "-dash", "a--b", "ünï", "a.b"]
)
def test_a_hostile_name_is_no_word(site: Path, word: str) -> None:
    """It is told among packages, and cannot be used."""
    (site / "named_kinds.py").write_text(MODULE)
    installed(site, name="acme", entry_points=f"[hubdata.kinds]\n{word} = named_kinds:Good\n")
    assert all(one.trouble for one in brought(Seam.KIND))
    assert words(Seam.KIND) == tuple(sorted(TABLES[Seam.KIND]))
    with pytest.raises(ConfigError):
        load(Seam.KIND, word)
    for one in brought(Seam.KIND):
        with pytest.raises(ConfigError) as caught:
            load(Seam.KIND, one.word)
        assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "broken", ["[hubdata.kinds", "\x00\xff", "[hubdata.kinds]\n= x:Y\n", "[hubdata.kinds]\nnames\n"]
)
def test_broken_metadata_of_a_package_costs_the_others_nothing(site: Path, broken: str) -> None:
    """A file that is no list of entry points brings nothing, or is refused; the example is found all the same."""
    installed(site)
    installed(site, name="broken", entry_points=broken)
    assert "hostnames" in words(Seam.KIND)
    assert known(Seam.KIND, "hostnames")
    assert load(Seam.KIND, "hostnames").__name__ == "HostnamesKind"


def test_a_package_without_metadata_is_told_as_such(site: Path) -> None:
    """Its entry points count, and it has a name to be told by."""
    installed(site, name="nameless", entry_points="[hubdata.kinds]\nodd = no:Good\n")
    (site / "nameless-1.0.dist-info" / "METADATA").unlink()
    with pytest.raises(ConfigError, match="of the package \\(a package without"):
        load(Seam.KIND, "odd")


@pytest.mark.parametrize("seam", list(Seam))
def test_every_built_in_adapter_fits_what_packages_are_held_to(seam: Seam) -> None:
    """The demands are those that hubdata's own adapters meet; a seam without demands would be none."""
    from hubdata.extensions import _faults

    assert set(GROUPS) == set(_MADE_WITH) == {seam.value for seam in Seam}
    assert {word: list(_faults(seam, load(seam, word))) for word in TABLES[seam]} == {w: [] for w in TABLES[seam]}
