"""Values in YAML are exchanged exactly, or not at all."""

import pytest

from hubdata.grammar.yaml_edit import replaced
from hubdata.grammar.yaml_text import Mapping, YamlProblem, documents


def _exchanged(text: str, new: str) -> str:
    """Return `text` with another value of its key `a`."""
    (document,) = documents(text.encode())
    assert isinstance(document, Mapping)
    return replaced(text.encode(), {document.value_events["a"]: new}).decode()


@pytest.mark.parametrize(
    ("text", "new", "expected"),
    [
        ("a: b\n", "https://x/y", "a: https://x/y\n"),
        ("a: b # c\n", 'x "y" \\z: #', 'a: "x \\"y\\" \\\\z: #" # c\n'),
        ("a: 'b'\n", "it's", "a: 'it''s'\n"),
        ("a: >-\n    b\nc: d\n", "x", "a: >-\n    x\nc: d\n"),
        ("a: |\n    b\n\nc: d\n", "x", 'a: "x"\n\nc: d\n'),
        ("{a: b, c: [d]}", "x, ]", '{a: "x, ]", c: [d]}'),
        ("a: !!str &n b\n", "x", 'a: !!str &n "x"\n'),
    ],
)
def test_a_value_is_written_as_its_place_wants_it(text: str, new: str, expected: str) -> None:
    """In the quotes that stand there, in others where it needs them; tags and anchors stay."""
    assert _exchanged(text, new) == expected


def test_what_would_change_more_is_refused() -> None:
    """A value that would end the text it stands in, and one that is no value but a table."""
    for text, new in (("a: >-\n    b\nc: d\n", "x\nc: y"), ("a: {b: c}\n", "x"), ("a: [b]\n", "x")):
        with pytest.raises(YamlProblem):
            _exchanged(text, new)
