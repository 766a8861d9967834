"""`validate --explain`: one rule for a person or a program, and help for an id that is not quite one."""

import json

import pytest
from click.testing import CliRunner, Result

from hubdata.cli.root import root


def run(*args: str) -> Result:
    """Return what `hubdata ARGS` does, without a process."""
    return CliRunner().invoke(root, args)


def test_a_rule_is_explained_with_its_harm_an_example_and_how_to_mend_it() -> None:
    """The id comes from a finding; capitals and spaces of a careless copy do no harm."""
    result = run("validate", "--explain", " Text.BOM ")
    assert result.exit_code == 0
    assert result.stdout.startswith("text.bom (error)\n")
    assert "# our rules" in result.stdout
    assert "Mend it: Save the file as UTF-8 without BOM." in result.stdout


def test_a_program_gets_a_rule_as_one_object() -> None:
    """The same in JSON, bytes that are not printable spelled as escapes."""
    result = run("validate", "--format", "json", "--explain", "text.bom")
    rule = json.loads(result.stdout)
    assert (rule["rule"], rule["severities"]) == ("text.bom", ["error"])
    assert rule["example"]["kind"] == "modsec"
    assert rule["example"]["text"].startswith("\\xef\\xbb\\xbf#")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("text.bon", "Did you mean text.bom?"),
        ("text.what-is-this", "Known are text.html,"),
        ("nonsense", "families are text,"),
    ],
)
def test_an_unknown_rule_is_a_usage_error_that_helps(word: str, said: str) -> None:
    """Near ids, else the family's, else the families; exit code 2."""
    result = run("validate", "--explain", word)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())


def test_explaining_judges_nothing() -> None:
    """Paths beside --explain would be ignored in silence; without either there is nothing to do."""
    result = run("validate", "--explain", "text.bom", "README.md")
    assert result.exit_code == 2
    assert "leave the paths out" in result.stderr
    assert run("validate").exit_code == 2
