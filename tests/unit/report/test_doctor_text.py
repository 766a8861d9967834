"""A checkup as people read it: columns where there is room, headings elsewhere, colours where they are wanted."""

import json

import pytest

from hubdata.doctor.catalogue import About
from hubdata.model.checkup import Checkup
from hubdata.report.doctor_json import doctor_json
from hubdata.report.doctor_text import doctor_text
from hubdata.report.terminal import Screen

RESULT = Checkup(
    (
        About("git").ok("git 2.39.5"),
        About("spool").warn("/var/tmp/hubdata: 300 MiB free; the largest download may have 512 MiB", "free some space"),
        About("store", "aws").fail("s3://hub-data: it is not in region eu-west-1 but in us-east-1", "set `region`"),
        About("write", "aws").skipped("not tried: it would have to be written to", "`hubdata doctor --write`"),
        About("dns", "AAAA a-rather-long-name.hub-data.example.net").ok("2001:db8::1"),
    ),
    1.24,
)

WIDE = """\
ok    git                             git 2.39.5
look  spool                           /var/tmp/hubdata: 300 MiB free; the
                                      largest download may have 512 MiB
                                      hint: free some space
MEND  store aws                       s3://hub-data: it is not in region
                                      eu-west-1 but in us-east-1
                                      mend: set `region`
-     write aws                       not tried: it would have to be written to
                                      hint: `hubdata doctor --write`
ok    dns AAAA a-rather-long-name.hub-data.example.net
                                      2001:db8::1

2 fine, 1 to look at, 1 to mend, 1 not tried, in 1.2 s (exit 6)
"""
NARROW = """\
ok    git
  git 2.39.5
look  spool
  /var/tmp/hubdata: 300 MiB free; the
  largest download may have 512 MiB
  hint: free some space
MEND  store aws
  s3://hub-data: it is not in region
  eu-west-1 but in us-east-1
  mend: set `region`
-     write aws
  not tried: it would have to be written
  to
  hint: `hubdata doctor --write`
ok    dns AAAA a-rather-long-name.hub-data.example.net
  2001:db8::1

2 fine, 1 to look at, 1 to mend, 1 not
tried, in 1.2 s (exit 6)
"""


def test_eighty_columns_are_a_table() -> None:
    """What was found stands in one column, what to mend below it; a long name has a line of its own."""
    assert doctor_text(RESULT, Screen(80)) == WIDE


def test_forty_columns_are_headings() -> None:
    """Each check is a heading with the rest below; only a name too long to be broken is wider."""
    assert doctor_text(RESULT, Screen(40)) == NARROW


@pytest.mark.parametrize("width", [30, 40, 59, 60, 80, 120])
def test_colours_change_no_letter(width: int) -> None:
    """Without the escapes it is the same text, whatever the width."""
    coloured = doctor_text(RESULT, Screen(width, color=True))
    assert "\x1b[31m" in coloured
    plain = coloured
    for code in ("1", "2", "31", "32", "33", "1;31", "1;32", "0"):
        plain = plain.replace(f"\x1b[{code}m", "")
    assert plain == doctor_text(RESULT, Screen(width))


def test_quiet_shows_what_is_to_be_done() -> None:
    """Neither what is well nor what was not tried; nothing at all when nothing is to be done."""
    quiet = doctor_text(RESULT, Screen(120), quiet=True)
    assert "git" not in quiet
    assert "write" not in quiet
    assert "MEND" in quiet
    assert doctor_text(Checkup(RESULT.checks[:1]), Screen(80), quiet=True) == ""


def test_what_strangers_wrote_is_no_order_to_a_terminal() -> None:
    """Neither an escape in a name nor a workflow command."""
    hostile = Checkup((About("source", "\x1b[2J").fail("::error::x\nrtl\u202e", "##[group]"),))
    for width in (40, 80):
        text = doctor_text(hostile, Screen(width))
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "##[" not in text
        assert not any(line.lstrip().startswith("::") for line in text.splitlines())


def test_json_has_the_same_words() -> None:
    """Every check with all its fields, and the code."""
    data = json.loads(doctor_json(RESULT))
    assert (data["exit_code"], data["elapsed_s"], len(data["checks"])) == (6, 1.24, 5)
    assert data["checks"][2] == {
        "name": "store",
        "subject": "aws",
        "status": "fail",
        "found": "s3://hub-data: it is not in region eu-west-1 but in us-east-1",
        "advice": "set `region`",
    }
