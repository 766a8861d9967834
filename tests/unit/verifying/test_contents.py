"""What an answer must be: every way in which it can be another is named, and nothing is named that is right."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hubdata.model.finding import Severity
from hubdata.transfer.one_family import Answer, NoAnswer, Trouble
from hubdata.verifying.contents import Answers, compare, may_be_packed
from tests.unit.verifying.samples import ABOUT, BODY, NOW, answer, entry, head, http_date

OLD = http_date(NOW - timedelta(hours=2))
BINARY = entry(kind="mmdb", content_type="application/octet-stream")


def rules(packed: Answer, plain: Answer | None = None, head_: Answer | None = None, **more: object) -> list[str]:
    """Return the rules of all findings; plain answer and HEAD are good where none is given."""
    wanted = more.get("entry", entry())
    answers = Answers(packed, plain or answer(), head_ or head())
    return [f.rule for f in compare(ABOUT, wanted, answers, new=bool(more.get("new")))]  # type: ignore[arg-type]


def test_a_good_answer_has_no_finding() -> None:
    """Plain or packed, whatever the order of directives and the case of types."""
    assert rules(answer()) == []
    assert rules(answer(packed=True, etag='W/"abc"')) == []
    same = answer(content_type="Text/Plain;Charset=UTF-8", cache_control="max-age=300,public")
    assert rules(same, same, same) == []


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (answer(b"0.0.0.0/0\n"), "verify.bytes"),
        (answer(b"8.8.4.0/24\n"), "verify.bytes"),
        (replace(answer(), too_long=True), "verify.bytes"),
        (answer(b"8.8.4.0/24\n", last_modified=OLD), "verify.stale"),
        (answer(b"8.8.4.0/24\n", age="7200"), "verify.stale"),
        (answer(b"8.8.4.0/24\n", age="60"), "verify.bytes"),
        (answer(b"8.8.4.0/24\n", last_modified="", age="x"), "verify.bytes"),
        (replace(answer(packed=True), fault="a gzip stream that ends too early"), "verify.content-encoding"),
        (answer(content_encoding="br"), "verify.content-encoding"),
        (answer(status=404), "verify.missing"),
        (answer(status=403), "verify.missing"),
        (answer(status=503), "verify.status"),
        (answer(last_modified=""), "verify.last-modified"),
        (answer(last_modified="yesterday"), "verify.last-modified"),
        (answer(last_modified=http_date(NOW + timedelta(minutes=6))), "verify.last-modified"),
    ],
)
def test_each_fault_has_its_rule(wrong: Answer, rule: str) -> None:
    """Once, and as an error; HEAD is told apart from nothing else."""
    answers = Answers(wrong, answer(), head(last_modified=wrong.headers.get("last-modified", "")))
    found = [f for f in compare(ABOUT, entry(), answers, new=False) if f.severity is Severity.ERROR]
    assert [f.rule for f in found if f.rule != "verify.head"] == [rule]
    assert found[0].family is ABOUT.family


@pytest.mark.parametrize(
    ("wrong", "new", "passing"),
    [
        (answer(b"8.8.4.0/24\n", last_modified=OLD), False, True),
        (answer(b"8.8.4.0/24\n"), False, False),
        (answer(status=403), True, True),
        (answer(status=404), False, False),
        (answer(status=502), True, False),
        (answer(content_encoding="br"), True, False),
    ],
)
def test_only_what_time_mends_is_passing(wrong: Answer, new: bool, passing: bool) -> None:
    """Old bytes, and a new file that is cached as missing; nothing else is waited for."""
    assert [f.passing for f in compare(ABOUT, entry(), Answers(wrong), new=new)] == [passing]


def test_binary_files_are_not_packed() -> None:
    """Even where the bytes come out right; text may be packed, and mmdb never."""
    assert rules(answer(packed=True), entry=BINARY) == ["verify.content-encoding", "verify.content-type"]
    assert rules(answer(), entry=replace(BINARY, content_type="text/plain; charset=utf-8")) == []
    assert may_be_packed(entry())
    assert may_be_packed(entry(kind="map", content_type="application/x-ndjson"))
    assert not may_be_packed(BINARY)
    assert not may_be_packed(replace(BINARY, content_type="text/plain"))


def test_packed_and_plain_copies_are_judged_apart() -> None:
    """Caches keep them apart; and who asks for plain bytes is not to get others."""
    old = answer(b"8.8.4.0/24\n", last_modified=OLD)
    (found,) = compare(ABOUT, entry(), Answers(answer(), old), new=False)
    assert (found.rule, found.passing) == ("verify.stale", True)
    assert "asked for without gzip" in found.found
    assert rules(answer(), answer(packed=True)) == ["verify.content-encoding"]
    assert rules(answer(), answer(status=404)) == ["verify.missing"]
    both = compare(ABOUT, entry(), Answers(old, old), new=False)
    assert [f.rule for f in both] == ["verify.stale"]


@pytest.mark.parametrize(
    ("told", "word"),
    [
        (head(content_length="7"), "Content-Length 7"),
        (replace(head(), status=405), "status 405"),
        (head(last_modified=OLD), OLD),
        (head(last_modified=""), "Last-Modified absent"),
        (head(etag='"other"'), '"other"'),
        (head(content_type="text/html"), "text/html"),
    ],
)
def test_head_must_say_what_get_does(told: Answer, word: str) -> None:
    """Engines decide by it."""
    (found,) = compare(ABOUT, entry(), Answers(answer(), answer(), told), new=False)
    assert (found.rule, found.severity) == ("verify.head", Severity.ERROR)
    assert word in found.found
    assert found.passing is (OLD in word)


def test_head_may_leave_out_the_length() -> None:
    """Servers need not know it (RFC 9110, 8.6)."""
    assert rules(answer(), answer(), head(content_length="")) == []


def test_no_answer_to_head_is_told_as_such() -> None:
    """Though GET is answered."""
    hangs = NoAnswer(Trouble.SILENT, "nothing came")
    (found,) = compare(ABOUT, entry(), Answers(answer(), answer(), hangs), new=False)
    assert (found.rule, found.found) == ("verify.head", "nothing came")


def test_other_descriptions_and_an_older_date_are_warnings() -> None:
    """The bytes are right, and somebody may have wanted it so."""
    odd = answer(content_type="text/html", cache_control="", age="soon", last_modified=OLD)
    found = compare(ABOUT, entry(), Answers(odd, odd, odd), new=False)
    assert {f.rule for f in found} == {
        "verify.content-type",
        "verify.cache-control",
        "verify.age",
        "verify.last-modified",
    }
    assert {f.severity for f in found} == {Severity.WARNING}


def test_a_manifest_without_descriptions_asks_for_none() -> None:
    """Older manifests do not say how a file is served."""
    silent = replace(entry(), cache_control="", content_type="text/plain; charset=utf-8")
    assert rules(answer(cache_control="no-store"), answer(), head(), entry=silent) == []


@pytest.mark.parametrize("trouble", list(Trouble))
def test_every_trouble_has_a_rule_of_its_own(trouble: Trouble) -> None:
    """Each with what was expected, and what to do."""
    (found,) = compare(ABOUT, entry(), Answers(NoAnswer(trouble, "as it was")), new=False)
    assert found.rule == {
        Trouble.FORBIDDEN: "verify.address",
    }.get(trouble, f"verify.{trouble.value}")
    assert (found.found, found.passing, found.severity) == ("as it was", False, Severity.ERROR)
    assert found.expected
    assert found.advice


@pytest.mark.parametrize(
    ("url", "word"),
    [("https://data.example.net/a", "record"), ("http://127.0.0.1:8080/a", "--family"), ("http://[::1]/a", "--family")],
)
def test_nobody_is_told_to_give_an_address_a_record(url: str, word: str) -> None:
    """A host's name can get a record of the other family; an address written out cannot."""
    none = NoAnswer(Trouble.NO_ADDRESS, "as it was")
    (found,) = compare(replace(ABOUT, url=url), entry(), Answers(none), new=False)
    assert (word in found.advice, "record" in found.advice) == (True, word == "record")


def test_an_unreadable_date_of_change_proves_nothing_old() -> None:
    """The manifest of somebody else's; wrong bytes stay wrong."""
    odd = replace(entry(), changed_at="last week")
    assert rules(answer(b"x", last_modified=OLD), entry=odd) == ["verify.bytes"]
    assert len(BODY) == 11
