"""Map files: one line the engine cannot decode disables the whole file."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.kinds.map import MapKind
from hubdata.model.finding import Severity
from hubdata.model.job import Limits
from tests.support.judged import errors, judged, places, rules
from tests.support.real import SEC_LISTS, needs_real

GOOD = b"""## note
{"tag": "a", "pattern": "/a/index.php", "type": "equals"}
{"tag": "b", "pattern": "/wp-b/", "type": "contains"}

{"tag": "c", "pattern": "^/c-[0-9]+/", "type": "regex"}
"""


def test_good_lines_have_no_finding() -> None:
    """Comments and blank lines are no entries."""
    verdict = judged(MapKind, GOOD)
    assert (verdict.findings, verdict.stats.entries) == ((), 3)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"tag":"a","pattern":"/abc"}', [("map.missing-key", 1, 1)]),
        ('{"tag":"a","type":"equals"}', [("map.missing-key", 1, 1)]),
        ('{"pattern":"/abc","type":"equals"}', [("map.missing-key", 1, 1)]),
        ('{"tag":1,"pattern":"/abc","type":"equals"}', [("map.type", 1, 8)]),
        ('{"tag":"a","pattern":["/abc"],"type":"equals"}', [("map.type", 1, 22)]),
        ('{"tag":"a","pattern":"/abc","type":"equals","n":null}', [("map.type", 1, 49)]),
        ('{"tag":"a","pattern":"/abc","type":"equals","n":"x"}', [("map.unknown-key", 1, 45)]),
        ('{"tag":"a","pattern":"","type":"contains"}', [("map.empty-pattern", 1, 22)]),
        ('{"tag":"","pattern":"/abc","type":"equals"}', [("map.empty-tag", 1, 8)]),
        ('{"tag":"a","pattern":"/abc","type":"Equals"}', [("map.unknown-type", 1, 36)]),
        ('{"tag":"a","pattern":"(?!a)b","type":"regex"}', [("map.regexp", 1, 22)]),
        ('{"tag":"a","pattern":"[a","type":"regex"}', [("map.regexp", 1, 22)]),
        ('{"tag":"a","pattern":".*","type":"regex"}', [("map.overmatch", 1, 22)]),
        ('{"tag":"a","pattern":"/s","type":"contains"}', [("map.overmatch", 1, 22)]),
        ('{"tag":"a","pattern":"z","type":"contains"}', [("map.overmatch", 1, 22)]),
        ('{"tag":"a","pattern":"/","type":"equals"}', [("map.overmatch", 1, 22)]),
        ('{"tag":"a","tag":"b","pattern":"/abc","type":"equals"}', [("map.duplicate-key", 1, 12)]),
        ('{"tag":"a","pattern":"/abc","type":"equals"} {}', [("map.trailing", 1, 46)]),
        ('{"tag":"a","pattern":"/abc","type":"equals"', [("map.syntax", 1, 44)]),
    ],
)
def test_each_way_to_break_a_line_has_its_rule_and_column(line: str, expected: list[tuple[str, int, int]]) -> None:
    """One fault, one error, in the column where it stands."""
    verdict = judged(MapKind, f"{line}\n".encode())
    assert places(verdict) == expected
    assert errors(verdict) == list(verdict.findings)


def test_equal_patterns_are_a_warning_that_says_which_wins() -> None:
    """The last of two `equals` lines answers; `contains` lines may repeat a pattern of theirs."""
    line = '{"tag":"%s","pattern":"/abc","type":"%s"}\n'
    text = line % ("a", "equals") + line % ("b", "equals") + line % ("c", "contains")
    verdict = judged(MapKind, text.encode())
    assert [(f.rule, f.line, f.severity) for f in verdict.findings] == [("map.duplicate", 2, Severity.WARNING)]
    assert "this one wins" in verdict.findings[0].message


def test_too_few_lines_are_an_error_by_the_job_s_limit() -> None:
    """A map that shrank must not replace a whole one."""
    assert rules(judged(MapKind, GOOD, limits=Limits(min_entries=4))) == ["limits.min-entries"]


@given(st.binary(max_size=200) | st.text(alphabet='{}[]":,\\tagpternye #\n1-', max_size=200).map(str.encode))
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_the_judge_raise(body: bytes) -> None:
    """Whatever the bytes, they become findings: random ones are never a good map."""
    assert judged(MapKind, body).findings


@needs_real
def test_the_real_map_passes_without_a_word() -> None:
    """Some four hundred lines as published today."""
    verdict = judged(MapKind, (SEC_LISTS / "web/technology_probing.json").read_bytes())
    assert verdict.findings == ()
    assert verdict.stats.entries == 396
