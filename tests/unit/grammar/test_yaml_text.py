"""YAML from strangers: read within bounds, with lines, and never anything but texts, lists and tables."""

import pytest

from hubdata.grammar.yaml_text import MAX_BYTES, Mapping, Scalar, Sequence, YamlProblem, documents, scalars


def test_several_documents_of_one_file_are_all_read_with_their_lines() -> None:
    """Hub files may hold several items; a finding needs the line in the file, not in the document."""
    first, second = documents(b"a: 1\n---\n\nb:\n  - c: 'x'\n")
    assert isinstance(first, Mapping)
    assert first.text("a") == "1"
    assert isinstance(second, Mapping)
    listed = second.values["b"]
    assert isinstance(listed, Sequence)
    entry = listed.items[0]
    assert isinstance(entry, Mapping)
    assert (entry.text("c"), entry.line, entry.key_lines["c"]) == ("x", 5, 5)


def test_texts_stay_texts() -> None:
    """A type `no`, a version `2.0`, a date: as written. Only a bare null is nothing."""
    (table,) = documents(b"a: no\nb: 2.0\nc: 2020-01-01\nd: null\ne: 'null'\nf:\n")
    assert isinstance(table, Mapping)
    assert [table.text(key) for key in "abcdef"] == ["no", "2.0", "2020-01-01", "", "null", ""]


def test_a_tag_makes_no_object() -> None:
    """`!!python/object/apply` is a text like any other: nothing is constructed."""
    (table,) = documents(b"a: !!python/object/apply:os.system ['touch pwned']\nb: !!binary aGk=\n")
    assert isinstance(table, Mapping)
    assert isinstance(table.values["a"], Sequence)
    assert table.text("b") == "aGk="


def test_aliases_that_would_grow_to_billions_cost_what_they_weigh() -> None:
    """Each value is visited once, however many aliases lead to it."""
    bomb = "a0: &a0 [x, x, x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 40))
    (table,) = documents(bomb.encode())
    assert sum(1 for _ in scalars(table)) == 3


def test_an_alias_to_its_own_list_ends() -> None:
    """A list that holds itself is walked once."""
    (table,) = documents(b"a: &a [x, *a]\n")
    assert [scalar.text for scalar in scalars(table)] == ["x"]


def test_a_table_has_what_it_inherits() -> None:
    """As engines read it: its own words first, then the first base's that has them, with their line."""
    body = b"a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  <<: [*a, *b]\n  x: 3\nd: {'<<': *a}\ne: {<<: {x: 9}}\n"
    (table,) = documents(body)
    assert isinstance(table, Mapping)
    heir, quoted, inline = (table.values[name] for name in "cde")
    assert isinstance(heir, Mapping)
    assert [(name, heir.text(name), heir.key_lines[name]) for name in "xyz"] == [
        ("x", "3", 5),
        ("y", "1", 1),
        ("z", "2", 2),
    ]
    assert "<<" not in heir.values
    assert isinstance(quoted, Mapping)
    assert list(quoted.values) == ["<<"]
    assert isinstance(inline, Mapping)
    assert inline.text("x") == "9"


def test_a_table_that_inherits_itself_ends() -> None:
    """It has what it says, and no more."""
    (table,) = documents(b"a: &a\n  <<: *a\n  x: 1\n")
    assert isinstance(table, Mapping)
    heir = table.values["a"]
    assert isinstance(heir, Mapping)
    assert list(heir.values) == ["x"]


@pytest.mark.parametrize(
    ("body", "problem", "line"),
    [
        (b"ok: 1\nname: a\nname: b\n", "stands twice", 3),
        (b"a: 1\n b: 2\n", "not allowed", 2),
        (b"- *nowhere\n", "refers to nothing", 1),
        (b"a: &x 1\n---\nb: *x\n", "refers to nothing", 3),
        (b"? [a, b]\n: c\n", "a key is no text", 1),
        (b"a: 1\nb: \xff\n", "not UTF-8", 2),
        (b"[" * 500_000, "nested more than 100 deep", 1),
        (b"{a: " * 50_000, "nested more than 100 deep", 1),
        (b"- " * 5_000 + b"x", "nested more than 100 deep", 1),
        (b"- x\n" * 250_000, "more than 200,000 values", None),
        (b" " * (MAX_BYTES + 1), "more than the 1,048,576", None),
        (b"a: \x01\n", "control characters", None),
        (b"a: 1\nb:\n  <<: text\n", "names no table", 3),
        (b"a: &a {}\nb:\n  <<: *a\n  <<: *a\n", "stands twice", 4),
        (
            b"a: &a {" + b",".join(b"k%d: 1" % at for at in range(1000)) + b"}\nb:\n" + b"- <<: *a\n" * 1000,
            "inherit more than 200,000",
            None,
        ),
    ],
)
def test_what_cannot_be_read_is_one_problem_with_its_line(body: bytes, problem: str, line: int | None) -> None:
    """Broken, ambiguous, endless or too deep: told in one exception, found in bounded time."""
    with pytest.raises(YamlProblem, match=problem) as caught:
        documents(body)
    if line is not None:
        assert caught.value.line == line


def test_a_byte_order_mark_and_an_empty_file_are_no_problem() -> None:
    """Editors write such files; engines read them."""
    (table,) = documents(b"\xef\xbb\xbfa: 1\n")
    assert isinstance(table, Mapping)
    assert table.text("a") == "1"
    assert documents(b"") == ()
    assert documents(b"# only a comment\n") == ()
    (nothing,) = documents(b"---\n")
    assert isinstance(nothing, Scalar)
