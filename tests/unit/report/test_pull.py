"""A pull as people, programs and pull requests are told of it, foreign text and all."""

import json

from hubdata.errors import Exit
from hubdata.model.comparison import Comparison, FileDifference, State
from hubdata.model.finding import ITEM_FAILED, Finding, Severity
from hubdata.model.meaning import Difference
from hubdata.model.plan import Action, Change, Plan, Reason
from hubdata.model.pull import PullResult
from hubdata.model.run import Problem
from hubdata.report.pull_github import pull_github
from hubdata.report.pull_json import pull_json
from hubdata.report.pull_markdown import pull_body, pull_markdown
from hubdata.report.pull_text import pull_text
from hubdata.report.pull_words import title
from hubdata.report.terminal import Screen

EVIL = "lists/<img src=x> @everyone ::error::.txt"


def changed(key: str) -> FileDifference:
    """Return that a file has other bytes."""
    return FileDifference(key, "opaque", State.CHANGED, Difference(equal=False, before=1, after=2))


def result(*keys: str, **more: object) -> PullResult:
    """Return a pull that wrote `keys`."""
    files = tuple(changed(key) for key in (*keys, "lists/held.txt"))
    whole = {
        "job": "sources",
        "into": ".",
        "source": {"type": "http"},
        "changes": Comparison(".", "sources", files, same=3),
    }
    return PullResult(**{**whole, "written": keys, **more})  # type: ignore[arg-type]


HELD = Plan("sources", "checkout", (Change(Action.PUT, "lists/held.txt", Reason.CHANGED, 2, "ab" * 32, "e"),))
LIMIT = Finding("lists/held.txt", None, "limits.max-change", Severity.ERROR, "too much", "look at it")
FAILED = Finding(EVIL, None, ITEM_FAILED, Severity.ERROR, "a | b\n::set-output", "see <b>")


def test_a_title_names_few_files_and_counts_many() -> None:
    """Never longer than a commit's first line should be, and on one line."""
    assert title(result()) == "Nothing to update"
    assert title(result("a/b.txt", "c.txt")) == "Update b.txt, c.txt"
    assert title(result(*(f"lists/number-{n}.txt" for n in range(9)))) == "Update 9 lists of sources"
    assert title(result("a/\u202eb\n.txt")) == "Update \\u202eb\\n.txt"
    assert len(title(result("x" * 90, job="j" * 90))) <= 72


def test_the_body_has_no_markup_of_others() -> None:
    """What a publisher or a repository writes is text; title and body are apart by an empty line."""
    text = pull_markdown(result("lists/a.txt", findings=(FAILED, LIMIT), held=HELD))
    head, blank, *rest = text.splitlines()
    assert (head, blank) == ("Update a.txt", "")
    body = "\n".join(rest)
    assert "<img" not in body
    assert "@everyone" not in body
    assert f"--approve {HELD.id}" in body
    assert "1 file updated, 3 as before, 1 held, 1 not to be had or refused" in body


def test_the_body_fits_a_pull_request_however_much_there_is() -> None:
    """GitHub takes 65,536 characters, and nothing of a longer one."""
    many = tuple(
        Finding(f"lists/{n}-{'_' * 200}.txt", None, ITEM_FAILED, Severity.ERROR, "_" * 900, "<" * 900)
        for n in range(900)
    )
    keys = (f"lists/{n}.txt" for n in range(2000))
    body = pull_body(result(*keys, findings=many, held=HELD))
    assert len(body) <= 65_536
    assert "more file" in body
    assert "more\n\nHeld" in body


def test_a_problem_of_the_whole_job_comes_first_everywhere() -> None:
    """With its advice; the exit code is the process's."""
    whole = result(problem=Problem("down", "wait", Exit.SOURCE), exit_code=Exit.SOURCE)
    assert "| all | down | wait |" in pull_body(whole)
    assert "error: down" in pull_text(whole, Screen())
    assert "::error title=sources::down. wait" in pull_github(whole)
    told = json.loads(pull_json(whole))
    assert (told["exit_code"], told["problem"]) == (5, {"message": "down", "advice": "wait", "exit_code": 5})


def test_github_gets_no_orders_from_a_finding() -> None:
    """Each line is a command of ours."""
    lines = pull_github(
        result(findings=(FAILED,), held=HELD, unknown_plans=("0" * 64,), exit_code=Exit.HELD)
    ).splitlines()
    assert [line.split(" ")[0].split("::")[1] for line in lines] == ["error", "warning", "warning", "notice"]
    assert "%0A::set-output" in lines[0]


def test_notices_are_shown_to_everybody_who_reads_a_log() -> None:
    """What a person should know that is no fault of the data."""
    told = result(changes=Comparison(".", "sources", (), notices=("databases are broken",)))
    assert "note: databases are broken" in pull_text(told, Screen())
    assert "::notice title=hubdata::databases are broken" in pull_github(told)
    assert json.loads(pull_json(told))["notices"] == ["databases are broken"]


def test_quiet_is_silent_only_when_all_is_well() -> None:
    """As with every command."""
    assert pull_text(result("a"), Screen(), quiet=True) == ""
    assert HELD.id in pull_text(result(held=HELD, findings=(LIMIT,), exit_code=Exit.HELD), Screen(), quiet=True)
