"""SecLang as the engine's parser reads it: logical lines and the parts of a rule."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar import seclang_words as words
from hubdata.grammar.seclang import (
    _QUOTED,
    Unreadable,
    Variable,
    _closing_quote,
    read_directives,
    split_operator,
    split_rule,
    split_variables,
)
from hubdata.grammar.seclang_actions import Action, Taken, each_action, plain_actions, quote_open
from hubdata.grammar.seclang_values import action_problem, control_pattern, is_byte_range, variables_problems


def _lines(text: str) -> list[tuple[int, str, str]]:
    return [(d.line, d.name, d.argument) for d in read_directives(text)]


def test_a_backslash_joins_lines_as_the_engine_joins_them() -> None:
    """Lines are trimmed before they are joined, so indentation is lost and a space before the backslash stays."""
    assert _lines('SecRule ARGS "@rx a" \\\n    "id:1,\\\n    deny"\nSecMarker END\n') == [
        (1, "SecRule", 'ARGS "@rx a" "id:1,deny"'),
        (4, "SecMarker", "END"),
    ]


def test_blank_lines_and_comments_inside_a_directive_are_skipped() -> None:
    """The engine drops them before it looks for continuations, whatever their indentation."""
    assert _lines('SecAction \\\n\n  # note\n  "id:1"\n') == [(1, "SecAction", '"id:1"')]


def test_backticks_hold_a_dataset_together() -> None:
    """From a line that ends with a backtick to one that begins with it, lines keep their ends."""
    assert _lines("SecDataset names `\nann\nbob\n`\nSecMarker X") == [
        (1, "SecDataset", "names `\nann\nbob\n`"),
        (5, "SecMarker", "X"),
    ]


@pytest.mark.parametrize("text", ["SecRule ARGS \\", "SecRule ARGS \\\n\n# note\n", "SecDataset x `\na\n"])
def test_a_file_that_ends_inside_a_directive_says_so(text: str) -> None:
    """The engine would go on with the first line of the next file."""
    (directive,) = read_directives(text)
    assert directive.continued


def test_each_part_of_a_joined_line_knows_its_own_line() -> None:
    """An offset into the joined argument leads back to the line that it was written in."""
    (directive,) = read_directives('\nSecRule \\\n  ARGS \\\n\n  "@rx a" \\\n  "id:1"\n')
    assert directive.line == 2
    for part, line in (("ARGS", 3), ("@rx", 5), ("id:1", 6)):
        assert directive.line_at(directive.argument.index(part)) == line


@pytest.mark.parametrize(
    "text", ["SecMarker abcdefgh\n", "SecMarker \\\nabcdefgh\n", "SecMarker a" + "\\\n" * 80 + "b\n"]
)
def test_a_directive_that_is_too_long_is_cut_and_the_next_one_is_whole(text: str) -> None:
    """On one line or many, empty ones too: only as much is read as was asked for."""
    long, following = read_directives(text + "SecMarker B\n", max_chars=12)
    assert long.cut
    assert len(long.name) + len(long.argument) < 12
    assert len(long.joints or ()) <= 12
    assert (following.name, following.argument, following.cut) == ("SecMarker", "B", False)
    assert not any(directive.cut for directive in read_directives(text, max_chars=100))


def test_a_rule_splits_into_variables_operator_and_actions() -> None:
    """Escaped quotes stay inside the operator; the surrounding ones go."""
    rule = split_rule(r'ARGS|!ARGS:a "@rx \"x\" y"   "id:1,msg:\'a\'"')
    assert (rule.variables, rule.operator, rule.actions) == ("ARGS|!ARGS:a", r"@rx \"x\" y", r"id:1,msg:\'a\'")
    assert split_rule('ARGS "@eq 1"').actions is None


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("ARGS", "only one part"),
        ("ARGS @rx", "does not begin with a double quote"),
        ('ARGS "@rx a', "closing double quote is missing"),
        (r'ARGS "@rx a\"', "closing double quote is missing"),
        ('ARGS "@rx a" id:1', "do not begin"),
        ('ARGS "@rx a" "id:1', "actions' closing double quote"),
        ('ARGS "@rx a" "', "actions' closing double quote"),
        ('ARGS "@rx a" "id:1" "deny"', "not escaped"),
    ],
)
def test_a_rule_with_unbalanced_quotes_cannot_be_split(argument: str, said: str) -> None:
    """The engine stops at each of these."""
    with pytest.raises(Unreadable, match=said):
        split_rule(argument)


@given(st.text(alphabet='"\\\\ab \n', max_size=20))
@settings(max_examples=300, deadline=None)
def test_a_quoted_text_ends_at_the_first_quote_that_is_not_escaped(text: str) -> None:
    """The quick look for it finds the same as a pattern that steps over each escape."""
    quoted = _QUOTED.match(f'"{text}')
    assert _closing_quote(f'"{text}', 0) == (None if quoted is None else quoted.end() - 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@rx a b", ("rx", "a b", 4)),
        ("!@eq 1", ("eq", "1", 5)),
        ("a b", ("rx", "a b", 0)),
        ("!a", ("rx", "a", 1)),
        ("@detectXSS", ("detectXSS", "", 11)),
    ],
)
def test_an_operator_is_named_or_it_is_rx(text: str, expected: tuple[str, str, int]) -> None:
    """Text without `@` is a regular expression."""
    assert split_operator(text) == expected


def test_variables_are_split_with_their_keys_and_patterns() -> None:
    """A bar inside a pattern is part of it; an XML path that begins with a slash is no pattern."""
    assert split_variables("&ARGS|!REQUEST_COOKIES:/a|b/|XML:/*|REQUEST_HEADERS:User-Agent|ARGS:'/c\\/d/'") == (
        Variable("&", "ARGS", None, None),
        Variable("!", "REQUEST_COOKIES", "/a|b/", "a|b"),
        Variable("", "XML", "/*", None),
        Variable("", "REQUEST_HEADERS", "User-Agent", None),
        Variable("", "ARGS", "'/c\\/d/'", "c\\/d"),
    )


@pytest.mark.parametrize("text", ["", "|ARGS", "ARGS|", "ARGS||TX", ":a", "ARGS:/open", "ARGS:'/open/"])
def test_variables_without_name_or_end_are_refused(text: str) -> None:
    """An empty name is an unknown variable to the engine, an open pattern a broken one."""
    with pytest.raises(Unreadable):
        split_variables(text)


def test_actions_split_at_commas_outside_single_quotes() -> None:
    """Commas, colons and escaped quotes inside single quotes belong to the value."""
    text = r"id:1, T:none,msg:'a, b: it\'s',chain"
    assert list(each_action(text)) == [
        Action("id", "1", 0),
        Action("t", "none", 5),
        Action("msg", r"a, b: it\'s", 13),
        Action("chain", None, 31),
    ]
    assert not quote_open(text)


def test_an_open_single_quote_hides_the_rest() -> None:
    """What follows becomes part of the value, as in the engine."""
    text = "id:1,msg:'never closed,deny"
    assert quote_open(text)
    assert [action.name for action in each_action(text)] == ["id", "msg"]


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("id", "942100", None),
        ("id", "0", "id"),
        ("id", "12a", "id"),
        ("id", "٣", "id"),
        ("id", "9" * 30, "id"),
        ("id", None, "action"),
        ("phase", "2", None),
        ("phase", "request", None),
        ("phase", "6", "phase"),
        ("t", "urlDecodeUni", None),
        ("t", "rot13", "action"),
        ("severity", "CRITICAL", None),
        ("severity", "9", "action"),
        ("chain", None, None),
        ("chain", "1", "action"),
        ("frobnicate", None, "action"),
        ("exec", "/bin/sh", "action"),
        ("setvar", "tx.score=+5", None),
        ("setvar", "!tx.score", None),
        ("setvar", "ip.score=1", "action"),
        ("setvar", "tx.=1", "action"),
        ("ctl", "ruleRemoveTargetById=942100;ARGS:a", None),
        ("ctl", "ruleRemoveTargetById=942100;ARGS:/^a[0-9]$/", None),
        ("ctl", "ruleRemoveTargetById=942100;ARGS:/(?=a)/", "action"),
        ("ctl", "ruleremovebyid=1", "action"),
        ("ctl", "ruleRemoveById", "action"),
        ("allow", "phase", None),
        ("allow", None, None),
        ("status", "4o3", "action"),
    ],
)
def test_an_action_s_value_is_held_to_what_the_engine_takes(name: str, value: str | None, rule: str | None) -> None:
    """Each action that the engine would refuse has a rule."""
    problem = action_problem(name, value)
    assert (problem and problem[0]) == rule


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ARGS|REQUEST_BODY|TX:/^a/", None),
        ("args", None),
        ("ARGZ", "does not know the variable"),
        ("REQUEST_METHOD:a", "takes no key"),
        ("ARGS:/(?<!a)b/", "refuses the key"),
        ("ARGS:/a", "not a closed"),
    ],
)
def test_variables_are_held_to_what_the_engine_knows(text: str, said: str | None) -> None:
    """Names, keys and key patterns are judged; case does not matter."""
    problems = list(variables_problems(text))
    assert (said is None and not problems) or (said is not None and said in problems[0][1])


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("1-255", True),
        ("9,10,13,32-126", True),
        ("", True),
        ("256", False),
        ("1-", False),
        ("a", False),
        ("1,,2", False),
    ],
)
def test_byte_ranges_are_numbers_up_to_255(text: str, good: bool) -> None:
    """As @validateByteRange parses them."""
    assert is_byte_range(text) is good


def test_the_engine_s_words_are_in_the_case_it_compares() -> None:
    """Directives, actions and transformations are compared in lower case, variables in upper case."""
    assert all(word == word.lower() for word in words.DIRECTIVES | words.ACTIONS | words.TRANSFORMATIONS)
    assert all(word == word.upper() for word in words.VARIABLES)
    assert words.WITHOUT_VALUE | words.OPTIONAL_VALUE | words.METADATA | words.DISRUPTIVE <= words.ACTIONS


@given(st.text(alphabet="SecRule ARGS\"'\\|:/,#`!@\n\t\x0b\x85x1", max_size=120))
@settings(max_examples=200, deadline=None)
def test_no_text_raises_anything_but_unreadable(text: str) -> None:
    """Whatever the text, it is split or said to be unreadable, and line numbers stay within it."""
    last = text.count("\n") + 1
    for directive in read_directives(text):
        assert 1 <= directive.line <= last
        assert directive.line <= directive.line_at(len(directive.argument)) <= last
        assert list(each_action(directive.argument))
        for split in (split_rule, split_variables):
            offset = 0
            try:
                split(directive.argument)
            except Unreadable as err:
                offset = err.offset
            assert 0 <= offset <= len(directive.argument)


_PIECES = [
    "id:1", "id:2", " phase:2", "phase:", "phase:9", "t:none", "t:nope", "deny", "allow", "drop:1", "chain", "'", "",
    ",", "msg:'a, b'", r"msg:'a\'b'", r"msg:'a\\'", r"logdata:a\,deny", "msg:x'", " ", "nope", "skip:1", "skip:a",
    "ctl:ruleEngine=Off", "ctl:ruleEngine=On", "ctl:ruleRemoveById=1-999999", "ctl:ruleRemoveTargetById=1;ARGS:/a/",
    "tag:" + "x" * 600,
]  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES) | st.text(alphabet="id:1',\\ ", max_size=5), max_size=8).map(",".join))
@settings(max_examples=500, deadline=None)
def test_plain_actions_are_those_that_nobody_has_anything_to_say_about(text: str) -> None:
    """Read at a glance or one by one, they decide the same; and a list with any fault or pattern is no plain one."""
    plain = plain_actions(text)
    if plain is None:
        return
    taken = Taken()
    actions = list(taken.taking(each_action(text)))
    for name in Taken.__slots__:
        assert getattr(plain, name) == getattr(taken, name)
    assert not quote_open(text)
    assert [action for action in actions if action_problem(action.name, action.value) is not None] == []
    assert [action for action in actions if action.name == "ctl" and control_pattern(action.value or "")] == []


@pytest.mark.parametrize(
    "text", ["id:1", "id:1, phase:2,\t t:none,msg:'a, b',ctl:ruleEngine=Off,deny", "phase:1,id:'7'"]
)
def test_ordinary_actions_are_plain(text: str) -> None:
    """The quick way is for those of every rule set, with commas in quotes and white space between them."""
    assert plain_actions(text) is not None


@pytest.mark.parametrize(
    "text", ["", ",", "'id:1'", "id:1,", "id:1,,deny", "id:1,msg:'a", r"msg:'a\'b'", "nope", "id:" + "1" * 600]
)
def test_actions_with_anything_odd_about_them_are_looked_at_one_by_one(text: str) -> None:
    """Empty ones, quotes that begin the list, are escaped or never close, unknown words, and very long ones."""
    assert plain_actions(text) is None
