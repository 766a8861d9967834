"""Uses of data files in expressions: found in the forms that items really have, and nothing guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubdata.audit.expressions import How, Use, uses


def _hows(expression: str) -> list[How]:
    return [use.how for use in uses(expression)]


@pytest.mark.parametrize(
    ("expression", "how"),
    [
        ("evt.Overflow.Alert.Source.IP in File('f')", How.EXACT),
        ('evt.Overflow.Alert.Source.IP not in File("f")', How.EXACT),
        ("any(File(`f`), { IpInRange(evt.Overflow.Alert.Source.IP ,#)})", How.RANGE),
        ("any(File('f'), { len(#) > 0 && IpInRange(evt.Overflow.Alert.Source.IP, #)})", How.RANGE),
        ("any(File('f'), { len(#) > 0 && evt.Enriched.reverse_dns endsWith #})", How.ENDS),
        ("any(File('f'), {Upper(evt.Parsed.http_args) contains Upper(#)})", How.CONTAINS),
        ("any( File( 'f' ) , { evt.Parsed.file_name == #})", How.EQUALS),
        ("any(File('f'), { # == evt.Parsed.file_name })", How.EQUALS),
        ("any(File('f'), evt.Meta.http_path startsWith #)", How.STARTS),
        ("any(File('f'), { evt.Meta.http_path contains JsonExtract(#, \"uri\") ? true : false })", How.JSON),
        ("none(File('f'), { x contains # })", How.CONTAINS),
        ("RegexpInFile(Lower(evt.Meta.http_path), 'f')", How.REGEXP),
        ('let t = LookupFile(evt.Meta.http_path, "f"); t != ""', How.MAP),
        ("MatchKnownBot(req.RemoteAddr, req.UserAgent(), req.URL.Path, 'f')", How.BOTS),
        ("len(File('f')) > 0", How.OTHER),
        ("File('f')[0]", How.OTHER),
    ],
)
def test_each_form_of_use_is_told_apart(expression: str, how: How) -> None:
    """One file, one use."""
    (use,) = uses(expression)
    assert (use.name, use.how) == ("f", how)


def test_reverse_dns_is_noticed_where_it_is_looked_up() -> None:
    """Such a list decides who is let in by name."""
    assert uses("RegexpInFile(evt.Enriched.reverse_dns, 'f')") == (Use("f", How.REGEXP, of_rdns=True),)
    assert uses("any(File('f'), { evt.Enriched.reverse_dns endsWith #})") == (Use("f", How.ENDS, of_rdns=True),)
    assert not uses("RegexpInFile(evt.Meta.http_path, 'f') || evt.Enriched.reverse_dns == ''")[0].of_rdns


def test_all_uses_of_one_expression_are_found() -> None:
    """Several files, several uses of one, and a predicate that does two things."""
    assert _hows("a in File('x') or any(File('y'), {IpInRange(a, #)}) or RegexpInFile(b, 'z')") == [
        How.EXACT,
        How.RANGE,
        How.REGEXP,
    ]
    assert set(_hows("any(File('x'), { b contains # || c endsWith # })")) == {How.CONTAINS, How.ENDS}


def test_text_within_literals_is_no_code() -> None:
    """Quotes hide: a literal that reads like a call is none, and a `#` in one is no line."""
    assert uses("evt.Line == \"x in File('f')\"") == ()
    assert _hows("any(File('f'), { evt.x contains '#' })") == [How.OTHER]
    assert uses("RegexpInFile(evt.x, ')')") == (Use(")", How.REGEXP),)


def test_a_computed_name_is_left_alone() -> None:
    """Nobody can tell which file it is."""
    assert uses("x in File(evt.Parsed.name)") == ()
    assert uses("RegexpInFile(x, 'a' + y)") == ()
    assert uses("MyFile('f')") == ()


@given(st.text("File(RegexpInFile('any\"#`){}, in\\ ", max_size=300))
def test_no_text_makes_it_raise(expression: str) -> None:
    """Items come from strangers: halves of calls, quotes and brackets of every sort."""
    assert len(uses(expression)) <= 100


@pytest.mark.parametrize("piece", ["File(", "any(File('a'),", "any(File('a'), IpInRange(,", "('\"", " in", "[{("])
def test_a_text_made_to_be_slow_is_not(piece: str) -> None:
    """Nested and unclosed calls by the thousand: read in one pass, and bounded."""
    assert len(uses(piece * (16_000 // len(piece)) + "File('f')")) <= 100
