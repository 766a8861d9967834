"""What holds for all of deploy/terraform: its form, its versions, and that the complete example is valid."""

import re
import shutil
from pathlib import Path

import pytest

from tests.support.terraform import MODULES, TERRAFORM, locked_version, mirrors, needs_terraform, terraform

FILES = sorted(TERRAFORM.rglob("*.tf"))
NAMES = sorted(path.name for path in MODULES.iterdir() if path.is_dir())


@needs_terraform
def test_every_file_has_terraforms_own_form(tmp_path: Path) -> None:
    """`terraform fmt` would change nothing, in modules, examples and tests."""
    done = terraform("fmt", "-check", "-recursive", "-list=true", str(TERRAFORM), cwd=tmp_path)
    assert (done.code, done.stdout) == (0, "")


@needs_terraform
def test_the_complete_example_is_valid(tmp_path: Path) -> None:
    """Every module takes what it is given there, and gives what is taken from it."""
    shutil.copytree(TERRAFORM, tmp_path / "terraform", ignore=shutil.ignore_patterns(".terraform", ".home", "tests"))
    root = tmp_path / "terraform" / "examples" / "complete"
    for command in ("get", "validate"):
        done = terraform(command, "-no-color", cwd=root)
        assert done.code == 0, done.said


def test_the_example_uses_every_module() -> None:
    """A module that the example leaves out is one that nobody has applied."""
    used = re.findall(r'source = "../../modules/([\w-]+)"', (TERRAFORM / "examples/complete/main.tf").read_text())
    assert sorted(set(used)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_module_is_told_of_and_tested(name: str) -> None:
    """It has a README, tests of its own, a list of mistakes, and a place in the table of modules."""
    assert (MODULES / name / "README.md").is_file()
    assert list((MODULES / name / "tests").glob("*.tftest.hcl"))
    assert (Path(__file__).parent / "mutants" / f"{name}.toml").is_file()
    assert f"[{name}](modules/{name}/README.md)" in (TERRAFORM / "README.md").read_text()


def test_all_ask_for_the_provider_that_is_locked() -> None:
    """One range of versions everywhere, and the lock file within it."""
    asked = {
        tuple(re.findall(r'(?:required_version|version) += "([^"]+)"', path.read_text()))
        for path in FILES
        if path.name == "versions.tf"
    }
    assert asked == {(">= 1.9.0", ">= 5.100.0, < 6.0.0")}
    assert (5, 100) <= tuple(map(int, locked_version().split(".")[:2])) < (6, 0)


def test_a_mirror_is_looked_for_where_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """First what the environment names, then what Terraform itself looks into, then below /opt."""
    monkeypatch.setenv("TF_PLUGIN_DIR", str(tmp_path / "named"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "shared"))
    monkeypatch.delenv("TF_PLUGIN_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    found = list(mirrors())
    assert found[:4] == [
        tmp_path / "named",
        tmp_path / "home/.terraform.d/plugins",
        tmp_path / "home/.local/share/terraform/plugins",
        tmp_path / "shared/terraform/plugins",
    ]
    assert {path.parent for path in found[4:]} <= {Path("/opt")}
