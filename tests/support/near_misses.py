"""Files nearly as they are published, hurt in a place or two, and which validation lets out all the same.

Whatever a real engine has against one of them, validation ought to have said. Seeded, so that a find can be repeated.
`python -m tests.support.near_misses SEED SECONDS [KIND...]` looks for new ones with the engine.
"""

import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hubdata.gates.crowdsec import Judgement, judge, shown
from hubdata.model.job import FileRule, Job, SourceSpec
from hubdata.plugins import Seam, load
from tests.support import crowdsec
from tests.support.judged import errors, judged
from tests.support.patterns import patterns
from tests.support.poison import corpus
from tests.support.real import SEC_LISTS

_CDN, _BOTS = "whitelists/cdn_providers/", "whitelists/benign_bots/"
_REAL = {
    "regexp": ("web/bad_user_agents.regex.txt", "web/thinkphp_cve_2018-20062.txt"),
    "rdns-regexp": (f"{_BOTS}rdns_corporate_proxies.regex", f"{_BOTS}rdns_letsencrypt.regex"),
    "cidr": (f"{_CDN}aws_cloudfront_ipv4.txt", f"{_CDN}cloudflare_ip6s.txt"),
    "ip-exact": (f"{_CDN}quic_cloud_ips.txt", f"{_BOTS}cookiebot_ips.txt"),
    "rdns-suffix": (f"{_BOTS}search_engine_crawlers/rdns_seo_bots.txt",),
    "needle": ("web/path_traversal.txt", "web/sqli_probe_patterns.txt", "web/backdoors.txt"),
    "jsonl-uri": ("web/trendy_cves_uris.json",),
    "map": ("web/technology_probing.json",),
    "bots": (f"{_BOTS}legit_bots/babbar.json", f"{_BOTS}legit_bots/telegram.json"),
    "phrases": ("appsec/crs/ssrf.data",),
}
_OPTIONS: dict[str, tuple[dict[str, Any], ...]] = {"needle": ({}, {"case": "lower"}, {"case": "upper"})}
_PIECES = (
    *(b"(", b")", b"[", b"]", b"{2,}", b"{1001}", b"*", b"+", b"?", b"\\", b"\\b", b"\\Q", b"\\pL", b"\\x{10FFFF}"),
    *(b"\\1", b"\\z", b"\\Z", b"\\C", b"(?i)", b"(?P<n>", b"(?<n>", b"(?=", b"[[:alpha:]]", b"[^", b"^", b"$", b"|"),
    *(b".", b"/", b"-", b" ", b"\t", b"\xc2\xa0", b"\xef\xbb\xbf", b"\xff", b"\xe2\x80\xa8", b"\x00", b"\x0b"),
    *(b"#", b'"', b"\\u0000", b"\\ud800", b'\\"', b",", b":", b"::", b"/0", b"/32", b"0", b"01", b"%", b"\r"),
    *(b"\n", b"\r\n", b"A", b"\xc4\xb0", b"\xc5\xbf", b"\xe2\x84\xaa", b"\xc3\x9f", b"\xf0\x9f\x98\x80", b"null"),
)


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A file that validation lets out."""

    kind: str
    body: bytes
    options: dict[str, Any] = field(default_factory=dict)


def near_misses(seed: int, kinds: tuple[str, ...] = tuple(_REAL)) -> Iterator[NearMiss]:
    """Yield files without end, the same for the same `seed`."""
    chance = random.Random(seed)
    known = {kind: _rows(kind) for kind in kinds}
    grown = patterns(10**9, seed)
    while True:
        kind = chance.choice(kinds)
        rows = [_hurt(chance, chance.choice(known[kind])) for _ in range(chance.choice((1, 1, 2, 4)))]
        if kind.endswith("regexp") and chance.random() < 0.5:
            rows.append(next(grown).encode("utf-8", "surrogatepass"))
        miss = NearMiss(kind, b"\n".join(rows) + b"\n", chance.choice(_OPTIONS.get(kind, ({},))))
        if not errors(judged(load(Seam.KIND, kind), miss.body, **miss.options)):
            yield miss


def _rows(kind: str) -> list[bytes]:
    lines = [line for key in _REAL[kind] for line in (SEC_LISTS / key).read_bytes().split(b"\n")]
    lines += [line for one in corpus() if one.kind == kind and len(one.body) < 3000 for line in one.body.split(b"\n")]
    return [line[:400] for line in lines if line and line[:1] != b"#"]


def _hurt(chance: random.Random, row: bytes) -> bytes:
    text = bytearray(row)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at, how = chance.randrange(len(text) + 1), chance.random()
        if how < 0.6:
            text[at:at] = chance.choice(_PIECES)
        elif how < 0.8:
            del text[at : at + chance.choice((1, 1, 2, 5))]
        else:
            text[at : at + 1] = bytes([chance.randrange(256)])
    return bytes(text)


def asked(misses: list[NearMiss], engine: crowdsec.Unpacked, tree: Path) -> Judgement:
    """Return what the engine says of them all, written into the empty directory `tree` as `0`, `1` and so on."""
    for number, miss in enumerate(misses):
        (tree / str(number)).write_bytes(miss.body)
    rules = tuple(FileRule(str(number), miss.kind, miss.options) for number, miss in enumerate(misses))
    job = Job("near-misses", SourceSpec("directory", {}), rules)
    return judge(tree, (job,), engine.program, timeout=timedelta(seconds=120), environment=engine.environment)


def _look(seed: int, seconds: float, kinds: tuple[str, ...]) -> None:
    engine, end, count = crowdsec.unpacked(), time.monotonic() + seconds, 0
    stream = near_misses(seed, kinds or tuple(_REAL))
    while time.monotonic() < end:
        with TemporaryDirectory() as tree:
            misses = list(islice(stream, 250))
            found = asked(misses, engine, Path(tree))
        count += len(misses)
        for complaint, line in zip(found.complaints, shown(found), strict=True):
            print(misses[int(complaint.key)] if complaint.key else "", line, flush=True)
    print(f"{count:,} files that validation lets out were shown to the engine")


if __name__ == "__main__":
    _look(int(sys.argv[1]), float(sys.argv[2]), tuple(sys.argv[3:]))
