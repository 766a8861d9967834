"""Generates bodies for every kind: files as they should be, hurt in a few places; poison; rows repeated; noise.

What is random from end to end is refused at its first byte. A file that was good, or nearly so, leads a judge far
into its grammar before it goes wrong.
"""

from functools import cache

from hypothesis import strategies as st

from hubdata.grammar.gather import MAX_PER_RULE
from tests.support.patterns import patterns
from tests.support.poison import corpus

_GOOD = {
    "cidr": b"9.9.9.0/24\n2a00:1450::/32\n",
    "ip-exact": b"9.9.9.9\n2a00:1450::1\n",
    "rdns-suffix": b".search.example.net.\n",
    "rdns-regexp": rb"^crawl-[0-9]+\.googlebot\.com\.$" + b"\n",
    "regexp": rb"(?i)evil[a-z]{2,9}scanner\d" + b"\n",
    "needle": b"/wp-config.php.bak\n",
    "jsonl-uri": b'{"cve":"CVE-2024-3400","uri":"/ssl-vpn/hipreport.esp"}\n',
    "map": b'{"pattern":"^/wp-[a-z]+/","tag":"wordpress","type":"regex"}\n',
    "bots": (
        rb'{"name":"a","user_agent":"abot","ips":["9.9.9.9"],"ranges":["9.9.8.0/24"],'
        rb'"rdns":["^a[0-9]+\\.search\\.example\\.net$"]}' + b"\n"
    ),
    "modsec": b'SecRule ARGS|!ARGS:/a/ "@rx (?i)a" \\\n    "id:1,phase:2,deny,setvar:\'tx.a=1\'"\n',
    "phrases": b"# c\nselect from\nunion all\n",
    "json": b'{"a": [1, 2.5e3, null, "b\\u00e9"]}\n',
    "opaque": b"any text\n",
    "mmdb": b"\0" * 64 + b"\xab\xcd\xefMaxMind.com\xe3\x4aip_version\xa1\x04Zdatabase_type\x43abcknode_count\xc1\x01",
}
_PIECES = (
    *(b"\n", b"\r", b"\0", b"\xff", b"\xef\xbb\xbf", b" ", b"#", b"\\", b'"', b"'", b",", b"{", b"}", b"[", b"]", b":"),
    *(b"(", b")", b"|", b"*", b"{2,", b"(?i)", b"[a-", rb"\pL", b"/0", b"::", b"%", b"e999", b"NaN", b"\\ud800", b"`"),
    *("\u0661".encode(), "\u200b".encode(), "\u0130".encode(), b"-", b"1" * 5_000, b"[" * 2_000, b'{"a":' * 300),
    *(
        b"chain,",
        b"SecRule ",
        b"@pmf ",
        b"ctl:",
        b"/",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"a" * 33_000,
        b"\n" * 300,
    ),
)


@cache
def _seeds(kind: str) -> tuple[bytes, ...]:
    poison = tuple(each.body for each in corpus() if each.kind == kind and "parts" not in each.settings)
    return (_GOOD[kind], *poison)


@cache
def _patterns() -> tuple[str, ...]:
    return tuple(patterns(2_000, seed=7))


@st.composite
def bodies(draw: st.DrawFn, kind: str) -> bytes:
    """Draw a body for `kind`."""
    seeds = st.sampled_from(_seeds(kind))
    body = b"".join(draw(st.lists(seeds, min_size=1, max_size=3)))
    if draw(st.booleans()):
        body = body.replace(b"a", draw(st.sampled_from(_patterns())).encode(errors="replace"), 1)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(body)))
        lost = draw(st.integers(0, 8))
        piece = draw(st.one_of(st.sampled_from(_PIECES), st.binary(max_size=4)))
        body = body[:at] + piece + body[at + lost :]
    return body * draw(st.sampled_from((1, 1, 1, 2, MAX_PER_RULE + 2))) if len(body) < 2_000 else body
