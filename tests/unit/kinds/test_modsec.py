"""Rule sets: what keeps the engine from starting is an error, with the line it stands in."""

from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.grammar.gather import MAX_LABOUR
from hubdata.kinds import modsec
from hubdata.kinds.modsec import ModsecKind
from hubdata.model.finding import Severity
from hubdata.model.job import Limits
from tests.support.judged import errors, judged, rules
from tests.support.real import SEC_LISTS, needs_real

GOOD = b"""# Rules
SecDefaultAction "phase:2,log,pass"
SecRule ARGS|!ARGS:q "@rx (?i)union\\s+select" \\
    "id:1001,\\
    phase:2,\\
    t:none,t:lowercase,\\
    msg:'SQL, really',\\
    chain"
    SecRule REQUEST_METHOD "!@streq GET" "setvar:'tx.score=+5'"
SecAction "id:1002,phase:1,nolog,pass"
SecMarker END
"""


def test_a_good_rule_set_has_no_finding_and_its_directives_are_counted() -> None:
    """A default action, a chain, an action and a marker: five directives, nothing to say."""
    verdict = judged(ModsecKind, GOOD)
    assert verdict.findings == ()
    assert verdict.stats.entries == 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('SecRule ARGS "@rx a" "id:1,deny\n', [("modsec.quoting", 1)]),
        ('SecRule ARGS "@rx a" \\\n "id:1,\\\n deny\n', [("modsec.quoting", 3)]),
        ("SecRule ARGS @rx\n", [("modsec.quoting", 1)]),
        ('SecRulez ARGS "@rx a" "id:1"\n', [("modsec.directive", 1)]),
        ('SecMarker A\n "id:1,deny"\n', [("modsec.directive", 2)]),
        ('SecAction "id:1,phase:1,deny"\n', [("modsec.blocks-all", 1)]),
        ('SecRule REQUEST_URI "@unconditionalMatch" "id:1,phase:1,drop"\n', [("modsec.blocks-all", 1)]),
        ('SecAction "id:1,phase:1,allow"\n', [("modsec.opens-all", 1)]),
        ('SecAction "id:1,phase:1,pass,ctl:ruleEngine=Off"\n', [("modsec.opens-all", 1)]),
        ('SecAction "id:1,phase:1,pass,ctl:ruleRemoveById=1-999999"\n', [("modsec.opens-all", 1)]),
        ("SecMarker A\nSecRuleRemoveById 900000-999999\n", [("modsec.opens-all", 2)]),
        ("SecRuleRemoveByTag OWASP_CRS\n", [("modsec.opens-all", 1)]),
        ('SecDefaultAction "phase:2,allow"\n', [("modsec.opens-all", 1)]),
        ('SecRule REQUEST_URI "@rx ." "id:1,phase:1,deny"\n', [("modsec.blocks-all", 1)]),
        ('SecRule ARGS|REQUEST_URI "@contains /" "id:1,phase:1,deny"\n', [("modsec.blocks-all", 1)]),
        ('SecRule REQUEST_FILENAME "@beginsWith /" "id:1,phase:1,drop"\n', [("modsec.blocks-all", 1)]),
        ('SecRule REQUEST_HEADERS:User-Agent "Mozilla/5" "id:1,phase:1,deny"\n', [("modsec.blocks-all", 1)]),
        ('SecRule REMOTE_ADDR "@ipMatch 9.9.9.9,::/0" "id:1,phase:1,allow"\n', [("modsec.opens-all", 1)]),
        ("SecRequestBodyAccess Off\n", [("modsec.forbidden", 1)]),
        ("SecRuleScript /tmp/x.lua\n", [("modsec.forbidden", 1)]),
        ('SecRule FILES_TMPNAMES "@inspectFile /bin/x" "id:1,phase:2,deny"\n', [("modsec.forbidden", 1)]),
        ('SecRule REMOTE_ADDR "@ipMatchFromFile /etc/passwd" "id:1"\n', [("modsec.phrase-file", 1)]),
        ('SecRule ARGS "@rx a" "id:1"\nInclude /etc/passwd\n', [("modsec.forbidden", 2)]),
        ("SecRuleEngine Off\n", [("modsec.forbidden", 1)]),
        ('SecRule ARGZ "@rx a" "id:1"\n', [("modsec.variable", 1)]),
        ('SecRule REQUEST_URI:x "@rx a" "id:1"\n', [("modsec.variable", 1)]),
        ('SecRule ARGS "@RX a" "id:1"\n', [("modsec.operator", 1)]),
        ('SecRule ARGS \\\n "@rx (?=a)" \\\n "id:1"\n', [("modsec.regexp", 2)]),
        ('SecRule ARGS "(a" "id:1"\n', [("modsec.regexp", 1)]),
        ('SecRule ARGS "!@rx a{1001}" "id:1"\n', [("modsec.regexp", 1)]),
        ('SecRule ARGS "@validateByteRange 1-256" "id:1"\n', [("modsec.byte-range", 1)]),
        ('SecRule ARGS "@pmFromFile ../../etc/passwd" "id:1"\n', [("modsec.phrase-file", 1)]),
        ('SecRule ARGS "@pmFromFile /etc/passwd" "id:1"\n', [("modsec.phrase-file", 1)]),
        ('SecRule ARGS "@rx a" "id:1,denny"\n', [("modsec.action", 1)]),
        ('SecRule ARGS "@rx a" \\\n"id:1,\\\nexec:/x"\n', [("modsec.action", 3)]),
        ('SecRule ARGS "@rx a" "id:1,,deny"\n', [("modsec.action", 1)]),
        ('SecRule ARGS "@rx a" "id:1,phase:7"\n', [("modsec.phase", 1)]),
        ('SecRule ARGS "@rx a" "id:x"\n', [("modsec.id", 1)]),
        ('SecRule ARGS "@rx a" "deny"\n', [("modsec.id-missing", 1)]),
        ('SecRule ARGS "@rx a"\n', [("modsec.id-missing", 1)]),
        ('SecRule ARGS "@rx a" "id:1,id:2"\n', [("modsec.id-twice", 1)]),
        ('SecAction "id:1,pass"\nSecRule ARGS "@rx a" "id:01"\n', [("modsec.id-duplicate", 2)]),
        ('SecRule ARGS "@rx a" "id:1,chain"\n', [("modsec.chain-open", 1)]),
        ('SecRule ARGS "@rx a" "id:1,chain"\nSecMarker A\n', [("modsec.chain-broken", 2)]),
        ('SecRule ARGS "@rx a" "id:1,msg:\'open"\n', [("modsec.quote-open", 1)]),
        ('SecRule ARGS "@rx a" "id:1" \\\n', [("modsec.continuation-open", 1)]),
        ('SecDefaultAction "log,pass"\n', [("modsec.default-action", 1)]),
        ('SecDefaultAction "phase:1,log"\n', [("modsec.default-action", 1)]),
        ('SecDefaultAction "phase:1,pass,t:none"\n', [("modsec.default-action", 1)]),
        ('SecDefaultAction "phase:1,pass"\nSecDefaultAction "phase:1,deny"\n', [("modsec.default-action", 2)]),
        ("SecRuleRemoveById 10-1\n", [("modsec.argument", 1)]),
        ("SecRuleRemoveById 1 x\n", [("modsec.argument", 1)]),
        ('SecRuleUpdateTargetById x "!ARGS:a"\n', [("modsec.argument", 1)]),
        ('SecRuleUpdateTargetById 1 "!ARGZ:a"\n', [("modsec.variable", 1)]),
        ("SecMarker\n", [("modsec.argument", 1)]),
        ("SecAction\n", [("modsec.argument", 1)]),
        ("", [("modsec.empty", None)]),
        ("\n\n", [("modsec.empty", None)]),
        ("SecMarker A \\\r\n B\r\n", [("text.cr", 1)]),
        ('SecMarker A\nSecMarker "\0"\n', [("text.nul", 2)]),
        ("\ufeff# rules\nSecMarker A\n", [("text.bom", 1)]),
        ("<!DOCTYPE html>\n<p>404</p>\n", [("text.html", 1)]),
        ("# " + "x" * 65_536 + "\nSecMarker A\n", [("text.line-too-long", 1)]),
    ],
)
def test_each_way_to_break_a_rule_set_has_its_rule_and_line(text: str, expected: list[tuple[str, int | None]]) -> None:
    """One fault, one error, in the line where a person must mend it."""
    found = [(f.rule, f.line) for f in errors(judged(ModsecKind, text.encode()))]
    assert found == expected


def test_bytes_that_are_not_utf8_are_found_where_they_stand() -> None:
    """Line and column of the first wrong byte; the rest is still judged."""
    verdict = judged(ModsecKind, b'SecMarker A\nSecMarker "\xff"\nSecFoo\n')
    assert [(f.rule, f.line, f.column) for f in errors(verdict)] == [
        ("text.not-utf8", 2, 12),
        ("modsec.directive", 3, None),
    ]


def test_a_rule_that_cannot_be_read_does_not_blame_its_neighbour() -> None:
    """Whether the broken rule had `chain` is unknown, so the next rule's missing id is not held against it."""
    text = b'SecRule ARGS "@rx a" "id:1,chain\nSecRule ARGS "@rx b" "t:none"\nSecRule ARGS "@rx c" "t:none"\n'
    assert [(f.rule, f.line) for f in errors(judged(ModsecKind, text))] == [
        ("modsec.quoting", 1),
        ("modsec.id-missing", 3),
    ]


def test_all_faults_of_a_file_come_in_one_pass() -> None:
    """A person mends them together, in the order of lines."""
    text = b'SecRule ARGZ "@foo" "bar"\nSecFoo\nSecRule ARGS "@rx [" "id:0"\n'
    assert [(f.line, f.rule) for f in judged(ModsecKind, text).findings] == [
        (1, "modsec.variable"),
        (1, "modsec.operator"),
        (1, "modsec.action"),
        (1, "modsec.id-missing"),
        (2, "modsec.directive"),
        (3, "modsec.regexp"),
        (3, "modsec.id"),
    ]


def test_a_file_of_comments_is_only_worth_a_note() -> None:
    """Plugins ship settings that are all comments."""
    verdict = judged(ModsecKind, b"# nothing set\n")
    assert [(f.rule, f.severity) for f in verdict.findings] == [("modsec.empty", Severity.INFO)]


def test_a_chained_rule_needs_no_id_and_loses_one() -> None:
    """The chain's first rule names it."""
    text = b'SecRule ARGS "@rx a" "id:1,chain"\nSecRule ARGS "@rx b" "id:2,t:none"\n'
    assert rules(judged(ModsecKind, text)) == ["modsec.id-in-chain"]


def test_a_rule_of_very_many_bad_actions_still_has_its_id() -> None:
    """Who gives up on the actions has not seen that an id is missing."""
    verdict = judged(ModsecKind, b'SecAction "' + b"x," * 11_000 + b'\\\nid:1,pass"\n')
    assert set(rules(verdict)) == {"modsec.action", "text.given-up"}
    assert verdict.references is not None
    assert verdict.references.ids == ((1, 1),)


@pytest.mark.parametrize(("times", "expected"), [(19_999, []), (20_000, [("modsec.too-many-rules", 20_001)])])
def test_a_file_of_very_many_rules_is_refused(times: int, expected: list[tuple[str, int]]) -> None:
    """20,000 are judged, whatever they are; what follows them is not, and the engine would go through all of them."""
    rule = b'SecRule ARGS "@rx a" "chain"\n'
    body = b'SecRule ARGS "@rx a" "id:1,chain"\n' + rule * (times - 1) + b'SecRule ARGS "@rx a"\n'
    assert [(finding.rule, finding.line) for finding in judged(ModsecKind, body).findings] == expected


def test_patterns_in_keys_count_for_what_they_cost() -> None:
    """A file of slow patterns is given up, wherever a rule holds them."""
    slow = "(?:[a-z]{20}x){20}"
    for rule in ('SecRule ARGS:/%s%d/ "@rx a" "id:%d"\n', 'SecAction "ctl:ruleRemoveTargetById=1;ARGS:/%s%d/,id:%d"\n'):
        body = "".join(rule % (slow, number, number) for number in range(1, 1_500)).encode()
        assert rules(judged(ModsecKind, body)) == ["text.given-up"]


def test_too_few_directives_are_an_error_by_the_job_s_limit() -> None:
    """A rule set that shrank must not replace a whole one."""
    assert rules(judged(ModsecKind, GOOD, limits=Limits(min_entries=6))) == ["limits.min-entries"]


def test_references_tell_ids_and_phrase_files_for_a_check_of_the_group() -> None:
    """What files loaded together must agree on: each id once, each phrase file present."""
    text = b'SecRule ARGS "@pmFromFile a.data" "id:1"\nSecRule ARGS \\\n "!@pmf b.data" "id:2"\n'
    references = judged(ModsecKind, text).references
    assert references is not None
    assert references.ids == ((1, 1), (2, 2))
    assert references.phrase_files == (("a.data", 1), ("b.data", 3))


@given(
    st.binary(max_size=200) | st.text(alphabet="SecRuleActionMarker ARGS\"'\\|:/,#`!@\n1", max_size=200).map(str.encode)
)
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_the_judge_raise(body: bytes) -> None:
    """Whatever the bytes, they become findings, each on a line of the file."""
    for finding in judged(ModsecKind, body).findings:
        assert finding.line is None or 1 <= finding.line <= body.count(b"\n") + 1


@needs_real
def test_the_real_rule_sets_load_but_for_the_one_that_is_broken() -> None:
    """Seventy files pass; one plugin's rule really lacks its closing quote, which keeps an engine from starting."""
    found = []
    paths = sorted((SEC_LISTS / "appsec").rglob("*.conf"))
    for path in paths:
        verdict = judged(ModsecKind, path.read_bytes(), key=str(path.relative_to(SEC_LISTS)))
        found += [(f.key, f.line, f.rule) for f in verdict.findings if f.severity is not Severity.INFO]
    assert len(paths) > 60
    assert found == [
        ("appsec/crs-plugins/google-oauth2-plugin/google-oauth2-before.conf", 54, "modsec.quoting"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        'SecRule ARGS "@rx a" "id:1,phase:1,deny"\n',
        'SecRule REQUEST_URI "!@unconditionalMatch" "id:1,phase:1,deny"\n',
        'SecRule ARGS "@rx a" "id:1,phase:1,deny,chain"\nSecRule ARGS "@unconditionalMatch" "allow"\n',
        'SecRule ARGS "@unconditionalMatch" "id:1,phase:1,deny,chain"\nSecRule ARGS "@rx a"\n',
        'SecAction "id:1,phase:1,pass,ctl:ruleEngine=On,ctl:ruleRemoveById=920300,ctl:ruleRemoveById=1-99"\n',
        "SecRuleRemoveById 9506200-9506299 1\n",
        "SecRuleRemoveByTag attack-sqli\n",
        'SecAction "id:1,phase:1,pass,skipAfter:END"\n',
        'SecRule REQUEST_URI "@beginsWith /setup" "id:1,phase:1,deny"\n',
        'SecRule ARGS "@rx ." "id:1,phase:1,deny"\n',
        'SecRule REMOTE_ADDR "@ipMatch 127.0.0.1,::1" "id:1,phase:1,allow"\n',
        'SecRule REMOTE_ADDR "@ipMatchFromFile addresses.data" "id:1,phase:1,deny"\n',
    ],
)
def test_what_acts_on_a_condition_or_on_a_few_rules_is_left_alone(text: str) -> None:
    """A chain's first rule is the condition of its second, and exclusions name what they take away."""
    assert errors(judged(ModsecKind, text.encode())) == []


_ACTIONS = ["id:1", "id:2", "phase:2", "deny", "allow", "chain", "msg:'a, b'", "msg:'a", "nope", "t:none", "ctl:x", ""]


@given(st.lists(st.lists(st.sampled_from(_ACTIONS), max_size=4).map(",".join), max_size=6))
@settings(max_examples=200, deadline=None)
def test_actions_read_at_a_glance_are_judged_as_one_by_one(lists: list[str]) -> None:
    """Rules get the same verdict, whichever way their actions are read."""
    body = "".join(f'SecRule ARGS "@rx a" "{actions}"\n' for actions in lists).encode()
    verdict = judged(ModsecKind, body)
    with patch.object(modsec, "plain_actions", return_value=None):
        assert verdict == judged(ModsecKind, body)


def test_a_judge_who_has_had_enough_reads_no_action_at_a_glance() -> None:
    """Ten thousand refusals into a rule, its actions are left alone as they always were, and that is told."""
    body = ("SecRule " + "|".join(["NOPE"] * MAX_LABOUR) + ' "@rx a" "id:1,phase:1,pass"\n').encode()
    assert "text.given-up" in rules(judged(ModsecKind, body))
    body = ("SecRule " + "|".join(["NOPE"] * (MAX_LABOUR - 10)) + ' "@rx a" "id:1,phase:1,pass"\n').encode()
    assert "text.given-up" not in rules(judged(ModsecKind, body))
