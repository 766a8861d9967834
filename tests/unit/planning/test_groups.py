"""Groups: files that are right by themselves, judged as the one text that an engine makes of them."""

from hubdata.model.finding import Finding
from hubdata.model.job import Group
from hubdata.model.references import References
from hubdata.planning.groups import together

CRS = Group("crs", ("rules/*", "plugins/*/*"))
NEXT = Group("next", ("rules/next/*", "plugins/*/*"))


def found(
    references: dict[str, References], *others: str, groups: tuple[Group, ...] = (CRS,)
) -> list[tuple[str, int | None, str]]:
    """Return key, line and rule of every finding about `references` beside `others`."""
    findings: tuple[Finding, ...] = together(groups, references, (*references, *others))
    assert all(f.message and f.advice for f in findings)
    return [(f.key, f.line, f.rule) for f in findings]


def test_one_id_in_two_files_is_told_where_it_stands_again() -> None:
    """The second file is the one to mend; an id twice in one file is that file's own matter."""
    twice = {"rules/a.conf": References(((1, 5), (2, 6))), "rules/b.conf": References(((2, 9), (2, 11)))}
    assert found(twice) == [("rules/b.conf", 9, "group.duplicate-id"), ("rules/b.conf", 11, "group.duplicate-id")]
    assert found({"rules/a.conf": References(((1, 5), (1, 7)))}) == []


def test_versions_in_different_groups_may_share_ids_but_not_with_a_plugin_of_both() -> None:
    """Two versions are never loaded at once; a plugin is loaded beside either, and is told once."""
    versions = {"rules/a.conf": References(((1, 1),)), "rules/next/a.conf": References(((1, 1),))}
    assert found(versions, groups=(CRS, NEXT)) == []
    plugin = {"plugins/p/before.conf": References(((1, 3),)), **versions}
    assert found(plugin, groups=(CRS, NEXT)) == [
        ("rules/a.conf", 1, "group.duplicate-id"),
        ("rules/next/a.conf", 1, "group.duplicate-id"),
    ]


def test_a_phrase_file_must_be_in_the_group() -> None:
    """Beside the rule, or by its name elsewhere in the group, as engines keep all data files in one directory."""
    rule = {"rules/a.conf": References((), (("words.data", 4),))}
    assert found(rule) == [("rules/a.conf", 4, "group.missing-phrases")]
    assert found(rule, "rules/words.data") == []
    assert found(rule, "plugins/p/words.data") == []
    assert found(rule, "elsewhere/words.data") == [("rules/a.conf", 4, "group.missing-phrases")]


def test_a_group_of_nothing_is_told() -> None:
    """A glob that matches no file would switch the whole check off without a word."""
    assert found({}, "other/a.conf") == [("", None, "group.empty")]


def test_without_groups_nothing_is_judged_together() -> None:
    """A job that declares none keeps its files apart."""
    assert found({"a": References(((1, 1),)), "b": References(((1, 1),))}, groups=()) == []
