"""Decide what the engine's words mean for the files in question.

The engine names no file when it stumbles, and mostly goes on: so what it says is laid to the file that it has last said
to open, or to the question that it answers next. Whatever it calls an error counts, unless it was bound to say it.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hubdata.gates.candidates import Candidate, Loads, Part, data_rows, parts
from hubdata.gates.engine import Heard, Said, unquoted
from hubdata.gates.questions import Question
from hubdata.gates.workspace import LAST, Workspace
from hubdata.transfer.process import Ending

_MOST = 20
"""So many rows of one file are told by themselves for one question."""

_OPENS = re.compile(r"init \(folder:.*\) \(file:([\w.]+)\) \(type:\w*\)")
_ENRICHES = re.compile(r"Initiating enricher '(\w+)'")
_ENRICHERS = {"GeoIpCity": Loads.CITY.value, "GeoIpASN": Loads.ASN.value, "IpToRange": Loads.ASN.value}
_NO_DATABASE = re.compile(r"unable to register plugin '(\w+)': open .*: no such file or directory")
_NODES = re.compile(r"Loaded \d+ parser nodes")
_BAD = ("error", "fatal", "panic", "raw")
_EMPTY = re.compile(r"please report this error|stacktrace/report is written|crowdsec stopped|expr library : ")
"""What it says besides, once it has said what is wrong."""
_PATTERN = re.compile(r"regexp: Compile\((`[^`]*`|\"(?:[^\"\\]|\\.)*\")\): (.*)", re.DOTALL)
_BEGINS = re.compile(r"\+ Processing \d+ statics")
"""All before is about loading, and has been heard at the start before this one."""
_NOT_AN_IP = re.compile(r"'(.*)' is not a valid IP(?: Range)?", re.DOTALL)
_ROUGH = "the engine says: {}"
_AT_ONCE = "mend it or take it out: an engine that loads it ends at once, on reload too"
_IN_A_ROW = "mend it or take it out: an engine loses the row, or all rows from there on"
_LATER = "see the file by `hubdata validate`; the engine loses part of it, and goes on without a word to anybody"
_UNKNOWN = "see whether this engine is one that the gate knows (docs/gates.md)"
_NOT_READ = "write one network or address, and nothing else, in the row"


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that the engine has against a file. `key` is empty where it cannot be laid to one."""

    key: str
    line: int | None
    message: str
    advice: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one start came to: the complaints, and the files that the engine must not be given again."""

    complaints: tuple[Complaint, ...] = ()
    out: frozenset[Candidate] = frozenset()


def of_loading(heard: Heard, workspace: Workspace) -> Verdict:
    """Return what `-t` says of the files that are staged: nothing when all of them were read without a word."""
    complaints: list[Complaint] = []
    out: set[Candidate] = set()
    opened: list[str] = []
    current = ""
    for said in heard.said:
        if said.level == "debug" and (name := _opens(said)) is not None:
            current = name
            opened.append(name)
        elif _NODES.match(said.text):
            current = ""
        elif said.level in _BAD and not _expected(said, workspace):
            if said.level == "raw" and complaints:
                continue  # the second and later lines of a stack
            complaint, candidate = _at(current, said, workspace)
            complaints.append(complaint)
            out |= {candidate} if candidate else set()
    if heard.flooded:
        complaints.clear()  # what it repeats says less than that it does
    if not complaints and (missing := _not_finished(heard, current, opened, workspace)):
        complaint, candidate = missing
        return Verdict((complaint,), frozenset({candidate} if candidate else ()))
    return Verdict(tuple(complaints), frozenset(out))


def of_answers(heard: Heard, questions: Sequence[Question]) -> Verdict:
    """Return what the answers say. A file at whose question the engine ended is `out`: the rest was not answered."""
    answered = 0
    complaints: list[Complaint] = []
    before: list[Said] = []
    for said in heard.said:
        if said.answer is None:
            before.append(said)
            if _BEGINS.match(said.text):
                before = []
            continue
        name, answer = said.answer
        number = len(questions) if name == LAST else int(name.removeprefix("q"))
        complaints += (_unanswered(question, before) for question in questions[answered:number])
        if name == LAST:
            return Verdict(tuple(complaints))
        complaints += _judged(questions[number], answer, before)
        answered, before = number + 1, []
    if answered >= len(questions) or not any(_BEGINS.match(said.text) for said in heard.said):
        message = f"{_how(heard)} before it was asked: {_last_words(heard.said)}"
        return Verdict((*complaints, Complaint("", None, message, _UNKNOWN)))
    question = questions[answered]
    message = f"{_how(heard)} when it was asked about this file: {_last_words(before)}"
    complaint = Complaint(question.candidate.key, None, message, _AT_ONCE)
    return Verdict((*complaints, complaint), frozenset({question.candidate}))


def _opens(said: Said) -> str | None:
    if found := _OPENS.fullmatch(said.text):
        return found[1]
    if found := _ENRICHES.fullmatch(said.text):
        return _ENRICHERS.get(found[1], "")
    return None


def _expected(said: Said, workspace: Workspace) -> bool:
    """Tell whether the engine had to say it: there is no database of that name, and it was given none."""
    if _EMPTY.match(said.text):
        return True
    found = _NO_DATABASE.fullmatch(said.text)
    return found is not None and workspace.source(_ENRICHERS.get(found[1], "")) is None


def _at(name: str, said: Said, workspace: Workspace) -> tuple[Complaint, Candidate | None]:
    source = workspace.source(name)
    crash = " crashed : " in said.text
    advice = _AT_ONCE if crash else _LATER
    words = said.text.partition(" crashed : ")[2] if crash else said.text
    message = f"the engine dies: {words}" if crash else _ROUGH.format(words)
    if source is None:
        return Complaint("", None, message, advice), None
    candidate, part = source
    line = None
    if found := _PATTERN.search(words):
        quoted = found[1].startswith('"')
        pattern = unquoted(found[1][1:-1]) if quoted else found[1][1:-1]
        message = f"the engine dies: Go refuses {pattern!r}: {found[2]}"
        if part:  # compiled as a list of its own: in its place, it costs something else
            pattern = pattern.removeprefix("(?i)")
            message, advice = f"Go refuses {pattern!r}: {found[2]}", _IN_A_ROW
        line = _lines(candidate).get(pattern)
    return Complaint(candidate.key, line, message, advice), candidate


def _not_finished(
    heard: Heard, current: str, opened: list[str], workspace: Workspace
) -> tuple[Complaint, Candidate | None] | None:
    """Return what is missing from a start without a bad word: silence is no proof."""
    if heard.ending is not Ending.EXITED or heard.code != 0 or heard.said[-1:] != (Said("info", "test done"),):
        source = workspace.source(current)
        message = f"{_how(heard)} while it loaded its data: {_last_words(heard.said)}"
        candidate = source[0] if source else None
        return Complaint(candidate.key if candidate else "", None, message, _AT_ONCE), candidate
    silent = [name for name in workspace.loaded() if name not in opened]
    if silent:
        candidate = (workspace.source(silent[0]) or (None,))[0]
        message = "the engine never said that it opened this file"
        return Complaint(candidate.key if candidate else "", None, message, _UNKNOWN), candidate
    return None


def _how(heard: Heard) -> str:
    if heard.flooded:
        return "the engine said more than anybody reads, and was ended,"
    if heard.ending is Ending.TIMED_OUT:
        return "the engine did not finish in time, and was ended,"
    if heard.ending is Ending.MISSING:
        return "the engine could not be started"
    return f"the engine ended with code {heard.code}"


def _last_words(said: Sequence[Said]) -> str:
    bad = [one.text for one in said if one.level in _BAD and not _EMPTY.match(one.text)]
    return bad[-1] if bad else (said[-1].text if said else "it said nothing")


def _unanswered(question: Question, before: list[Said]) -> Complaint:
    words = next((s.text for s in before if s.level in (*_BAD, "warning")), "no word of why")
    message = f"the engine has no answer to {question.expression}: {words}"
    return Complaint(question.candidate.key, None, message, _LATER)


def _judged(question: Question, answer: str, before: list[Said]) -> Iterator[Complaint]:
    """Yield what is wrong with one answer, and with what was said on the way to it."""
    candidate = question.candidate
    rows: list[str] = []
    if answer != question.wanted and not question.rows:
        yield Complaint(candidate.key, None, question.message.format(answer=answer), question.advice)
        return
    if answer != question.wanted:
        rows = json.loads(answer)
        yield from _each(candidate, rows, question.message, question.advice)
    unread = {found[1] for said in before if (found := _NOT_AN_IP.fullmatch(said.text))} - set(rows)
    message = "the engine cannot read this row as an address or network: it never matches"
    yield from _each(candidate, sorted(unread), message, _NOT_READ)
    if not rows and not unread:
        for said in before:
            if said.level in _BAD and not _EMPTY.match(said.text):
                yield Complaint(candidate.key, None, _ROUGH.format(said.text), _LATER)


def _each(candidate: Candidate, rows: Sequence[str], message: str, advice: str) -> Iterator[Complaint]:
    lines = _lines(candidate) if rows else {}
    for row in rows[:_MOST]:
        yield Complaint(candidate.key, lines.get(row), f"{row!r}: {message}", advice)
    if len(rows) > _MOST:
        yield Complaint(candidate.key, None, f"{len(rows) - _MOST:,} more rows: {message}", advice)


def _lines(candidate: Candidate) -> dict[str, int]:
    """Return the first line of each row, and of each part within a row."""
    lines: dict[str, int] = {}
    for number, row in data_rows(candidate.path):
        lines.setdefault(row.decode("utf-8", "replace"), number)
    for part in Part:
        for number, text in parts(candidate, part):
            lines.setdefault(text, number)
    return lines
