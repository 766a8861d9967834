"""JSON rows that `map`, `bots` and `jsonl-uri` accept, Go's encoding/json decodes, and to the same fields."""

import json
import random
from typing import Any

from hubdata.kinds.bots import BotsKind
from hubdata.kinds.jsonl_uri import JsonlUriKind
from hubdata.kinds.map import MapKind
from tests.support import go_oracle
from tests.support.go_oracle import data_case, needs_go
from tests.support.judged import errors, judged
from tests.support.real import SEC_LISTS, needs_real

pytestmark = needs_go

MAP = b'{"pattern": "/wp-config.bak", "tag": "backup", "type": "equals"}'
MAP_REGEX = rb'{"pattern": "^/\\.(env|git)[0-9]{1,3}\\u00e9$", "tag": "x", "type": "regex"}'
URI = b'{"cve": "CVE-2024-3400", "uri": "/esp/cms_changeDeviceContext.esp"}'
BOT = (
    rb'{"name": "examplebot", "user_agent": "examplebot/[0-9]", "paths": ["^/robots\\.txt$"], "ips": ["9.9.9.9",'
    rb' "2620:fe::fe"], "ranges": ["9.9.9.0/24", "2620:fe::/48"], "rdns": ["^crawl-[0-9-]+\\.example\\.com$"]}'
)
SLIPS = (
    *(
        b"",
        b" ",
        b"\t",
        b"\r",
        b",",
        b":",
        b'"',
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b"null",
        b"true",
        b"1",
        b"-0",
        b"1e999",
    ),
    *(b"NaN", b"Infinity", b"01", b"0x1", b"//", b"/* */", b"'", b"\x00", b"\x01", b"\x7f", b"\xff", b"\xef\xbb\xbf"),
    *(rb"\u0000", rb"\ud800", rb"\ud83d\ude00", rb"\udc00", rb"\x41", rb"\/", rb"\'", "é".encode(), "\u2028".encode()),
    *("\xa0".encode(), b'"ips": 1,', b'"tag": "y",', b'"Pattern": "z",', b"{}", b"[]", b'""', b"1.5", b"+1", b"\\u12"),
)


def slipped(rows: tuple[bytes, ...], count: int, seed: int) -> list[bytes]:
    """Return `count` lines that differ from good ones in a place or two; the good ones first."""
    chance = random.Random(seed)
    out = list(rows)
    while len(out) < count:
        row = chance.choice(rows)
        for _ in range(chance.randint(1, 2)):
            at, end = chance.randint(0, len(row)), chance.randint(0, 3)
            row = row[:at] + chance.choice(SLIPS) + row[at + end :]
        if b"\n" not in row and row and row[:1] != b"#":
            out.append(row)
    return out


def accepted(kind: type[Any], rows: list[bytes]) -> list[bytes]:
    """Return the rows that `kind` publishes, each as a file of its own."""
    return [row for row in rows if not errors(judged(kind, row + b"\n"))]


def answers(op: str, rows: list[bytes]) -> list[Any]:
    """Return what Go decodes of each row, one CR at its end dropped as the reader of lines does."""
    return go_oracle.ask(data_case(op, row.removesuffix(b"\r")) for row in rows)


def check_fields(op: str, rows: list[bytes]) -> None:
    """Assert that Go decodes all `rows`, and to what Python reads in them."""
    for row, answer in zip(rows, answers(op, rows), strict=True):
        assert "error" not in answer, (row, answer)
        assert answer["fields"] == json.loads(row), row


def check_bots(rows: list[bytes]) -> None:
    """Assert that Go decodes all `rows`, compiles and parses what is in them, and reads the same fields."""
    empty: dict[str, Any] = {"name": "", "user_agent": ""} | dict.fromkeys(("paths", "ips", "ranges", "rdns"), None)
    for row, answer in zip(rows, answers("bots", rows), strict=True):
        assert "error" not in answer, (row, answer)
        assert answer["bot"] == empty | json.loads(row), row


def test_map_rows_that_pass_decode_to_the_same_fields() -> None:
    """20,000 slips of the hand: whatever still passes, an engine loads as a reviewer reads it."""
    rows = accepted(MapKind, slipped((MAP, MAP_REGEX), 20_000, 1))
    assert len(rows) > 200
    check_fields("map", rows)


def test_uri_rows_that_pass_decode_to_the_same_fields() -> None:
    """The same for the rows of which a uri is extracted."""
    rows = accepted(JsonlUriKind, slipped((URI,), 10_000, 2))
    assert len(rows) > 200
    check_fields("uri", rows)


def test_bots_that_pass_decode_to_the_same_entries() -> None:
    """Unknown fields refused, patterns compiled without case, addresses and networks parsed: by Go."""
    rows = accepted(BotsKind, slipped((BOT,), 10_000, 3))
    assert len(rows) > 200
    check_bots(rows)


def test_go_takes_rows_that_we_refuse() -> None:
    """Strictness is ours: of two equal keys Go takes the last, and a bots row may go on behind its object."""
    twice = MAP[:-1] + b', "tag": "other"}'
    assert answers("map", [twice])[0]["fields"]["tag"] == "other"
    assert errors(judged(MapKind, twice + b"\n"))
    assert "error" not in answers("bots", [BOT + b" {}"])[0]
    assert errors(judged(BotsKind, BOT + b" {}\n"))


@needs_real
def test_every_real_row_decodes_to_the_same_fields() -> None:
    """The maps, the crawlers and the uris that are published today."""
    seen = 0
    for path in sorted(SEC_LISTS.rglob("*.json")):
        lines = [line for line in path.read_bytes().split(b"\n") if line and line[:1] != b"#"]
        if errors(judged(BotsKind, path.read_bytes())) == [] and lines:
            check_bots(lines)
        elif errors(judged(MapKind, path.read_bytes())) == [] and lines:
            check_fields("map", lines)
        elif errors(judged(JsonlUriKind, path.read_bytes())) == [] and lines:
            check_fields("uri", lines)
        else:
            continue
        seen += len(lines)
    assert seen > 100
