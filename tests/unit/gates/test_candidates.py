"""Which files an engine is asked about, as what, and how many rows it must hold: counted as the engine reads."""

from pathlib import Path

import pytest

from hubdata.gates.candidates import Candidate, Loads, Part, data_rows, parts, sort_files
from hubdata.gates.engine import Said, parse
from hubdata.model.job import Canary, FileRule, Job, SourceSpec
from hubdata.model.snapshot import SourceFile
from hubdata.plugins import KINDS


def job(*rules: FileRule, ignore: tuple[str, ...] = (), canaries: tuple[Canary, ...] = ()) -> Job:
    """Return a job of these rules."""
    return Job("lists", SourceSpec("directory", {}), rules, ignore=ignore, canaries=canaries)


def file(tmp_path: Path, key: str, body: bytes = b"a row\n") -> SourceFile:
    """Return a file of the tree."""
    path = tmp_path / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return SourceFile(key, path, len(body), {})


def test_every_kind_is_loaded_or_left_with_a_reason(tmp_path: Path) -> None:
    """A kind that is new to hubdata is not passed over without a word."""
    files = tuple(file(tmp_path, f"{kind}/GeoLite2-City.mmdb") for kind in sorted(KINDS))
    found = sort_files((job(*(FileRule(f"{kind}/*", kind) for kind in KINDS)),), files)
    loaded = {candidate.kind for candidate in found.candidates}
    assert loaded | {key.partition("/")[0] for key, _ in found.left} == set(KINDS)
    assert {key.partition("/")[0] for key, _ in found.left} == {"modsec", "json", "opaque"}
    assert all(reason for _, reason in found.left)


def test_a_file_without_a_kind_is_told_unless_the_jobs_ignore_it(tmp_path: Path) -> None:
    """README.md is nobody's to load; a list that no job names is not loaded by accident either."""
    files = (file(tmp_path, "README.md"), file(tmp_path, "stranger.txt"), file(tmp_path, ".git/config"))
    found = sort_files((job(FileRule("lists/*", "cidr"), ignore=("README.md",)),), files)
    assert found.unknown == ("stranger.txt",)
    assert {key for key, _ in found.left} == {"README.md", ".git/config"}


@pytest.mark.parametrize(
    ("key", "options", "loads"),
    [
        ("x/GeoLite2-City.mmdb", {}, Loads.CITY),
        ("x/GeoLite2-ASN.mmdb", {}, Loads.ASN),
        ("x/city.mmdb", {"edition": "GeoIP2-City"}, Loads.CITY),
        ("x/GeoLite2-Country.mmdb", {}, None),
    ],
)
def test_a_database_is_opened_as_what_its_edition_says(
    key: str, options: dict[str, str], loads: Loads | None, tmp_path: Path
) -> None:
    """The engine knows two names, whatever the file is called; canaries are those of its edition."""
    canaries = (Canary("9.9.9.9", {}, Path(key).stem), Canary("9.9.9.9", {}), Canary("9.9.9.9", {}, "another"))
    found = sort_files((job(FileRule("**", "mmdb", options), canaries=canaries),), (file(tmp_path, key),))
    assert [(one.loads, one.canaries) for one in found.candidates] == ([(loads, canaries[:2])] if loads else [])
    assert len(found.left) == (loads is None)


def test_rows_are_counted_as_the_engine_takes_them(tmp_path: Path) -> None:
    """LF ends a line, one CR before it is dropped, `#` is a comment in the first column, only nothing is blank."""
    body = b"# comment\n\n\r\na\r\n #b\n \n\xef\xbb\xbf# c\nd\r\r\nlast"
    rows = list(data_rows(file(tmp_path, "list", body).path))
    assert rows == [(4, b"a"), (5, b" #b"), (6, b" "), (7, b"\xef\xbb\xbf# c"), (8, b"d\r"), (9, b"last")]


def candidate(tmp_path: Path, kind: str, body: bytes) -> Candidate:
    """Return a candidate of `kind`."""
    path = file(tmp_path, "one", body).path
    return Candidate("one", path, kind, Loads.LINES, {})


def test_parts_of_rows_are_taken_with_their_lines(tmp_path: Path) -> None:
    """Regular expressions of maps and bots, ranges and addresses of bots; a row that is no object has none."""
    bots = candidate(
        tmp_path,
        "bots",
        b'# one\n{"name":"a","user_agent":"x|y","rdns":["^a$"],"paths":["/p"],'
        b'"ips":["9.9.9.9"],"ranges":["9.9.8.0/24"]}\n'
        b'[1]\nnot json\n{"name":"b","user_agent":5,"rdns":"^b$","ips":[7,null,""]}\n',
    )
    assert list(parts(bots, Part.REGEXPS)) == [(2, "x|y"), (2, "/p"), (2, "^a$"), (5, "^b$")]
    assert list(parts(bots, Part.RANGES)) == [(2, "9.9.8.0/24")]
    assert list(parts(bots, Part.ADDRESSES)) == [(2, "9.9.9.9")]
    table = candidate(
        tmp_path,
        "map",
        b'{"pattern":"^/a","tag":"t","type":"regex"}\n{"pattern":"(","tag":"t","type":"contains"}\n',
    )
    assert list(parts(table, Part.REGEXPS)) == [(1, "^/a")]
    assert list(parts(candidate(tmp_path, "cidr", b"9.9.9.0/24\n"), Part.REGEXPS)) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('time="now" level=info msg="test done"', Said("info", "test done")),
        ('time="now" level=error msg=word', Said("error", "word")),
        (r'time="now" level=debug msg="a \"b\" \\ \n\t\x00\xff\u200b\U0001f600"', None),
        ("fatal error: stack overflow", Said("raw", "fatal error: stack overflow")),
    ],
)
def test_words_are_read_as_the_engine_quotes_them(line: str, said: Said | None) -> None:
    """Go quotes what is not printable; single bytes that are no UTF-8 have no character."""
    text = 'a "b" \\ \n\t\x00\N{REPLACEMENT CHARACTER}\u200b\U0001f600'
    assert parse(line) == (said or Said("debug", text))


def test_only_a_whole_message_is_an_answer() -> None:
    """What stands within another message is a row's word, and not the engine's."""
    assert Said("debug", ".Meta[q3] = '[]'").answer == ("q3", "[]")
    assert Said("debug", "'.Meta[q3] = '[]'' is not a valid IP Range").answer is None
    assert Said("error", ".Meta[q3] = '[]'").answer is None
